"""What a provider told within a minute: read out of the bucket, a block of events at a time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import msgspec

from heliograph.aws.bucket import StoredObject
from heliograph.model.engagement import EngagementEvent, Events, RawObject, Unread
from heliograph.recording.raw import Line, lines
from heliograph.recording.reading import read_line
from heliograph.runtime import wiring
from heliograph.text.bodies import PACK_BYTES, body
from heliograph.text.errors import Code, MalformedError

BLOCK: Final = 50_000
"""Lines that are recorded at once: more than the 64 MiB of the template are, at some 1,700 bytes an event."""
UNREADABLE_LIMIT: Final = 100
"""Lines of an object that are parked. One with more is parked itself as well; what can be read of it is recorded."""
PARKED_BYTES: Final = 100_000  # of a line that is parked
PACK: Final = 100  # events that go on together
REFUSED: Final = re.compile("[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Characters that SQS refuses in a body."""


@dataclass
class Block:
    """A part of an object."""

    first: int
    """The number of its first line."""
    events: dict[str, EngagementEvent] = field(default_factory=dict)
    """By their ids: a provider may tell one twice."""
    unreadable: list[tuple[str, MalformedError]] = field(default_factory=list)
    """What is parked: lines about mails of ours that cannot be read, or all that is left of the object; and why."""


def blocks(told: RawObject) -> Iterator[Block]:
    """All that an object says, from where it is to be read on.

    Raises MalformedError when it is not there, is none of a provider's or ends too early: after what can be read of it.
    """
    block, parked = Block(told.after + 1), 0
    try:
        for line in lines(wiring.bucket().chunks(StoredObject(told.key, "")), told.key):
            if line.number <= told.after:
                continue
            if line.number >= block.first + BLOCK:
                yield block
                block = Block(line.number)
            try:
                if event := read_line(told, line):
                    block.events[event.event_id] = event
            except MalformedError as error:
                parked += 1
                block.unreadable += _parked(told, line, error, parked)
    except MalformedError:
        yield block
        raise
    yield block


def unread(told: RawObject, block: Block) -> Unread:
    """An object from a block on, as it travels on the queue `raw`."""
    return Unread(unread=msgspec.structs.replace(told, after=block.first - 1))


def _parked(told: RawObject, line: Line, error: MalformedError, number: int) -> Iterator[tuple[str, MalformedError]]:
    """A line that cannot be read; after `UNREADABLE_LIMIT` of them the object, once."""
    if number <= UNREADABLE_LIMIT:
        yield _text(line), error
    elif number == UNREADABLE_LIMIT + 1:
        reason = f"holds more than {UNREADABLE_LIMIT} lines that cannot be read"
        yield body(Unread(unread=told)).decode(), MalformedError(Code.UNREADABLE_PROVIDER_EVENT, told.key, reason)


def packed(events: Sequence[EngagementEvent]) -> Iterator[Events]:
    """Events as they travel on the engagement queue."""
    for start in range(0, len(events), PACK):
        yield from _halved(events[start : start + PACK])


def _halved(events: Sequence[EngagementEvent]) -> Iterator[Events]:
    whole, half = Events(events=tuple(events)), len(events) // 2
    if not half or len(body(whole)) <= PACK_BYTES:
        yield whole
        return
    yield from _halved(events[:half])
    yield from _halved(events[half:])


def _text(line: Line) -> str:
    """A line as a queue takes it."""
    return REFUSED.sub("\ufffd", line.text[:PARKED_BYTES].decode(errors="replace"))
