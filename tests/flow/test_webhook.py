"""The way of a message to an endpoint, over real TLS, and to a function, as Pinpoint called it."""

from __future__ import annotations

import hmac
import json
import socket
import uuid
from base64 import b64encode
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from urllib3.util import connection

from aws.flow_system import System
from aws.webhook_receiver import Receiver, Respond, certificate_for, receiving, status
from heliograph.channels.webhook import signature
from heliograph.channels.webhook.spec import NAME as WEBHOOK
from heliograph.reporting import work
from heliograph.runtime import wiring

HOST, PUBLIC = "hooks.example.com", "93.184.216.34"
PHONE = "+4915198765000"
Announced = Callable[[str], list[str]]


@pytest.fixture
def receiver(system: System, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Receiver]:
    """An endpoint on the internet, as far as functions can see: its name and its address lead to this machine."""
    look_up, connect = socket.getaddrinfo, connection.create_connection

    def looked_up(host: Any, *rest: Any, **options: Any) -> Any:
        return look_up(PUBLIC if host == HOST else host, *rest, **options)

    def connected(address: tuple[str, int], *rest: Any, **options: Any) -> socket.socket:
        host, port = address
        return connect(("127.0.0.1" if host == PUBLIC else host, port), *rest, **options)

    certificate = certificate_for(HOST, tmp_path)
    monkeypatch.setattr(socket, "getaddrinfo", looked_up)
    monkeypatch.setattr(connection, "create_connection", connected)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    wiring.sender.cache_clear()  # it reads the trusted authorities once
    with receiving(certificate) as listening:
        yield listening
    wiring.sender.cache_clear()


@pytest.fixture
def announce(system: System, person: str, monkeypatch: pytest.MonkeyPatch) -> Announced:
    """Announce an order by webhook and, unless it arrives within ten minutes, by SMS; the channels that took it."""

    def announced(endpoint: str) -> list[str]:
        known = {"recipient_id": person, "endpoint": endpoint, "phone": PHONE}
        system.publish("RecipientUpdated", known)
        system.work("events")
        wanted = {"message": "order_announced", "recipient_id": person, "data": {"order_id": "A-1"}}
        system.publish("SendRequested", wanted)
        system.work()
        with monkeypatch.context() as patch:
            for pack, at in timers(system):
                patch.setattr(wiring, "now", lambda at=at: at)
                assert system.run("plan", [pack]) == {"batchItemFailures": []}
        system.work()
        entries = work.timeline(person)["entries"]
        return [each["channel"] for each in reversed(entries) if each["state"] in ("accepted", "delivered")]

    return announced


def timers(system: System) -> Iterator[tuple[str, datetime]]:
    """What the scheduler will bring, and when."""
    scheduler = system.cloud.client("scheduler")
    for each in scheduler.list_schedules(GroupName=system.name)["Schedules"]:
        found = scheduler.get_schedule(GroupName=system.name, Name=each["Name"])
        yield found["Target"]["Input"], datetime.fromisoformat(found["ScheduleExpression"][3:-1]).replace(tzinfo=UTC)


Told = Callable[[str, str], dict[str, Any]]


@pytest.fixture
def tell(system: System, person: str) -> Told:
    """Tell a person, who is reached so, of an order; what the timeline says of it."""

    def told(endpoint: str, order: str) -> dict[str, Any]:
        system.publish(
            "RecipientUpdated",
            {"recipient_id": person, "endpoint": endpoint, "attributes": {"first_name": 'Ana "the" Great'}},
        )
        system.work("events")
        data = {"order_id": order, "lines": [{"name": "Bench"}]}
        system.publish("SendRequested", {"message": "order_told", "recipient_id": person, "data": data})
        system.work()
        return dict(work.timeline(person)["entries"][0])

    return told


def test_an_event_becomes_a_signed_request_and_its_answer_a_delivery(receiver: Receiver, tell: Told) -> None:
    endpoint = f"https://{HOST}:{receiver.port}/hooks"
    entry = tell(endpoint, "A-1")
    assert (entry["message"], entry["channel"], entry["state"]) == ("order_told", WEBHOOK, "delivered")
    assert entry["cause"] is None
    (got,) = receiver.got
    assert json.loads(got.body) | {"timestamp": ""} == {
        "type": "order_told",
        "timestamp": "",
        "data": {"order": "A-1", "customer": 'Ana "the" Great', "lines": ["Bench"]},
    }
    secrets = [signature.secret_of(endpoint, key) for key in wiring.keys()]  # noqa: SIM118 - a function
    at, message_id = int(got.headers["webhook-timestamp"]), got.headers["webhook-id"]
    assert message_id == entry["dispatch_id"]
    assert got.headers["webhook-signature"] == signed(message_id, at, got.body, secrets)


def signed(message_id: str, at: int, body: bytes, secrets: list[bytes]) -> str:
    text = f"{message_id}.{at}.".encode() + body
    return " ".join(f"v1,{b64encode(hmac.digest(secret, text, 'sha256')).decode()}" for secret in secrets)


def test_an_endpoint_that_is_gone_is_told_of_nothing_more(receiver: Receiver, tell: Told) -> None:
    receiver.respond = status(410)
    endpoint = f"https://{HOST}:{receiver.port}/gone"
    failed = tell(endpoint, "A-1")
    assert (failed["state"], failed["cause"]) == ("failed", "dead_token")
    entry = tell(endpoint, "A-2")
    assert (entry["state"], entry["reason"]) == ("skipped", "address_suppressed")
    assert len(receiver.got) == 1


def test_an_endpoint_without_time_is_left_alone_while_its_message_waits(
    receiver: Receiver, tell: Told, system: System
) -> None:
    receiver.respond = status(503, Retry_After="600")
    entry = tell(f"https://{HOST}:{receiver.port}/busy", "A-1")
    assert (entry["state"], entry["cause"]) == ("retry", "HTTP503")
    assert len(receiver.got) == 1
    waiting = system.sqs.get_queue_attributes(
        QueueUrl=system.queue_url("outbox-webhook-priority"), AttributeNames=["All"]
    )["Attributes"]
    assert waiting["ApproximateNumberOfMessagesDelayed"] == "1"


def test_an_endpoint_inside_is_never_asked(receiver: Receiver, tell: Told) -> None:
    entry = tell(f"https://127.0.0.1:{receiver.port}/", "A-1")
    assert entry["state"] == "failed"
    assert receiver.got == []


# ---- fallbacks: unless = "delivered" -------------------------------------------------------------------------------


def test_what_an_endpoint_took_is_delivered_and_needs_no_fallback(receiver: Receiver, announce: Announced) -> None:
    assert announce(f"https://{HOST}:{receiver.port}/hooks") == ["webhook"]
    assert len(receiver.got) == 1


@pytest.mark.parametrize(
    "answer",
    [status(422), status(410), status(503, Retry_After="3600")],
    ids=["refused", "gone", "no time for an hour"],
)
def test_what_an_endpoint_does_not_take_in_time_goes_by_the_next_channel_once(
    receiver: Receiver, announce: Announced, answer: Respond
) -> None:
    receiver.respond = answer
    assert announce(f"https://{HOST}:{receiver.port}/{uuid.uuid4().hex}") == ["sms"]
    assert len(receiver.got) == 1
