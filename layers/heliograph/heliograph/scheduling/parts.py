"""What waits for a minute: the people of one pack who are due in it, as they are kept until then."""

from __future__ import annotations

import zlib
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Final, NamedTuple

import msgspec

from heliograph.model.requests import RequestPack
from heliograph.model.values import Value
from heliograph.planning.packing import Due
from heliograph.text import ids
from heliograph.text.bodies import INPUT_LIMIT
from heliograph.text.errors import Code, MalformedError

PACKING: Final = 1
"""zlib's quickest level: the requests of a run are alike, and a write is billed by the kilobyte."""


class Step(Value, frozen=True, kw_only=True):
    """On the wire a `SendRequest`, of which no more is read: a minute may have a million."""

    request_id: str
    step: int = 0


STEP: Final = msgspec.json.Decoder(Step)


class Kind(NamedTuple):
    """What the people of a pack have in common."""

    run_id: str
    message: str
    via_fallback: bool


class Part(NamedTuple):
    """Requests that wait together."""

    minute: datetime
    name: str
    """`<origin>#<an id of who is in it>`: who comes again in other company comes under another name."""
    run_id: str
    message: str
    people: int
    packed: str
    """The requests as a list in JSON, deflated, in base64: items travel as JSON."""

    @property
    def origin(self) -> str:
        """Names the pack and the minute, and of a fallback its people: parts of one origin may hold somebody twice."""
        return origin_of(self.name)

    @property
    def kind(self) -> Kind:
        """With whom these people may share a pack."""
        return Kind(self.run_id, self.message, ids.is_of_fallbacks(self.origin))

    def requests(self) -> list[msgspec.Raw]:
        """The requests, each as it travels; raises MalformedError."""
        with reading(self.name):
            found = msgspec.json.decode(zlib.decompress(b64decode(self.packed)), type=list[msgspec.Raw])
            if len(found) != self.people:
                raise ValueError("holds others than it says")
            return found

    def dispatch_ids(self) -> list[str]:
        """Who is in it: the ids of the next decisions on them; raises MalformedError."""
        return [dispatch_id for dispatch_id, _ in self.identified()]

    def identified(self) -> list[tuple[str, msgspec.Raw]]:
        """The requests with the ids of the next decisions on them; raises MalformedError."""
        requests = self.requests()
        with reading(self.name):
            steps = [STEP.decode(each) for each in requests]
        return [(ids.dispatch_id(step.request_id, step.step), each) for step, each in zip(steps, requests, strict=True)]


class Damaged(NamedTuple):
    """What waits as a part and is none."""

    name: str
    error: MalformedError

    @property
    def origin(self) -> str:
        """As of a part: the name is the key of its item, and always there."""
        return origin_of(self.name)


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Around everything that reads a part: raises MalformedError with its name and no word of what is in it."""
    try:
        yield
    except (KeyError, ValueError, zlib.error, msgspec.DecodeError, RecursionError) as error:
        reason = f"cannot be read ({type(error).__name__})"
        raise MalformedError(Code.UNREADABLE_TEXT, name, reason) from None


def origin_of(name: str) -> str:
    """The origin in the name of a part."""
    return name.partition("#")[0]


def parts_of(due: Due) -> Iterator[Part]:
    """Requests as one part, or as several that each fit into an item of DynamoDB (400 KB)."""
    pack, minute = due
    text = msgspec.json.encode(pack.requests)
    half = len(pack.requests) // 2
    if not half or len(text) <= INPUT_LIMIT:
        yield _part(pack, minute, text)
        return
    for some in (pack.requests[:half], pack.requests[half:]):
        yield from parts_of(Due(msgspec.structs.replace(pack, requests=some), minute))


def _part(pack: RequestPack, minute: datetime, text: bytes) -> Part:
    who = ids.derived_id(minute, pack.pack_id, *(request.dispatch_id for request in pack.requests))
    return Part(
        minute=minute,
        name=f"{pack.pack_id}#{who}",
        run_id=pack.run_id,
        message=pack.requests[0].message,
        people=len(pack.requests),
        packed=b64encode(zlib.compress(text, PACKING)).decode(),
    )
