"""SMS over End User Messaging or SNS: one text a call."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError

from heliograph.channels.errors import PROVIDER_ERRORS, ProviderError, code_of, outcome_of
from heliograph.channels.expiry import seconds_to_live
from heliograph.channels.sms.spec import FINAL_REASONS, SNS_FINAL_CODES
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.outcomes import Accepted, Failed, FailureCode, Outcome
from heliograph.model.policy import Purpose

if TYPE_CHECKING:
    from types_boto3_pinpoint_sms_voice_v2 import PinpointSMSVoiceV2Client
    from types_boto3_sns import SNSClient

BODY_LIMIT: Final = 1_600  # characters: SendTextMessage.MessageBody, and SNS Publish to a number
TTL_LEAST: Final = 5  # seconds: SendTextMessage.TimeToLive
TTL_MOST: Final = 259_200

FINAL_FIELDS: Final = {
    "destinationphonenumber": FailureCode.INVALID_ADDRESS,
    "messagebody": FailureCode.REJECTED,
}
"""The `Fields` of a ValidationException that are the message's; all others are our set-up."""


SNS_SENDER: Final = re.compile(r"\+[1-9][0-9]{4,14}|(?=.*[A-Za-z])[A-Za-z0-9-]{1,11}")
"""A phone number, or a sender id of up to 11 letters, digits and hyphens with at least one letter."""


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
    """The final codes; of a bad parameter, only if one is the message's (when the error says which it was)."""
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
