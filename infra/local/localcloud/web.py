"""The outbox over HTTP: a page, its JSON, and the door for engagement; for this machine only."""

from __future__ import annotations

import json
import re
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ministack import app

from localcloud import endpoint, faults, outbox
from localcloud.calls import Answer, RefusedError, answer
from localcloud.engage import engage

PREFIX = "/_heliograph/"
BODY_LIMIT = 16 * 1024 * 1024  # bytes
LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?", re.IGNORECASE)

# Mails are shown in frames that inherit this: nothing is fetched from outside, and no script of theirs runs.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGES = {
    "outbox": ("outbox.html", "text/html; charset=utf-8"),
    "outbox.css": ("outbox.css", "text/css; charset=utf-8"),
    "outbox.js": ("outbox.js", "text/javascript; charset=utf-8"),
    "cards.js": ("cards.js", "text/javascript; charset=utf-8"),
}

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


def install() -> None:
    """Answer paths below `/_heliograph/` before ministack sees them."""
    others = app.app

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(PREFIX):
            await _send(send, _safely(scope, await _body(receive)))
        else:
            await others(scope, receive, send)

    app.app = serve


def _safely(scope: Scope, body: bytes) -> Answer:
    try:
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        _check_loopback(headers)
        return _route(scope["method"], scope["path"].removeprefix(PREFIX), scope, headers, body)
    except RefusedError as no:
        return answer({"error": no.message}, status=no.status)


def _check_loopback(headers: dict[str, str]) -> None:
    """A page from elsewhere must neither read the outbox nor press its buttons."""
    origin = headers.get("origin")
    if not LOOPBACK.fullmatch(headers.get("host", "")):
        raise RefusedError("Forbidden", "Only a loopback Host is served.", status=403)
    if origin is not None and not LOOPBACK.fullmatch(urlsplit(origin).netloc):
        raise RefusedError("Forbidden", "Only a loopback Origin is served.", status=403)


def _route(method: str, name: str, scope: Scope, headers: dict[str, str], body: bytes) -> Answer:
    if method == "POST" and name == "engage":
        return answer(engage(_json(body)))
    if method == "POST" and name == "faults":
        return answer(faults.replace(_json(body)))
    if method != "GET" or name == "engage":
        raise RefusedError(
            "MethodNotAllowed", "GET outbox, outbox.json, health or faults; POST engage or faults.", status=405
        )
    if name == "faults":
        return answer(faults.shown())
    if name == "health":
        return answer({"status": "running", "endpoint": endpoint.address})
    if name == "outbox.json":
        return _messages(parse_qs(scope["query_string"].decode()), headers)
    if name.rstrip("/") in PAGES:
        file, kind = PAGES[name.rstrip("/")]
        return (
            200,
            {"Content-Type": kind, "Content-Security-Policy": POLICY},
            (Path(__file__).parent / file).read_bytes(),
        )
    raise RefusedError("NotFound", "There are outbox, outbox.json, engage, faults and health.", status=404)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise RefusedError("BadRequest", "The body is not JSON.") from None


def _messages(query: dict[str, list[str]], headers: dict[str, str]) -> Answer:
    given = {name: values[0] for name, values in query.items()}
    tag = f'"{outbox.version()}"'
    if headers.get("if-none-match") == tag:
        return 304, {"ETag": tag}, b""
    limit = int(given["limit"]) if given.get("limit", "").isdigit() else outbox.MESSAGES_KEPT
    found = outbox.newest(**{name: given.get(name, "") for name in ("channel", "to", "like", "tag")}, limit=limit)
    words = given.get("words") != "no"
    status, sent, content = answer([message.as_json(words=words) for message in found])
    return status, {**sent, "ETag": tag}, content


async def _body(receive: Receive) -> bytes:
    chunks, more = bytearray(), True
    while more and len(chunks) <= BODY_LIMIT:
        message = await receive()
        chunks += message.get("body", b"")
        more = message.get("more_body", False)
    return bytes(chunks)


async def _send(send: Send, result: Answer) -> None:
    status, headers, content = result
    always = {"Content-Length": str(len(content)), "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    lines = [(name.lower().encode(), value.encode()) for name, value in {**headers, **always}.items()]
    await send({"type": "http.response.start", "status": status, "headers": lines})
    await send({"type": "http.response.body", "body": content})
