"""The SMS providers of the local cloud take, refuse and report as those of AWS do."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from aws.local_cloud import Inbox, LocalCloud
from aws.local_ses import refusal

CONTEXT = {"dispatch_id": "d-1", "recipient_id": "ada"}
NOBODY = "+12065550100"


@pytest.fixture
def sms(local_cloud: LocalCloud) -> Any:
    return local_cloud.client("pinpoint-sms-voice-v2")


@pytest.fixture
def reporting_set(sms: Any, topic: str) -> str:
    """An SMS configuration set that reports every text to the inbox."""
    name = f"set-{uuid.uuid4().hex[:8]}"
    sms.create_configuration_set(ConfigurationSetName=name)
    sms.create_event_destination(
        ConfigurationSetName=name,
        EventDestinationName="topic",
        MatchingEventTypes=["TEXT_ALL"],
        SnsDestination={"TopicArn": topic},
    )
    return name


def text(sms: Any, number: str = NOBODY, **more: Any) -> str:
    sent = {"DestinationPhoneNumber": number, "MessageBody": "Your code is 482913.", "Context": CONTEXT, **more}
    message_id: str = sms.send_text_message(**sent)["MessageId"]
    return message_id


def a_number() -> str:
    return f"+49151{uuid.uuid4().int % 10**8:08d}"


def test_a_text_is_in_the_outbox_with_its_context_as_tags(local_cloud: LocalCloud, sms: Any) -> None:
    number = a_number()
    message_id = text(sms, number, OriginationIdentity="EXAMPLE")
    [shown] = local_cloud.outbox(channel="sms", to=number)
    assert (shown["provider_message_id"], shown["text"]) == (message_id, "Your code is 482913.")
    assert (shown["tags"], shown["headers"]["From"]) == (CONTEXT, "EXAMPLE")


@pytest.mark.parametrize(
    ("number", "kinds"),
    [
        ("+12065550100", ["TEXT_QUEUED", "TEXT_SUCCESSFUL", "TEXT_DELIVERED"]),
        ("+12065550111", ["TEXT_INVALID"]),
        ("+12065550112", ["TEXT_CARRIER_BLOCKED"]),
        ("+12065550114", ["TEXT_QUEUED", "TEXT_UNREACHABLE"]),
        ("+12065550115", ["TEXT_QUEUED", "TEXT_SUCCESSFUL"]),
        ("+12065550116", ["TEXT_QUEUED", "TEXT_TTL_EXPIRED"]),
    ],
)
def test_the_number_decides_how_a_text_fares(
    number: str, kinds: list[str], sms: Any, inbox: Inbox, reporting_set: str
) -> None:
    message_id = text(sms, number, ConfigurationSetName=reporting_set)
    records = inbox.take(len(kinds))
    assert [record["eventType"] for record in records] == kinds
    assert [record["isFinal"] for record in records] == [False] * (len(kinds) - 1) + [True]
    assert (records[-1]["messageId"], records[-1]["context"]) == (message_id, CONTEXT)
    assert records[-1]["destinationPhoneNumber"] == number


def test_the_default_bus_hears_of_texts_without_number_and_context(sms: Any, on_bus: Callable[..., Inbox]) -> None:
    inbox = on_bus("aws.sms-voice", detail={"messageStatus": ["DELIVERED"]})
    message_id = text(sms)
    [event] = inbox.take(1)
    assert event["detail-type"] == "Text Message Delivery Status Updated"
    assert event["detail"]["messageId"] == message_id
    assert not {"destinationPhoneNumber", "context"} & set(event["detail"])


@pytest.mark.parametrize(
    ("wrong", "code", "reason"),
    [
        ({"DestinationPhoneNumber": "0151"}, "ValidationException", "FIELD_VALIDATION_FAILED"),
        ({"MessageBody": "  "}, "ValidationException", "FIELD_VALIDATION_FAILED"),
        ({"MaxPrice": "10"}, "ValidationException", "FIELD_VALIDATION_FAILED"),
        ({"Context": {str(n): "v" for n in range(6)}}, "ValidationException", "FIELD_VALIDATION_FAILED"),
        ({"ConfigurationSetName": "nowhere"}, "ResourceNotFoundException", None),
        ({"DestinationPhoneNumber": "+12065550113"}, "ConflictException", "DESTINATION_PHONE_NUMBER_OPTED_OUT"),
        ({"DestinationPhoneNumber": "+12065550117"}, "ThrottlingException", None),
    ],
)
def test_a_text_is_refused_with_code_and_reason(sms: Any, wrong: dict[str, Any], code: str, reason: str | None) -> None:
    answer = refusal(text, sms, **wrong)
    assert (answer["Error"]["Code"], answer.get("Reason")) == (code, reason)


def test_a_number_on_the_opt_out_list_is_refused_until_it_is_taken_off(sms: Any) -> None:
    number = a_number()
    sms.put_opted_out_number(OptOutListName="Default", OptedOutNumber=number)
    assert refusal(text, sms, number)["Reason"] == "DESTINATION_PHONE_NUMBER_OPTED_OUT"
    sms.delete_opted_out_number(OptOutListName="Default", OptedOutNumber=number)
    assert text(sms, number)


def test_a_text_that_bounces_is_reported_invalid(
    local_cloud: LocalCloud, sms: Any, on_bus: Callable[..., Inbox]
) -> None:
    inbox = on_bus("aws.sms-voice", detail={"messageStatus": ["INVALID"]})
    message_id = text(sms)
    local_cloud.engage(message_id, "bounce")
    assert inbox.take(1)[0]["detail"]["messageId"] == message_id


def test_a_text_through_sns_is_in_the_outbox(local_cloud: LocalCloud) -> None:
    number = a_number()
    sent = local_cloud.client("sns").publish(PhoneNumber=number, Message="Your code is 482913.")
    [shown] = local_cloud.outbox(channel="sms", to=number)
    assert (shown["provider_message_id"], shown["text"]) == (sent["MessageId"], "Your code is 482913.")
