"""What a call to a played provider carries, who may make it, and how it is answered or refused."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, NamedTuple

from ministack import app
from ministack.core.iam_actions import identity_denial_message
from ministack.core.iam_evaluator import AuthError, enforce
from ministack.core.responses import get_account_id, get_region
from ministack.core.router import extract_access_key_id

Answer = tuple[int, dict[str, str], bytes]
Query = Mapping[str, list[str]]
Handler = Callable[[str, str, dict[str, str], bytes, Query], Awaitable[Answer]]
"""How ministack calls a service: method, path, headers, body, query."""


class Call(NamedTuple):
    """One request to a provider, with its JSON body read."""

    method: str
    path: str
    headers: Mapping[str, str]
    size: int
    """Bytes of the body."""
    data: dict[str, Any]


class RefusedError(Exception):
    """The provider says no: its error code, its words, and whatever else its error shape holds."""

    def __init__(self, code: str, message: str, *, status: int = 400, **details: Any) -> None:
        super().__init__(message)
        self.code, self.message, self.status, self.details = code, message, status, details


class HangUpError(Exception):
    """The connection is lost before an answer."""


HANG_UP = "x-local-hang-up"
"""The header of an answer that is not to be given: `hang_up` closes the connection in its place."""


def answer(content: Any, *, status: int = 200, error: str = "") -> Answer:
    """A JSON answer; `error` names the exception for SDKs."""
    headers = {"Content-Type": "application/json"} | ({"x-amzn-errortype": error} if error else {})
    return status, headers, json.dumps(content).encode()


def played(play: Callable[[Call], Any], *, words: str = "Message") -> Handler:
    """A ministack handler that answers what `play` returns, or its refusal with the message under the key `words`."""

    async def handle(method: str, path: str, headers: dict[str, str], body: bytes, query: Query) -> Answer:
        try:
            return answer(play(Call(method, path, headers, len(body), read_json(body))))
        except RefusedError as no:
            content = {"__type": no.code, words: no.message, **no.details}
            return answer(content, status=no.status, error=no.code)
        except HangUpError:
            return 503, {HANG_UP: "now"}, b""

    return handle


def read_json(body: bytes) -> dict[str, Any]:
    """The JSON object of a body. Raises RefusedError for anything else."""
    try:
        data = json.loads(body or b"{}")
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise RefusedError("SerializationException", "The request body is not a JSON object.")
    return data


def arn(service: str, resource: str) -> str:
    """The ARN of a resource in the caller's account and region."""
    return f"arn:aws:{service}:{get_region()}:{get_account_id()}:{resource}"


def permit(call: Call, *, action: str, resource: str, status: int = 400) -> None:
    """Ask ministack's own evaluator whether the caller may; under AUTH=false everybody may. Raises RefusedError."""
    if not app.AUTH:
        return
    service = action.partition(":")[0]
    key = extract_access_key_id(dict(call.headers))
    denied = enforce(key, action, service, get_region(), resource_arn=resource)
    if isinstance(denied, AuthError):
        raise RefusedError(denied.code, denied.message, status=403)
    if denied is not None:
        explicit = denied.decision == "Deny"
        words = identity_denial_message(action, denied.principal_arn, resource, explicit)
        raise RefusedError("AccessDeniedException", words, status=status)
