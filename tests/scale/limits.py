"""The limits of AWS, and of ours, and the rate at which each of them bites, by what a mail was seen to take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.campaigns import EVENT_BYTES, TOLD
from benchmarks.events import CLICKED, OPENED
from heliograph.campaigns.newcomers import PEOPLE_LIMIT
from heliograph.campaigns.segments import PACK_LIMIT
from heliograph.campaigns.spool import SPOOL_LIMIT
from scale import rates
from scale.runs import Scaled
from wiring import QUEUES, TEMPLATE

DAY = 86_400
MEBIBYTE = 1 << 20
RETENTION_DAYS: float = QUEUES["outbox-email-bulk"]["MessageRetentionPeriod"] / DAY
"""SQS keeps no message longer, so a run must be sent in as long."""
PARTITION = {"written": 1_000, "read": 3_000}
"""Units a second of one partition of DynamoDB (DynamoDB guide, service quotas)."""


NEW_TABLE = {"write": 4_000, "read": 12_000}
"""Units a second of an on-demand table that never had more; DynamoDB doubles what it once took."""
LARGEST = "us-east-1, us-west-2, eu-west-1"
SMALLEST = "af-south-1, ap-northeast-3, ap-southeast-3, eu-south-1"
FAR = 1_000_000
"""Mails a second; what bites beyond is not told."""


class Limit(NamedTuple):
    """Something of which there is so much a second, or at once."""

    what: str
    there_is: float
    a_mail: float
    """What of it a mail takes."""
    unit: str
    lifted_by: str

    @property
    def mails_a_second(self) -> float:
        """The rate at which it bites."""
        return self.there_is / self.a_mail


def limits(scaled: Scaled) -> list[Limit]:
    """All of them, the one that bites first at the top. Quotas: AWS's pages of service quotas, November 2026."""
    near = (limit for limit in _all(scaled) if limit.a_mail and limit.mails_a_second < FAR)
    return sorted(near, key=lambda limit: limit.mails_a_second)


def _all(scaled: Scaled) -> Iterator[Limit]:
    yield from _of_ses()
    yield from _of_functions(scaled)
    yield from _of_events(scaled)
    yield from _of_tables(scaled)
    yield Limit(
        "S3: 3,500 PUT/s of a prefix", 3_500, scaled.each["objects"], "PUT", "nothing: S3 splits prefixes by itself"
    )
    in_flight = scaled.seconds["deliver"] / PACK_LIMIT
    yield Limit("SQS: 120,000 messages in flight", 120_000, in_flight, "messages", "asking for more")


def _of_ses() -> Iterator[Limit]:
    a_day = "SES: mails a day of an account out of the sandbox, 50,000"
    yield Limit(a_day, 50_000 / DAY, 1, "mail", "asking SES for more")
    a_second = "SES: mails a second of such an account"
    yield Limit(a_second, 14, 1, "mail", "asking SES for more, with the quota of a day")


def _of_functions(scaled: Scaled) -> Iterator[Limit]:
    """Lambda's, with the headroom of `rates`."""
    deliver, everything = scaled.seconds["deliver"], sum(scaled.seconds.values())
    bulk = TEMPLATE["Parameters"]["DeliverBulkConcurrency"]
    asked = "`aws service-quotas` … `L-B99A9384` ([deploy](deploy.md#0-ask-for-quotas))"
    for what, at_once, seconds, lifted_by in (
        ("functions that deliver, as deployed", bulk["Default"], deliver, "`DeliverBulkConcurrency`"),
        ("functions that deliver, at most", bulk["MaxValue"], deliver, "a second stack"),
        ("Lambda: functions at once, new account", 10, everything, asked),
        ("Lambda: functions at once, usual account", 1_000, everything, asked),
    ):
        yield Limit(f"{what}: {at_once:,}", rates.work_of(at_once), seconds, "s", lifted_by)


def _of_events(scaled: Scaled) -> Iterator[Limit]:
    kilobytes = scaled.events * EVENT_BYTES / 1_000
    events, form = TOLD + OPENED + CLICKED, "AWS's Firehose form"
    for where, mebibytes, puts in (("most regions", 1, 1_000), (LARGEST, 5, 2_000)):
        what, there_is = f"Data Firehose: {mebibytes} MiB/s, {where}", mebibytes * MEBIBYTE / 1_000
        yield Limit(what, there_is, kilobytes, "KB", form)
        # AWS does not say whether SES puts several events at once.
        what = f"Data Firehose: {puts:,} requests/s, {where}, should SES put each event alone"
        yield Limit(what, puts, events, "requests", form)
    for where, number in ((SMALLEST, 750), ("most regions", 1_100), (LARGEST, 18_750)):
        what = f"EventBridge with `Engagement=eventbridge`: {number:,} invocations/s, {where}"
        yield Limit(what, number, events, "invocations", "`Engagement=firehose`, or asking")


def _of_tables(scaled: Scaled) -> Iterator[Limit]:
    for table, key in scaled.hot.items():
        units = PARTITION[table.split()[-1]]
        a_mail = key.a_second / scaled.rate
        yield Limit(f"DynamoDB: {units:,} units/s of one key, {table}", units, a_mail, "units", "nothing")
    if scaled.waiting:
        handed_on = scaled.waiting["tick_seconds"]
        yield Limit("`tick`: people handed on who wait for one minute", 1, handed_on, "s", "nothing")
    for kind, new in NEW_TABLE.items():
        what = f"DynamoDB: {new:,} {kind} units/s of a new table, were all in one"
        yield Limit(what, new, scaled.each[f"{kind}_units"], "units", "a slow first run, or `WarmThroughput`")
        what = f"DynamoDB: 40,000 {kind} units/s of a table, were all in one"
        yield Limit(what, 40_000, scaled.each[f"{kind}_units"], "units", "asking for more, table by table")


def of_a_run(scaled: Scaled) -> Iterator[str]:
    """How large one run may be, in Markdown."""
    room = SPOOL_LIMIT / scaled.pack_bytes
    yield f"- {PEOPLE_LIMIT:,} people in a segment: the table that knows doubles is full. Make it several campaigns."
    yield (
        f"- {SPOOL_LIMIT >> 30} GB of packs of a segment, {scaled.pack_bytes:.0f} bytes a person here: "
        f"{room / 1e6:,.0f} million people without columns; what the columns hold is on top."
    )
    yield (
        f"- {RETENTION_DAYS:g} days in a queue: what was not sent by then, SQS deletes. A run has at most as many "
        f"people as {RETENTION_DAYS:g} days of the rate."
    )


def table(scaled: Scaled) -> Iterator[str]:
    """The rows of the page, in Markdown."""
    yield "| limit | a mail takes | bites at mails/s | what lifts it |"
    yield "|---|---|---|---|"
    for limit in limits(scaled):
        bites = f"{limit.mails_a_second:,.0f}" if limit.mails_a_second >= 10 else f"{limit.mails_a_second:.1f}"
        yield f"| {limit.what} | {limit.a_mail:.3g} {limit.unit} | {bites} | {limit.lifted_by} |"
