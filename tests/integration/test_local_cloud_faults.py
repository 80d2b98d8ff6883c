"""The local cloud fails as a test asks it to, and says how often it did."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from aws.local_cloud import LocalCloud
from aws.local_ses import an_address, entry, refusal, send, send_bulk

Send = Callable[[], object]


@pytest.fixture
def cloud(local_cloud: LocalCloud) -> Iterator[LocalCloud]:
    """A local cloud that fails nobody else afterwards."""
    yield local_cloud
    local_cloud.faults({})


@pytest.fixture
def sends(local_cloud: LocalCloud, ses: Any) -> dict[str, Send]:
    """One message by each provider."""
    sms, pinpoint = local_cloud.client("pinpoint-sms-voice-v2"), local_cloud.client("pinpoint")
    made = pinpoint.create_app(CreateApplicationRequest={"Name": "application"})["ApplicationResponse"]["Id"]
    push = {"Addresses": {"t": {"ChannelType": "GCM"}}, "MessageConfiguration": {"GCMMessage": {"Title": "T"}}}
    return {
        "ses": lambda: send(ses, an_address()),
        "sms": lambda: sms.send_text_message(DestinationPhoneNumber="+12065550100", MessageBody="Hello"),
        "push": lambda: pinpoint.send_messages(ApplicationId=made, MessageRequest=push),
    }


@pytest.mark.parametrize(
    ("provider", "fault", "code", "status"),
    [
        ("ses", "throttle", "TooManyRequestsException", 429),
        ("ses", "server_error", "InternalServiceErrorException", 500),
        ("sms", "throttle", "ThrottlingException", 400),
        ("sms", "server_error", "InternalServerException", 500),
        ("push", "throttle", "TooManyRequestsException", 429),
        ("push", "server_error", "InternalServerErrorException", 500),
    ],
)
def test_a_refused_call_has_the_words_of_its_service_and_sends_nothing(
    provider: str, fault: str, code: str, status: int, cloud: LocalCloud, sends: dict[str, Send]
) -> None:
    before = len(cloud.outbox())
    cloud.faults({provider: {fault: 1}})
    answer = refusal(sends[provider])
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert len(cloud.outbox()) == before
    assert cloud.get("faults")[provider]["injected"] == {fault: 1}


@pytest.mark.parametrize("provider", ["ses", "sms", "push"])
@pytest.mark.parametrize(("fault", "sent"), [("reset", 0), ("timeout_after_acceptance", 1)])
def test_a_lost_connection_does_not_tell_whether_the_message_was_taken(
    provider: str, fault: str, sent: int, cloud: LocalCloud, sends: dict[str, Send]
) -> None:
    before = len(cloud.outbox())
    cloud.faults({provider: {fault: 1}})
    with pytest.raises(ConnectionClosedError):
        sends[provider]()
    assert len(cloud.outbox()) == before + sent
    cloud.faults({})
    sends[provider]()
    assert len(cloud.outbox()) == before + sent + 1


def test_some_entries_of_a_good_bulk_call_are_throttled(cloud: LocalCloud, ses: Any) -> None:
    cloud.faults({"ses": {"throttle": 0.3}, "seed": 2})
    statuses = [result["Status"] for result in send_some(ses, 50)]
    assert set(statuses) == {"SUCCESS", "ACCOUNT_THROTTLED", "TRANSIENT_FAILURE"}
    assert statuses.count("SUCCESS") > 25


def test_a_paused_account_takes_nothing_until_it_goes_on(cloud: LocalCloud, ses: Any, sends: dict[str, Send]) -> None:
    cloud.faults({"ses": {"paused": True}})
    assert refusal(sends["ses"])["Error"]["Code"] == "SendingPausedException"
    assert {result["Status"] for result in send_some(ses, 3)} == {"ACCOUNT_SENDING_PAUSED"}
    assert not ses.get_account()["SendingEnabled"]
    cloud.faults({})
    sends["ses"]()
    assert ses.get_account()["SendingEnabled"]


def test_the_send_rate_counts_recipients_and_is_told(cloud: LocalCloud, ses: Any) -> None:
    cloud.faults({"ses": {"max_per_second": 20}})
    statuses = [result["Status"] for result in send_some(ses, 50)]
    assert statuses[:20] == ["SUCCESS"] * 20
    assert "ACCOUNT_THROTTLED" in statuses
    assert ses.get_account()["SendQuota"]["MaxSendRate"] == 20


def test_a_seed_makes_the_same_faults_again(cloud: LocalCloud, ses: Any) -> None:
    def fates() -> list[str]:
        cloud.faults({"ses": {"throttle": 0.2, "server_error": 0.2, "reset": 0.2}, "seed": 7})
        return [fate(lambda: send(ses, f"{uuid.uuid4().hex}@example.net")) for _ in range(12)]

    assert fates() == fates()


@pytest.mark.parametrize("asked", [{"fax": {}}, {"ses": {"slow": 1}}, {"ses": {"reset": 0.7, "throttle": 0.7}}, []])
def test_a_fault_that_does_not_exist_is_refused_and_changes_nothing(asked: Any, cloud: LocalCloud) -> None:
    cloud.faults({"sms": {"reset": 0.5}})
    with pytest.raises(HTTPError, match="400"):
        cloud.faults(asked)
    assert cloud.get("faults")["sms"]["reset"] == 0.5


def send_some(ses: Any, number: int) -> list[dict[str, str]]:
    return send_bulk(ses, *(entry(an_address()) for _ in range(number)))


def fate(call: Send) -> str:
    try:
        call()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except ConnectionClosedError:
        return "lost"
    return "taken"
