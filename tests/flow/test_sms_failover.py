"""SMS while its provider is out of service: the real functions and the real wire."""

from __future__ import annotations

import socket
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from audience import Clock, a_person
from aws.flow_system import System
from heliograph.aws import clients
from heliograph.reporting import work
from heliograph.runtime import wiring

ORDER = {"order_id": "o-1", "carrier": "DHL", "tracking_url": "https://example.com/t", "lines": []}
NOBODY_LISTENS = "AWS_ENDPOINT_URL_PINPOINT_SMS_VOICE_V2"


class Texts:
    """A text to each of some people, over End User Messaging that fails over to SNS."""

    def __init__(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        self.system = system
        self.patch = monkeypatch
        self.clock = Clock(monkeypatch)
        monkeypatch.setenv("HELIOGRAPH_SMS_FAILOVER", "sns")
        self.forget()

    def forget(self) -> None:
        """Let the functions make their clients anew."""
        wiring.sender.cache_clear()
        clients.provider.cache_clear()

    def is_down(self) -> None:
        """From now on, nobody listens where End User Messaging is."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.patch.setenv(NOBODY_LISTENS, f"http://127.0.0.1:{port}")
        self.forget()

    def is_up(self) -> None:
        """It is back."""
        self.patch.delenv(NOBODY_LISTENS)
        self.forget()

    def send(self, number: int) -> tuple[str, str]:
        """Tell somebody by SMS; the person's id and number."""
        person = f"text-{uuid.uuid4().hex[:12]}"
        phone = f"+49151{uuid.uuid4().int % 10**7:07d}{number}"
        wiring.recipients().save_many([a_person(person, phone=phone)])
        self.system.publish("OrderShipped", {"customer_id": person, **ORDER, "order_id": person}, source="shop.orders")
        self.system.work("events", "requests-priority", "outbox-sms-priority")
        return person, phone

    def sent(self, phone: str) -> list[dict[str, Any]]:
        """What was sent to a number; what SNS sends carries none of our ids."""
        return self.system.cloud.outbox(to=phone)


@pytest.fixture
def texts(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Texts]:
    """Both providers, in good health again afterwards."""
    with monkeypatch.context() as patch:
        made = Texts(system, patch)
        yield made
    system.cloud.faults({})
    system.sqs.purge_queue(QueueUrl=system.queue_url("engagement"))
    made.forget()


def latest(person: str) -> dict[str, Any]:
    """The one decision on a person."""
    (entry,) = work.timeline(person)["entries"]
    return dict(entry)


def test_in_an_outage_a_text_is_sent_once_by_the_other_provider(texts: Texts) -> None:
    texts.is_down()
    person, phone = texts.send(0)
    (sent,) = texts.sent(phone)
    assert not sent["tags"]
    entry = latest(person)
    assert (entry["state"], entry["provider"], entry["provider_message_id"]) == (
        "accepted",
        "sns",
        sent["provider_message_id"],
    )


def test_after_an_outage_the_usual_provider_sends_again(texts: Texts) -> None:
    texts.is_down()
    texts.send(1)
    texts.is_up()
    person, phone = texts.send(2)
    assert [sent["tags"]["recipient_id"] for sent in texts.sent(phone)] == [person]


@pytest.mark.parametrize(("fault", "sent"), [("timeout_after_acceptance", 1), ("reset", 0), ("server_error", 0)])
def test_a_text_that_may_have_been_taken_is_in_doubt_and_not_sent_by_the_other(
    texts: Texts, fault: str, sent: int
) -> None:
    texts.system.cloud.faults({"sms": {fault: 1}})
    person, phone = texts.send(3)
    assert latest(person)["state"] == "unknown"
    assert [message["tags"]["recipient_id"] for message in texts.sent(phone)] == [person] * sent
    texts.system.sqs.purge_queue(QueueUrl=texts.system.queue_url("settle"))


def test_a_throttled_text_waits_for_its_provider(texts: Texts) -> None:
    texts.system.cloud.faults({"sms": {"throttle": 1}})
    person, phone = texts.send(4)
    assert (latest(person)["state"], texts.sent(phone)) == ("retry", [])
    texts.system.sqs.purge_queue(QueueUrl=texts.system.queue_url("outbox-sms-priority"))
