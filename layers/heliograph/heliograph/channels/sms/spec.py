"""SMS, by End User Messaging or SNS."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Final

from heliograph.channels.addresses import PHONE
from heliograph.channels.sms.parts import economical
from heliograph.channels.sms.parts import measure as measure_text
from heliograph.channels.spec import (
    ChannelSpec,
    Codes,
    Content,
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
    from datetime import datetime

    from heliograph.model.dispatches import Sender
    from heliograph.model.engagement import EngagementEvent
    from heliograph.model.inbound import InboundMessage
    from heliograph.model.values import JsonObject

NAME: Final = Channel("sms")
LARGEST: Final = 6_400  # bytes of 1,600 characters (SendTextMessage), each of at most four

FINAL_REASONS: Final = {
    "DESTINATION_PHONE_NUMBER_OPTED_OUT": FailureCode.OPTED_OUT,
    "DESTINATION_COUNTRY_BLOCKED": FailureCode.COUNTRY_BLOCKED,
    "DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION": FailureCode.COUNTRY_BLOCKED,
    "COUNTRY_NOT_ENABLED": FailureCode.COUNTRY_BLOCKED,
    "INTERNATIONAL_SENDING_NOT_SUPPORTED": FailureCode.COUNTRY_BLOCKED,
    "DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE": FailureCode.REJECTED,
    "PRICE_OVER_THRESHOLD": FailureCode.PRICE_TOO_HIGH,
    "MAXIMUM_SIZE_EXCEEDED": FailureCode.CONTENT_TOO_LARGE,
    "INVALID_IDENTITY_FOR_DESTINATION_COUNTRY": FailureCode.SENDER_NOT_ALLOWED,
    "SENDER_ID_NOT_REGISTERED": FailureCode.SENDER_NOT_ALLOWED,
    "SENDER_ID_NOT_SUPPORTED": FailureCode.SENDER_NOT_ALLOWED,
    "SENDER_ID_REQUIRES_REGISTRATION": FailureCode.SENDER_NOT_ALLOWED,
    "INVALID_PARAMETER": FailureCode.REJECTED,
    "FIELD_VALIDATION_FAILED": FailureCode.REJECTED,
}
"""The `Reason` of SendTextMessage's errors that is about this number or this text."""

SNS_FINAL_CODES: Final = {"InvalidParameter": FailureCode.INVALID_ADDRESS, "OptedOut": FailureCode.OPTED_OUT}

CODES: Final = Codes(
    halted=frozenset(
        {
            *("ACCOUNT_DISABLED", "INSUFFICIENT_ACCOUNT_REPUTATION", "DAILY_NOTIFY_TIER_MESSAGE_LIMIT"),
            *(f"MONTHLY_SPEND_LIMIT_REACHED_FOR_{what}" for what in ("TEXT", "MEDIA", "RCS", "NOTIFY", "VOICE")),
            "ServiceQuotaExceededException",
        }
    ),
    exhausted={"DAILY_DESTINATION_CALL_LIMIT": timedelta(hours=1)},
    final=FINAL_REASONS | SNS_FINAL_CODES,
)
"""The reasons of End User Messaging's exceptions, and SNS's codes."""


def connect(around: Surroundings) -> Sender:
    """End User Messaging, or SNS; or the one with the other for when it is out of service."""
    from heliograph.channels.failover import failing_over
    from heliograph.channels.sms.texts import end_user_messaging_sender, sender_id_of, sns_sender

    identity = around.setting("SMS_ORIGINATION_IDENTITY")
    if around.setting("SMS_PROVIDER") == "sns":
        return sns_sender(around.provider("sns"), sender_id=identity)
    usual = end_user_messaging_sender(
        around.provider("pinpoint-sms-voice-v2"),
        origination_identity=identity,
        configuration_set=around.setting("SMS_CONFIGURATION_SET"),
    )
    if around.setting("SMS_FAILOVER") != "sns":
        return usual
    substitute = sns_sender(around.provider("sns"), sender_id=sender_id_of(identity))
    return failing_over(usual, substitute, secondary_name="sns", noticed=partial(around.noticed, NAME))


def rate(around: Surroundings) -> float:
    """Parts a second that the network of the origination identity takes; nobody can be asked for it."""
    return float(around.setting("SMS_PER_SECOND"))


def read_event(content: JsonObject, _: Callable[[], Sequence[str]]) -> EngagementEvent | None:
    """What came without an envelope is from the topic of the SMS events, where only AWS publishes."""
    if "context" not in content:
        return None
    from heliograph.channels.sms.events import read_sms_event

    return read_sms_event(content)


def read_inbound(content: JsonObject, received_at: datetime) -> InboundMessage | None:
    """What a two-way number got comes without an envelope, too, from a topic where only AWS publishes."""
    if content.keys().isdisjoint(("inboundMessageId", "originationNumber")):
        return None
    from heliograph.channels.sms.inbound import read_two_way

    return read_two_way(content, received_at)


def measure(content: Content) -> Measure:
    """Networks, their limits and their bills count the parts of a text."""
    return Measure(measure_text(content["text"]).parts, len(content["text"].encode()))


SPEC: Final = ChannelSpec(
    name=NAME,
    noun="SMS",
    address_kind=PHONE,
    parts={"text": Part("sms.txt")},
    reports=frozenset(EngagementKind)
    - {EngagementKind.OPENED, EngagementKind.CLICKED, EngagementKind.COMPLAINED},  # a few of RCS, and none of SMS
    silent_providers=frozenset({"sns"}),
    opt_out=OptOut.REPLY,
    consent_floor=Enforcement.OPT_IN,
    floor_says="the law asks for an opt-in before a promotional text message (TCPA, ePrivacy, CASL)",
    codes=CODES,
    measure=measure,
    limits=Limits(LARGEST, lambda message: message.sms_parts, "SMS parts"),
    price=Price(
        Decimal("0.00581"), "End User Messaging, US, $0.00581 a part, without the carrier's fee (AWS's examples)"
    ),
    connect=connect,
    rate=rate,
    read_event=read_event,
    read_inbound=read_inbound,
    spell=economical,
)
