"""docs/cost.md says what was measured: its tables are those of the figures that are kept beside it."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import __main__ as command
from benchmarks import costing, page, standing
from benchmarks.measuring import GOALS, VERDICT


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
    with pytest.raises(page.UnmeasuredError, match=f"Not measured: {costing.STORAGE}"):
        page.keep(kept)
    assert page.PAGE.read_text() == before


def test_figures_of_a_quick_look_are_not_kept(kept: dict[str, Any]) -> None:
    before = page.PAGE.read_text()
    asked = {key: figure | {"asked": VERDICT} for key, figure in kept.items()}
    asked[costing.USD]["asked"] = VERDICT - 1
    with pytest.raises(page.UnmeasuredError, match=f"fewer than 7 rounds: {costing.USD}"):
        page.keep(asked)
    assert page.PAGE.read_text() == before


@pytest.mark.parametrize("measured", [None, "{}", '{"ingest_peak_mb": {"asked": 7}}'])
def test_keeping_before_all_is_measured_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], measured: str | None
) -> None:
    monkeypatch.setattr(command, "RESULT", tmp_path / "bench.json")
    if measured is not None:
        command.RESULT.write_text(measured)
    with pytest.raises(SystemExit) as ended:
        command.main(["--keep"])
    assert ended.value.code == 2
    assert "Measure everything first: `make bench`" in capsys.readouterr().err


def test_ten_million_mails_a_month_cost_what_ten_single_millions_do_but_for_the_stack(kept: dict[str, Any]) -> None:
    lines = kept[costing.USD]["lines"]
    stack = sum(line["usd"] for line in lines if line["part"] == standing.PART)
    table = page.in_page(kept, page.PAGE.read_text()).split("### What a month costs")[1]
    one, ten = (
        float(row.split("|")[-2]) for row in table.splitlines() if row.startswith(("| 1 million |", "| 10 million |"))
    )
    assert ten - stack == pytest.approx(10 * (one - stack), abs=0.06)
    assert one > kept[costing.USD]["value"]


def test_backups_are_in_the_sum_of_what_is_kept_though_the_goal_does_not_name_them(kept: dict[str, Any]) -> None:
    storage = kept[costing.STORAGE]
    backups = [line["usd"] for line in storage["lines"] if line["part"] == costing.RECOVERY]
    assert sum(line["usd"] for line in storage["lines"]) == pytest.approx(storage["value"] + sum(backups))
    assert sum(backups) > 0
    assert f"| **sum** |  | {storage['value'] + sum(backups):.2f} |" in page.PAGE.read_text()
