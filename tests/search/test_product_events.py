"""Hostile product events through the real function: each is taken, awaits approval or is parked, and hurts no other."""

from __future__ import annotations

import json
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from aws.door import Door, opened
from aws.invocations import record
from builders import a_message
from functions.ingest_event.app import handler
from heliograph.model.messages import Trigger
from hostile import mutated
from search.budget import budget

if TYPE_CHECKING:
    from search.conftest import Tally

EVENTS = budget(3_000)
BATCH = 10
TRIGGER = Trigger(
    source="shop",
    detail_type="Ordered",
    recipient_id="detail.customers",
    data="detail.product",
    idempotency_key="detail.key",
    reference="detail.order",
    email="detail.email",
    phone="detail.phone",
    locale="detail.locale",
    expires_at="detail.until",
    most_per_event=50,
    most_per_hour=100_000,
)


def an_event(detail_type: str, detail: dict[str, Any]) -> dict[str, Any]:
    return {
        "version": "0",
        "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
        "source": "shop",
        "detail-type": detail_type,
        "time": "2026-11-21T10:00:00Z",
        "detail": detail,
    }


SHAPES = (
    an_event(
        "SendRequested",
        {
            "message": "ordered",
            "recipient_id": "amara",
            "data": {"order": {"items": [{"sku": "K-1", "price": 12.5}]}, "total": 25},
            "idempotency_key": "order-17",
            "reference": "A-17",
            "email": "amara@example.com",
            "phone": "+4915123456789",
            "locale": "de-DE",
            "expires_at": "2026-11-21T12:00:00Z",
        },
    ),
    an_event(
        "RecipientUpdated",
        {
            "recipient_id": "amara",
            "email": "amara@example.com",
            "phone": "+4915123456789",
            "devices": ["gcm:token-1"],
            "locale": "de",
            "timezone": "Europe/Berlin",
            "country": "DE",
            "preferred_channels": ["sms", "email"],
            "quiet_hours": ["22:00-08:00"],
            "preferred_time": "18:30",
            "paused_until": "2026-12-01T00:00:00Z",
            "consents": {"news/email": "opted_in", "promotional/sms": "opted_out"},
            "consent_source": "page:preferences",
            "attributes": {"first_name": "Amara", "points": {"now": 12}},
        },
    ),
    {
        "message": "ordered",
        "event": an_event(
            "Ordered",
            {
                "customers": ["amara", "ben"],
                "product": {"sku": "K-1"},
                "key": "order-18",
                "order": "A-18",
                "locale": "de",
                "until": "2026-11-21T12:00:00Z",
            },
        ),
    },
)


def honest(number: int) -> str:
    """The event of somebody who does everything right."""
    return json.dumps(an_event("SendRequested", {"message": "ordered", "recipient_id": f"honest-{number}"}))


def handled(door: Door) -> int:
    """How many events something has become of."""
    return len(door.people) + len(door.awaiting) + len(door.saved) + len(door.parked)


def test_product_events(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    door = opened(monkeypatch, a_message("ordered", trigger=TRIGGER, expires_after=3_600))
    rng = Random(7)
    for number in range(0, EVENTS, BATCH):
        bodies = [mutated(rng.choice(SHAPES), rng) for _ in range(BATCH)]
        before = handled(door)
        for body in bodies:
            tally.inputs += 1
            try:
                answer = handler({"Records": [record(body, "bad"), record(honest(number), "good")]}, SimpleNamespace())
            except Exception as error:  # noqa: BLE001 - that is what is looked for
                tally.unhandled.append(f"{type(error).__name__} of {body[:300]}")
                continue
            again = [each["itemIdentifier"] for each in answer["batchItemFailures"]]
            tally.unhandled += [f"tried again: {body[:300]}"] if "bad" in again else []
            tally.harmed += [f"tried again for {body[:300]}"] if "good" in again else []
        tally.harmed += [f"not sent: honest-{number}"] if door.people.count(f"honest-{number}") != BATCH else []
        tally.lost += [f"of batch {number}"] if handled(door) < before + 2 * BATCH else []
    assert {"data", "detail", "event", "reference", "idempotency_key"} <= {place for place, _ in door.parked}
