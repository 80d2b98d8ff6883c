"""Verdicts of the benchmarks: what missed its goal is measured once more before that is said."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks.measuring import GOALS, MISSED, Figure, reported

KEY, OTHER = "record_write_units_per_email", "ingest_peak_mb"


class Bench:
    """Figures that were thought out, run by run."""

    def __init__(self, *runs: dict[str, float]) -> None:
        self._runs, self.asked = iter(runs), list[set[str]]()

    def __call__(self, wanted: set[str]) -> Iterator[Figure]:
        self.asked.append(wanted)
        values = next(self._runs)
        return (Figure(key, "thought out", values[key], [values[key]], {}) for key in sorted(wanted))


def test_what_missed_is_measured_once_more_and_nothing_else() -> None:
    bench = Bench({KEY: 4.2, OTHER: 30}, {KEY: 0.1})
    found = {figure.key: figure for figure in reported(bench, {KEY, OTHER}, is_verdict=True)}
    assert bench.asked == [{KEY, OTHER}, {KEY}]
    assert (found[KEY].value, found[KEY].verdict) == (0.1, "aim")
    assert found[KEY].notes == {"measured before": 4.2}
    assert (found[OTHER].value, found[OTHER].notes) == (30, {})


def test_what_missed_twice_is_a_miss() -> None:
    (figure,) = reported(Bench({KEY: 4.2}, {KEY: 4.1}), {KEY}, is_verdict=True)
    assert (figure.value, figure.verdict) == (4.1, MISSED)


def test_a_quick_look_says_at_once_what_it_saw() -> None:
    bench = Bench({KEY: 4.2})
    (figure,) = reported(bench, {KEY}, is_verdict=False)
    assert (figure.verdict, bench.asked) == (MISSED, [{KEY}])


@pytest.mark.parametrize("key", sorted(GOALS))
def test_a_goal_is_reached_at_its_number_and_missed_above_it(key: str) -> None:
    must, aim = GOALS[key]
    verdicts = [Figure(key, "", value, [value], {}).verdict for value in (aim, must, must * 1.001)]
    assert aim <= must
    assert verdicts == ["aim", "must" if aim < must else "aim", MISSED]
