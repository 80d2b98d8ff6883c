"""What handlers work with: every adapter, wired to its client and settings on first use."""

from __future__ import annotations

import time
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from functools import cache, lru_cache
from math import inf
from typing import TYPE_CHECKING, Any

from heliograph.aws.clients import client, provider
from heliograph.channels.registry import CHANNELS, spec
from heliograph.channels.spec import Surroundings
from heliograph.model.channels import Channel
from heliograph.model.dispatches import Sender
from heliograph.model.requests import Lane
from heliograph.runtime.observe import count_failover, logger, stencil_differed
from heliograph.runtime.settings import setting

if TYPE_CHECKING:
    from collections.abc import Callable

    from heliograph.approvals.store import Approvals, HourlyQuotas
    from heliograph.aws.bucket import Bucket
    from heliograph.aws.queues import Queue
    from heliograph.aws.timers import Timers
    from heliograph.campaigns.runs_store import Runs
    from heliograph.campaigns.store import Campaigns
    from heliograph.channels.clocks import RateLimits
    from heliograph.delivery.links import UnsubscribeLinks
    from heliograph.ledger.store import Ledger
    from heliograph.people.consents.store import ConsentHistory
    from heliograph.people.store import Recipients
    from heliograph.planning.inputs_store import KeptInputs
    from heliograph.planning.store import Reservations
    from heliograph.recording.lake_store import Lake
    from heliograph.recording.store import Records
    from heliograph.rendering.stencils import Stencils
    from heliograph.rendering.templates import Templates
    from heliograph.scheduling.store import Minutes
    from heliograph.tallying.store import KeptSums

RATE_SECONDS = 300  # how long a function believes what it knows of a provider's rate
DELAY_LIMIT = 900  # seconds for which SQS hides a message at most
KEYS_SECONDS = 300  # how long the signing keys are kept before they are asked for again


def now() -> datetime:
    """The time (UTC)."""
    return datetime.now(UTC)


def sleep(seconds: float) -> None:
    """Wait."""
    time.sleep(seconds)


@cache
def recipients() -> Recipients:
    """The people."""
    from heliograph.people.store import Recipients

    return Recipients(client("dynamodb"), setting("RECIPIENTS_TABLE"), consents())


@cache
def consents() -> ConsentHistory:
    """What people said about topics and purposes."""
    from heliograph.people.consents.store import ConsentHistory

    return ConsentHistory(client("dynamodb"), setting("LEDGER_TABLE"))


@cache
def ledger() -> Ledger:
    """The decisions."""
    from heliograph.ledger.store import Ledger

    return Ledger(client("dynamodb"), setting("LEDGER_TABLE"))


@cache
def reservations() -> Reservations:
    """What counts against people's caps."""
    from heliograph.planning.store import Reservations

    return Reservations(client("dynamodb"), setting("LEDGER_TABLE"))


@cache
def kept_inputs() -> KeptInputs:
    """What decisions were made of."""
    from heliograph.planning.inputs_store import KeptInputs

    return KeptInputs(bucket())


@cache
def quotas() -> HourlyQuotas:
    """How many people messages may still reach in this hour."""
    from heliograph.approvals.store import HourlyQuotas

    return HourlyQuotas(client("dynamodb"), setting("RUNS_TABLE"))


@cache
def approvals() -> Approvals:
    """The requests that wait for approval."""
    from heliograph.approvals.store import Approvals

    return Approvals(bucket())


@cache
def records() -> Records:
    """What came of every pack."""
    from heliograph.recording.store import Records

    return Records(client("dynamodb"), setting("RUNS_TABLE"))


@cache
def sums() -> KeptSums:
    """The sums of the runs."""
    from heliograph.tallying.store import KeptSums

    return KeptSums(client("dynamodb"), setting("RUNS_TABLE"))


@cache
def runs() -> Runs:
    """The campaign runs."""
    from heliograph.campaigns.runs_store import Runs

    return Runs(client("dynamodb"), setting("RUNS_TABLE"))


@cache
def campaigns() -> Campaigns:
    """The uploads of campaign folders."""
    from heliograph.campaigns.store import Campaigns

    return Campaigns(client("dynamodb"), setting("RUNS_TABLE"))


@cache
def bucket() -> Bucket:
    """Campaign folders, run manifests, reports and the lake."""
    from heliograph.aws.bucket import Bucket

    return Bucket(client("s3"), setting("BUCKET"))


@cache
def lake() -> Lake:
    """What happened, day by day."""
    from heliograph.recording.lake_store import Lake

    return Lake(bucket())


@cache
def templates() -> Templates:
    """The compiled messages and the policy."""
    from heliograph.rendering.templates import load

    return load()


def stencils() -> Stencils:
    """The messages of campaigns, of which each branch is rendered once."""
    return _stencils_of(templates())


@cache
def _stencils_of(compiled: Templates) -> Stencils:
    from heliograph.rendering.stencils import Stencils

    return Stencils(compiled, differed=stencil_differed)


@cache
def timers() -> Timers:
    """What goes on a queue later."""
    from heliograph.aws.timers import Timers

    return Timers(
        client("scheduler"),
        group=setting("STACK"),
        role=setting("SCHEDULE_ROLE"),
        queue_arn=_queue_arn,
        dead_letters="schedules-dead-letters",
        now=lambda: now(),
    )


@cache
def minutes() -> Minutes:
    """The minutes for which people wait."""
    from heliograph.scheduling.store import Minutes

    return Minutes(client("dynamodb"), setting("RUNS_TABLE"))


@cache
def queue(name: str) -> Queue:
    """A queue by its name without the stack's."""
    from heliograph.aws.queues import Queue, url_of

    return Queue(client("sqs"), url_of(_queue_arn(name)))


def _queue_arn(name: str) -> str:
    return setting("QUEUES") + name


def requests(lane: Lane) -> Queue:
    """The requests of a lane."""
    return queue(f"requests-{lane}")


def outbox(channel: Channel, lane: Lane) -> Queue:
    """The outbox of a channel on a lane."""
    return queue(f"outbox-{channel}-{lane}")


def engagement() -> Queue:
    """What record reads."""
    return queue("engagement")


def raw() -> Queue:
    """Objects of what providers told, which record reads one at a time."""
    return queue("raw")


def settling() -> Queue:
    """Dispatches in doubt, to be settled after a grace."""
    return queue("settle")


def lag(channel: Channel) -> int:
    """How many seconds late what happened on a channel is told, at most, as long as all is well."""
    return spec(channel).lag(setting)


def grace(channel: Channel) -> int:
    """Seconds for which the events of a provider are waited for before a dispatch in doubt is settled."""
    return min(int(setting("SETTLE_AFTER")) + lag(channel), DELAY_LIMIT)


@cache
def sizes() -> dict[tuple[Channel, str], float]:
    """Units (parts of a text) that a message took on a channel when this function last sent some."""
    return {}


@cache
def rate_limits() -> RateLimits:
    """The rate limits of the channels."""
    from heliograph.channels.clocks import RateLimits

    return RateLimits(client("dynamodb"), setting("RUNS_TABLE"))


def rate(channel: Channel) -> float | None:
    """Parts a second that a provider takes from this account; None when that is no concern."""
    return spec(channel).rate(_surroundings())


def _granted_rate(channel: Channel, ask: Callable[[], float | None]) -> float | None:
    """What a provider grants, asked anew in each period, and at once while nobody knows."""
    period = int(now().timestamp()) // RATE_SECONDS
    if _granted.get(channel, (None, 0.0))[0] != period:
        _granted.pop(channel, None)
        if known := rate_limits().rate(channel, ask=ask, now=now()):
            _granted[channel] = (period, known)
    return _granted[channel][1] if channel in _granted else None


_granted: dict[Channel, tuple[int, float]] = {}


_context: ContextVar[Any] = ContextVar("context", default=None)


def begin(context: Any) -> None:
    """Remember the context that Lambda gives an invocation."""
    _context.set(context)


def time_left() -> float:
    """Seconds until Lambda ends this invocation; outside of Lambda there is all the time in the world."""
    ask = getattr(_context.get(), "get_remaining_time_in_millis", None)
    return ask() / 1_000 if ask else inf


def see_again(queue_arn: str, receipt_handle: str, seconds: int) -> None:
    """Let a message that failed come back sooner than its queue's visibility timeout."""
    from heliograph.aws.queues import url_of

    client("sqs").change_message_visibility(
        QueueUrl=url_of(queue_arn), ReceiptHandle=receipt_handle, VisibilityTimeout=seconds
    )


def parking() -> Queue:
    """The dead letters of this function's own queue."""
    return queue(setting("PARKING_QUEUE"))


@lru_cache(maxsize=1)
def signing_keys(_period: int) -> tuple[str, ...]:
    """What links and tokens are signed with, each purpose with a salt of its own: any key is good, the last one signs.

    A key that was added just now does not sign yet, so that whoever reads what it signs has heard of it by then.
    """
    answer = client("secretsmanager").get_secret_value(SecretId=setting("SIGNING_SECRET"))
    keys = tuple(answer["SecretString"].split())
    is_new = now() - answer["CreatedDate"] < 2 * timedelta(seconds=KEYS_SECONDS)
    return (keys[-1], *keys[:-1]) if is_new else keys


def keys() -> tuple[str, ...]:
    """The signing keys of now."""
    return signing_keys(int(now().timestamp()) // KEYS_SECONDS)


def links() -> UnsubscribeLinks:
    """Signed unsubscribe links."""
    return _links(keys())


@lru_cache(maxsize=1)
def _links(keys: tuple[str, ...]) -> UnsubscribeLinks:
    from heliograph.delivery.links import UnsubscribeLinks

    return UnsubscribeLinks(keys, base_url=setting("UNSUBSCRIBE_URL"), mailto=setting("UNSUBSCRIBE_MAILTO"))


def channels_off() -> frozenset[Channel]:
    """The channels that this stack does not have, and those that nobody has set up."""
    deployed = setting("CHANNELS").split(",")
    return frozenset(channel for channel in CHANNELS if channel not in deployed or spec(channel).is_off(setting))


@cache
def sender(channel: Channel) -> Sender:
    """The provider of a channel, as the stack's parameters name it."""
    return spec(channel).connect(_surroundings())


def _surroundings() -> Surroundings:
    """What the channels get of us."""
    return Surroundings(
        setting=setting,
        client=client,
        provider=provider,
        signing_keys=keys,
        granted_rate=_granted_rate,
        noticed=count_failover,
        warn=lambda sentence, code: logger.warning(sentence, extra={"code": code}),
    )
