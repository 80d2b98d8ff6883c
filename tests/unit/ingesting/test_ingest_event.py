"""What becomes of an event at the door: repeats, guests, and what can be found again."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from aws.door import NO_CHARACTER, Door, opened
from aws.invocations import record
from builders import NOW, a_message
from functions.ingest_event.app import handler
from heliograph.model.messages import Trigger
from heliograph.model.people import Consent, ConsentState
from heliograph.people.consents.answers import holds_against

TRIGGER = Trigger(
    source="shop",
    detail_type="Ordered",
    recipient_id="detail.customer",
    email="detail.email",
    idempotency_key="detail.key",
    reference="detail.order",
    most_per_hour=3,
)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Door:
    """The door, with a message that expects three people an hour."""
    return opened(monkeypatch, a_message("ordered", trigger=TRIGGER))


def put(number: int, **detail: Any) -> None:
    """Let an event come to the door."""
    event = {"id": f"e-{number}", "source": "shop", "detail-type": "Ordered", "time": "2026-11-21T10:00:00Z"}
    body = json.dumps({"message": "ordered", "event": event | {"detail": detail}})
    assert handler({"Records": [record(body)]}, SimpleNamespace()) == {"batchItemFailures": []}


def test_the_repeats_of_one_event_use_up_nobody_elses_hour(door: Door) -> None:
    for _ in range(50):
        put(1, customer="amara")
    for number in range(2, 4):
        put(number, customer=f"person-{number}")
    assert (set(door.people), door.awaiting) == ({"amara", "person-2", "person-3"}, [])
    put(4, customer="person-4")
    assert len(door.awaiting) == 1


def test_the_repeats_of_one_key_use_up_nobody_elses_hour(door: Door) -> None:
    for number in range(50):
        put(number, customer="amara", key="order-1")
    put(51, customer="ben")
    assert (set(door.people), door.awaiting) == ({"amara", "ben"}, [])


def test_what_was_let_through_is_let_through_again_when_the_hour_is_used_up(door: Door) -> None:
    for number in range(3):
        put(number, customer=f"person-{number}")
    put(0, customer="person-0")
    assert door.people.count("person-0") == 2  # the ledger sends it once
    assert door.awaiting == []


def test_what_waits_comes_again_under_the_same_key(door: Door) -> None:
    for number in range(3):
        put(number, customer=f"person-{number}")
    for _ in range(5):
        put(9, customer="late")
    assert len(door.awaiting) == 5
    assert len(set(door.awaiting)) == 1


def test_guests_use_up_the_hour_of_guests_alone(door: Door) -> None:
    for number in range(10):
        put(number, email=f"guest-{number}@example.com")
    assert (len(door.people), len(door.awaiting)) == (3, 7)
    put(11, customer="amara")
    assert door.people[-1] == "amara"


def test_a_request_is_found_by_its_reference_and_its_key_even_while_it_waits_for_approval(door: Door) -> None:
    for number in range(3):
        put(number, customer=f"person-{number}")
    put(9, customer="late", order="A-17", key="order-17")
    assert len(door.awaiting) == 1
    assert {name for name, _ in door.names} == {"A-17", "order-17"}


def test_a_request_without_a_name_costs_no_item_to_be_found_by(door: Door) -> None:
    put(1, customer="amara")
    assert door.names == set()


def test_what_cannot_be_read_is_parked_at_once_with_its_place(door: Door) -> None:
    put(1, customer="amara", order="A" * 129)
    assert [place for place, _ in door.parked] == ["reference"]
    assert door.people == []


def test_an_opt_in_of_a_clock_that_is_ahead_does_not_hold_against_the_opt_outs_that_follow(door: Door) -> None:
    event = {"id": "e-1", "source": "crm", "detail-type": "RecipientUpdated", "time": "2099-01-01T00:00:00Z"}
    body = json.dumps(event | {"detail": {"recipient_id": "amara", "consents": {"news/email": "opted_in"}}})
    handler({"Records": [record(body)]}, SimpleNamespace())
    given, refusal = door.consents["news/email"], Consent(state=ConsentState.OPTED_OUT, at=NOW, source="page")
    assert given.at == NOW
    assert not holds_against(given, refusal, undated=False)


def test_what_is_parked_of_an_event_holds_no_character_that_queues_refuse(door: Door) -> None:
    event = {"id": "e-1", "source": "crm", "detail-type": "RecipientUpdated", "time": "2026-11-21T10:00:00Z"}
    handler(
        {"Records": [record(json.dumps(event | {"detail": {"recipient_id": "amara", "\uffff": 1}}))]}, SimpleNamespace()
    )
    assert door.saved == ["amara"]
    (body,) = door.put_aside
    assert not any(each in body for each in NO_CHARACTER)
