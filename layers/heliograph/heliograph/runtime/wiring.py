"""What handlers work with: every adapter, wired to its client and settings on first use."""

from __future__ import annotations

import json
import time
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from email.utils import parseaddr
from functools import cache, lru_cache, partial
from math import inf
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from heliograph.aws.clients import client, provider
from heliograph.channels.errors import code_of
from heliograph.model.channels import Channel
from heliograph.model.dispatches import Sender
from heliograph.model.requests import Lane
from heliograph.runtime.observe import count_failover, logger
from heliograph.runtime.settings import setting

if TYPE_CHECKING:
    from heliograph.approvals.store import Approvals, HourlyQuotas
    from heliograph.aws.bucket import Bucket
    from heliograph.aws.queues import Queue
    from heliograph.aws.timers import Schedules
    from heliograph.campaigns.runs import Runs
    from heliograph.campaigns.store import Campaigns
    from heliograph.channels.clocks import Pace
    from heliograph.channels.push.open_tokens import OpenTokens
    from heliograph.delivery.links import UnsubscribeLinks
    from heliograph.ledger.store import Ledger
    from heliograph.people.consents.store import ConsentHistory
    from heliograph.people.store import Recipients
    from heliograph.planning.inputs_store import Evidence
    from heliograph.planning.store import Reservations
    from heliograph.recording.store import Records
    from heliograph.rendering.templates import Templates

RATE_SECONDS = 300  # how long a function believes what it knows of SES's rate
SLOWEST = 1.0  # mails a second: an account in the sandbox
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
def evidence() -> Evidence:
    """What decisions were made of."""
    from heliograph.planning.inputs_store import Evidence

    return Evidence(bucket())


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
def runs() -> Runs:
    """The campaign runs."""
    from heliograph.campaigns.runs import Runs

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
def templates() -> Templates:
    """The compiled messages and the policy."""
    from heliograph.rendering.templates import load

    return load()


@cache
def schedules() -> Schedules:
    """Scheduled."""
    from heliograph.aws.timers import Schedules

    return Schedules(
        client("scheduler"),
        group=setting("STACK"),
        role=setting("SCHEDULE_ROLE"),
        queues={lane.value: _queue_arn(f"requests-{lane}") for lane in Lane},
        dead_letters=_queue_arn("schedules-dead-letters"),
        now=lambda: now(),
    )


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


def settling() -> Queue:
    """Dispatches in doubt, to be settled after a grace."""
    return queue("settle")


def grace() -> int:
    """Seconds for which the events of a provider are waited for before a dispatch in doubt is settled."""
    return int(setting("SETTLE_AFTER"))


@cache
def sizes() -> dict[tuple[Channel, str], float]:
    """Units (parts of a text) that a letter of a message took on a channel when this function last sent some."""
    return {}


@cache
def pace() -> Pace:
    """The pace of the channels."""
    from heliograph.channels.clocks import Pace

    return Pace(client("dynamodb"), setting("RUNS_TABLE"))


def rate(channel: Channel) -> float | None:
    """Letters (of SMS, parts) a second that a provider takes from this account; None when that is no concern."""
    match channel:
        case Channel.EMAIL:
            return _ses_rate()
        case Channel.SMS:
            return float(setting("SMS_PER_SECOND"))
        case Channel.PUSH:
            return None


def _ses_rate() -> float:
    """What SES says, asked anew in each period; SES counts recipients. The slowest there is while nobody knows."""
    known = _ses_rate_in(int(now().timestamp()) // RATE_SECONDS)
    if known is None:
        _ses_rate_in.cache_clear()
    return known or SLOWEST


@lru_cache(maxsize=1)
def _ses_rate_in(_period: int) -> float | None:
    return pace().rate(Channel.EMAIL, ask=_ask_ses, now=now())


def _ask_ses() -> float | None:
    """GetAccount takes one call a second of the whole account: sending must not fail when it has no time."""
    try:
        return float(client("sesv2").get_account()["SendQuota"]["MaxSendRate"]) or None
    except (ClientError, BotoCoreError) as error:
        logger.warning("SES did not tell its rate", extra={"code": code_of(error)})
        return None


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


def _keys() -> tuple[str, ...]:
    return signing_keys(int(now().timestamp()) // KEYS_SECONDS)


def open_tokens() -> OpenTokens:
    """What proves that a push was opened where it was sent."""
    from heliograph.channels.push.open_tokens import OpenTokens

    return OpenTokens(_keys())


def links() -> UnsubscribeLinks:
    """Signed unsubscribe links."""
    return _links(_keys())


@lru_cache(maxsize=1)
def _links(keys: tuple[str, ...]) -> UnsubscribeLinks:
    from heliograph.delivery.links import UnsubscribeLinks

    return UnsubscribeLinks(keys, base_url=setting("UNSUBSCRIBE_URL"), mailto=unsubscribe_mailto())


def unsubscribe_mailto() -> str:
    """The address that takes unsubscribe mails: the sender's own unless the stack names another."""
    return setting("UNSUBSCRIBE_MAILTO") or parseaddr(setting("EMAIL_SENDER"))[1]


def channels_off() -> frozenset[Channel]:
    """The channels that nobody has set up; email and SMS need no set-up here."""
    return frozenset({Channel.PUSH} if setting("PUSH_PROVIDER") == "none" else ())


@cache
def sender(channel: Channel) -> Sender:
    """The provider of a channel, as the stack's parameters name it."""
    match channel:
        case Channel.EMAIL:
            return _email()
        case Channel.SMS:
            return _sms()
        case Channel.PUSH:
            return _push()


def _email() -> Sender:
    from heliograph.channels.email.ses import ses_sender

    return ses_sender(
        provider("sesv2"),
        sender=setting("EMAIL_SENDER"),
        configuration_set=setting("EMAIL_CONFIGURATION_SET"),
        unsubscribe_mailto=unsubscribe_mailto(),
        rate=_ses_rate,
    )


def _sms() -> Sender:
    from heliograph.channels.failover import failing_over
    from heliograph.channels.sms.texts import end_user_messaging_sender, sender_id_of, sns_sender

    identity = setting("SMS_ORIGINATION_IDENTITY")
    if setting("SMS_PROVIDER") == "sns":
        return sns_sender(provider("sns"), sender_id=identity)
    usual = end_user_messaging_sender(
        provider("pinpoint-sms-voice-v2"),
        origination_identity=identity,
        configuration_set=setting("SMS_CONFIGURATION_SET"),
    )
    if setting("SMS_FAILOVER") != "sns":
        return usual
    substitute = sns_sender(provider("sns"), sender_id=sender_id_of(identity))
    return failing_over(usual, substitute, secondary_name="sns", noticed=partial(count_failover, Channel.SMS))


def _push() -> Sender:
    from heliograph.channels.push.pinpoint import not_set_up_sender, pinpoint_sender, sns_sender

    if setting("PUSH_PROVIDER") == "none":
        return not_set_up_sender()
    if setting("PUSH_PROVIDER") == "sns":
        applications = json.loads(setting("PUSH_PLATFORM_APPLICATIONS"))
        return sns_sender(provider("sns"), platform_applications=applications, tokens=open_tokens())
    return pinpoint_sender(provider("pinpoint"), application_id=setting("PUSH_APPLICATION"), tokens=open_tokens())
