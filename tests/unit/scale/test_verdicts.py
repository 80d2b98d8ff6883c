"""What speaks against a design that should serve any number of people."""

from __future__ import annotations

import argparse

import pytest

from scale import limits, verdicts
from scale.__main__ import people
from scale.runs import Hot, Scaled
from wiring import ROOT


def a_run(number: int = 10_000, **different: float) -> Scaled:
    """A run that is as it should be, but for what is said."""
    each = {"objects": 0.01, "schedules": 0.0, "write_units": 1.1, "read_units": 2.5, "cpu_vs_bare_send": 0.4}
    units = different.pop("hot", 5.0)
    memory = (180.0, different.pop("memory", 190.0))
    speed = different.pop("speed", 195.0)
    look = different.pop("look", 4.0)
    calls = different.pop("calls", 0.07)
    return Scaled(
        people=number,
        rate=200,
        happened=number,
        each=each | different,
        waiting={"calls": calls, "tick_seconds": 0.0001},
        look={"read_units": look},
        seconds={"plan": 0.001, "deliver": 0.02, "record": 0.0005, "tally": 0.0001},
        pack_bytes=30,
        events=2.35,
        hot={"heliograph-runs written": Hot("sum#run", 0.3, units)},
        memory=memory,
        mails_a_second=speed,
    )


def test_nothing_speaks_against_runs_that_are_alike() -> None:
    assert verdicts.against([a_run(), a_run(1_000_000, write_units=1.2, cpu_vs_bare_send=0.43)]) == []


@pytest.mark.parametrize(
    ("what", "amount", "said"),
    [
        ("cpu_vs_bare_send", 0.45, "cpu_vs_bare_send of a person differs by more than a tenth: 0.4, 0.45"),
        ("write_units", 0.9, "write_units of a person differs by more than a tenth: 1.1, 0.9"),
        ("schedules", 1.0, "schedules of a person differs by more than a tenth: 0, 1"),
        ("calls", 0.14, "calls of a person who waits differs by more than a tenth: 0.07, 0.14"),
        ("look", 5.0, "read_units of a look differs by more than a tenth: 4, 5"),
        ("memory", 200.0, "1,000,000 people: functions grew from 180 to 200 MB"),
        ("hot", 1_001.0, "1,000,000 people: sum#run of heliograph-runs written takes 1,001 units a second"),
        ("speed", 179.0, "1,000,000 people: sent at 179 mails/s instead of 200"),
    ],
)
def test_a_run_that_costs_more_is_named_with_its_figures(what: str, amount: float, said: str) -> None:
    assert verdicts.against([a_run(), a_run(1_000_000, **{what: amount})]) == [said]


def test_functions_that_end_larger_than_those_of_a_smaller_run_are_named() -> None:
    (said,) = verdicts.against([a_run(), a_run(1_000_000)._replace(memory=(200.0, 210.0))])
    assert said == "memory of functions at the end, MB differs by more than a tenth: 190, 210"


def test_limits_come_in_the_order_in_which_they_bite() -> None:
    found = limits.limits(a_run())
    assert [limit.mails_a_second for limit in found] == sorted(limit.mails_a_second for limit in found)
    (key,) = (limit for limit in found if "of one key" in limit.what)
    assert key.mails_a_second == 1_000 / (5 / 200)


def test_a_new_table_bites_before_one_that_has_had_traffic() -> None:
    run = a_run()
    lines = {limit.what: limit.mails_a_second for limit in limits.limits(run) if "of a" in limit.what}
    for kind, new in limits.NEW_TABLE.items():
        rate = lines[f"DynamoDB: {new:,} {kind} units/s of a new table, were all in one"]
        assert (
            rate
            == new / run.each[f"{kind}_units"]
            < lines[f"DynamoDB: 40,000 {kind} units/s of a table, were all in one"]
        )


def test_regions_are_named_as_those_that_the_stack_supports() -> None:
    supported = (ROOT / "infra/regions.txt").read_text().split()
    assert {*limits.LARGEST.split(", "), *limits.SMALLEST.split(", ")} <= set(supported)


def test_what_takes_twice_as_much_bites_at_half_the_rate() -> None:
    def firehose(run: Scaled) -> float:
        return next(limit.mails_a_second for limit in limits.limits(run) if limit.what.startswith("Data Firehose: 1 "))

    assert firehose(a_run()._replace(events=4.7)) == firehose(a_run()) / 2


@pytest.mark.parametrize(("text", "number"), [("10k", 10_000), ("1M", 1_000_000), ("2.5m", 2_500_000), ("1000", 1_000)])
def test_a_size_may_be_written_short(text: str, number: int) -> None:
    assert people(text) == number


@pytest.mark.parametrize("text", ["", "k", "many", "500", "1050", "-1k", "nan"])
def test_a_size_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError):
        people(text)
