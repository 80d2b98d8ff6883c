"""How a pack is handed over: at its rate, until the account halts or the function has no time left."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from aws.memory_clocks import ClockTable
from builders import EMAIL, NOW, PACK_ID, SMS, a_rendered
from heliograph.aws.errors import QueueError
from heliograph.channels.clocks import RateLimits
from heliograph.channels.email.bulk import Mail, packs
from heliograph.channels.email.spec import SLOWEST
from heliograph.delivery.sending import work as sending
from heliograph.delivery.turns import work as turns
from heliograph.model.channels import Channel
from heliograph.model.dispatches import DispatchPack, Rendered, StopSending
from heliograph.model.engagement import EngagementKind, Events
from heliograph.model.outcomes import Accepted, NotSent, Outcome, RecordKey, SlotFacts
from heliograph.model.requests import Lane
from heliograph.recording.facts import Fact
from heliograph.runtime import wiring

RECORD = RecordKey("run-1", PACK_ID, SMS)
RECEIVES = 20
"""After which SQS puts a message of an outbox into the dead letters (`infra/queues.yaml`)."""


class Edge:
    """A provider that answers as it is told, the time, and what is kept and requeued."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time, self.lives_until = NOW, NOW + timedelta(hours=1)
        self.calls: list[float] = []
        self.causes: dict[int, str] = {}
        self.until: datetime | None = None
        self.sizes: dict[tuple[Channel, str], float] = {}
        self.facts: SlotFacts = {}
        self.requeue: list[tuple[DispatchPack, int]] = []
        for name, edge in {
            "now": lambda: self.time,
            "sleep": self.sleep,
            "time_left": lambda: (self.lives_until - self.time).total_seconds(),
            "sender": lambda channel: self.provider,
            "records": lambda: self,
            "outbox": lambda channel, lane: self,
            "rate": lambda channel: 1.0,
            "sizes": lambda: self.sizes,
            "rate_limits": lambda: RateLimits(ClockTable(), "runs"),  # type: ignore[arg-type]  # as far as rate limits need a client
        }.items():
            monkeypatch.setattr(wiring, name, edge)

    def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)

    def provider(self, batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        for rendered in batch:
            self.calls.append((self.time - NOW).total_seconds())
            dispatch = rendered.dispatch
            why = self.causes.get(dispatch.slot)
            accepted = Accepted(dispatch_id=dispatch.dispatch_id, provider_message_id="m")
            yield (NotSent(dispatch_id=dispatch.dispatch_id, cause=why, until=self.until) if why else accepted,)

    def keep(self, record: RecordKey, slots: SlotFacts, at: datetime) -> None:
        self.facts |= slots

    def send(self, works: Sequence[DispatchPack], *, delay: int = 0) -> None:
        self.requeue += [(work, delay) for work in works]


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Edge:
    """The edge of a function that has an hour to live."""
    return Edge(monkeypatch)


def texts(*parts: int) -> list[Rendered]:
    """Texts of so many parts."""
    lengths = {1: 160, 2: 306, 3: 459}
    return [a_rendered(SMS, slot=slot, content={"text": "x" * lengths[each]}) for slot, each in enumerate(parts)]


def causes(ends: list[Outcome]) -> list[str]:
    return [end.cause for end in ends if isinstance(end, NotSent)]


def test_texts_are_counted_by_their_parts(edge: Edge) -> None:
    assert [*sending.send(RECORD, texts(1, 3, 2, 1), rate=0.5)] == []
    assert edge.calls == [0, 2, 8, 12]


def test_nothing_more_is_handed_over_once_the_account_has_halted(edge: Edge) -> None:
    edge.causes = {1: "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"}
    ends = [*sending.send(RECORD, texts(1, 1, 1, 1))]
    assert causes(ends) == ["MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT", "stopped", "stopped"]
    assert len(edge.calls) == 2
    assert [[*edge.facts[slot]] for slot in range(4)] == [[Fact.ACCEPTED], [Fact.RETRY], [Fact.RETRY], [Fact.RETRY]]


def test_a_function_stops_before_its_end_and_requeues_what_it_did_not_hand_over(edge: Edge) -> None:
    edge.lives_until = NOW + timedelta(seconds=sending.CALL_TIME + 5)
    batch = texts(*[1] * 10)
    pack = DispatchPack(pack_id=PACK_ID, channel=SMS, lane=Lane.BULK, dispatches=tuple(each.dispatch for each in batch))
    ends = [*sending.send(RECORD, batch, rate=1)]
    assert causes(ends) == ["stopped"] * 4
    turns.finish_open_ends(pack, ends, in_doubt=[], waiting={}, is_complete=True)
    ((later, delay),) = edge.requeue
    assert [each.slot for each in later.dispatches] == [6, 7, 8, 9]
    assert (later.tries, delay) == (1, 1)
    assert later.not_before


class SideBySide:
    """A provider that has begun with the first three when the first is answered; the others' answers come later."""

    def __init__(self) -> None:
        self.answers_under_way = 2

    def __call__(self, batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        answers = [
            (Accepted(dispatch_id=each.dispatch.dispatch_id, provider_message_id="m"),)
            for each in batch[: 1 + self.answers_under_way]
        ]
        try:
            yield answers[0]
            yield ()
        except StopSending:
            yield from answers[1:]
            if self.answers_under_way < 2:
                raise LookupError from None  # something went wrong in that call, and nobody knows when
            return
        pytest.fail("nobody stopped it")


def test_what_is_under_way_when_an_answer_cannot_be_kept_is_not_taken_for_not_sent(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "provider", SideBySide())
    monkeypatch.setattr(edge, "keep", once_busy(edge.keep))
    with pytest.raises(ClientError):
        [*sending.send(RECORD, texts(1, 1, 1, 1))]
    assert {slot: [*facts] for slot, facts in edge.facts.items()} == {
        1: [Fact.ACCEPTED],
        2: [Fact.ACCEPTED],
        3: [Fact.RETRY],
    }


def test_what_is_under_way_and_ends_without_an_answer_is_in_doubt(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    provider = SideBySide()
    provider.answers_under_way = 1
    monkeypatch.setattr(edge, "provider", provider)
    monkeypatch.setattr(edge, "keep", once_busy(edge.keep))
    with pytest.raises(LookupError):
        [*sending.send(RECORD, texts(1, 1, 1))]
    assert [*edge.facts] == [1]


def test_what_is_under_way_when_a_function_stops_before_its_end_is_kept(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(edge, "provider", SideBySide())
    edge.lives_until = NOW + timedelta(seconds=sending.CALL_TIME)
    keep = edge.keep

    def keep_slowly(*kept: Any) -> None:
        edge.sleep(1)
        keep(*kept)

    monkeypatch.setattr(edge, "keep", keep_slowly)
    assert causes([*sending.send(RECORD, texts(1, 1, 1, 1))]) == ["stopped"]
    assert [[*edge.facts[slot]] for slot in range(4)] == [[Fact.ACCEPTED]] * 3 + [[Fact.RETRY]]


def test_a_pack_comes_again_when_the_last_answers_cannot_be_kept(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(edge, "provider", SideBySide())
    edge.lives_until = NOW + timedelta(seconds=sending.CALL_TIME)

    def keep(record: RecordKey, slots: SlotFacts, at: datetime) -> None:
        edge.sleep(1)
        if 1 in slots:
            raise BUSY
        edge.facts.update(slots)

    monkeypatch.setattr(edge, "keep", keep)
    with pytest.raises(ClientError):
        [*sending.send(RECORD, texts(1, 1, 1, 1))]
    assert edge.facts.keys() == {0, 2, 3}


def test_what_record_must_know_of_an_answer_it_is_told_before_the_answer_is_kept(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a device that is gone, or a delivery, would be told of by nobody when the queue takes nothing just then."""
    told: list[Events] = []

    def provider(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        for each in batch:
            yield (Accepted(dispatch_id=each.dispatch.dispatch_id, provider_message_id="m", delivered=True),)

    monkeypatch.setattr(edge, "provider", provider)
    monkeypatch.setattr(wiring, "engagement", lambda: SimpleNamespace(send=refuse))
    with pytest.raises(QueueError):
        [*sending.send(RECORD, texts(1, 1))]
    assert {slot: [*facts] for slot, facts in edge.facts.items()} == {1: [Fact.RETRY]}
    monkeypatch.setattr(wiring, "engagement", lambda: SimpleNamespace(send=told.extend))
    monkeypatch.setattr(edge, "keep", once_busy(edge.keep))
    with pytest.raises(ClientError):
        [*sending.send(RECORD, texts(1))]
    assert [event.kind for events in told for event in events.events] == [EngagementKind.DELIVERED]


def refuse(works: Sequence[Events]) -> None:
    """As a queue that takes nothing."""
    raise QueueError("1 messages were not taken")


BUSY = ClientError({"Error": {"Code": "ProvisionedThroughputExceededException"}}, "UpdateItem")


def once_busy(keep: Callable[..., None]) -> Callable[..., None]:
    """It fails the first time."""
    failures = [BUSY]

    def kept(*facts: Any) -> None:
        if failures:
            raise failures.pop()
        keep(*facts)

    return kept


def test_a_destination_that_is_exhausted_for_today_waits_alone_and_longer(edge: Edge) -> None:
    edge.causes = {0: "DAILY_DESTINATION_CALL_LIMIT"}
    batch = texts(1, 1)
    pack = DispatchPack(pack_id=PACK_ID, channel=SMS, lane=Lane.BULK, dispatches=tuple(each.dispatch for each in batch))
    turns.finish_open_ends(pack, [*sending.send(RECORD, batch)], in_doubt=[], waiting={}, is_complete=True)
    ((later, delay),) = edge.requeue
    assert ([each.slot for each in later.dispatches], delay) == ([0], 900)
    assert later.not_before
    assert later.not_before >= NOW + timedelta(hours=1)


def test_a_destination_that_says_when_it_has_time_is_asked_then_whatever_its_cause(edge: Edge) -> None:
    edge.causes, edge.until = {1: "A_REASON_OF_ITS_OWN"}, NOW + timedelta(minutes=5)
    batch = texts(1, 1, 1)
    pack = DispatchPack(pack_id=PACK_ID, channel=SMS, lane=Lane.BULK, dispatches=tuple(each.dispatch for each in batch))
    turns.finish_open_ends(pack, [*sending.send(RECORD, batch)], in_doubt=[], waiting={}, is_complete=True)
    ((later, delay),) = edge.requeue
    assert ([each.slot for each in later.dispatches], later.not_before, delay) == ([1], edge.until, 299)


def test_a_pack_is_sent_in_pieces_that_take_ten_seconds_of_the_rate(edge: Edge) -> None:
    batch = texts(*[1] * 30)
    pack = DispatchPack(pack_id=PACK_ID, channel=SMS, lane=Lane.BULK, dispatches=tuple(each.dispatch for each in batch))
    turn = turns.turn_of(pack)
    assert turn
    with turns.then_the_rest(turn, receives=1):
        assert edge.requeue == []
    ((rest, _),) = edge.requeue
    assert [len(turn.pack.dispatches), len(rest.dispatches)] == [9, 21]


def refused_until_it_is_dead(edge: Edge, pack: DispatchPack, *, most: int) -> int:
    """Deliver a pack, and all that it becomes, of which each comes again until it is dead; how many packs that were."""
    waiting, packs = [pack], 0
    while waiting and packs <= most:
        packs += 1
        one = msgspec.structs.replace(waiting.pop(), not_before=None)
        for receives in range(1, RECEIVES + 1):
            turn = turns.turn_of(one)
            with suppress(turns.NotSentYetError):
                assert turn
                with turns.then_the_rest(turn, receives):
                    batch = [a_rendered(SMS, slot=each.slot) for each in turn.pack.dispatches]
                    ends = [*sending.send(RECORD, batch)]
                    turns.finish_open_ends(turn.pack, ends, in_doubt=[], waiting={}, is_complete=True)
                break
        waiting += [some for some, _ in edge.requeue]
        edge.requeue.clear()
    return packs


def test_a_pack_that_is_refused_for_a_cause_that_stays_does_not_multiply(edge: Edge) -> None:
    edge.causes = dict.fromkeys(range(100), "AccessDeniedException")
    dispatches = tuple(each.dispatch for each in texts(*[1] * 100))
    pack = DispatchPack(pack_id=PACK_ID, channel=SMS, lane=Lane.BULK, dispatches=dispatches)
    assert refused_until_it_is_dead(edge, pack, most=100) == 12


def test_one_person_whom_the_provider_refuses_for_a_new_cause_does_not_hold_up_the_rest_of_the_pack(edge: Edge) -> None:
    edge.causes = {3: "A_REASON_OF_NEXT_YEAR"}
    dispatches = tuple(each.dispatch for each in texts(*[1] * 30))
    pack = DispatchPack(pack_id=PACK_ID, channel=SMS, lane=Lane.BULK, dispatches=dispatches)
    refused_until_it_is_dead(edge, pack, most=100)
    accepted = {slot for slot, facts in edge.facts.items() if Fact.ACCEPTED in facts}
    assert accepted == {*range(30)} - {3}


def test_what_is_stuck_goes_on_by_itself_so_that_what_waits_is_requeued_once(edge: Edge) -> None:
    edge.causes = {0: "AccessDeniedException", 1: "ThrottlingException"}
    batch = texts(1, 1, 1, 1)
    pack = DispatchPack(pack_id=PACK_ID, channel=SMS, lane=Lane.BULK, dispatches=tuple(each.dispatch for each in batch))
    ends, waiting = [*sending.send(RECORD, batch[:3])], {3: NOW + timedelta(hours=1)}
    turns.finish_open_ends(pack, ends, in_doubt=[], waiting=waiting, is_complete=True)
    *_, (stuck, delay) = edge.requeue
    assert sorted(each.slot for some, _ in edge.requeue for each in some.dispatches) == [0, 1, 3]
    assert ([each.slot for each in stuck.dispatches], stuck.tries, delay) == ([0], pack.tries, 2)
    edge.requeue.clear()
    with pytest.raises(turns.NotSentYetError):  # from here on SQS counts how often it comes
        turns.finish_open_ends(stuck, [*sending.send(RECORD, batch[:1])], in_doubt=[], waiting={}, is_complete=True)
    assert edge.requeue == []


def test_what_the_ledger_had_no_time_to_decide_comes_again_without_what_is_requeued(edge: Edge) -> None:
    edge.causes = {0: "ThrottlingException"}
    batch = texts(1, 1, 1)
    pack = DispatchPack(pack_id=PACK_ID, channel=SMS, lane=Lane.BULK, dispatches=tuple(each.dispatch for each in batch))
    ends = [*sending.send(RECORD, batch[:2])]  # the third is undecided
    turns.finish_open_ends(pack, ends, in_doubt=[], waiting={}, is_complete=False)
    assert [[each.slot for each in some.dispatches] for some, _ in edge.requeue] == [[0], [1, 2]]


def test_pieces_are_as_small_as_the_texts_of_a_message_have_shown_to_be_large(edge: Edge) -> None:
    batch = texts(*[3] * 30)
    pack = DispatchPack(pack_id=PACK_ID, channel=SMS, lane=Lane.BULK, dispatches=tuple(each.dispatch for each in batch))
    first = turns.turn_of(pack)
    assert first
    turns.correct(first, batch[:9])
    second = turns.turn_of(pack)
    assert second
    assert (first.spoken_for, len(second.pack.dispatches), second.spoken_for) == (9, 3, 9)


def test_a_pack_that_comes_back_before_its_place_is_requeued_without_asking_anybody(edge: Edge) -> None:
    place = NOW + timedelta(hours=1)
    dispatches = tuple(each.dispatch for each in texts(1))
    pack = DispatchPack(pack_id=PACK_ID, channel=SMS, lane=Lane.BULK, dispatches=dispatches, not_before=place)
    assert turns.turn_of(pack) is None
    ((later, delay),) = edge.requeue
    assert (later.not_before, delay) == (place, 900)


@pytest.mark.parametrize(("rate", "sizes"), [(14, [14] * 7 + [2]), (50, [50, 50]), (200, [50, 50]), (1, [1] * 100)])
def test_a_bulk_call_is_never_larger_than_a_second_of_the_rate(rate: int, sizes: list[int]) -> None:
    mails = [Mail(a_rendered(), msgspec.Raw(), 100) for _ in range(100)]
    assert [len(pack) for pack in packs(mails, most=rate)] == sizes


class Refusing:
    """SES, when too many ask at once."""

    def get_account(self) -> Any:
        """Say no."""
        raise ClientError({"Error": {"Code": "TooManyRequestsException"}}, "GetAccount")


def test_sending_goes_on_slowly_when_ses_has_no_time_to_say_its_rate(monkeypatch: pytest.MonkeyPatch) -> None:
    table = ClockTable()
    monkeypatch.setattr(wiring, "rate_limits", lambda: RateLimits(table, "runs"))  # type: ignore[arg-type]  # as far as it needs a client
    monkeypatch.setattr(wiring, "client", lambda service: Refusing())
    wiring._granted.clear()
    assert wiring.rate(EMAIL) == SLOWEST
    told = SimpleNamespace(get_account=lambda: {"SendQuota": {"MaxSendRate": 14.0}})
    monkeypatch.setattr(wiring, "client", lambda service: told)
    table.items.clear()
    assert wiring.rate(EMAIL) == 14.0
    wiring._granted.clear()
