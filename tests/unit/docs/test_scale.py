"""docs/scale.md says what was measured: its tables are those of the figures that are kept beside it."""

from __future__ import annotations

import pytest

from benchmarks.campaigns import EVENT_BYTES
from scale import limits, page
from scale.__main__ import main


def test_the_tables_are_those_of_the_kept_figures() -> None:
    written = page.PAGE.read_text()
    assert page.in_page(page.kept(), written) == written


def test_an_event_that_is_larger_changes_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    written = page.PAGE.read_text()
    monkeypatch.setattr(limits, "EVENT_BYTES", 2 * EVENT_BYTES)
    assert page.in_page(page.kept(), written) != written


def test_a_figure_that_changes_changes_the_page() -> None:
    written = page.PAGE.read_text()
    first, *others = page.kept()
    assert page.in_page([first._replace(mails_a_second=first.mails_a_second / 2), *others], written) != written


def test_a_page_without_a_place_for_the_tables_is_refused() -> None:
    with pytest.raises(ValueError, match="has no line"):
        page.in_page(page.kept(), "# How far it goes")


def test_the_page_is_not_written_from_some_sizes_alone(capsys: pytest.CaptureFixture[str]) -> None:
    before = page.PAGE.read_text()
    with pytest.raises(SystemExit) as ended:
        main(["--write", "--people", "10k"])
    assert ended.value.code == 2
    assert "every size" in capsys.readouterr().err
    assert page.PAGE.read_text() == before
