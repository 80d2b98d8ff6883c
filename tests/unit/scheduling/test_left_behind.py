"""What cannot be read, and what SQS refuses, waits alone: everybody else of its minute is handed on, once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aws.turns import MINUTE, Stack, ids_in, person_in
from builders import a_request
from heliograph.aws.errors import BusyError, QueueError
from heliograph.model.requests import Lane, RequestPack
from heliograph.planning.packing import Due
from heliograph.runtime import wiring
from heliograph.scheduling.handing import NotHandedOnError
from heliograph.scheduling.joining import JoinedPack
from heliograph.scheduling.parts import parts_of
from heliograph.scheduling.store import partition_of
from heliograph.scheduling.work import hand_on_what_is_due, plan_later

Item = dict[str, Any]


def pack_of(origin: int, people: int, run: str = "run-1") -> RequestPack:
    """People of one origin."""
    requests = tuple(
        a_request(f"p-{origin}-{number}", request_id=f"r-{origin}-{number}", run_id=run, step=1)
        for number in range(people)
    )
    return RequestPack(pack_id=f"origin-{origin:03}", lane=Lane.BULK, run_id=run, requests=requests)


class Crowd:
    """Many who wait for one minute, and a queue that refuses whom it is told to."""

    def __init__(self, patch: pytest.MonkeyPatch, packs: Sequence[RequestPack]) -> None:
        self.stack = Stack(patch)
        self.refused: set[str] = set()
        self.calls: Counter[str] = Counter()
        """How often each pack was sent, by its id."""
        patch.setattr(wiring, "requests", lambda _: SimpleNamespace(send=self.send))
        plan_later(Due(pack, MINUTE) for pack in packs)
        self.people = sorted(each.recipient_id for pack in packs for each in pack.requests)
        self.stack.now = MINUTE

    def send(self, packs: Sequence[JoinedPack]) -> None:
        """As SQS: it takes those of a batch that it does not refuse."""
        taken = [pack for pack in packs if not self.refused & people_in(pack)]
        self.calls.update(pack.pack_id for pack in packs)
        self.stack.send(taken)
        if len(taken) < len(packs):
            raise QueueError(f"{len(packs) - len(taken)} messages were not taken")

    def items(self) -> list[Item]:
        """The parts of the minute, in the order in which a tick reads them."""
        parts = (self.stack.table.items[partition_of(MINUTE, shard)] for shard in range(4))
        return [items[name] for items in parts for name in sorted(items)]

    def in_order(self) -> list[int]:
        """Their origins."""
        return [int(item["item"]["S"].partition("#")[0].removeprefix("origin-")) for item in self.items()]

    def tick(self) -> str:
        """A tick of the next minute; what it fails with."""
        self.stack.now += timedelta(minutes=1)
        try:
            hand_on_what_is_due()
        except NotHandedOnError as error:
            return str(error)
        return ""


def people_in(pack: JoinedPack) -> set[str]:
    return {person_in(line) for line in ids_in(pack).split(b"\n")}


def without(field: str) -> Callable[[Item], object]:
    return lambda item: item.pop(field)


def with_text(field: str, kind: str, text: str) -> Callable[[Item], object]:
    return lambda item: item.update({field: {kind: text}})


DAMAGE = {
    "no requests": without("requests"),
    "no message": without("message"),
    "no run": without("run_id"),
    "another type": with_text("requests", "N", "1"),
    "not base64": with_text("requests", "S", "A"),
    "not deflated": with_text("requests", "S", "AAAA"),
    "not JSON": with_text("requests", "S", "eJxLSkwGAAJNASY="),  # abc
    "no number of people": with_text("people", "S", "many"),
    "nobody": with_text("people", "N", "0"),
}


@pytest.mark.parametrize("at", [0, 19, -1])
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_part_that_cannot_be_read_waits_alone_until_it_can(
    monkeypatch: pytest.MonkeyPatch, damage: Callable[[Item], object], at: int
) -> None:
    crowd = Crowd(monkeypatch, [pack_of(origin, 70) for origin in range(40)])
    item = crowd.items()[at]
    whole = dict(item)
    damage(item)
    for _ in range(3):
        assert "1 minutes could not be handed on" in crowd.tick()
        assert len(crowd.stack.sent()) == 39 * 70
    item.update(whole)
    assert crowd.tick() == ""
    assert sorted(crowd.stack.sent()) == crowd.people
    assert set(crowd.calls.values()) == {1}


def test_a_part_that_cannot_be_read_is_named_in_the_log_without_a_word_of_it(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    crowd = Crowd(monkeypatch, [pack_of(origin, 2) for origin in range(3)])
    item = crowd.items()[0]
    item["requests"] = {"S": "ana@example.com"}
    with caplog.at_level("ERROR"):
        crowd.tick()
    (told,) = (each for each in caplog.records if each.message == "A part of a minute could not be read")
    assert vars(told)["position"] == item["item"]["S"]
    assert "ana" not in str(vars(told))


def test_who_may_be_in_a_part_that_cannot_be_read_waits_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    whole, other = pack_of(1, 3), pack_of(2, 3)
    some = msgspec.structs.replace(whole, requests=whole.requests[:2])
    crowd = Crowd(monkeypatch, [whole, other])
    (part,) = parts_of(Due(some, MINUTE))
    wiring.minutes().keep([part])
    item = next(each for each in crowd.items() if each["item"]["S"] == part.name)
    kept = dict(item)
    item["requests"] = {"S": "AAAA"}
    assert crowd.tick()
    assert sorted(crowd.stack.sent()) == ["p-2-0", "p-2-1", "p-2-2"]
    item.update(kept)
    assert crowd.tick() == ""
    assert sorted(crowd.stack.sent()) == crowd.people


def test_a_pack_that_sqs_refuses_for_good_holds_up_no_other_and_has_none_sent_with_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crowd = Crowd(monkeypatch, [pack_of(origin, 70) for origin in range(40)])
    crowd.refused = {f"p-{crowd.in_order()[0]}-0"}
    for _ in range(4):
        assert "1 minutes could not be handed on" in crowd.tick()
        assert len(crowd.stack.sent()) == 27 * 100
    assert sorted(crowd.calls.values()) == [1] * 18 + [2] * 9 + [5]  # its batch is tried one by one, then it alone
    crowd.refused = set()
    assert crowd.tick() == ""
    assert sorted(crowd.stack.sent()) == crowd.people


def test_packs_that_are_taken_again_do_not_wait_behind_those_that_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(monkeypatch, [pack_of(origin, 100) for origin in range(30)])
    crowd.refused = {f"p-{origin}-0" for origin in range(30)}
    crowd.tick()
    assert crowd.stack.sent() == []
    crowd.refused = {f"p-{origin}-0" for origin in crowd.in_order()[:10]}
    for _ in range(2):
        assert crowd.tick()
    assert len(crowd.stack.sent()) == 20 * 100


def test_of_packs_that_are_all_refused_a_tick_tries_ten_again(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(monkeypatch, [pack_of(origin, 100) for origin in range(30)])
    crowd.refused = {f"p-{origin}-0" for origin in range(30)}
    for tried in (30, 10, 10, 10, 10):
        crowd.calls.clear()
        crowd.tick()
        assert len(crowd.calls) == tried


def test_a_queue_that_has_no_time_is_not_asked_for_every_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(monkeypatch, [pack_of(origin, 100) for origin in range(30)])
    with monkeypatch.context() as patch:
        patch.setattr(crowd.stack, "send", _busy)
        with pytest.raises(BusyError):
            crowd.tick()
    assert len(crowd.calls) == 10
    assert crowd.tick() == ""
    assert sorted(crowd.stack.sent()) == crowd.people


def _busy(_: object) -> None:
    raise BusyError("SQS has no time")


def test_of_a_pack_that_was_fixed_and_cannot_be_made_again_only_its_people_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    crowd = Crowd(monkeypatch, [pack_of(origin, 100) for origin in range(20)])
    with monkeypatch.context() as patch:
        patch.setattr(wiring.minutes(), "mark_sent", _killed)
        patch.setattr(crowd.stack, "send", lambda _: None)
        with pytest.raises(KeyboardInterrupt):
            crowd.tick()
    item = crowd.items()[0]
    whole = dict(item)
    item["requests"] = {"S": "AAAA"}
    for _ in range(2):
        assert crowd.tick()
        assert len(crowd.stack.sent()) == 19 * 100
    item.update(whole)
    assert crowd.tick() == ""
    assert sorted(crowd.stack.sent()) == crowd.people


def _killed(*_: object) -> None:
    raise KeyboardInterrupt


def test_what_failed_before_is_tried_after_whoever_came_late(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(monkeypatch, [pack_of(0, 3)])
    crowd.refused = {"p-0-0"}
    assert crowd.tick()
    late = MINUTE + timedelta(minutes=1)
    plan_later([Due(pack_of(1, 3), late)])
    crowd.calls.clear()
    monkeypatch.setattr(wiring, "time_left", lambda: 0.0 if crowd.calls else 60.0)
    crowd.tick()
    assert sorted(crowd.stack.sent()) == ["p-1-0", "p-1-1", "p-1-2"]


def test_a_tick_that_runs_out_of_time_tells_what_failed_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(monkeypatch, [pack_of(0, 3)])
    crowd.refused = {"p-0-0"}
    monkeypatch.setattr(wiring, "time_left", lambda: 0.0 if crowd.calls else 60.0)  # another minute is to come
    assert "1 minutes could not be handed on" in crowd.tick()


def notes(stack: Stack) -> list[str]:
    return [name for name in stack.table.items["due"] if name.startswith("late#")]


def test_who_comes_late_at_once_leaves_one_note_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(monkeypatch, [])
    late = [Due(pack_of(origin, 3), MINUTE + timedelta(minutes=origin % 2)) for origin in range(20)]
    for _ in range(2):
        plan_later(late)
    assert len(notes(crowd.stack)) == 2
    plan_later(late[:4])
    assert len(notes(crowd.stack)) == 4
    assert crowd.tick() == ""
    assert len(crowd.stack.sent()) == 60


def test_a_minute_that_fails_keeps_one_note_whoever_comes_late_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    crowd = Crowd(monkeypatch, [pack_of(0, 3)])
    crowd.refused = {"p-0-0"}
    for origin in range(1, 8):
        plan_later([Due(pack_of(origin, 3), MINUTE)])
        assert crowd.tick()
    for _ in range(3):
        crowd.tick()
    assert len(notes(crowd.stack)) == 1
    crowd.refused = set()
    assert crowd.tick() == ""
    assert notes(crowd.stack) == []
    assert len(crowd.stack.sent()) == 24


sizes = st.lists(st.integers(1, 100), min_size=1, max_size=30)
faults = st.tuples(st.sets(st.integers(0, 29)), st.sets(st.integers(0, 29)))
"""Which parts are damaged, and whose packs are refused, while a tick runs."""


@settings(deadline=None, max_examples=60, suppress_health_check=list(HealthCheck))
@given(sizes, st.lists(faults, max_size=4))
def test_whatever_is_damaged_or_refused_for_a_while_everybody_is_handed_on_once_in_the_end(
    sizes: list[int], story: list[tuple[set[int], set[int]]]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        packs = [pack_of(origin, size, f"run-{origin % 2}") for origin, size in enumerate(sizes)]
        crowd = Crowd(patch, packs)
        items = crowd.items()
        whole = [item["requests"] for item in items]
        for damaged, refused in [*story, (set(), set())]:
            for number, item in enumerate(items):
                item["requests"] = {"S": "AAAA"} if number in damaged else whole[number]
            crowd.refused = {f"p-{origin}-0" for origin in refused}
            crowd.tick()
        assert sorted(crowd.stack.sent()) == crowd.people
