"""What people say reaches the rules, the history, and whoever asks what held when."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from aws.flow_system import System
from builders import EMAIL, SMS
from heliograph.channels.registry import CHANNELS
from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementEvent, EngagementKind, Events
from heliograph.people.consents import work
from heliograph.rendering.templates import Templates
from heliograph.runtime import wiring
from heliograph.text.errors import NotFoundError

NUMBER = "+4915123456780"


def tell(system: System, person: str, *, source: str = "shop.test", **fields: object) -> None:
    system.publish("RecipientUpdated", {"recipient_id": person, **fields}, source=source)
    system.work("events")


def ship(system: System, person: str) -> None:
    lines = [{"name": "Bench", "quantity": 1}]
    detail = {
        "customer_id": person,
        "order_id": f"o-{person}",
        "carrier": "DHL",
        "tracking_url": "https://example.com/t",
        "lines": lines,
    }
    system.publish("OrderShipped", detail, source="shop.orders")
    system.work()


def engage(system: System, person: str, kind: EngagementKind, channel: Channel, address: str, times: int = 1) -> None:
    """Let a provider report something; it may do so several times."""
    event = EngagementEvent(
        event_id=f"e-{person}-{kind}",
        dispatch_id=f"d-{person}",
        recipient_id=person,
        channel=channel,
        kind=kind,
        occurred_at=wiring.now(),
        outcome_key="",
        message="gone_from_the_catalogue",
        address=address,
    )
    for _ in range(times):
        system.run("record", [msgspec.json.encode(Events(events=(event,))).decode()])


def states(person: str, at: datetime | None = None) -> dict[str, str]:
    """What holds, of what somebody ever spoke about."""
    told = work.answer(person, at)
    return {
        f"{each['subject']}/{each['channel']}": str(each["state"])
        for each in told["consents"]
        if each["state"] != "not_set"
    }


def history(person: str) -> list[tuple[str, str, str]]:
    told = work.answer(person, None)["history"]
    return [(f"{each['subject']}/{each['channel']}", str(each["state"]), each["source"]) for each in told]


@pytest.fixture
def double_opt_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """Offers need a confirmation."""
    templates: Templates = wiring.templates()
    policy = msgspec.structs.replace(templates.policy, double_opt_in=("offers",))
    monkeypatch.setattr(templates, "policy", policy)


def test_stop_leaves_transactional_sms_going(system: System, person: str) -> None:
    tell(system, person, phone=NUMBER, attributes={"first_name": "Ana"}, consents={"offers/sms": "opted_in"})
    engage(system, person, EngagementKind.UNSUBSCRIBED, SMS, NUMBER, times=2)
    assert states(person) == {"offers/sms": "opted_in", "promotional/sms": "opted_out"}
    assert not wiring.recipients().get_many([person])[person].suppressed
    ship(system, person)
    assert [message["channel"] for message in system.cloud.outbox() if message["tags"]["recipient_id"] == person] == [
        "sms"
    ]
    system.publish("SendRequested", {"message": "spring_sale", "recipient_id": person, "data": {"discount": 20}})
    system.work()
    told = [entry for entry in wiring.ledger().timeline(person) if entry.message == "spring_sale"]
    assert [(entry.outcome, entry.reason) for entry in told] == [("skipped", "not_consented")]


def test_who_wants_no_transactional_sms_either_can_say_so(system: System, person: str) -> None:
    tell(system, person, phone=NUMBER, consents={"transactional/sms": "opted_out"}, attributes={"first_name": "Ana"})
    ship(system, person)
    assert [entry.reason for entry in wiring.ledger().timeline(person)] == ["not_consented"]


def test_the_history_is_complete_and_knows_each_source(system: System, person: str) -> None:
    address = f"{person}@example.com"
    form = {"consent_source": "page:signup", "consent_text": "offers-2026-03", "consent_proof": "form/17"}
    tell(system, person, email=address, consents={"offers/email": "opted_in"}, **form)
    tell(system, person, consents={"offers/sms": "opted_in"}, source="shop.crm")
    engage(system, person, EngagementKind.UNSUBSCRIBED, SMS, NUMBER, times=3)
    engage(system, person, EngagementKind.COMPLAINED, EMAIL, address, times=3)
    assert history(person) == [
        ("offers/email", "opted_in", "page:signup"),
        ("offers/sms", "opted_in", "api:shop.crm"),
        ("promotional/sms", "opted_out", "reply"),
        ("promotional/email", "opted_out", "complaint"),
    ]
    first = work.answer(person, None)["history"][0]
    assert (first["text"], first["proof"], first["holds"]) == ("offers-2026-03", "form/17", True)


def test_an_event_that_comes_again_is_in_the_history_once(system: System, person: str) -> None:
    event = {
        "id": "e-1",
        "source": "shop",
        "detail-type": "RecipientUpdated",
        "time": "2026-11-21T10:00:00Z",
        "detail": {"recipient_id": person, "consents": {"offers/sms": "opted_out"}},
    }
    for _ in range(3):
        system.run("ingest_event", [msgspec.json.encode(event).decode()])
    assert history(person) == [("offers/sms", "opted_out", "api:shop")]


@pytest.mark.usefixtures("double_opt_in")
def test_nobody_gets_promotion_before_they_confirm(system: System, person: str) -> None:
    tell(system, person, phone=NUMBER, attributes={"first_name": "Ana"}, consents={"offers/sms": "opted_in"})
    assert states(person) == {"offers/sms": "pending"}
    system.publish("SendRequested", {"message": "spring_sale", "recipient_id": person, "data": {"discount": 20}})
    system.work()
    assert [entry.reason for entry in wiring.ledger().timeline(person)] == ["not_consented"]
    tell(system, person, consents={"offers/sms": "confirmed"}, consent_proof="mail/9")
    assert states(person) == {"offers/sms": "opted_in"}
    assert [state for _, state, _ in history(person)] == ["pending", "opted_in"]


def test_a_time_tells_what_held_then(system: System, person: str) -> None:
    times = [datetime.fromisoformat(f"2026-0{month}-01T12:00:00+00:00") for month in (3, 5)]
    for answer, at in zip(("opted_in", "opted_out"), times, strict=True):
        tell(system, person, consents={"offers/email": answer}, consent_at=at.isoformat())
    before = [states(person, at - timedelta(seconds=1)) for at in times]
    assert [*before, states(person)] == [{}, {"offers/email": "opted_in"}, {"offers/email": "opted_out"}]


def test_every_topic_and_purpose_is_answered_for_every_channel(system: System, person: str) -> None:
    tell(system, person, locale="fr")
    told: list[dict[str, Any]] = work.answer(person, None)["consents"]
    subjects = {each["subject"] for each in told}
    assert {*wiring.templates().policy.topics, "promotional", "transactional"} == subjects
    assert len(told) == len(subjects) * len(CHANNELS)
    assert {each["state"] for each in told} == {"not_set"}


def test_nobody_is_asked_about_who_does_not_exist(system: System, person: str) -> None:
    with pytest.raises(NotFoundError, match=f"Nobody is known as {person}"):
        work.answer(person, None)
