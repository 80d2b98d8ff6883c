"""docs/cost.md says what was measured: its tables are those of the figures that are kept beside it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest

from benchmarks import costing, page, standing
from benchmarks.measuring import GOALS


@pytest.fixture
def kept() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(page.KEPT.read_text())
    return found


def test_the_tables_are_those_of_the_kept_figures(kept: dict[str, Any]) -> None:
    written = page.PAGE.read_text()
    assert page.in_page(kept, written) == written
    assert written.count(page.BEGINS) == written.count(page.ENDS) == 1


def test_every_goal_has_a_figure_and_the_goal_is_that_of_today(kept: dict[str, Any]) -> None:
    assert {key: (figure["must"], figure["aim"]) for key, figure in kept.items()} == GOALS


def test_the_sum_is_that_of_the_lines(kept: dict[str, Any]) -> None:
    bill = kept[costing.USD]
    lines = [line for line in bill["lines"] if line["part"] not in (page.ON_TOP, standing.PART)]
    assert sum(line["usd"] for line in lines) == pytest.approx(sorted(bill["rounds"])[(len(bill["rounds"]) - 1) // 2])
    for line in lines:
        assert line["usd"] == pytest.approx(line["quantity"] * line["price"]["usd"])


def test_a_figure_that_changes_changes_the_page(kept: dict[str, Any]) -> None:
    other = copy.deepcopy(kept)
    other[costing.USD]["value"] += 1
    written = page.PAGE.read_text()
    assert page.in_page(other, written) != written
    assert f"${other[costing.USD]['value']:.2f}" in page.in_page(other, written)


def test_figures_without_a_goal_s_key_are_not_kept(kept: dict[str, Any]) -> None:
    del kept[costing.STORAGE]
    before = page.PAGE.read_text()
    with pytest.raises(KeyError, match=costing.STORAGE):
        page.keep(kept)
    assert page.PAGE.read_text() == before


def test_backups_are_in_the_sum_of_what_is_kept_though_the_goal_does_not_name_them(kept: dict[str, Any]) -> None:
    storage = kept[costing.STORAGE]
    backups = [line["usd"] for line in storage["lines"] if line["part"] == costing.RECOVERY]
    assert sum(line["usd"] for line in storage["lines"]) == pytest.approx(storage["value"] + sum(backups))
    assert sum(backups) > 0
    assert f"| **sum** |  | {storage['value'] + sum(backups):.2f} |" in page.PAGE.read_text()
