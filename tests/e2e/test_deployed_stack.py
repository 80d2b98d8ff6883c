"""The whole: the deployed stack, from an event on the bus to the provider and back."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from aws.deployed import Stack


@pytest.fixture
def person(stack: Stack) -> str:
    """Somebody who is in no other test, and whom the stack knows with an email address, a phone and a device."""
    name = f"p-{uuid.uuid4().hex[:12]}"
    addresses = {"email": f"{name}@example.com", "phone": "+447700900123", "devices": [f"gcm:token-{name}"]}
    stack.publish("RecipientUpdated", {"recipient_id": name, **addresses})
    table = stack.cloud.client("dynamodb")
    key = {"recipient_id": {"S": name}}
    stack.eventually(lambda: table.get_item(TableName=stack.outputs["RecipientsTable"], Key=key).get("Item"))
    return name


def ship(stack: Stack, person: str, **fields: Any) -> None:
    order = {"order_id": f"o-{person}", "carrier": "DHL", "tracking_url": "https://example.com/t"}
    lines = [{"name": "Bench", "quantity": 1}]
    stack.publish("OrderShipped", {"customer_id": person, **order, "lines": lines, **fields}, source="shop.orders")


def states(stack: Stack, person: str) -> list[str]:
    """The states of all that was decided about a person."""
    return [entry["state"] for entry in stack.ask("timeline", recipient_id=person)["entries"]]


def test_an_event_becomes_one_mail_with_proof(stack: Stack, person: str) -> None:
    ship(stack, person)
    mail = stack.eventually(lambda: stack.cloud.outbox(to=f"{person}@example.com"))
    assert [message["channel"] for message in mail] == ["email"]
    stack.eventually(lambda: states(stack, person) == ["delivered"])
    assert not stack.dead_letters()


def test_the_same_event_twice_is_one_mail(stack: Stack, person: str) -> None:
    ship(stack, person)
    ship(stack, person)
    stack.eventually(lambda: states(stack, person) == ["delivered"])
    stack.eventually(lambda: not stack.waiting("events") and not stack.waiting("outbox-email-priority"))
    assert len(stack.cloud.outbox(to=f"{person}@example.com")) == 1


def test_a_manifest_in_the_bucket_starts_a_run(stack: Stack, person: str) -> None:
    """The run's message is promotional and nobody consented: it is planned, and nothing is sent."""
    name = f"c-{person}"
    stack.upload(f"campaigns/{name}/segment.csv", f"recipient_id,email\n{person},{person}@example.com\n")
    stack.upload(f"campaigns/{name}/campaign.toml", 'message = "spring_sale"\nsegment = "segment.csv"\n')
    run = stack.eventually(lambda: [run for run in stack.ask("runs") if name in str(run)])
    assert run
    assert stack.eventually(lambda: states(stack, person)) == ["skipped"]
