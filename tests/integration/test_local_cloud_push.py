"""The push providers of the local cloud take and refuse as those of AWS do."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from aws.local_cloud import Inbox, LocalCloud
from aws.local_ses import refusal

CONTEXT = {"dispatch_id": "d-1", "recipient_id": "ada"}


@pytest.fixture
def pinpoint(local_cloud: LocalCloud) -> Any:
    return local_cloud.client("pinpoint")


@pytest.fixture
def application(pinpoint: Any) -> str:
    made = pinpoint.create_app(CreateApplicationRequest={"Name": "application"})
    identity: str = made["ApplicationResponse"]["Id"]
    return identity


def push(pinpoint: Any, application: str, *tokens: str) -> dict[str, Any]:
    gcm = {"Title": "Out for delivery", "Body": "Today", "Url": "app://orders/1", "Data": CONTEXT}
    addresses = {token: {"ChannelType": "GCM"} for token in tokens}
    request = {"Addresses": addresses, "MessageConfiguration": {"GCMMessage": gcm}}
    answer = pinpoint.send_messages(ApplicationId=application, MessageRequest=request)
    result: dict[str, Any] = answer["MessageResponse"]["Result"]
    return result


def test_every_device_gets_a_result_of_its_own(local_cloud: LocalCloud, pinpoint: Any, application: str) -> None:
    live = uuid.uuid4().hex
    result = push(pinpoint, application, live, "dead-1", "throttled-1")
    assert {token: (found["DeliveryStatus"], found["StatusCode"]) for token, found in result.items()} == {
        live: ("SUCCESSFUL", 200),
        "dead-1": ("PERMANENT_FAILURE", 410),
        "throttled-1": ("THROTTLED", 429),
    }
    assert json.loads(result["dead-1"]["StatusMessage"])["errorMessage"] == "Unregistered or expired token"
    [shown] = local_cloud.outbox(channel="push", to=live)
    assert (shown["subject"], shown["text"], shown["tags"]) == ("Out for delivery", "Today", CONTEXT)
    assert local_cloud.outbox(to="dead-1") == []


def test_an_unknown_application_is_refused(pinpoint: Any) -> None:
    assert refusal(push, pinpoint, "nowhere", "token")["Error"]["Code"] == "NotFoundException"


def test_opening_a_push_message_tells_the_bus_of_the_stack(
    local_cloud: LocalCloud, pinpoint: Any, application: str, on_bus: Callable[..., Inbox]
) -> None:
    bus = f"heliograph-{uuid.uuid4().hex[:8]}"
    local_cloud.client("events").create_event_bus(Name=bus)
    inbox, token = on_bus("app.local", bus), uuid.uuid4().hex
    sent = push(pinpoint, application, token)[token]
    local_cloud.engage(sent["MessageId"], "open")
    [event] = inbox.take(1)
    assert (event["detail-type"], event["detail"]) == ("PushOpened", CONTEXT)


@pytest.fixture
def endpoint(local_cloud: LocalCloud) -> Callable[[str], str]:
    """Makes an SNS platform endpoint for a token."""
    sns = local_cloud.client("sns")
    made = sns.create_platform_application(Name=uuid.uuid4().hex, Platform="GCM", Attributes={})
    arn = made["PlatformApplicationArn"]
    return lambda token: str(sns.create_platform_endpoint(PlatformApplicationArn=arn, Token=token)["EndpointArn"])


def publish(cloud: LocalCloud, endpoint: str) -> Any:
    said = {"notification": {"title": "Out for delivery", "body": "Today"}, "data": CONTEXT}
    parts = {"default": "Today", "GCM": json.dumps({"fcmV1Message": {"message": said}})}
    return cloud.client("sns").publish(TargetArn=endpoint, MessageStructure="json", Message=json.dumps(parts))


def test_a_push_message_through_sns_is_in_the_outbox(local_cloud: LocalCloud, endpoint: Callable[[str], str]) -> None:
    token = uuid.uuid4().hex
    publish(local_cloud, endpoint(token))
    [shown] = local_cloud.outbox(channel="push", to=token)
    assert (shown["subject"], shown["text"], shown["tags"]) == ("Out for delivery", "Today", CONTEXT)


def test_sns_disables_a_dead_endpoint_and_then_refuses_it(
    local_cloud: LocalCloud, endpoint: Callable[[str], str]
) -> None:
    dead = endpoint(f"dead-{uuid.uuid4().hex}")
    publish(local_cloud, dead)
    assert refusal(publish, local_cloud, dead)["Error"]["Code"] == "EndpointDisabled"
