"""Caps over campaigns: who has had enough gets no more, and what did not reach them does not count."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from audience import MANIFEST, NOON, Clock, a_person, submitted
from aws.flow_system import System, bodies
from builders import EMAIL, SMS, a_cap, a_change, a_request
from heliograph.ingesting.requests import lane_of, pack
from heliograph.model.dispatches import Rendered
from heliograph.model.outcomes import Failed, FailureCode, Outcome
from heliograph.model.people import Consent, ConsentState
from heliograph.model.policy import Cap
from heliograph.people.changes import RecipientChange
from heliograph.reporting import work
from heliograph.runtime import wiring
from heliograph.text import ids

ORDER = {"order_id": "o-1", "carrier": "DHL", "tracking_url": "https://example.com/t", "lines": []}
WEEK = timedelta(days=7)
ONE_A_WEEK = a_cap(1, days=7)
OFFERS_BY_EMAIL, OFFERS_BY_SMS = "offers/email", "offers/sms"


class Shop:
    """Campaigns under caps, and the time."""

    def __init__(self, system: System, monkeypatch: pytest.MonkeyPatch, caps: Sequence[Cap]) -> None:
        self.system = system
        self.clock = Clock(monkeypatch)
        self._patch = monkeypatch
        templates = copy.copy(wiring.templates())
        templates.policy = msgspec.structs.replace(templates.policy, caps=tuple(caps))
        monkeypatch.setattr(wiring, "templates", lambda: templates)

    def campaign(self, *people: RecipientChange, until: str = "engagement") -> str:
        """A campaign to people, a little later, done up to a queue; its run."""
        self.clock.advance(timedelta(minutes=1))
        segment = "\n".join(["recipient_id", *(person.recipient_id for person in people), ""])
        run_id = submitted(self.system, f"caps-{uuid.uuid4().hex}", MANIFEST, segment)
        queues = ("requests-bulk", "outbox-email-bulk", "outbox-sms-bulk", "engagement")
        self.system.work(*queues[: queues.index(until) + 1])
        return run_id

    def order(self, person: RecipientChange) -> None:
        """A message that a person waits for."""
        name = f"{person.recipient_id}-{uuid.uuid4().hex}"
        request = a_request(
            person.recipient_id,
            request_id=ids.derived_id(self.clock.time, name),
            message="order_shipped",
            requested_at=self.clock.time,
            data=ORDER,
        )
        alone = pack([request], lane_of(wiring.templates().message("order_shipped")))
        assert self.system.run("plan", bodies([alone])) == {"batchItemFailures": []}
        self.system.work("outbox-email-priority")

    def refusing(self) -> None:
        """Let the provider refuse everything for good, in a campaign that is begun."""

        def refuse(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
            yield tuple(Failed(dispatch_id=each.dispatch.dispatch_id, code=FailureCode.REJECTED) for each in batch)

        with self._patch.context() as patch:
            patch.setattr(wiring, "sender", lambda channel: refuse)
            self.system.work("outbox-email-bulk")


def somebody(*topics: str, **fields: Any) -> RecipientChange:
    """A known person who is in no other test."""
    name = f"caps-{uuid.uuid4().hex[:12]}"
    person = a_person(name, *(topics or (OFFERS_BY_EMAIL,)), **({"email": f"{name}@example.com"} | fields))
    wiring.recipients().save_many([person])
    return person


def answer(person: RecipientChange, state: ConsentState, at: datetime) -> None:
    """Let a person opt in to offers, or out of them."""
    consents = dict.fromkeys(person.consents, Consent(state=state, at=at, source="page:test"))
    wiring.recipients().save_many([a_change(person.recipient_id, consents=consents)])


def got(person: RecipientChange) -> list[str]:
    """What was decided on a person's messages, the oldest first: the channel, or why not."""
    entries = reversed(work.timeline(person.recipient_id)["entries"])
    return [str(entry["reason"] or entry["channel"]) for entry in entries]


def next_time(person: RecipientChange) -> str:
    """When a message like the latest could be sent."""
    return str(work.timeline(person.recipient_id)["entries"][0]["next_time"])


@pytest.fixture
def shop(system: System, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop that sends everybody one promotional message a week."""
    return Shop(system, monkeypatch, [ONE_A_WEEK])


def test_a_second_campaign_in_the_week_is_skipped_and_says_when_there_is_room_again(shop: Shop) -> None:
    ana, ben = somebody(), somebody()
    shop.campaign(ana)
    first = wiring.reservations().read([ana.recipient_id])[ana.recipient_id].reserved[0].at
    shop.clock.advance(timedelta(days=1))
    run_id = shop.campaign(ana, ben)
    assert (got(ana), got(ben)) == (["email", "capped"], ["email"])
    assert datetime.fromisoformat(next_time(ana)) == first + WEEK
    assert shop.system.figures(run_id).skipped == {"capped": 1}
    shop.clock.time = first + WEEK
    shop.campaign(ana, ben)
    assert (got(ana), got(ben)) == (["email", "capped", "email"], ["email", "capped"])


def test_when_the_preferred_channel_is_over_its_cap_the_next_preferred_is_used(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop = Shop(system, monkeypatch, [a_cap(1, days=7, channel=SMS), a_cap(1, days=7, channel=EMAIL)])
    ana = somebody(OFFERS_BY_SMS, OFFERS_BY_EMAIL, phone="+4915198765001", preferred_channels=(SMS, EMAIL))
    for _ in range(3):
        shop.campaign(ana)
        shop.clock.advance(timedelta(hours=1))
    assert got(ana) == ["sms", "email", "capped"]


def test_a_message_that_the_provider_refuses_does_not_count(shop: Shop) -> None:
    ana = somebody()
    run_id = shop.campaign(ana, until="requests-bulk")
    shop.refusing()
    assert shop.system.figures(run_id).failed == {"rejected": 1}
    shop.campaign(ana)
    shop.campaign(ana)
    assert got(ana) == ["email", "email", "capped"]


def test_a_message_that_comes_back_does_not_count(shop: Shop) -> None:
    ana = somebody(email=f"bounce+{uuid.uuid4().hex}@simulator.amazonses.com")
    run_id = shop.campaign(ana)
    while not shop.system.figures(run_id).engagement.get("bounced"):
        shop.system.work("engagement")
    assert wiring.reservations().read([ana.recipient_id])[ana.recipient_id].reserved == ()


def test_a_message_that_is_skipped_does_not_count(shop: Shop) -> None:
    ana = somebody()
    shop.campaign(ana, until="requests-bulk")
    answer(ana, ConsentState.OPTED_OUT, shop.clock.time)
    shop.system.work("outbox-email-bulk")
    shop.clock.advance(timedelta(hours=1))
    answer(ana, ConsentState.OPTED_IN, shop.clock.time)
    shop.campaign(ana)
    shop.campaign(ana)
    assert got(ana) == ["not_consented", "email", "capped"]


def test_transactional_messages_are_neither_counted_nor_capped(shop: Shop) -> None:
    ana = somebody()
    shop.order(ana)
    shop.campaign(ana)
    shop.clock.advance(timedelta(minutes=1))
    shop.order(ana)
    shop.clock.advance(timedelta(minutes=1))
    shop.campaign(ana)
    assert got(ana) == ["email", "email", "email", "capped"]


@pytest.mark.parametrize(
    ("zone", "decisions", "midnight"),
    [
        ("Europe/Berlin", ["email", "capped", "email"], datetime(2027, 3, 3, 23, tzinfo=UTC)),
        ("Pacific/Auckland", ["email", "capped", "capped"], datetime(2027, 3, 4, 11, tzinfo=UTC)),
    ],
)
def test_a_calendar_day_is_that_of_the_person(
    system: System, monkeypatch: pytest.MonkeyPatch, zone: str, decisions: list[str], midnight: datetime
) -> None:
    shop = Shop(system, monkeypatch, [a_cap(1)])
    ana = somebody(timezone=zone)
    for hours in (0, 10.5, 12.5):
        shop.clock.time = NOON + timedelta(hours=hours)
        shop.campaign(ana)
        if got(ana)[-1] == "capped":
            assert datetime.fromisoformat(next_time(ana)) == midnight
    assert got(ana) == decisions
