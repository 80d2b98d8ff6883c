"""What the demo's shop tells its bus: orders and vans that left, guests, forgotten passwords, repetitions, nonsense."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from heliograph_cli.demo.population import SHOP, SIMULATOR, UNREADABLE_EMAILS, UNREADABLE_PHONES, Row

ORDERS = 150
REPEATED = 15  # orders announced twice
GUESTS = 20
RESETS = 30
LATE = 3  # resets whose link had expired before they were asked for
DIRECT = 10  # asked for by SendRequested, half of them twice
TEXTS = 30  # orders of people who like SMS best
DELIVERIES = 40  # parcels on the van: a push each, to people whose devices are there
NO_CARRIER = re.compile(r"\+1 ?\d{3}-?555-?01\d\d")  # made-up numbers of North America fare as infra/local says
GOODS = ("Ash wood bench", "Linen cushion", "Watering can", "Chèvrefeuille, 3 l", "盆栽", "Gießkanne <grün> & groß")

Event = dict[str, Any]


@dataclass(frozen=True)
class Orders:
    """Events to put on the bus, and how many messages must come of them."""

    events: tuple[Event, ...]
    expected: int
    customers: frozenset[str]
    """The people among the recipients to whom something happened, by email."""
    texted: frozenset[str]
    pushed: frozenset[str]


def orders(people: Sequence[Row], *, seed: int, edition: str, now: datetime) -> Orders:
    """One evening's events of the shop; `edition` keeps the order numbers of two runs apart."""
    rng = Random(seed)  # noqa: S311  # a demo needs the same orders again, not secrets
    told = _told(edition)
    named = {each["Detail"]["customer_id"] for each in told}
    people = [person for person in people if person["recipient_id"] not in named]
    reachable = [person["recipient_id"] for person in people if _is_surely_reachable(person)]
    customers = rng.sample(reachable, ORDERS)
    shipped = [_order(rng, f"{edition}-{number:03}", customer_id=each) for number, each in enumerate(customers)]
    guests = [_guest(rng, f"{edition}-G{number:02}", number) for number in range(GUESTS)]
    resets = [_reset(each, now, late=number < LATE) for number, each in enumerate(customers[:RESETS])]
    direct = [_direct(rng, each, f"{edition}-D{number:02}") for number, each in enumerate(customers[-DIRECT:])]
    texted = rng.sample([person["recipient_id"] for person in people if _is_surely_texted(person)], TEXTS)
    texts = [_order(rng, f"{edition}-T{number:02}", customer_id=each) for number, each in enumerate(texted)]
    pushed = rng.sample([person["recipient_id"] for person in people if _has_live_devices(person)], DELIVERIES)
    vans = [_delivery(f"{edition}-V{number:02}", each) for number, each in enumerate(pushed)]
    again = rng.sample(shipped, REPEATED) + direct[: DIRECT // 2]
    events = [*told, *shipped, *guests, *resets, *direct, *texts, *vans]
    expected = len(events) - LATE
    events += [*again, *_malformed()]
    rng.shuffle(events)
    return Orders(tuple(events), expected, frozenset({*named, *customers}), frozenset(texted), frozenset(pushed))


def _told(edition: str) -> list[Event]:
    """The events in the folder of the shop; their order numbers are of this edition."""
    told = [json.loads(file.read_text(encoding="utf-8")) for file in sorted((SHOP / "events").glob("*.json"))]
    for event in told:
        if "order_id" in event["detail"]:
            event["detail"]["order_id"] = f"{edition}-{event['detail']['order_id']}"
    return [_event(each["source"], each["detail-type"], each["detail"]) for each in told]


def _is_surely_reachable(person: Row) -> bool:
    """By email: a carrier may refuse an SMS, and a device may be gone."""
    email, wish = person["email"], person["preferred_channels"]
    return (
        bool(email) and email not in UNREADABLE_EMAILS and SIMULATOR not in email and wish in {"", "email", "email sms"}
    )


def _is_surely_texted(person: Row) -> bool:
    phone, wish = person["phone"], person["preferred_channels"]
    return bool(phone) and phone not in UNREADABLE_PHONES and not NO_CARRIER.search(phone) and wish.startswith("sms")


def _has_live_devices(person: Row) -> bool:
    return bool(person["devices"]) and "dead-" not in person["devices"]


def _event(source: str, detail_type: str, detail: Any) -> Event:
    return {"Source": source, "DetailType": detail_type, "Detail": detail}


def _contents(rng: Random, order_id: str) -> dict[str, Any]:
    lines = [{"name": name, "quantity": rng.randint(1, 4)} for name in rng.sample(GOODS, rng.randint(1, 3))]
    tracking = f"https://alderlane.example.com/t/{order_id}"
    return {"order_id": order_id, "carrier": "DHL", "tracking_url": tracking, "lines": lines}


def _order(rng: Random, order_id: str, **whom: str) -> Event:
    return _event("shop.orders", "OrderShipped", {**whom, **_contents(rng, order_id)})


def _delivery(order_id: str, customer_id: str) -> Event:
    tracking = f"https://alderlane.example.com/t/{order_id}"
    detail = {"customer_id": customer_id, "order_id": order_id, "carrier": "DHL", "tracking_url": tracking}
    window = {"from": "2026-11-24T13:00:00Z", "until": "2026-11-24T15:00:00Z"}
    return _event("shop.orders", "DeliveryToday", detail | window)


def _guest(rng: Random, order_id: str, number: int) -> Event:
    """Somebody who ordered without an account: the event brings the address and the language."""
    locale = rng.choice(("en-GB", "de-CH", "ar-EG", "fr-FR"))
    return _order(rng, order_id, email=f"guest.{order_id}@example.org".lower(), locale=locale)


def _reset(customer_id: str, now: datetime, *, late: bool) -> Event:
    expires_at = now + timedelta(minutes=-1 if late else 15)
    detail = {"customer_id": customer_id, "reset_url": "https://alderlane.example.com/r/7Qm4xT2b"}
    return _event("shop.accounts", "PasswordResetRequested", {**detail, "expires_at": expires_at.isoformat()})


def _direct(rng: Random, recipient_id: str, key: str) -> Event:
    detail = {"message": "order_shipped", "recipient_id": recipient_id, "idempotency_key": key}
    return _event("shop.backoffice", "SendRequested", {**detail, "data": _contents(rng, key)})


def _malformed() -> list[Event]:
    return [
        _event("shop.orders", "OrderShipped", {"order_id": "X-1"}),
        _event("shop.orders", "OrderShipped", {"order_id": "X-2", "customer_id": ["p-0001"]}),
        _event("shop.orders", "OrderShipped", {"order_id": "X-3", "customer_id": "has spaces"}),
        _event("shop.accounts", "PasswordResetRequested", {"customer_id": "p-0001", "expires_at": "soon"}),
        _event("shop.backoffice", "SendRequested", {"recipient_id": "p-0001"}),
        _event("shop.backoffice", "SendRequested", {"message": 7, "recipient_id": "p-0001"}),
    ]
