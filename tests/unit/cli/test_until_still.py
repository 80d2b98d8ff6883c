"""Waiting ends when it is done or when nothing has moved for too long, and a busy machine takes no patience."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, count, islice, repeat
from typing import Any

import pytest

from heliograph_cli.waiting import pauses, until_still


class Clock:
    """A clock that only moves when somebody waits or looks."""

    def __init__(self) -> None:
        self.time = 0.0
        self.pauses: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Wait."""
        self.time += seconds
        self.pauses.append(seconds)

    def looking(self, seen: Iterator[Any], *, done: Any = "never", takes: float = 0.0) -> Callable[[], Any]:
        """A look that shows one thing after the other, and takes its time."""

        def look() -> tuple[Any, bool]:
            self.time += takes
            shown = next(seen)
            return shown, shown == done

        return look


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr("heliograph_cli.waiting.time.sleep", clock.sleep)
    return clock


def test_what_is_done_already_is_not_waited_for(clock: Clock) -> None:
    assert until_still(clock.looking(iter([1]), done=1), patience=30) == 1
    assert clock.time == 0


def test_what_moves_is_waited_for_however_long_it_takes(clock: Clock) -> None:
    assert until_still(clock.looking(count(), done=1_000), patience=1, most=10) == 1_000
    assert clock.time > 100


def test_what_does_not_move_is_given_up_after_its_patience(clock: Clock) -> None:
    assert until_still(clock.looking(repeat("still")), patience=30, most=1) == "still"
    assert 30 <= clock.time < 31


def test_patience_begins_anew_with_each_move(clock: Clock) -> None:
    moving = chain(*(repeat(step, 10) for step in range(8)), repeat("end"))
    assert until_still(clock.looking(moving), patience=10, most=1) == "end"
    assert 80 - 10 <= clock.time - 10 < 90


def test_a_machine_that_is_too_busy_to_answer_takes_no_patience(clock: Clock) -> None:
    slow = clock.looking(chain(repeat("still", 20), repeat("done")), done="done", takes=60)
    assert until_still(slow, patience=30, most=1) == "done"
    assert clock.time > 20 * 60


def test_looks_are_ever_more_seldom_but_never_more_seldom_than_asked_for() -> None:
    waits = list(islice(pauses(30), 40))
    assert waits[:4] == [1, 2, 4, 8]
    assert waits == sorted(waits)
    assert max(waits) == 30
    assert list(islice(pauses(0.25), 3)) == [0.25] * 3


def test_what_moves_all_the_time_is_not_looked_at_more_often_for_that(clock: Clock) -> None:
    until_still(clock.looking(count(), done=200), patience=60)
    assert clock.pauses[:5] == [1, 2, 4, 8, 16]
    assert set(clock.pauses[5:]) == {16}
