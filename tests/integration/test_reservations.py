"""Room under the caps, on DynamoDB's conditional writes: whoever decides at once, nobody gets more than they allow."""

from __future__ import annotations

import threading
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest

from aws.local_cloud import LocalCloud, table_of
from aws.memory_adapters import Words
from aws.null_dynamodb import WRITE_UNIT, item_size
from builders import EMAIL, NOW, PUSH, SMS, a_cap, a_promotion, a_request, a_subscriber, reserved
from heliograph.model.decisions import Reservation, Ruling, Verdict
from heliograph.model.messages import Message
from heliograph.model.policy import Policy, Purpose
from heliograph.model.reasons import Reason
from heliograph.planning.decisions import NOTHING_ACHIEVED
from heliograph.planning.store import Account, Reservations
from heliograph.planning.work import PackSlot, Question, answers_to
from heliograph.runtime import wiring
from heliograph.text import ids

AT_ONCE = 200
MOST = 20  # the largest cap that a policy may have
WEEK = timedelta(days=7)
LATER = NOW + timedelta(minutes=1)
MESSAGE = a_promotion(EMAIL, SMS)


@pytest.fixture(scope="module")
def table(local_cloud: LocalCloud) -> Iterator[str]:
    """A table with the key of `ledger`."""
    with table_of(local_cloud, "ledger", partition="recipient_id", sort="dispatch_id") as name:
        yield name


class Planners:
    """Planners that decide on the same people, each in a thread and with a client of its own."""

    def __init__(self, cloud: LocalCloud, table: str, patch: pytest.MonkeyPatch) -> None:
        self._cloud, self._table, self._patch = cloud, table, patch
        self._own = threading.local()
        patch.setattr(wiring, "reservations", self.reservations)
        patch.setattr(wiring, "channels_off", frozenset)

    def under(self, *caps: Any) -> None:
        """Let a policy have these caps."""
        words = Words([MESSAGE], Policy(caps=caps))
        self._patch.setattr(wiring, "templates", lambda: words)

    def reservations(self) -> Reservations:
        """Those of this thread."""
        if not hasattr(self._own, "reservations"):
            self._own.reservations = Reservations(self._cloud.client("dynamodb"), self._table)
        return self._own.reservations  # type: ignore[no-any-return]  # threading.local knows no types

    def decide(self, person: str, *requests: str, now: datetime = NOW) -> list[Ruling]:
        """Decide on requests in a pack, all for one person."""
        questions = [question(slot, person, request, MESSAGE) for slot, request in enumerate(requests)]
        answers = answers_to(questions, now, decided=())
        return [answers[each.at].ruling for each in questions]

    def at_once(self, person: str, number: int) -> list[Ruling]:
        """Decide on as many requests for one person, each by another planner, all at the same time."""
        together = threading.Barrier(number)

        def plan(request: int) -> Ruling:
            self.reservations()
            together.wait()
            (ruling,) = self.decide(person, f"request-{request}")
            return ruling

        with ThreadPoolExecutor(number) as planners:
            return list(planners.map(plan, range(number)))

    def account(self, person: str) -> Account:
        """What counts against a person's caps."""
        return self.reservations().read([person])[person]


def question(slot: int, person: str, request_id: str, message: Message) -> Question:
    """A request for a person who wants news on every channel."""
    request = a_request(person, request_id=request_id, message=message.name)
    return Question(PackSlot(0, slot), request, message, a_subscriber(recipient_id=person), NOTHING_ACHIEVED)


@pytest.fixture
def planners(local_cloud: LocalCloud, table: str, monkeypatch: pytest.MonkeyPatch) -> Planners:
    """Planners."""
    return Planners(local_cloud, table, monkeypatch)


@pytest.fixture
def person() -> str:
    """The id of somebody who is in no other test."""
    return str(uuid.uuid4())


def outcomes(rulings: list[Ruling]) -> list[str]:
    """What became of requests, in a word each."""
    return [str(ruling.reason or ruling.channel) for ruling in rulings]


@pytest.mark.parametrize("limit", [1, 3])
def test_two_hundred_planners_at_once_never_send_more_than_the_cap_allows(
    planners: Planners, person: str, limit: int
) -> None:
    planners.under(a_cap(limit, days=7))
    rulings = planners.at_once(person, AT_ONCE)
    assert Counter(ruling.outcome for ruling in rulings) == {
        Verdict.DISPATCHED: limit,
        Verdict.SKIPPED: AT_ONCE - limit,
    }
    noes = {(each.reason, each.next_time) for each in rulings if each.outcome is Verdict.SKIPPED}
    assert noes == {(Reason.CAPPED, NOW + WEEK)}
    assert len(planners.account(person).reserved) == limit


def test_two_hundred_planners_at_once_fill_one_channel_and_then_the_next(planners: Planners, person: str) -> None:
    planners.under(a_cap(1, days=7, channel=EMAIL), a_cap(2, days=7, channel=SMS))
    sent = Counter(outcomes(planners.at_once(person, AT_ONCE)))
    assert sent == {"email": 1, "sms": 2, "capped": AT_ONCE - 3}


@pytest.mark.parametrize(("limit", "expected"), [(1, ["email", "capped"]), (2, ["email", "email"])])
def test_somebody_who_is_in_a_pack_twice_is_counted_twice(
    planners: Planners, person: str, limit: int, expected: list[str]
) -> None:
    planners.under(a_cap(limit, days=7))
    assert outcomes(planners.decide(person, "a", "b")) == expected
    assert len(planners.account(person).reserved) == limit


def test_the_same_request_again_takes_no_further_room(planners: Planners, person: str) -> None:
    planners.under(a_cap(1, days=7))
    assert [outcomes(planners.decide(person, "a")) for _ in range(3)] == [["email"]] * 3
    assert len(planners.account(person).reserved) == 1


def test_who_lost_the_race_for_another_channel_follows_what_was_reserved_first(planners: Planners, person: str) -> None:
    planners.under(a_cap(1, days=7, channel=EMAIL), a_cap(1, days=7, channel=SMS))
    first = reserved(NOW, SMS, dispatch_id=ids.dispatch_id("a", 0))
    planners.reservations().write({person: (Account(), (first,))}, NOW)
    assert outcomes(planners.decide(person, "a")) == ["sms"]
    assert planners.account(person).reserved == (first,)


def test_what_is_refunded_makes_room_once(planners: Planners, person: str) -> None:
    planners.under(a_cap(2, days=7))
    assert outcomes(planners.decide(person, "a", "b", "c")) == ["email", "email", "capped"]
    for _ in range(2):
        planners.reservations().refund([(person, ids.dispatch_id("a", 0))], NOW)
    assert outcomes(planners.decide(person, "d", "e")) == ["email", "capped"]


def test_refunds_of_two_hundred_at_once_are_all_kept(planners: Planners, person: str) -> None:
    planners.under(a_cap(MOST, days=7))
    planners.decide(person, *map(str, range(MOST)))

    def refund(number: int) -> None:
        planners.reservations().refund([(person, ids.dispatch_id(str(number % MOST), 0))], NOW)

    with ThreadPoolExecutor(AT_ONCE) as lambdas:
        list(lambdas.map(refund, range(AT_ONCE)))
    assert planners.account(person).reserved == ()


def test_what_left_the_longest_window_is_forgotten_at_the_next_change(planners: Planners, person: str) -> None:
    planners.under(a_cap(1, days=7))
    planners.decide(person, "a")
    assert outcomes(planners.decide(person, "b", now=NOW + WEEK)) == ["email"]
    assert [each.dispatch_id for each in planners.account(person).reserved] == ["b-0"]


class Unheard(Reservations):
    """Reservations whose first write goes through, but its answer is lost: botocore sends it again."""

    heard = False

    def write(self, changes: Mapping[str, tuple[Account, tuple[Reservation, ...]]], now: datetime) -> set[str]:
        lost = super().write(changes, now)
        if not self.heard:
            self.heard = True
            lost = super().write(changes, now)
        return lost


@pytest.mark.parametrize("before", [0, 1])
def test_a_lost_answer_neither_loses_room_nor_takes_it_twice(
    planners: Planners, local_cloud: LocalCloud, table: str, person: str, monkeypatch: pytest.MonkeyPatch, before: int
) -> None:
    planners.under(a_cap(before + 1, days=7))
    for number in range(before):
        planners.decide(person, f"before-{number}")
    unheard = Unheard(local_cloud.client("dynamodb"), table)
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "reservations", lambda: unheard)
        assert outcomes(planners.decide(person, "a")) == ["email"]
    assert len(planners.account(person).reserved) == before + 1
    assert outcomes(planners.decide(person, "b")) == ["capped"]


def test_accounts_of_a_whole_pack_are_changed_in_calls_of_twenty_five(planners: Planners) -> None:
    people = [str(uuid.uuid4()) for _ in range(60)]
    reservations, mine = planners.reservations(), partial(reserved, NOW)
    changes = {each: (Account(), (mine(dispatch_id=each),)) for each in people}
    assert reservations.write(changes, NOW) == set()
    assert reservations.write(changes, LATER) == set(people)
    assert {account.version for account in reservations.read(people).values()} == {1}


def test_an_account_at_the_largest_cap_costs_one_write_unit(
    planners: Planners, local_cloud: LocalCloud, table: str, person: str
) -> None:
    kinds = [(EMAIL, "newsletter"), (SMS, "newsletter"), (PUSH, "product-news")]
    full = tuple(
        Reservation(
            dispatch_id=ids.dispatch_id(ids.derived_id(NOW, str(number)), 0),
            at=NOW + number * timedelta(hours=1, milliseconds=1),
            channel=kinds[number % 3][0],
            purpose=Purpose.PROMOTIONAL,
            topic=kinds[number % 3][1],
        )
        for number in range(MOST)
    )
    planners.reservations().write({person: (Account(), full)}, NOW)
    assert set(planners.account(person).reserved) == set(full)
    (item,) = local_cloud.client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="recipient_id = :id",
        ExpressionAttributeValues={":id": {"S": person}},
    )["Items"]
    assert item_size(item) < WRITE_UNIT
