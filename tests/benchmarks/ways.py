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


class Cut(NamedTuple):
    """Events as a function gets them."""

    batches: list[list[str]]
    """Bodies of messages."""
    told: int
    """Events in them."""
    requests: float
    """SQS requests to put, receive and delete the messages."""
    collected: float = 0.0
    """Bytes that Firehose bills."""
    objects: int = 0
    """Objects that Firehose wrote."""
    on_the_bus: int = 0
    """Events of SES that EventBridge took."""
    left: Sequence[Arrival[Told]] = ()
    """What is still being collected."""


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
    bodies = (Arrival(each.at, on_the_bus(each)) for each in sorted(arrivals))
    found = [*polled(bodies, size=BATCH, window=WINDOW, rng=rng)]
    requests = sum(len(each.contents) + each.receives + -(-len(each.contents) // DELETED) for each in found)
    return Cut([each.contents for each in found], len(arrivals), requests, on_the_bus=len(arrivals))


def _hints() -> dict[str, int]:
    """For how long, and to how many MiB, the template lets Firehose collect."""
    (stream,) = everywhere("AWS::KinesisFirehose::DeliveryStream").values()
    found: dict[str, int] = stream["ExtendedS3DestinationConfiguration"]["BufferingHints"]
    seconds = TEMPLATE["Parameters"]["EngagementSeconds"]["Default"]
    return {"seconds": seconds, "bytes": found["SizeInMBs"] * MEBIBYTE}


def minutes(arrivals: Sequence[Arrival[T]], size_of: Callable[[Arrival[T]], int]) -> Iterator[list[Arrival[T]]]:
    """Events as Firehose collects them: until its time is over since the first, or they are as many bytes."""
    hints, some, size = _hints(), list[Arrival[T]](), 0
    for arrival in sorted(arrivals):
        if some and (arrival.at >= some[0].at + hints["seconds"] or size >= hints["bytes"]):
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
    told = [each for some in found for each in some]
    ahead = [Arrival(each.at, _ahead(each)) for each in told if each.content.kind in AHEAD]
    early = [*polled(ahead, size=BATCH, window=WINDOW, rng=rng)]
    return Cut(
        batches=[[_put(folder, [lines[each] for each in some])] for some in found] + [each.contents for each in early],
        told=len(told),
        requests=3 * len(found) + sum(len(each.contents) + each.receives + 1 for each in early),
        collected=float(sum(-(-len(lines[each]) // BILLED) * BILLED for each in told)),
        objects=len(found),
        on_the_bus=len(ahead),
        left=left,
    )


def _put(folder: Path, lines: Sequence[bytes]) -> str:
    """Write an object as Firehose does; the message that S3's event becomes."""
    key = f"raw/email/2026/11/24/12/heliograph-email-1-2026-11-24-12-00-00-{next(_objects)}.gz"
    path = folder / key
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(b"".join(lines), compresslevel=6))
    detail = {"bucket": {"name": "heliograph-bucket"}, "object": {"key": key, "size": path.stat().st_size}}
    event = {"version": "0", "detail-type": "Object Created", "source": "aws.s3", "detail": detail}
    return json.dumps(event | {"time": "2026-11-24T12:00:00Z"})


def cut(way: str, folder: Path, arrivals: Sequence[Arrival[Told]], rng: random.Random, *, is_last: bool) -> Cut:
    """Events on a way; `folder` is where the bucket's objects are."""
    return one_by_one(arrivals, rng) if way == ONE_BY_ONE else by_the_minute(folder, arrivals, rng, is_last=is_last)


def at_once(way: str, folder: Path, arrivals: Sequence[Arrival[Told]], rng: random.Random) -> Cut:
    """Events that come in one batch or object, each received by itself where they come one by one."""
    if way == BY_THE_MINUTE:
        return by_the_minute(folder, [Arrival(arrivals[0].at, each.content) for each in arrivals], rng, is_last=True)
    requests = 2 * len(arrivals) + -(-len(arrivals) // DELETED)
    return Cut([[on_the_bus(each) for each in arrivals]], len(arrivals), requests, on_the_bus=len(arrivals))


def joined(cuts: Sequence[Cut]) -> Cut:
    """Several as one."""
    return Cut(
        batches=[batch for each in cuts for batch in each.batches],
        told=sum(each.told for each in cuts),
        requests=sum(each.requests for each in cuts),
        collected=sum(each.collected for each in cuts),
        objects=sum(each.objects for each in cuts),
        on_the_bus=sum(each.on_the_bus for each in cuts),
    )


def _line(arrival: Arrival[Told]) -> bytes:
    return json.dumps(_told(arrival)).encode() + b"\n"


def _ahead(arrival: Arrival[Told]) -> str:
    return json.dumps({"ahead": _told(arrival)})


def _told(arrival: Arrival[Told]) -> dict[str, object]:
    told = arrival.content
    return work.ses_detail(told.kind, tags_of(told.mail), datetime.fromtimestamp(arrival.at, UTC))
