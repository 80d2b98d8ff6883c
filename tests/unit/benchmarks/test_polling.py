"""The model of pollers that the bill rests on: nothing is lost, no batch is larger or older than a queue's may be."""

from __future__ import annotations

import random

from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.polling import POLLERS, RECEIVE, Arrival, polled

TIMES = st.lists(st.floats(0, 100), min_size=1, max_size=300).map(sorted)


@settings(deadline=None, max_examples=60)
@given(times=TIMES, size=st.integers(1, 50), window=st.floats(0, 20), seed=st.integers())
def test_every_message_is_in_one_batch_of_the_size_and_window_of_its_queue(
    times: list[float], size: int, window: float, seed: int
) -> None:
    arrivals = [Arrival(at, at) for at in times]
    batches = [*polled(arrivals, size=size, window=window, rng=random.Random(seed))]
    assert sorted(each for batch in batches for each in batch.contents) == times
    for batch in batches:
        assert len(batch.contents) <= size
        assert max(batch.contents) - min(batch.contents) <= window
        assert len(batch.contents) / RECEIVE <= batch.receives <= len(batch.contents)


def test_a_queue_that_is_full_is_taken_ten_at_a_time_and_one_that_drips_one_at_a_time() -> None:
    def receives(apart: float) -> float:
        arrivals = [Arrival(apart * number, number) for number in range(1_000)]
        return sum(batch.receives for batch in polled(arrivals, size=100, window=1_000, rng=random.Random(1)))

    assert 1_000 / RECEIVE <= receives(0.0) <= 1_000 / RECEIVE + POLLERS
    assert receives(1.0) == 1_000


def test_the_same_events_come_in_more_batches_when_more_pollers_take_them() -> None:
    arrivals = [Arrival(number / 400, number) for number in range(8_000)]
    sizes = [
        8_000 / len([*polled(arrivals, size=100, window=1, rng=random.Random(1), pollers=pollers)])
        for pollers in (5, 10)
    ]
    assert 60 < sizes[0] < 90  # 400 events a second, a fifth of them in a second
    assert 30 < sizes[1] < 50
