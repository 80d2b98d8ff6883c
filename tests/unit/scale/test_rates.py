"""What a rate needs, and that the page of the documentation says no more than its own figures."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scale import page, rates
from scale.limits import RETENTION_DAYS
from wiring import TEMPLATE

SECONDS = {"plan": 0.001, "deliver": 0.02, "record": 0.0005, "tally": 0.0001}


@given(rate=st.integers(1, 10_000), deliver=st.floats(0.0001, 1))
def test_functions_have_time_for_everybody_who_comes_and_some_to_spare(rate: int, deliver: float) -> None:
    needed = rates.needed(rate, SECONDS | {"deliver": deliver})
    assert needed.deliver - 1 >= rate * deliver / rates.HEADROOM
    assert needed.deliver <= max(rates.FEWEST, rate * deliver / rates.HEADROOM + 1) + 1


def test_a_run_lasts_as_long_as_its_people_take_at_the_rate() -> None:
    assert rates.needed(1_000, SECONDS).hours == pytest.approx((1 / 3.6, 10 / 3.6, 100 / 3.6))


def test_a_run_that_outlasts_what_queues_keep_is_not_told_as_one() -> None:
    (line,) = (line for line in rates.table(SECONDS, most_days=14) if line.startswith("| 50 |"))
    assert line.endswith("| 5.6 h | 2.3 days | too long |")


def test_the_table_names_parameters_of_the_stack() -> None:
    heading = next(rates.table(SECONDS, most_days=14))
    names = [name for name in heading.split("`") if name.endswith("Concurrency")]
    assert len(names) == 2
    assert set(names) <= TEMPLATE["Parameters"].keys()


def test_the_page_holds_the_table_that_follows_from_its_own_figures() -> None:
    table = "\n".join(rates.table(page.seconds_of(), most_days=RETENTION_DAYS))
    assert table in page.PAGE.read_text()
