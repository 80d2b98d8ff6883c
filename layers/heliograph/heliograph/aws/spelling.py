"""The JSON of calls that are made for every message: written and read by msgspec, at botocore's own events."""

from __future__ import annotations

from typing import Any, Final

import msgspec

SPELLED: Final = ("dynamodb", "sqs", "sesv2.SendBulkEmail", "sesv2.SendEmail")
"""Calls all of whose parameters are the JSON of their body: no path, query or header takes one."""

_WRITTEN: Final = "heliograph.body"
_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder().decode


def register(events: Any) -> None:
    """Let the clients of a session, or one client, spell their JSON so; the events are theirs."""
    for calls in SPELLED:
        events.register(f"provide-client-params.{calls}", write)
        events.register(f"before-call.{calls}", replace)
        events.register(f"before-parse.{calls}", read)


def write(params: dict[str, Any], context: dict[str, Any], **_: Any) -> dict[str, Any] | None:
    """Write the body; what botocore goes through instead is the parameters with nothing in their lists and maps.

    Its rules of endpoints look at them. None leaves to botocore what is no text (half a surrogate pair).
    """
    try:
        context[_WRITTEN] = _encode(params)
    except UnicodeEncodeError:
        return None
    return {name: type(value)() if isinstance(value, dict | list) else value for name, value in params.items()}


def replace(params: dict[str, Any], context: dict[str, Any], **_: Any) -> None:
    """Put the body in the place of the one that botocore has written of next to nothing."""
    if _WRITTEN in context:
        params["body"] = context.pop(_WRITTEN)


def read(operation_model: Any, response_dict: Any, customized_response_dict: dict[str, Any], **_: Any) -> None:
    """Read an answer, so that nothing is left to botocore but errors and what is no JSON: it says what is wrong."""
    if response_dict["status_code"] >= 300 or operation_model.output_shape is None:
        return
    try:
        found = _decode(response_dict["body"])
    except (msgspec.DecodeError, UnicodeDecodeError):
        return
    if isinstance(found, dict):
        known = operation_model.output_shape.members
        customized_response_dict.update({name: found[name] for name in known if found.get(name) is not None})
        response_dict["body"] = b"{}"
