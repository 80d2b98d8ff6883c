"""The limits of AWS, and of ours, and the rate at which each of them bites, by what a mail was seen to take."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from benchmarks.campaigns import TOLD
from benchmarks.events import CLICKED, OPENED
from heliograph.campaigns.newcomers import PEOPLE_LIMIT
from heliograph.campaigns.segments import PACK_LIMIT
from heliograph.campaigns.spool import SPOOL_LIMIT
from scale.runs import Scaled
from wiring import QUEUES, TEMPLATE

DAY = 86_400
MEBIBYTE = 1 << 20
RETENTION_DAYS: float = QUEUES["outbox-email-bulk"]["MessageRetentionPeriod"] / DAY
"""SQS keeps no message longer, so a run must be sent in as long."""
PARTITION = {"written": 1_000, "read": 3_000}
"""Units a second of one partition of DynamoDB (DynamoDB guide, service quotas)."""


FAR = 1_000_000
"""Mails a second; what bites beyond is not told."""


class Limit(NamedTuple):
    """Something of which there is so much a second, or at once."""

    what: str
    there_is: float
    a_mail: float
    """What of it a mail takes."""
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
    everybody, deliver = sum(scaled.seconds.values()), scaled.seconds["deliver"]
    yield Limit("SES: mails a day of an account out of the sandbox, 50,000", 50_000 / DAY, 1, "asking SES for more")
    yield Limit("SES: mails a second of such an account", 14, 1, "asking SES for more, with the quota of a day")
    at_once = TEMPLATE["Parameters"]["DeliverBulkConcurrency"]["Default"]
    yield Limit("functions that deliver, as deployed", at_once, deliver, "`DeliverBulkConcurrency`")
    most = TEMPLATE["Parameters"]["DeliverBulkConcurrency"]["MaxValue"]
    yield Limit("functions that deliver, at most", most, deliver, "a second stack")
    asked = "`aws service-quotas` … `L-B99A9384` ([deploy](deploy.md#0-ask-for-quotas))"
    yield Limit("Lambda: functions at once, new account", 10, everybody, asked)
    yield Limit("Lambda: functions at once, usual account", 1_000, everybody, asked)
    for where, mebibytes in (("most regions", 1), ("us-east-1, us-west-2, eu-west-1", 5)):
        yield Limit(
            f"Data Firehose: {mebibytes} MiB/s, {where}",
            mebibytes * MEBIBYTE,
            scaled.bytes["told"],
            "AWS's Firehose form",
        )
    on_the_bus = TOLD + OPENED + CLICKED
    for where, number in (("af-south-1", 750), ("most regions", 1_100), ("us-east-1, us-west-2, eu-west-1", 18_750)):
        yield Limit(
            f"EventBridge with `Engagement=eventbridge`: {number:,} invocations/s, {where}",
            number,
            on_the_bus,
            "`Engagement=firehose`, or asking",
        )
    for table, key in scaled.hot.items():
        units = PARTITION[table.split()[-1]]
        a_mail = key.a_second / scaled.rate
        yield Limit(f"DynamoDB: {units:,} units/s of one key, {table}", units, a_mail, "nothing")
    if scaled.waiting:
        yield Limit("`tick`: people handed on who wait for one minute", 1, scaled.waiting["tick_seconds"], "nothing")
    for kind in ("write", "read"):
        what = f"DynamoDB: 40,000 {kind} units/s of a table, were all in one"
        yield Limit(what, 40_000, scaled.each[f"{kind}_units"], "asking for more, table by table")
    yield Limit("S3: 3,500 PUT/s of a prefix", 3_500, scaled.each["objects"], "nothing: S3 splits prefixes by itself")
    in_flight = deliver / PACK_LIMIT
    yield Limit("SQS: 120,000 messages in flight", 120_000, in_flight, "asking for more")


def of_a_run(scaled: Scaled) -> Iterator[str]:
    """How large one run may be, in Markdown."""
    room = SPOOL_LIMIT / scaled.bytes["packs"]
    yield f"- {PEOPLE_LIMIT:,} people in a segment: the table that knows doubles is full. Make it several campaigns."
    yield (
        f"- {SPOOL_LIMIT >> 30} GB of packs of a segment, {scaled.bytes['packs']:.0f} bytes a person here: "
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
        yield f"| {limit.what} | {limit.a_mail:.3g} | {bites} | {limit.lifted_by} |"
