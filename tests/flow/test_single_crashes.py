"""Single messages whose functions are killed at every AWS call are sent once, or said to be in doubt."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from audience import NOON, Clock, a_person
from aws.crashes import Boundary, Edge, Lambda, Moment, Tried
from aws.flow_system import System
from aws.local_cloud import PATIENCE, TICK
from builders import EMAIL, PUSH, SMS, a_request
from heliograph.ingesting.requests import lane_of, pack
from heliograph.model.channels import Channel
from heliograph.reporting import work
from heliograph.runtime import wiring
from heliograph.text import ids
from heliograph_cli.waiting import until_still

PLAN, DELIVER, SETTLE = "requests-priority", "outbox-email-priority", "settle"
ORDER = {"order_id": "o-1", "carrier": "DHL", "tracking_url": "https://example.com/t", "lines": []}
ADDRESSES: dict[Channel, Callable[[str], dict[str, Any]]] = {
    EMAIL: lambda person: {"email": f"{person}@example.com"},
    SMS: lambda person: {"phone": f"+4915198765{person.rpartition('-')[2]:0>3}"},
    PUSH: lambda person: {"devices": (f"gcm:{person}",)},
}


class Singles:
    """Single transactional messages, each to a person of its own, on the priority lane."""

    def __init__(self, system: System, monkeypatch: pytest.MonkeyPatch, channel: Channel) -> None:
        self.system = system
        self.machine = Lambda(system, Edge(monkeypatch))
        self.channel = channel
        self.people: list[str] = []
        self._name = f"single-{uuid.uuid4().hex}"
        Clock(monkeypatch)

    def send(
        self, *, plan: tuple[Boundary, ...] = (), deliver: tuple[Boundary, ...] = (), settle: tuple[Boundary, ...] = ()
    ) -> dict[str, list[Tried]]:
        """Send one more message; the tries of its functions end at these boundaries. All tries, by function."""
        self._ask_for(f"{self._name}-{len(self.people)}")
        ends = {PLAN: plan, f"outbox-{self.channel}-priority": deliver, SETTLE: settle}
        before = len(self.machine.tried)
        for stage, boundaries in ends.items():
            self.machine.ends[stage].extend(boundaries)
            if stage == SETTLE:
                self._hear_all()
            self.machine.work(stage)
            self.machine.ends[stage].clear()
        self.machine.work(f"outbox-{self.channel}-priority")  # what settle has requeued
        tried = self.machine.tried[before:]
        return {stage: [one for one in tried if one.queue == stage] for stage in ends}

    def sent(self) -> Counter[str]:
        """How many messages the provider took, by person."""
        log = self.system.cloud.outbox(channel=self.channel, limit=2_000, words=False)
        people = (str(message["tags"].get("recipient_id")) for message in log)
        return Counter(person for person in people if person.startswith(self._name))

    def state(self, person: str) -> str:
        """What the ledger says of the one message to a person."""
        (entry,) = work.timeline(person)["entries"]
        return str(entry["state"])

    def _ask_for(self, person: str) -> None:
        self.people.append(person)
        wiring.recipients().save_many([a_person(person, **ADDRESSES[self.channel](person))])
        request = a_request(person, request_id=ids.derived_id(NOON, person), message="order_shipped", data=ORDER)
        alone = pack([request], lane_of(wiring.templates().message("order_shipped")))
        queue = self.system.queue_url("requests-priority")
        self.system.sqs.send_message(QueueUrl=queue, MessageBody=msgspec.json.encode(alone).decode())

    def _hear_all(self) -> None:
        """What a provider has taken it reports, soon after; of a push nobody tells but the person who opens it."""
        if self.channel == PUSH or not self.sent()[self.people[-1]]:
            return

        def look() -> tuple[str, bool]:
            self.machine.work("engagement")
            state = self.state(self.people[-1])
            return state, state == "delivered"

        until_still(look, patience=PATIENCE, most=TICK)


def check_each_was_delivered_once(singles: Singles) -> None:
    """Each person has one decision, one message, and a report of it."""
    singles.machine.work("engagement")
    assert singles.sent() == Counter(singles.people)
    assert {singles.state(person) for person in singles.people} == {"delivered"}


def ended(tries: list[Tried]) -> list[bool]:
    """Which tries were killed."""
    return [tried.invocation.killed for tried in tries]


@pytest.fixture
def mails(system: System, monkeypatch: pytest.MonkeyPatch) -> Singles:
    """Single mails."""
    return Singles(system, monkeypatch, EMAIL)


@pytest.mark.parametrize("channel", [EMAIL, SMS])
def test_a_message_is_sent_exactly_once_wherever_plan_or_deliver_is_killed(
    system: System, monkeypatch: pytest.MonkeyPatch, channel: Channel
) -> None:
    singles = Singles(system, monkeypatch, channel)
    planned, delivered, _ = singles.send().values()
    for end in planned[0].invocation.boundaries():
        assert ended(singles.send(plan=(end,))[PLAN]) == [True, False]
    for end in delivered[0].invocation.boundaries():
        assert ended(singles.send(deliver=(end,))[delivered[0].queue])[:2] == [True, False]
    check_each_was_delivered_once(singles)


def test_a_mail_is_sent_exactly_once_wherever_the_second_try_of_deliver_is_killed_too(mails: Singles) -> None:
    (normal,) = mails.send()[DELIVER]
    for first in normal.invocation.boundaries():
        second_try = mails.send(deliver=(first,))[DELIVER][1]
        for second in second_try.invocation.boundaries():
            assert ended(mails.send(deliver=(first, second))[DELIVER])[:3] == [True, True, False]
    check_each_was_delivered_once(mails)


def test_a_mail_in_doubt_is_sent_exactly_once_wherever_settle_is_killed(mails: Singles) -> None:
    (normal,) = mails.send()[DELIVER]
    before_sending = Boundary(normal.invocation.operations.index("SendEmail"), Moment.BEFORE)
    (settled,) = mails.send(deliver=(before_sending,))[SETTLE]
    for end in settled.invocation.boundaries():
        assert ended(mails.send(deliver=(before_sending,), settle=(end,))[SETTLE]) == [True, False]
    check_each_was_delivered_once(mails)


def test_a_push_of_which_nobody_tells_is_sent_again_only_if_deliver_was_killed_while_it_sent(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    singles = Singles(system, monkeypatch, PUSH)
    (normal,) = singles.send()["outbox-push-priority"]
    sending = normal.invocation.operations.index("SendMessages")
    never_known = {Boundary(sending, Moment.AFTER), Boundary(sending + 1, Moment.BEFORE)}
    for end in normal.invocation.boundaries():
        singles.send(deliver=(end,))
        assert singles.sent()[singles.people[-1]] == (2 if end in never_known else 1)
