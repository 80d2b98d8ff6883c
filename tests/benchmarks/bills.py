"""Lines of a bill, and the work of functions as lines."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from benchmarks import prices
from benchmarks.campaigns import Step
from benchmarks.prices import MILLION, Price
from benchmarks.ways import Coming


class Line(NamedTuple):
    """So much of something, and what one of it costs."""

    part: str
    """Of the system, or of what it keeps."""
    what: str
    quantity: float
    price: Price

    @property
    def usd(self) -> float:
        """Dollars."""
        return self.quantity * self.price.usd

    def __str__(self) -> str:
        """As it stands in the bill."""
        return f"{self.quantity:>12,.6g} x {self.price.service} {self.price.source} = ${self.usd:.4f}"


def usd(lines: Iterable[Line]) -> float:
    """The sum of lines in dollars."""
    return sum(line.usd for line in lines)


def summed(lines: Iterable[Line]) -> list[Line]:
    """Lines of the same thing as one; what there is nothing of is left out."""
    quantities: defaultdict[tuple[str, str, Price], float] = defaultdict(float)
    for line in lines:
        quantities[line.part, line.what, line.price] += line.quantity
    return [Line(part, what, many, price) for (part, what, price), many in quantities.items() if many]


def of_function(part: str, step: Step) -> Iterator[Line]:
    """What a function takes for a million mails."""
    each, counts = MILLION / step.mails, step.counts
    objects = sum(put["objects"] for put in counts["objects_put"].values())
    yield Line(part, "write units", counts["write_units"] * each, prices.WRITE_UNIT)
    yield Line(part, "read units", counts["read_units"] * each, prices.READ_UNIT)
    yield Line(part, "requests of queues", (counts["sqs_requests"] + step.queued) * each, prices.SQS_REQUEST)
    yield Line(part, "objects put", objects * each, prices.S3_PUT)
    yield Line(part, "objects read", counts["calls"].get("S3.GetObject", 0) * each, prices.S3_GET)
    yield Line(part, "events of S3", objects * each, prices.EVENTBRIDGE_EVENT)
    yield Line(part, "schedules", counts["calls"].get("Scheduler.CreateSchedule", 0) * each, prices.SCHEDULE)
    yield Line(part, "GB-seconds", step.gb_seconds() * each, prices.GB_SECOND)
    yield Line(part, "invocations", step.invocations * each, prices.INVOCATION)
    yield Line(part, "GB of logs", step.log_bytes * each / 1e9, prices.LOG_GB)


def of_firehose(part: str, coming: Sequence[Coming], mails: float) -> Iterator[Line]:
    """What it takes that so many mails are told of by the minute, for a million."""
    each, objects = MILLION / mails, sum(one.raw > 0 for one in coming)
    yield Line(part, "GB through Firehose", sum(one.collected for one in coming) * each / 1e9, prices.FIREHOSE_GB)
    yield Line(part, "objects put by Firehose", objects * each, prices.S3_PUT)
    yield Line(part, "events of these objects", objects * each, prices.EVENTBRIDGE_EVENT)
