"""What waited in its outbox until it must not be sent any more: scheduled for the morning, or not sent at all."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from audience import MANIFEST, Clock, a_person, ring, submitted
from aws.crashes import Boundary, Edge, Lambda
from aws.flow_system import System
from heliograph.reporting import work as reports
from heliograph.reporting.figures import RunFigures
from heliograph.runtime import wiring

NOON = datetime(2027, 3, 3, 12, 0, tzinfo=UTC)
NIGHT = datetime(2027, 3, 3, 21, 0, tzinfo=UTC)
"""22:00 in Berlin: a text is permitted from 8:00 on."""
MORNING = datetime(2027, 3, 4, 7, 0, tzinfo=UTC)
PLAN, DELIVER = "requests-bulk", "outbox-sms-bulk"
PEOPLE = 3


class Sales:
    """Runs of a promotion by SMS, each to people of its own in Berlin."""

    def __init__(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        self.system = system
        self.clock = Clock(monkeypatch)
        self.machine = Lambda(system, Edge(monkeypatch))
        self.people: list[str] = []
        self.run_id = ""

    def start(self, number: int = PEOPLE) -> None:
        """Start a run at noon; it is planned, and waits in its outbox."""
        self.clock.time = NOON
        self.system.rest()
        name = f"sale-{uuid.uuid4().hex[:8]}"
        self.people = [f"{name}-{index}" for index in range(number)]
        consents = ("offers/sms", "promotional/sms")
        wiring.recipients().save_many(
            [
                a_person(each, *consents, phone=f"+49151{8_000_000 + index}", timezone="Europe/Berlin")
                for index, each in enumerate(self.people)
            ]
        )
        self.run_id = submitted(self.system, name, MANIFEST, "\n".join(["recipient_id", *self.people, ""]))

    def work(self, queue: str) -> RunFigures:
        """Work a queue off; the sums then, which are those of the people at any time."""
        self.machine.work(queue)
        sums = self.system.figures(self.run_id)
        assert (sums.audience, sum(sums.counts.values())) == (len(self.people), len(self.people))
        assert min(*sums.counts.values(), sums.pending) >= 0
        return sums

    def deliver_once(self) -> None:
        """Hand the one pack that waits to deliver, which may requeue it."""
        (message,) = self.system.messages(DELIVER)
        with self.machine.edge.watch():  # here nobody waits for delayed messages
            assert self.system.run("deliver", [message["Body"]]) == {"batchItemFailures": []}
        self.system.sqs.delete_message(QueueUrl=self.system.queue_url(DELIVER), ReceiptHandle=message["ReceiptHandle"])

    def ring(self) -> list[datetime]:
        """Let everybody's minute come; that of each pack."""
        return ring(self.system, self.clock)

    def sent(self) -> Counter[str]:
        """How many texts the provider took, by person."""
        log = self.system.cloud.outbox(channel="sms", limit=3 * len(self.people) + 50)
        return Counter(one["tags"]["recipient_id"] for one in log if one["tags"].get("run_id") == self.run_id)

    def reserved(self) -> list[str]:
        """The dispatches that count against the caps of these people, by what follows the id of their request."""
        accounts = wiring.reservations().read(self.people)
        return [each.dispatch_id.rpartition("-")[2] for account in accounts.values() for each in account.reserved]

    def scheduled(self, *ends: Boundary) -> None:
        """A whole run that is scheduled at night and sent in the morning; deliver is killed at these ends."""
        self.start()
        assert self.work(PLAN).pending == PEOPLE
        assert self.reserved() == ["0"] * PEOPLE
        self.clock.time = NIGHT
        self.machine.ends[DELIVER].extend(ends)
        sums = self.work(DELIVER)
        assert (sums.counts["scheduled"], sums.pending, self.sent(), self.reserved()) == (PEOPLE, 0, Counter(), [])
        assert set(self.ring()) == {MORNING}
        assert self.work(PLAN).pending == PEOPLE
        assert self.reserved() == ["1"] * PEOPLE
        sums = self.work(DELIVER)
        assert (sums.counts["accepted"], sums.state) == (PEOPLE, "complete")
        assert self.sent() == Counter(self.people)
        assert self.ring() == []


@pytest.fixture
def sales(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sales]:
    """Nothing is left afterwards."""
    yield Sales(system, monkeypatch)
    for queue in (PLAN, DELIVER, "engagement"):
        system.sqs.purge_queue(QueueUrl=system.queue_url(queue))


def deliveries(sales: Sales) -> list[list[Boundary]]:
    """Where the invocations of deliver so far could have ended."""
    return [tried.invocation.boundaries() for tried in sales.machine.tried if tried.queue == DELIVER]


def test_what_waited_until_the_night_is_sent_in_the_morning_once(sales: Sales) -> None:
    sales.scheduled()
    outcomes = [entry["outcome"] for entry in reports.timeline(sales.people[0])["entries"]]
    assert len(outcomes) == 2


def test_what_waited_until_the_night_is_sent_in_the_morning_wherever_deliver_is_killed(sales: Sales) -> None:
    sales.scheduled()
    normal = deliveries(sales)[0]
    assert len(normal) >= 10
    for end in normal:
        sales.scheduled(end)
        assert sales.machine.tried[-1].invocation.killed is False
    sales.scheduled(normal[-3], normal[-5])


def test_a_pack_that_comes_twice_is_scheduled_once(sales: Sales) -> None:
    sales.start()
    sales.work(PLAN)
    sales.clock.time = NIGHT
    (message,) = sales.system.messages(DELIVER)
    for receives in (1, 1, 2):
        assert sales.system.run("deliver", [message["Body"]], receives) == {"batchItemFailures": []}
    assert len(sales.ring()) == 1
    sales.work(PLAN)
    assert sales.work(DELIVER).counts["accepted"] == PEOPLE
    assert sales.sent() == Counter(sales.people)


def test_a_run_of_many_is_scheduled_pack_by_pack_and_not_person_by_person(sales: Sales) -> None:
    sales.start(500)
    sales.clock.time = NIGHT
    assert sales.work(PLAN).counts["scheduled"] == 500
    assert sales.ring() == [MORNING] * 5
    assert sales.work(PLAN).pending == 500
    sales.clock.time = NIGHT + timedelta(days=1)
    sums = sales.work(DELIVER)
    assert (sums.counts["scheduled"], sales.sent()) == (500, Counter())
    assert sales.ring() == [MORNING + timedelta(days=1)] * 5


# ---- what changes between plan and deliver -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "sums"),
    [
        ({"consents": {"offers/sms": "opted_out"}}, {"skipped": {"not_consented": PEOPLE}}),
        ({"consents": {"promotional/sms": "opted_out"}}, {"skipped": {"not_consented": PEOPLE}}),
        ({"paused_until": "2027-03-05T12:00:00Z"}, {"scheduled": PEOPLE}),
        ({"quiet_hours": ["12:00-18:00"]}, {"scheduled": PEOPLE}),
    ],
    ids=["topic", "purpose", "pause", "own quiet hours"],
)
def test_what_a_person_says_after_planning_counts_before_delivery(
    sales: Sales, changed: dict[str, Any], sums: dict[str, Any]
) -> None:
    sales.start()
    sales.work(PLAN)
    for person in sales.people:
        sales.system.publish("RecipientUpdated", {"recipient_id": person, **changed})
    sales.system.work("events")
    figures = sales.work(DELIVER)
    assert (sales.sent(), sales.reserved()) == (Counter(), [])
    assert figures.counts["skipped"] == sum(sums.get("skipped", {}).values())
    assert (figures.skipped, figures.counts["scheduled"]) == (sums.get("skipped", {}), sums.get("scheduled", 0))


def test_what_was_claimed_and_not_taken_until_the_night_waits_in_its_outbox(sales: Sales) -> None:
    sales.start()
    sales.work(PLAN)
    sales.system.cloud.faults({"sms": {"throttle": 1}})
    sales.deliver_once()
    sales.system.cloud.faults({})
    sales.clock.time = NIGHT
    for _ in range(3):
        sales.deliver_once()
        assert (sales.sent(), sales.ring(), sales.system.figures(sales.run_id).pending) == (Counter(), [], PEOPLE)
    sales.clock.time = MORNING
    assert sales.work(DELIVER).counts["accepted"] == PEOPLE
    assert sales.sent() == Counter(sales.people)
