"""What an endpoint gets: JSON as Standard Webhooks recommends it."""

from __future__ import annotations

from typing import Final

import msgspec

from heliograph.model.dispatches import Rendered

BODY_LIMIT: Final = 20_000  # bytes; Standard Webhooks: payloads are smaller than 20 kB
ENVELOPE: Final = 500  # bytes at most around the data: the name of a message has 128


def is_json(text: str) -> bool:
    """Whether a text is JSON, of any kind."""
    try:
        msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeEncodeError):  # nested too deeply; half a character
        return False
    return True


def body_of(rendered: Rendered) -> bytes:
    """The body; its time is that of the request, the same for every try."""
    return msgspec.json.encode(
        {
            "type": rendered.message.name,
            "timestamp": rendered.dispatch.request.requested_at,
            "data": msgspec.Raw(rendered.content["data"].encode()),
        }
    )
