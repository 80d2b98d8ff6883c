"""Do what a person does with a message, so that its provider reports it."""

from __future__ import annotations

import re
from functools import partial
from html import unescape
from typing import Any

from localcloud import announce, outbox
from localcloud.calls import RefusedError

KINDS = ("open", "click", "bounce", "complain")
_LINK = re.compile(r"""<a\b[^>]*\bhref\s*=\s*["']?(https?://[^"'\s>]+)""", re.IGNORECASE)
_BARE_LINK = re.compile(r"https?://[^\s<>\"']+")


def engage(wanted: Any) -> dict[str, int]:
    """Do one thing or a list of them. All or nothing: raises RefusedError before anything is done."""
    things = wanted if isinstance(wanted, list) else [wanted]
    reactions = [_reaction(thing) for thing in things]
    for sent, react in reactions:
        announce.for_account(sent.account, sent.region, react)
    return {"engaged": len(reactions)}


def _reaction(thing: Any) -> tuple[outbox.Sent, partial[None]]:
    if not isinstance(thing, dict) or thing.get("kind") not in KINDS:
        raise RefusedError("BadRequest", f"Say provider_message_id and kind, one of {', '.join(KINDS)}.")
    sent = outbox.find(str(thing.get("provider_message_id")))
    if sent is None:
        words = (
            "The outbox holds no message with this provider_message_id; it keeps the newest 20,000, until a restart."
        )
        raise RefusedError("NotFound", words, status=404)
    kind = thing["kind"]
    if kind not in sent.reactions:
        can = ", ".join(sent.reactions) or "nothing"
        raise RefusedError("BadRequest", f"A {sent.channel} message like this one cannot report {kind}; it can {can}.")
    link = str(thing.get("link") or "")
    if kind == "click" and not link:
        link = _first_link(sent)
    return sent, partial(sent.reactions[kind], link)


def _first_link(sent: outbox.Sent) -> str:
    match = _LINK.search(sent.html) or _BARE_LINK.search(sent.text)
    if match is None:
        raise RefusedError("BadRequest", "The message holds no link to click; name one as link.")
    return unescape(match[1] if match.re is _LINK else match[0])
