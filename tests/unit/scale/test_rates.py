"""What a rate needs, and how long runs take at it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scale import rates
from wiring import TEMPLATE

SECONDS = {"plan": 0.001, "deliver": 0.02, "record": 0.0005, "tally": 0.0001}


@given(rate=st.integers(1, 10_000), deliver=st.floats(0.0001, 1))
def test_functions_have_time_for_everybody_who_comes_and_some_to_spare(rate: int, deliver: float) -> None:
    needed = rates.needed(rate, SECONDS | {"deliver": deliver})
    assert needed.deliver - 1 >= rate * deliver / rates.HEADROOM
    assert needed.deliver <= max(rates.FEWEST, rate * deliver / rates.HEADROOM + 1) + 1


@given(at_once=st.integers(3, 1_000), deliver=st.floats(0.0001, 1))
def test_functions_that_are_enough_for_a_rate_are_those_at_which_it_bites(at_once: int, deliver: float) -> None:
    """The two tables of the page agree: what `limits` says of so many functions is what `rates` asks for."""
    bites = rates.work_of(at_once) / deliver
    assert rates.functions(0.999 * bites * deliver) <= at_once < rates.functions(1.001 * bites * deliver)


def test_a_new_stack_sends_at_the_rate_of_a_new_account() -> None:
    assert rates.needed(14, SECONDS).deliver == TEMPLATE["Parameters"]["DeliverBulkConcurrency"]["Default"]


def test_a_run_lasts_as_long_as_its_people_take_at_what_runs_may_take_of_the_rate() -> None:
    assert rates.needed(1_000, SECONDS).hours == pytest.approx([people / 950 / 3_600 for people in rates.PEOPLE])


def test_a_run_that_outlasts_what_queues_keep_is_not_told_as_one() -> None:
    (line,) = (line for line in rates.table(SECONDS, most_days=14) if line.startswith("| 50 |"))
    assert line.endswith("| 5.8 h | 2.4 days | too long |")


def test_the_table_names_parameters_of_the_stack() -> None:
    heading = next(rates.table(SECONDS, most_days=14))
    names = [name for name in heading.split("`") if name.endswith("Concurrency")]
    assert len(names) == 2
    assert set(names) <= TEMPLATE["Parameters"].keys()
