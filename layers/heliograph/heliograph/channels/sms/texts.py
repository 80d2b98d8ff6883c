"""SMS over End User Messaging or SNS: letters out, one a call; what End User Messaging reports about them in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, Final, cast

import msgspec
from botocore.exceptions import ClientError

from heliograph.channels.errors import PROVIDER_ERRORS, ProviderError, code_of, outcome_of
from heliograph.channels.expiry import seconds_to_live
from heliograph.model.channels import Channel
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.model.outcomes import Accepted, Failed, FailureCode, Outcome
from heliograph.model.policy import Purpose
from heliograph.model.values import JsonObject
from heliograph.recording.consequences import tagged_event
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import unquoted

if TYPE_CHECKING:
    from types_boto3_pinpoint_sms_voice_v2 import PinpointSMSVoiceV2Client
    from types_boto3_sns import SNSClient

BODY_LIMIT: Final = 1_600  # characters: SendTextMessage.MessageBody, and SNS Publish to a number
TTL_LEAST: Final = 5  # seconds: SendTextMessage.TimeToLive
TTL_MOST: Final = 259_200

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

FINAL_FIELDS: Final = {
    "destinationphonenumber": FailureCode.INVALID_ADDRESS,
    "messagebody": FailureCode.REJECTED,
}
"""The `Fields` of a ValidationException that are the letter's; all others are our set-up."""

SNS_FINAL_CODES: Final = {"InvalidParameter": FailureCode.INVALID_ADDRESS, "OptedOut": FailureCode.OPTED_OUT}


SNS_SENDER: Final = re.compile(r"\+[1-9][0-9]{4,14}|(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}")
"""A phone number, or a sender id of up to 11 letters, digits and hyphens with at least one letter."""


# ---- out ---------------------------------------------------------------------------------------------------


def end_user_messaging_sender(
    client: PinpointSMSVoiceV2Client,
    *,
    origination_identity: str,
    configuration_set: str,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Sender:
    """Send by End User Messaging. Without an origination identity it picks one for each country."""
    always: dict[str, Any] = {"ConfigurationSetName": configuration_set}
    if origination_identity:
        always["OriginationIdentity"] = origination_identity

    def send_one(rendered: Rendered) -> Outcome:
        expiry = seconds_to_live(rendered.dispatch, now(), least=TTL_LEAST, most=TTL_MOST)
        optional: Any = always | ({} if expiry is None else {"TimeToLive": expiry})
        try:
            answer = client.send_text_message(
                DestinationPhoneNumber=rendered.dispatch.addresses[0],
                MessageBody=rendered.content["text"],
                MessageType="PROMOTIONAL" if rendered.message.purpose is Purpose.PROMOTIONAL else "TRANSACTIONAL",
                Context=rendered.tags(),
                **optional,
            )
        except PROVIDER_ERRORS as error:
            return outcome_of(error, rendered.dispatch.dispatch_id, final=_final(error))
        return Accepted(dispatch_id=rendered.dispatch.dispatch_id, provider_message_id=answer["MessageId"])

    return _each(send_one)


def _final(error: ProviderError) -> Mapping[str, FailureCode]:
    """The final codes; of a bad parameter, only if one is the letter's (when the error says which it was)."""
    if not isinstance(error, ClientError) or code_of(error) not in ("INVALID_PARAMETER", "FIELD_VALIDATION_FAILED"):
        return FINAL_REASONS
    fields = cast("dict[str, Any]", error.response).get("Fields")
    if not fields:
        return FINAL_REASONS
    names = {str(field.get("Name")).lower() for field in fields}
    return {code_of(error): code for name, code in FINAL_FIELDS.items() if name in names}


def sns_sender(client: SNSClient, *, sender_id: str) -> Sender:
    """Send by SNS, which reports nothing back to us; `sender_id` may be a phone number, or empty."""
    sender = {"AWS.MM.SMS.OriginationNumber" if sender_id.startswith("+") else "AWS.SNS.SMS.SenderID": sender_id}

    def send_one(rendered: Rendered) -> Outcome:
        promotional = rendered.message.purpose is Purpose.PROMOTIONAL
        attributes = {"AWS.SNS.SMS.SMSType": "Promotional" if promotional else "Transactional"}
        attributes |= sender if sender_id else {}
        try:
            answer = client.publish(
                PhoneNumber=rendered.dispatch.addresses[0],
                Message=rendered.content["text"],
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        except PROVIDER_ERRORS as error:
            return outcome_of(error, rendered.dispatch.dispatch_id, final=SNS_FINAL_CODES)
        return Accepted(dispatch_id=rendered.dispatch.dispatch_id, provider_message_id=answer["MessageId"])

    return _each(send_one)


def sender_id_of(origination_identity: str) -> str:
    """What SNS can name as the sender of what End User Messaging would have sent: empty for a pool or an ARN."""
    return origination_identity if SNS_SENDER.fullmatch(origination_identity) else ""


def _each(send_one: Callable[[Rendered], Outcome]) -> Sender:
    """Both providers take one message a call, and no text that is blank or too long."""

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        for rendered in batch:
            text = rendered.content["text"]
            if len(text) > BODY_LIMIT:
                yield (Failed(dispatch_id=rendered.dispatch.dispatch_id, code=FailureCode.CONTENT_TOO_LARGE),)
            elif not text.strip():
                yield (Failed(dispatch_id=rendered.dispatch.dispatch_id, code=FailureCode.REJECTED),)
            else:
                yield (send_one(rendered),)

    return send


# ---- what End User Messaging reports -----------------------------------------------------------------------

LAST_MILLISECOND: Final = 253_402_300_799_999  # of the year 9999


class _Record(msgspec.Struct, rename="camel"):
    event_type: str
    event_timestamp: Annotated[int, msgspec.Meta(ge=0, le=LAST_MILLISECOND)]
    message_id: str
    context: dict[str, str]
    is_final: bool = False
    message_status: str = ""
    destination_phone_number: str = ""


def read_sms_event(record: JsonObject) -> EngagementEvent | None:
    """Read a record of the configuration set; None when it is not ours or says nothing yet. Raises MalformedError."""
    context = record.get("context")
    if not isinstance(context, dict) or "dispatch_id" not in context:
        return None
    try:
        event = msgspec.convert(record, _Record)
    except msgspec.ValidationError as error:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, "SMS event", unquoted(error)) from None
    kind = _kind(event)
    if kind is None:
        return None
    bounced = kind is EngagementKind.BOUNCED
    return tagged_event(
        event.context,
        channel=Channel.SMS,
        kind=kind,
        occurred_at=datetime.fromtimestamp(event.event_timestamp / 1000, UTC),
        told_apart_by=(event.message_id, event.event_type, str(event.event_timestamp)),
        address=event.destination_phone_number if bounced else "",
        permanent=bounced,
        detail=event.event_type,
    )


FOLLOWED: Final = frozenset({"TEXT", "MEDIA", "RCS"})
"""What a text may travel as: its pool may hold an RCS agent, and RCS falls back to SMS by itself after 25 seconds."""
ON_ITS_WAY: Final = frozenset({"PENDING", "QUEUED"})
KINDS: Final = {
    "SENT": EngagementKind.SENT,
    "DELIVERED": EngagementKind.DELIVERED,
    "READ": EngagementKind.OPENED,
    "INVALID": EngagementKind.BOUNCED,
    "FALLEN_BACK_TO_SMS": EngagementKind.SENT,
}
"""What an event type says after `TEXT_`, `MEDIA_` or `RCS_`, if it says the same whether final or not."""
MAY_STILL_COME: Final = "TTL_EXPIRATION_REVOKE_FAILED"
"""The status of an RCS message that expired and could not be called back."""


def _kind(event: _Record) -> EngagementKind | None:
    """Many routes never say more than "the carrier took it": if that is final, it counts as delivered."""
    way, _, what = event.event_type.partition("_")
    if way not in FOLLOWED or what in ON_ITS_WAY:
        return None
    if what == "SUCCESSFUL":
        return EngagementKind.DELIVERED if event.is_final else EngagementKind.SENT
    may_come = event.message_status == MAY_STILL_COME or not event.is_final
    return KINDS.get(what) or (EngagementKind.DELAYED if may_come else EngagementKind.UNDELIVERED)
