"""What a million emails cost beyond SES's own price: counted, not guessed, and multiplied by dated prices."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from aws import null
from benchmarks import events, place, prices, standing, ways
from benchmarks.bills import Line, of_firehose, of_function, summed, usd
from benchmarks.campaigns import ASKED_ANEW, Campaign, Place, Recorded, Sent, Step
from benchmarks.clock import Clock
from benchmarks.delivering import functions_for
from benchmarks.measuring import Figure
from benchmarks.opening import opened
from benchmarks.prices import MILLION
from benchmarks.recording import RATE
from benchmarks.tallying import tallied
from heliograph.aws.tables import RETENTION

USD = "usd_per_million_emails_beyond_ses"
STORAGE = "usd_storage_per_million_emails"
UNITS = "record_write_units_per_email"
KEYS = (UNITS, USD, STORAGE)
OTHER_RATES = (14.0, 50.0, 1_000.0)
"""Mails a second; the figures are those at `recording.RATE`."""
OTHER_WAYS = {ways.ONE_BY_ONE, ways.BY_THE_MINUTE} - {ways.DEFAULT}
ROUNDS_ELSEWHERE = 1
RISK = "events of SES, if EventBridge charges for them"
RECOVERY = "recovery"
MONTHS = RETENTION.days / prices.MONTH_DAYS
RAW_MONTHS = 7 / prices.MONTH_DAYS
"""At most: four days, one as an old version, and each rounded up to midnight (infra/storage.yaml)."""
IDLE = "idle"
MONTHLY = 10 * MILLION
"""Mails a month over which is spread what is asked of empty queues and by the clock."""
OPENED_PACKS, OPENED_ELSEWHERE = 200, 50
"""Packs of which all opens and clicks are recorded, at the one rate and at the others."""


class Bill(NamedTuple):
    """A million emails at a rate."""

    rounds: list[list[Line]]
    storage: list[Line]
    recovery: list[Line]
    """To a point in time: always on, but no part of what the goal for storage names."""
    risks: list[Line]
    """Questions that are open: they may come on top."""
    record_units: list[float]
    notes: dict[str, float | int | str]

    @property
    def sums(self) -> list[float]:
        """Dollars, round by round."""
        return [*map(usd, self.rounds)]

    @property
    def lines(self) -> list[Line]:
        """Those of the round in the middle."""
        middle = statistics.median_low(self.sums)
        return next(lines for lines, dollars in zip(self.rounds, self.sums, strict=True) if dollars == middle)


def bill_at(where: Place, rate: float, rounds: int, way: str = ways.DEFAULT) -> Bill:
    """The bill at a rate of sending."""
    empty = _stored(where)
    campaign = Campaign(where, rate=rate, rounds=rounds, way=way)
    found = campaign.recorded()
    before = _stored(where)
    later = opened(where, campaign.mails[: 100 * (OPENED_PACKS if rounds > 1 else OPENED_ELSEWHERE)], rate, way)
    outcomes = (before - empty) / len(campaign.mails) + (_stored(where) - before) / later.record.mails
    where.aws.ask("forget")
    idle = [line._replace(part=IDLE, quantity=line.quantity * MILLION / MONTHLY) for line in _idle(where)]
    of_opens = [*_recorded(where, "opens, clicks", later), *idle]
    sent = campaign.sent[: len(found)]
    told = sum(each.told for one in found for each in one.coming)
    return Bill(
        rounds=[
            summed([*_sent(where, some), *_recorded(where, "record", one), *of_opens])
            for some, one in zip(sent, found, strict=True)
        ],
        storage=[*_storage(sent[0], found[0], later, outcomes)],
        recovery=[_recovery(sent[0], outcomes)],
        risks=[_risk(found[0], later)],
        record_units=[one.record.counts["write_units"] / one.record.mails for one in found],
        notes={
            "way": way,
            "functions that deliver": functions_for(rate),
            "events at once": round(told / sum(one.record.invocations for one in found), 1),
            "opens and clicks at once": round(sum(each.told for each in later.coming) / len(later.coming), 1),
            "requeues per pack": sum(each.requeues for each in sent) / sum(each.plan.mails / 100 for each in sent),
        },
    )


def _stored(where: Place) -> float:
    """Bytes that DynamoDB bills in the table `runs`."""
    held = where.aws.ask("counts")["stored"].get("heliograph-runs", {"bytes": 0, "items": 0})
    return float(held["bytes"] + prices.ITEM_OVERHEAD * held["items"])


def _sent(where: Place, sent: Sent) -> Iterator[Line]:
    """Planned and delivered, for a million mails."""
    each = MILLION / sent.deliver.mails
    for part, step, heard in zip(("plan", "deliver"), (sent.plan, sent.deliver), sent.heard, strict=True):
        yield from of_function(part, step)
        yield from of_function("tally", tallied(where, heard, mails=step.mails))
    waited = sent.slept * prices.MEMORY_MB / 1024 * each
    yield Line("deliver", "GB-seconds of waiting for the rate", waited, prices.GB_SECOND)
    yield Line("deliver", "requests to requeue packs", 2 * sent.requeues * each, prices.SQS_REQUEST)


def _recorded(where: Place, part: str, recorded: Recorded) -> Iterator[Line]:
    """Told, collected and recorded, for a million mails."""
    mails = recorded.record.mails
    yield from of_function(part, recorded.record)
    yield from of_firehose(part, recorded.coming, mails)
    yield from of_function("tally", tallied(where, recorded.heard, mails=mails))


def _idle(where: Place) -> list[Line]:
    """What is asked a month, though there is nothing to do."""
    return [standing.polling(), *standing.ticking(where)]


def _storage(sent: Sent, recorded: Recorded, later: Recorded, outcomes: float) -> Iterator[Line]:
    """GB-months: what a million mails leave behind, for as long as it is kept."""
    months = MILLION * MONTHS / 1e9
    lake = _bytes_put(recorded.record, "lake") + _bytes_put(later.record, "lake")
    raw = sum(_raw(each) / each.record.mails for each in (recorded, later))
    yield Line("kept", "decisions, in the ledger", _ledger_bytes(sent) * months, prices.STORED_GB_MONTH)
    yield Line("kept", "outcomes, in the records", outcomes * months, prices.STORED_GB_MONTH)
    yield Line("kept", "inputs of decisions", _bytes_put(sent.plan, "decisions") * months, prices.S3_GB_MONTH)
    yield Line("kept", "the lake", lake * months, prices.S3_GB_MONTH)
    yield Line("kept", "what SES told, for a week", raw * MILLION * RAW_MONTHS / 1e9, prices.S3_GB_MONTH)


def _recovery(sent: Sent, outcomes: float) -> Line:
    """DynamoDB asks for the size of the tables once more."""
    kept = (_ledger_bytes(sent) + outcomes) * MILLION * MONTHS / 1e9
    return Line(RECOVERY, "recovery of the tables to a point in time", kept, prices.BACKUP_GB_MONTH)


def _risk(recorded: Recorded, later: Recorded) -> Line:
    """What may come on top of the sums."""
    told = sum(sum(each.on_the_bus for each in one.coming) / one.record.mails for one in (recorded, later))
    return Line("on top", RISK, told * MILLION, prices.SES_EVENT)


def _raw(recorded: Recorded) -> int:
    """Bytes of the objects that Firehose wrote."""
    return sum(each.raw for each in recorded.coming)


def _bytes_put(step: Step, folder: str) -> float:
    """Bytes for each mail."""
    return float(step.counts["objects_put"].get(folder, {"bytes": 0})["bytes"]) / step.mails


def _ledger_bytes(sent: Sent) -> float:
    """Bytes for each mail that DynamoDB bills."""
    nothing = {"bytes": 0, "writes": 0}
    wrote = [step.counts["writes"].get("heliograph-ledger", nothing) for step in (sent.plan, sent.deliver)]
    return float(sum(each["bytes"] + prices.ITEM_OVERHEAD * each["writes"] for each in wrote)) / sent.deliver.mails


def figures(aws: place.Aws, logs: place.Logs, *, rounds: int) -> Iterator[Figure]:
    """What recording writes, the bill and what is stored, with their lines."""
    where = Place(aws, logs, Clock())
    with where.clock.runs(), logs.kept():
        bill = bill_at(where, RATE, rounds)
        others = {f"at {rate:g}/s": bill_at(where, rate, ROUNDS_ELSEWHERE) for rate in OTHER_RATES}
        others |= {f"by {way}": bill_at(where, RATE, ROUNDS_ELSEWHERE, way) for way in OTHER_WAYS}
        monthly = [*standing.there(), *_idle(where)]
        aws.ask(f"rate/{null.RATE}")
        where.clock.pass_by(ASKED_ANEW)
    units = {told: statistics.median(other.record_units) for told, other in others.items()}
    sums = {told: statistics.median(other.sums) for told, other in others.items()}
    risks = {f"{told}, {RISK}": other.risks[0].usd for told, other in others.items()}
    yield _figure(UNITS, f"sent, delivered or bounced, at {RATE:g}/s", bill.record_units, bill.notes | units)
    opens = f"opened {events.OPENED:.0%}, clicked {events.CLICKED:.0%}"
    yield _figure(USD, opens, bill.sums, sums | risks, [*bill.lines, *bill.risks, *monthly])
    kept = f"kept for {RETENTION.days} days"
    with_recovery = {"with recovery to a point in time": usd([*bill.storage, *bill.recovery])}
    yield _figure(STORAGE, kept, [usd(bill.storage)], with_recovery, [*bill.storage, *bill.recovery])


def _figure(key: str, what: str, rounds: list[float], notes: dict[str, Any], lines: Sequence[Line] = ()) -> Figure:
    return Figure(key, what, statistics.median(rounds), rounds, notes, [*map(as_row, lines)])


def as_row(line: Line) -> dict[str, Any]:
    """A line as it is kept."""
    return line._asdict() | {"price": line.price._asdict(), "usd": line.usd}


def printed(figure: Figure) -> Iterator[str]:
    """The calculation, line by line."""
    yield f"{figure.key}: {figure.value:.2f}"
    for row in figure.lines:
        line = Line(row["part"], row["what"], row["quantity"], prices.Price(**row["price"]))
        yield f"  {line.part + ': ' + line.what:56} {line}"
    for what, said in figure.notes.items():
        yield f"  {what:56} {said:.3g}" if isinstance(said, float) else f"  {what:56} {said}"
