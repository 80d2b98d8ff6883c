"""End User Messaging SMS (`pinpoint-sms-voice-v2`): texts go to the outbox, and their number decides how they fare."""

from __future__ import annotations

import re
import uuid
from functools import partial
from typing import Any

from ministack import app

from localcloud import announce, faults, outbox, sms_resources
from localcloud.calls import Call, RefusedError, permit, played
from localcloud.sms_events import Text, report

CONTEXT_LIMIT = 5  # entries of Context
FALLBACK_NUMBER = "+12065550199"  # AWS picks an identity when none is named
TIME_TO_LIVE = range(5, 259_201)  # seconds

BODY = re.compile(r"(?=.*\S).{1,1600}", re.DOTALL)
CONTEXT_KEY = re.compile(r"\S{1,100}")
CONTEXT_VALUE = re.compile(r"(?!\s)(?=.{1,800}\Z).*(?<!\s)", re.DOTALL)
NUMBER = re.compile(r"\+?[1-9][0-9]{1,18}")
PRICE = re.compile(r"[0-9]{0,2}\.[0-9]{1,5}")

FATES = {  # fictitious North American numbers, +1 XXX 555 01NN, by their last two digits
    "11": ("INVALID",),
    "12": ("CARRIER_BLOCKED",),
    "14": ("QUEUED", "UNREACHABLE"),
    "15": ("QUEUED", "SUCCESSFUL"),
    "16": ("QUEUED", "TTL_EXPIRED"),
}
DELIVERED = ("QUEUED", "SUCCESSFUL", "DELIVERED")
OPTED_OUT = "13"
THROTTLED = "17"

_FICTITIOUS = re.compile(r"\+1\d{3}55501(\d\d)")


def send_text_message(call: Call) -> dict[str, str]:
    """SendTextMessage."""
    identity = call.data.get("OriginationIdentity", "")
    permit(call, action="sms-voice:SendTextMessage", resource=sms_resources.identity_arn(identity))
    _check(call.data)
    text = _read(call.data)
    _check_number(text.destination)
    faults.admit("sms")
    if not call.data.get("DryRun"):
        faults.risk("sms", lambda: _take(text))
    return {"MessageId": text.message_id}


def _take(text: Text) -> None:
    outbox.keep(shown(text))
    announce.later(partial(_deliver, text))


def _check(data: dict[str, Any]) -> None:
    context = data.get("Context") or {}
    rules = {
        "DestinationPhoneNumber": NUMBER.fullmatch(data.get("DestinationPhoneNumber", "")),
        "MessageBody": BODY.fullmatch(data.get("MessageBody", "")),
        "MessageType": data.get("MessageType", "TRANSACTIONAL") in ("TRANSACTIONAL", "PROMOTIONAL"),
        "MaxPrice": "MaxPrice" not in data or PRICE.fullmatch(data["MaxPrice"]),
        "TimeToLive": data.get("TimeToLive", TIME_TO_LIVE.start) in TIME_TO_LIVE,
        "Context": len(context) <= CONTEXT_LIMIT
        and all(CONTEXT_KEY.fullmatch(k) and CONTEXT_VALUE.fullmatch(v) for k, v in context.items()),
    }
    wrong = [{"Name": name, "Message": "does not satisfy its constraint"} for name, good in rules.items() if not good]
    if wrong:
        words = f"{len(wrong)} validation error(s) detected: {', '.join(field['Name'] for field in wrong)}"
        raise RefusedError("ValidationException", words, Reason="FIELD_VALIDATION_FAILED", Fields=wrong)


def _read(data: dict[str, Any]) -> Text:
    identity = data.get("OriginationIdentity", "")
    configuration_set = data.get("ConfigurationSetName", "")
    if configuration_set:
        configuration_set = sms_resources.configuration_set(configuration_set)["ConfigurationSetName"]
    known = sms_resources.identities.get(identity) or {}
    return Text(
        message_id=str(uuid.uuid4()),
        origination=known.get("PhoneNumber") or identity or FALLBACK_NUMBER,
        destination="+" + data["DestinationPhoneNumber"].lstrip("+"),
        body=data["MessageBody"],
        message_type=data.get("MessageType", "TRANSACTIONAL"),
        configuration_set=configuration_set,
        context=data.get("Context") or {},
    )


def _check_number(number: str) -> None:
    ending = number_ending(number)
    if ending == THROTTLED:
        raise RefusedError("ThrottlingException", "Rate exceeded")
    if ending == OPTED_OUT or sms_resources.is_opted_out(number):
        reason = "DESTINATION_PHONE_NUMBER_OPTED_OUT"
        raise RefusedError("ConflictException", "Destination phone number is opted out", Reason=reason)
    if faults.of("sms").sandbox and number not in sms_resources.SIMULATORS:
        reason = "DESTINATION_PHONE_NUMBER_NOT_VERIFIED"
        raise RefusedError("ConflictException", "Destination phone number is not verified", Reason=reason)


def number_ending(number: str) -> str:
    """The last two digits of a fictitious number; empty for all others."""
    match = _FICTITIOUS.fullmatch(number)
    return match[1] if match else ""


def _deliver(text: Text) -> None:
    unreachable = text.destination == sms_resources.SIMULATORS[1]
    statuses = ("UNREACHABLE",) if unreachable else FATES.get(number_ending(text.destination), DELIVERED)
    for status in statuses:
        report(text, status, final=status == statuses[-1])


def shown(text: Text) -> outbox.Sent:
    """A text as the outbox keeps it."""
    return outbox.Sent(
        provider_message_id=text.message_id,
        channel="sms",
        to=(text.destination,),
        text=text.body,
        headers={"From": text.origination, "Message-Type": text.message_type},
        tags=text.context,
        reactions={"bounce": lambda _: report(text, "INVALID", final=True)},
    )


OPERATIONS = {
    "SendTextMessage": send_text_message,
    "CreateConfigurationSet": sms_resources.call_create_configuration_set,
    "CreateEventDestination": sms_resources.call_create_event_destination,
    "DescribeConfigurationSets": sms_resources.call_describe_configuration_sets,
    "DescribeAccountAttributes": sms_resources.call_describe_account_attributes,
    "DescribePhoneNumbers": sms_resources.call_describe_phone_numbers,
    "DescribePools": sms_resources.call_describe_pools,
    "DescribeSenderIds": sms_resources.call_describe_sender_ids,
    "DescribeSpendLimits": sms_resources.call_describe_spend_limits,
    "PutOptedOutNumber": sms_resources.call_put_opted_out_number,
    "DeleteOptedOutNumber": sms_resources.call_delete_opted_out_number,
}


def _play(call: Call) -> Any:
    name = call.headers.get("x-amz-target", "").rpartition(".")[2]
    if name not in OPERATIONS:
        raise RefusedError("ValidationException", f"The local cloud does not play {name}.", Reason="OTHER")
    if name.startswith("Describe"):
        permit(call, action=f"sms-voice:{name}", resource="*")
    return OPERATIONS[name](call)


def install() -> None:
    """Answer the service under its signing name."""
    app.SERVICE_HANDLERS["sms-voice"] = played(_play)
