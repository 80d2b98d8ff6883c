"""Ticks: whoever waits for a minute is handed on once, whatever happens to a tick, and however late it comes."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator, Sequence
from datetime import timedelta
from types import SimpleNamespace

import msgspec
import pytest

from aws.turns import LARGE, MINUTE, SMALL, Actor, Stack, due
from builders import a_request
from heliograph.aws.errors import BusyError
from heliograph.aws.timers import Timer
from heliograph.model.requests import Lane, RequestPack
from heliograph.planning.packing import Due
from heliograph.runtime import wiring
from heliograph.scheduling.handing import NotHandedOnError
from heliograph.scheduling.joining import JoinedPack
from heliograph.scheduling.work import BehindError, hand_on_what_is_due, plan_later

A_NAME = 2_048
"""Bytes for each pack that an earlier tick has sent: its name, and who is in it."""
TURNS = 27
"""Before and after every call of a tick with what waits here, and beyond its end."""


@pytest.fixture
def stack(monkeypatch: pytest.MonkeyPatch) -> Stack:
    """A stack in which nobody waits yet."""
    return Stack(monkeypatch)


def everybody(stack: Stack) -> list[str]:
    """Let three packs wait, of two runs; the people in them."""
    waiting = [due(origin, set()) for origin in (0, 1, 2)]
    plan_later(waiting)
    stack.now = MINUTE
    wiring.minutes().advance(MINUTE - timedelta(minutes=1))
    return sorted(each.recipient_id for pack, _ in waiting for each in pack.requests)


def step(actor: Actor, turns: int = 1_000) -> int:
    """Let an actor go on, for so many turns at most; how many it took."""
    taken = 0
    while taken < turns and not actor.is_over:
        actor.step()
        taken += 1
    return taken


def test_a_tick_takes_no_more_turns_than_are_tried_here(stack: Stack) -> None:
    everybody(stack)
    stack.actors = [Actor(hand_on_what_is_due, None)]
    assert TURNS - 5 < step(stack.actors[0]) < TURNS


@pytest.mark.parametrize("turns", range(TURNS))
def test_a_tick_that_is_killed_anywhere_is_continued_by_the_next_one(stack: Stack, turns: int) -> None:
    people = everybody(stack)
    killed = Actor(hand_on_what_is_due, turns)
    stack.actors = [killed]
    step(killed)
    stack.actors = []
    stack.now += timedelta(minutes=1)
    hand_on_what_is_due()
    assert sorted(stack.sent()) == people
    assert wiring.minutes().last() == stack.now


@pytest.mark.parametrize("turns", range(TURNS))
def test_two_ticks_at_once_send_the_same_packs_and_none_of_them_fails(stack: Stack, turns: int) -> None:
    people = everybody(stack)
    slow, quick = Actor(hand_on_what_is_due, None), Actor(hand_on_what_is_due, None)
    stack.actors = [slow, quick]
    step(slow, turns)
    step(quick)
    step(slow)
    assert slow.has_ended_well
    assert quick.has_ended_well
    stack.now += timedelta(minutes=1)
    stack.actors = []
    hand_on_what_is_due()
    assert sorted(stack.sent()) == people


def test_a_tick_that_comes_an_hour_late_hands_on_every_minute_that_was_missed(stack: Stack) -> None:
    late = [due(origin, set())._replace(at=MINUTE + timedelta(minutes=17 * origin)) for origin in range(4)]
    plan_later(late)
    stack.now = MINUTE + timedelta(hours=1)
    hand_on_what_is_due()
    assert sorted(stack.sent()) == sorted(each.recipient_id for pack, _ in late for each in pack.requests)
    assert wiring.minutes().last() == stack.now


def test_a_tick_that_does_not_keep_up_is_heard_of(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    everybody(stack)
    monkeypatch.setattr(wiring, "time_left", lambda: 0.0)
    hand_on_what_is_due()
    stack.now = MINUTE + timedelta(minutes=11)
    with pytest.raises(BehindError):
        hand_on_what_is_due()


def test_whom_a_throttled_table_takes_one_by_one_is_kept_all_the_same(stack: Stack) -> None:
    stack.table.throttled = 4
    people = everybody(stack)
    assert stack.table.throttled < 4
    hand_on_what_is_due()
    assert sorted(stack.sent()) == people


def test_whom_a_throttled_table_did_not_take_comes_again_and_is_sent_once(stack: Stack) -> None:
    packs = [due(origin, set()) for origin in range(2, 12)]
    stack.table.throttled = 100
    with pytest.raises(BusyError):
        plan_later(packs)
    stack.table.throttled = 0
    plan_later(packs)
    stack.now = MINUTE
    hand_on_what_is_due()
    assert sorted(stack.sent()) == sorted(each.recipient_id for pack, _ in packs for each in pack.requests)


def test_what_is_wrong_with_one_minute_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    stack = Stack(monkeypatch)
    plan_later([due(0, set()), due(3, set())._replace(at=MINUTE + timedelta(minutes=1))])
    ((item, whole),) = [
        (each, each["requests"])
        for part, some in stack.table.items.items()
        if part.startswith(f"due#{MINUTE:%FT%R}")
        for each in some.values()
    ]
    item["requests"] = {"S": "damaged"}
    stack.now = MINUTE + timedelta(minutes=1)
    for _ in range(2):
        with pytest.raises(NotHandedOnError, match="1 minutes"):
            hand_on_what_is_due()
        (content,) = (each for contents in stack.packs.values() for each in contents)
        assert len(content.split(b"\n")) == SMALL
    item["requests"] = whole
    for _ in range(2):
        hand_on_what_is_due()
    assert sorted(len(content.split(b"\n")) for (content,) in stack.packs.values()) == [SMALL, LARGE]


def test_a_minute_with_more_people_than_a_tick_has_time_for_is_handed_on_by_several(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stack = Stack(monkeypatch)
    requests = tuple(a_request(f"p-{number}", request_id=f"r-{number}", step=1) for number in range(2_500))
    packs = [
        RequestPack(pack_id=f"o-{start:04}", lane=Lane.BULK, requests=requests[start : start + 50])
        for start in range(0, 2_500, 50)
    ]
    plan_later(Due(pack, MINUTE) for pack in packs)
    stack.now, sent = MINUTE, [0]
    monkeypatch.setattr(wiring, "time_left", lambda: 60.0 if len(stack.packs) == sent[-1] else 0.0)
    hand_on_what_is_due()
    while len(stack.packs) > sent[-1]:
        sent.append(len(stack.packs))
        hand_on_what_is_due()
    assert sent == [0, 10, 20, 25]
    assert all(len(content.split(b"\n")) == 100 for (content,) in stack.packs.values())
    assert wiring.minutes().last() == MINUTE


def test_people_with_a_minute_each_start_no_schedule(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    """So ten million take none; a single message of the priority lane takes one."""
    started: list[Timer] = []
    monkeypatch.setattr(wiring, "timers", lambda: SimpleNamespace(start=started.append))
    alone = [due(origin, set())._replace(at=MINUTE + timedelta(minutes=origin)) for origin in range(2, 300)]
    plan_later(alone)
    assert started == []
    single = alone[0].pack
    plan_later([Due(msgspec.structs.replace(single, lane=Lane.PRIORITY, requests=single.requests[:1]), MINUTE)])
    assert [timer.queue for timer in started] == ["requests-priority"]


def crowd(packs: int) -> Iterator[Due]:
    """Packs of a hundred who wait for one minute."""
    requests = tuple(a_request(f"p-{number}", request_id=f"r-{number}", step=1) for number in range(100))
    for number in range(packs):
        yield Due(RequestPack(pack_id=f"origin-{number:05}", lane=Lane.BULK, requests=requests), MINUTE)


def peak(stack: Stack, monkeypatch: pytest.MonkeyPatch, packs: int) -> int:
    """The most memory, in bytes, of ticks that hand on a crowd: the second goes on where the first one stopped."""
    plan_later(crowd(packs))
    stack.now, sent = MINUTE, [0]

    def send(some: Sequence[JoinedPack]) -> None:
        sent[0] += len(some)

    monkeypatch.setattr(wiring, "requests", lambda _: SimpleNamespace(send=send))
    monkeypatch.setattr(wiring, "time_left", lambda: 60.0 if sent[0] != packs // 2 else 0.0)
    tracemalloc.start()
    hand_on_what_is_due()
    assert sent == [packs // 2]
    monkeypatch.setattr(wiring, "time_left", lambda: 60.0)
    hand_on_what_is_due()
    assert sent == [packs]
    most = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return most


def test_a_minute_takes_the_memory_of_a_few_packs_and_of_the_names_of_those_that_were_sent(
    stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    few, many = (peak(Stack(monkeypatch), monkeypatch, packs) for packs in (100, 500))
    assert many - few < 400 * A_NAME
