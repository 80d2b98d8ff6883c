"""The ways on which events of SES reach `record`: one by one through EventBridge, or by the minute through Firehose."""

from __future__ import annotations

import gzip
import json
import random
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import NamedTuple, TypeVar

from benchmarks import work
from benchmarks.events import Mail, Told
from benchmarks.polling import Arrival, polled
from heliograph.text import ids
from wiring import TEMPLATE, everywhere, mappings

T = TypeVar("T")
ONE_BY_ONE, BY_THE_MINUTE = "eventbridge", "firehose"
DEFAULT: str = TEMPLATE["Parameters"].get("Engagement", {"Default": ONE_BY_ONE})["Default"]
"""The way that a stack takes if nobody says otherwise."""
AHEAD = frozenset({"Bounce"})
"""What SES tells EventBridge as well where Firehose collects everything, for its consequences."""
DELETED = 10  # messages: DeleteMessageBatch
BILLED = 5_120  # bytes: Firehose rounds each record up to as many
MEBIBYTE = 1 << 20

QUEUE = mappings("Record")["Engagement"]
BATCH: int = QUEUE["BatchSize"]
WINDOW: float = QUEUE.get("MaximumBatchingWindowInSeconds", 0)
_objects = count()


class Coming(NamedTuple):
    """What a function gets at once."""

    at: float
    """When (seconds)."""
    bodies: list[str]
    """Of messages."""
    told: int = 0
    """Events in them; what is told ahead counts where it is collected."""
    requests: float = 0.0
    """SQS requests to put, receive and delete the messages."""
    collected: float = 0.0
    """Bytes that Firehose bills."""
    raw: int = 0
    """Bytes of the object that Firehose wrote."""
    on_the_bus: int = 0
    """Events of SES that EventBridge took."""


class Cut(NamedTuple):
    """Events as functions get them."""

    each: list[Coming]
    left: Sequence[Arrival[Told]] = ()
    """What is still being collected."""

    @property
    def batches(self) -> list[list[str]]:
        """Bodies of messages."""
        return [one.bodies for one in self.each]

    @property
    def told(self) -> int:
        """Events."""
        return sum(one.told for one in self.each)

    @property
    def requests(self) -> float:
        """SQS requests."""
        return sum(one.requests for one in self.each)

    @property
    def objects(self) -> int:
        """Objects that Firehose wrote."""
        return sum(one.raw > 0 for one in self.each)


def tags_of(mail: Mail) -> dict[str, str]:
    """The tags of a mail."""
    request_id = f"{mail.pack_id[:-2]}{mail.slot:02d}"
    return {
        "dispatch_id": ids.dispatch_id(request_id, 0),
        "recipient_id": f"customer-{mail.slot:07d}",
        "outcome_key": ids.outcome_key(mail.pack_id, mail.slot),
        "message": "bench_sale",
        "run_id": mail.run_id,
    }


def on_the_bus(arrival: Arrival[Told]) -> str:
    """An event as EventBridge puts it into the queue."""
    told = arrival.content
    return work.ses_event(told.kind, tags_of(told.mail), datetime.fromtimestamp(arrival.at, UTC))


def one_by_one(arrivals: Sequence[Arrival[Told]], rng: random.Random) -> Cut:
    """Each event is a message, and pollers make batches of them."""
    return Cut([*_polled([Arrival(each.at, on_the_bus(each)) for each in sorted(arrivals)], rng)])


def _polled(bodies: Sequence[Arrival[str]], rng: random.Random, *, are_told: bool = True) -> Iterator[Coming]:
    for batch in polled(bodies, size=BATCH, window=WINDOW, rng=rng):
        number = len(batch.contents)
        requests = number + batch.receives + -(-number // DELETED)
        yield Coming(batch.at, batch.contents, number if are_told else 0, requests, on_the_bus=number)


class Hints(NamedTuple):
    """For how long, and how much, the template lets Firehose collect."""

    seconds: float
    size: int
    """Bytes."""


def _hints() -> Hints:
    (stream,) = everywhere("AWS::KinesisFirehose::DeliveryStream").values()
    mebibytes = stream["ExtendedS3DestinationConfiguration"]["BufferingHints"]["SizeInMBs"]
    return Hints(float(TEMPLATE["Parameters"]["EngagementSeconds"]["Default"]), mebibytes * MEBIBYTE)


HINTS = _hints()


def minutes(arrivals: Sequence[Arrival[T]], size_of: Callable[[Arrival[T]], int]) -> Iterator[list[Arrival[T]]]:
    """Events as Firehose collects them: until its time is over since the first, or they are as many bytes."""
    some, size = list[Arrival[T]](), 0
    for arrival in sorted(arrivals):
        if some and (arrival.at >= some[0].at + HINTS.seconds or size >= HINTS.size):
            yield some
            some, size = [], 0
        some.append(arrival)
        size += size_of(arrival)
    if some:
        yield some


def by_the_minute(folder: Path, arrivals: Sequence[Arrival[Told]], rng: random.Random, *, is_last: bool) -> Cut:
    """Everything is collected in objects, each a message of its own; what has consequences is told at once as well.

    Unless these are the last events, the last object is not ready yet.
    """
    lines = {each: _line(each) for each in arrivals}
    found = [*minutes(arrivals, lambda each: len(lines[each]))]
    left = [] if is_last or not found else found.pop()
    objects = [_object(folder, some, [lines[each] for each in some]) for some in found]
    ahead = [Arrival(each.at, _ahead(each)) for some in found for each in some if each.content.kind in AHEAD]
    return Cut(sorted([*objects, *_polled(sorted(ahead), rng, are_told=False)]), left)


def _object(folder: Path, some: Sequence[Arrival[Told]], lines: Sequence[bytes]) -> Coming:
    """An object as Firehose writes it, and the message that S3's event becomes: put, received and deleted."""
    key = f"raw/email/2026/11/24/12/heliograph-email-1-2026-11-24-12-00-00-{next(_objects)}.gz"
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(b"".join(lines), compresslevel=6))
    size = path.stat().st_size
    detail = {"bucket": {"name": "heliograph-bucket"}, "object": {"key": key, "size": size}}
    event = {"version": "0", "detail-type": "Object Created", "source": "aws.s3", "detail": detail}
    body = json.dumps(event | {"time": "2026-11-24T12:00:00Z"})
    is_full = sum(map(len, lines)) >= HINTS.size
    return Coming(
        at=some[-1].at if is_full else some[0].at + HINTS.seconds,
        bodies=[body],
        told=len(lines),
        requests=3,
        collected=float(sum(-(-len(line) // BILLED) * BILLED for line in lines)),
        raw=size,
    )


def cut(way: str, folder: Path, arrivals: Sequence[Arrival[Told]], rng: random.Random, *, is_last: bool) -> Cut:
    """Events on a way; `folder` is where the bucket's objects are."""
    return one_by_one(arrivals, rng) if way == ONE_BY_ONE else by_the_minute(folder, arrivals, rng, is_last=is_last)


def at_once(way: str, folder: Path, arrivals: Sequence[Arrival[Told]], rng: random.Random) -> Cut:
    """Events that come in one batch or object, each received by itself where they come one by one."""
    if way == BY_THE_MINUTE:
        return by_the_minute(folder, [Arrival(arrivals[0].at, each.content) for each in arrivals], rng, is_last=True)
    number = len(arrivals)
    requests = 2 * number + -(-number // DELETED)
    return Cut([Coming(arrivals[0].at, [*map(on_the_bus, arrivals)], number, requests, on_the_bus=number)])


def _line(arrival: Arrival[Told]) -> bytes:
    return json.dumps(_told(arrival)).encode() + b"\n"


def _ahead(arrival: Arrival[Told]) -> str:
    return json.dumps({"ahead": _told(arrival)})


def _told(arrival: Arrival[Told]) -> dict[str, object]:
    told = arrival.content
    return work.ses_detail(told.kind, tags_of(told.mail), datetime.fromtimestamp(arrival.at, UTC))
