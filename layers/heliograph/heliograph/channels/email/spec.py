"""Email, by SES."""

from __future__ import annotations

from decimal import Decimal
from email.utils import parseaddr
from math import ceil
from typing import TYPE_CHECKING, Final

from heliograph.channels.addresses import EMAIL
from heliograph.channels.spec import (
    ChannelSpec,
    Codes,
    Content,
    Holds,
    Limits,
    Measure,
    OptOut,
    Part,
    Price,
    Surroundings,
)
from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import FailureCode
from heliograph.model.policy import Enforcement

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from heliograph.model.dispatches import Sender
    from heliograph.model.engagement import EngagementEvent
    from heliograph.model.values import JsonObject

NAME: Final = Channel("email")
SLOWEST: Final = 1.0  # mails a second: an account in the sandbox
BY_THE_MINUTE: Final = "firehose"
"""The value of the parameter `Engagement` with which SES tells by the minute."""
LAG: Final = 1.25
"""Of the time for which Firehose collects: 75 seconds where that is a minute."""
LARGEST: Final = 40_000_000  # bytes of a mail that SES takes (quotas of SES v2)
UTF_8: Final = 4  # bytes of a character, at most

CODES: Final = Codes(
    halted=frozenset(
        {
            *("AccountSuspendedException", "SendingPausedException", "LimitExceededException", "DailyQuotaExceeded"),
            *("ACCOUNT_SUSPENDED", "ACCOUNT_SENDING_PAUSED", "CONFIGURATION_SET_SENDING_PAUSED"),
            "ACCOUNT_DAILY_QUOTA_EXCEEDED",
        }
    ),
    busy=frozenset({"ACCOUNT_THROTTLED", "TRANSIENT_FAILURE"}),
    final={
        **dict.fromkeys(("MessageRejected", "BadRequestException"), FailureCode.REJECTED),
        **dict.fromkeys(("MESSAGE_REJECTED", "INVALID_PARAMETER"), FailureCode.REJECTED),
    },
)
"""SES: its exceptions, the statuses of a bulk call, and what its text says of the day's quota."""


def connect(around: Surroundings) -> Sender:
    """SES, from the stack's sender."""
    from heliograph.channels.email.ses import ses_sender

    return ses_sender(
        around.provider("sesv2"),
        sender=around.setting("EMAIL_SENDER"),
        configuration_set=around.setting("EMAIL_CONFIGURATION_SET"),
        unsubscribe_mailto=around.setting("UNSUBSCRIBE_MAILTO") or parseaddr(around.setting("EMAIL_SENDER"))[1],
        rate=lambda: rate(around),
    )


def rate(around: Surroundings) -> float:
    """What SES says; it counts recipients. The slowest there is while nobody knows."""
    return around.granted_rate(NAME, lambda: _granted(around)) or SLOWEST


def _granted(around: Surroundings) -> float | None:
    """GetAccount takes one call a second of the whole account: sending must not fail when it has no time."""
    from heliograph.channels.errors import PROVIDER_ERRORS, code_of

    try:
        return float(around.client("sesv2").get_account()["SendQuota"]["MaxSendRate"]) or None
    except PROVIDER_ERRORS as error:
        around.warn("SES did not tell its rate", code_of(error))
        return None


def read_event(content: JsonObject, _: Callable[[], Sequence[str]]) -> EngagementEvent | None:
    """Nobody but SES can use the source `aws.ses`; over SNS its events come without the envelope of the bus."""
    if content.get("source") != "aws.ses" and "mail" not in content:
        return None
    from heliograph.channels.email.events import read_ses_event

    return read_ses_event(content if content.get("source") == "aws.ses" else {"detail": content})


def read_raw(line: bytes) -> EngagementEvent | None:
    """SES alone writes there, by Firehose."""
    from heliograph.channels.email.events import read_ses_line

    return read_ses_line(line)


def lag(setting: Callable[[str], str]) -> int:
    """Firehose collects for so long; then come S3, the queue and the function that reads it, within a quarter of it."""
    if setting("ENGAGEMENT") != BY_THE_MINUTE:
        return 0
    return ceil(int(setting("ENGAGEMENT_SECONDS")) * LAG)


def measure(content: Content) -> Measure:
    """A mail is one mail, however long. Its bytes are counted only where there may be too many of them."""
    most = UTF_8 * sum(map(len, content.values()))
    return Measure(1, most if most <= LARGEST else sum(len(text.encode()) for text in content.values()))


SPEC: Final = ChannelSpec(
    name=NAME,
    noun="mails",
    address_kind=EMAIL,
    parts={
        "subject": Part("email.subject.txt", is_one_line=True),
        "html": Part("email.html", Holds.MARKUP),
        "text": Part("email.txt"),
    },
    asides={
        "email.preview.txt": "The mail has no preview text: the list of mails shows its first words instead.",
    },
    shares_layout=True,
    reports=frozenset(EngagementKind),
    silent_providers=frozenset(),
    opt_out=OptOut.PAGE,
    consent_floor=Enforcement.OFF,
    codes=CODES,
    measure=measure,
    limits=Limits(LARGEST),
    price=Price(Decimal("0.0001"), "SES, $0.10 per 1,000 mails (aws.amazon.com/ses/pricing)"),
    connect=connect,
    rate=rate,
    read_event=read_event,
    read_raw=read_raw,
    lag=lag,
)
