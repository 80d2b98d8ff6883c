"""What a million emails cost beyond SES's own price: counted, not guessed, and multiplied by dated prices."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks import events, place, prices, ways
from benchmarks.campaigns import Campaign, Place, Round, Step, engaged
from benchmarks.clock import Clock
from benchmarks.delivering import functions_for
from benchmarks.measuring import Figure
from benchmarks.polling import POLLERS
from benchmarks.prices import MILLION, Price
from benchmarks.recording import RATE
from benchmarks.ways import Cut
from heliograph.aws.tables import RETENTION
from wiring import CHANNELS, DEFAULT_CHANNELS, FUNCTIONS, mappings

USD = "usd_per_million_emails_beyond_ses"
STORAGE = "usd_storage_per_million_emails"
UNITS = "record_write_units_per_email"
KEYS = (UNITS, USD, STORAGE)
OTHER_RATES = (14.0, 50.0, 1_000.0)
"""Mails a second; the figures are those at `recording.RATE`."""
OTHER_WAYS = {ways.ONE_BY_ONE, ways.DEFAULT} - {ways.DEFAULT}
ROUNDS_ELSEWHERE = 1
MONTHS = RETENTION.days / prices.MONTH_DAYS
MONTHLY = 10 * MILLION
"""Mails a month over which the polling of queues that are empty is spread."""
OPENED_PACKS, OPENED_ELSEWHERE = 200, 50
"""Packs of which all opens and clicks are recorded, at the one rate and at the others."""


class Line(NamedTuple):
    """A line of the bill of a million emails."""

    what: str
    quantity: float
    price: Price

    @property
    def usd(self) -> float:
        """Dollars."""
        return self.quantity * self.price.usd

    def __str__(self) -> str:
        """As it stands in the bill."""
        return f"{self.quantity:>12,.6g} x {self.price.source} = ${self.usd:.4f}"


class Bill(NamedTuple):
    """A million emails at a rate."""

    rounds: list[list[Line]]
    storage: list[Line]
    beside: list[Line]
    """What may come on top: questions that are open, and what is yours to choose."""
    record_units: list[float]
    notes: dict[str, float | int | str]

    @property
    def sums(self) -> list[float]:
        """Dollars, round by round."""
        return [sum(line.usd for line in lines) for lines in self.rounds]

    @property
    def lines(self) -> list[Line]:
        """Those of the round in the middle."""
        middle = statistics.median_low(self.sums)
        return next(lines for lines, usd in zip(self.rounds, self.sums, strict=True) if usd == middle)


def bill_at(where: Place, rate: float, rounds: int, way: str = ways.DEFAULT) -> Bill:
    """The bill at a rate of sending."""
    campaign = Campaign(where, rate=rate, rounds=rounds, way=way)
    empty = _stored(where)
    found = [*campaign.run()]
    sent = _stored(where)
    opened, later = engaged(
        where, campaign.mails[: 100 * (OPENED_PACKS if rounds > 1 else OPENED_ELSEWHERE)], rate, way
    )
    outcomes = (sent - empty) / len(campaign.mails) + (_stored(where) - sent) / opened.mails
    lines = [[line for line in _lines(one, opened, later) if line.quantity] for one in found]
    cut = ways.joined([one.cut for one in found])
    return Bill(
        rounds=lines,
        storage=[*_storage(found[0], opened, outcomes)],
        beside=[*_beside(found[0], later, outcomes)],
        record_units=[one.record.counts["write_units"] / one.record.mails for one in found],
        notes={
            "way": way,
            "functions that deliver": functions_for(rate),
            "events at once": round(cut.told / sum(one.record.invocations for one in found), 1),
            "opens and clicks at once": round(later.told / opened.invocations, 1),
            "put-backs per pack": sum(one.put_backs for one in found) / sum(one.plan.mails / 100 for one in found),
        },
    )


def _stored(where: Place) -> float:
    """Bytes that DynamoDB bills in the table `runs`."""
    held = where.aws.ask("counts")["stored"].get("heliograph-runs", {"bytes": 0, "items": 0})
    return float(held["bytes"] + prices.ITEM_OVERHEAD * held["items"])


def _lines(one: Round, opened: Step, later: Cut) -> Iterator[Line]:
    """The lines of a round, for a million mails."""
    steps = {"plan": one.plan, "deliver": one.deliver, "record": one.record, "record opens, clicks": opened}
    for name, step in steps.items():
        yield from _of_function(name, step)
    for name, step, cut in (("record", one.record, one.cut), ("record opens, clicks", opened, later)):
        yield from _of_firehose(name, cut, MILLION / step.mails)
    each = MILLION / one.deliver.mails
    yield Line("waiting for the rate: Lambda GB-seconds", one.slept * prices.MEMORY_MB / 1024 * each, prices.GB_SECOND)
    yield Line("put-backs: SQS requests", 2 * one.put_backs * each, prices.SQS_REQUEST)
    yield Line("queues that are empty: SQS requests", _idle_polling() * MILLION / MONTHLY, prices.SQS_REQUEST)


def _of_function(name: str, step: Step) -> Iterator[Line]:
    each, counts = MILLION / step.mails, step.counts
    objects = sum(put["objects"] for put in counts["objects_put"].values())
    yield Line(f"{name}: DynamoDB write units", counts["write_units"] * each, prices.WRITE_UNIT)
    yield Line(f"{name}: DynamoDB read units", counts["read_units"] * each, prices.READ_UNIT)
    yield Line(f"{name}: SQS requests", (counts["sqs_requests"] + step.queued) * each, prices.SQS_REQUEST)
    yield Line(f"{name}: S3 objects put", objects * each, prices.S3_PUT)
    yield Line(f"{name}: S3 objects read", counts["calls"].get("S3.GetObject", 0) * each, prices.S3_GET)
    yield Line(f"{name}: events of S3", objects * each, prices.EVENTBRIDGE_EVENT)
    yield Line(f"{name}: schedules", counts["calls"].get("Scheduler.CreateSchedule", 0) * each, prices.SCHEDULE)
    yield Line(f"{name}: Lambda GB-seconds", step.gb_seconds() * each, prices.GB_SECOND)
    yield Line(f"{name}: Lambda invocations", step.invocations * each, prices.INVOCATION)
    yield Line(f"{name}: log GB", step.log_bytes * each / 1e9, prices.LOG_GB)


def _of_firehose(name: str, cut: Cut, each: float) -> Iterator[Line]:
    yield Line(f"{name}: GB through Firehose", cut.collected * each / 1e9, prices.FIREHOSE_GB)
    yield Line(f"{name}: S3 objects put by Firehose", cut.objects * each, prices.S3_PUT)
    yield Line(f"{name}: events of these objects", cut.objects * each, prices.EVENTBRIDGE_EVENT)


def _idle_polling() -> float:
    """Requests a month: Lambda asks every queue of the channels that are there by default, all the time."""
    off = {f"Deliver{channel}" for channel in CHANNELS if channel not in DEFAULT_CHANNELS}
    queues = sum("Queue" in mapping for name in FUNCTIONS if name not in off for mapping in mappings(name).values())
    return int(queues) * POLLERS * prices.MONTH_DAYS * 86_400 / prices.LONG_POLL


def _storage(one: Round, opened: Step, outcomes: float) -> Iterator[Line]:
    """GB-months: what a million mails leave behind, for as long as it is kept."""
    months = MILLION * MONTHS / 1e9
    inputs = _bytes_put(one.plan, "decisions")
    lake = _bytes_put(one.record, "lake") + _bytes_put(opened, "lake")
    yield Line("decisions, in the ledger", _ledger_bytes(one) * months, prices.STORED_GB_MONTH)
    yield Line("outcomes, in the records", outcomes * months, prices.STORED_GB_MONTH)
    yield Line("inputs of decisions, in S3", inputs * months, prices.S3_GB_MONTH)
    yield Line("the lake, in S3", lake * months, prices.S3_GB_MONTH)


def _beside(one: Round, later: Cut, outcomes: float) -> Iterator[Line]:
    """What may come on top of the sums."""
    told = one.cut.on_the_bus / one.record.mails + (events.OPENED + events.CLICKED) * later.on_the_bus / later.told
    kept = (_ledger_bytes(one) + outcomes) * MILLION * MONTHS / 1e9
    yield Line("if EventBridge bills SES's events as opted-in", told * MILLION, prices.SES_EVENT)
    yield Line("point-in-time recovery of what is stored", kept, prices.BACKUP_GB_MONTH)
    yield Line("polling at one million mails a month, in all", _idle_polling(), prices.SQS_REQUEST)


def _bytes_put(step: Step, folder: str) -> float:
    """Bytes for each mail."""
    return float(step.counts["objects_put"].get(folder, {"bytes": 0})["bytes"]) / step.mails


def _ledger_bytes(one: Round) -> float:
    """Bytes for each mail that DynamoDB bills."""
    wrote = [
        step.counts["writes"].get("heliograph-ledger", {"bytes": 0, "writes": 0}) for step in (one.plan, one.deliver)
    ]
    return float(sum(each["bytes"] + prices.ITEM_OVERHEAD * each["writes"] for each in wrote)) / one.deliver.mails


def figures(aws: place.Aws, logs: place.Logs, *, rounds: int) -> Iterator[Figure]:
    """What recording writes, the bill and what is stored; the lines are their notes."""
    where = Place(aws, logs, Clock())
    with where.clock.runs(), logs.kept():
        bill = bill_at(where, RATE, rounds)
        others = {f"at {rate:g}/s": bill_at(where, rate, ROUNDS_ELSEWHERE) for rate in OTHER_RATES}
        others |= {f"by {way}": bill_at(where, RATE, ROUNDS_ELSEWHERE, way) for way in OTHER_WAYS}
    units = {told: statistics.median(other.record_units) for told, other in others.items()}
    yield _figure(UNITS, f"sent, delivered or bounced, at {RATE:g}/s", bill.record_units, bill.notes | units)
    sums = {told: statistics.median(other.sums) for told, other in others.items()}
    what = f"opened {events.OPENED:.0%}, clicked {events.CLICKED:.0%}"
    yield _figure(USD, what, bill.sums, _told(bill.lines) | _told(bill.beside, "beside: ") | sums)
    yield _figure(
        STORAGE, f"kept for {RETENTION.days} days", [sum(line.usd for line in bill.storage)], _told(bill.storage)
    )


def _figure(key: str, what: str, rounds: list[float], notes: dict[str, Any]) -> Figure:
    return Figure(key, what, statistics.median(rounds), rounds, notes)


def _told(lines: Sequence[Line], before: str = "") -> dict[str, float | int | str]:
    return {before + line.what: str(line) for line in lines}


def printed(figure: Figure) -> Iterator[str]:
    """The calculation, line by line."""
    yield f"{figure.key}: {figure.value:.2f}"
    yield from (f"  {what:48} {said}" for what, said in figure.notes.items())
