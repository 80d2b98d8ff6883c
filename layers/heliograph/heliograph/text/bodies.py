"""How work travels: as JSON, counted in the bytes that queues and schedules count, in characters that they take."""

from __future__ import annotations

from typing import Final

import msgspec

from heliograph.model.values import JsonObject

MESSAGE_LIMIT: Final = 1_048_576
"""Bytes of an SQS message, and of all messages of a batch together."""
PACK_BYTES: Final = 180_000
"""Bytes of a pack of people: it must fit into 256 KB, the input of a schedule, with all that is added on its way."""
INPUT_LIMIT: Final = 200_000
"""Bytes of what waits in a schedule: EventBridge Scheduler takes 256 KB."""
REQUEST_LIMIT: Final = 150_000
"""Bytes of what one person's request brings along: alone, it always fits into a message and a schedule."""
REFUSED: Final = {b"\xef\xbf\xbe": b"\\ufffe", b"\xef\xbf\xbf": b"\\uffff"}
"""Characters that SQS refuses (beside control characters, which JSON escapes anyway), as JSON may spell them, too."""


def body(work: msgspec.Struct | JsonObject) -> bytes:
    """The JSON of work as it travels."""
    text = msgspec.json.encode(work)
    for character, spelled in REFUSED.items():
        if character in text:
            text = text.replace(character, spelled)
    return text
