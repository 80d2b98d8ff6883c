"""The long searches: hostile input in bulk, with a fixed budget, and a table of what was tried at the end."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

RESULTS = Path(__file__).parents[2] / "build/search"


class Tally:
    """How many inputs a search tried on one surface, and what none of them may do."""

    def __init__(self, surface: str) -> None:
        self.surface = surface
        self.inputs = 0
        self.unhandled: list[str] = []
        """An exception that nobody meant, with the input that caused it."""
        self.lost: list[str] = []
        """Somebody who is neither taken, refused nor parked."""
        self.harmed: list[str] = []
        """Somebody else than the owner of the input, who was stopped or changed by it."""

    def keep(self) -> None:
        """Write the counts for the table at the end of the run."""
        RESULTS.mkdir(parents=True, exist_ok=True)
        counts = [self.inputs, len(self.unhandled), len(self.lost), len(self.harmed)]
        (RESULTS / f"{self.surface}.json").write_text(json.dumps(counts))


@pytest.fixture
def tally(request: pytest.FixtureRequest) -> Iterator[Tally]:
    """The tally of this search, named as its test; the test fails when anything was unhandled, lost or harmed."""
    tally = Tally(request.node.name.removeprefix("test_"))
    yield tally
    tally.keep()
    found = [*tally.unhandled, *tally.lost, *tally.harmed]
    assert tally.inputs, "this search tried nothing"
    assert not found, f"{len(found)} of {tally.inputs}: {found[:5]}"


def pytest_sessionstart(session: pytest.Session) -> None:
    """Forget earlier searches."""
    if not hasattr(session.config, "workerinput"):
        for old in RESULTS.glob("*.json"):
            old.unlink()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what was tried."""
    rows = {file.stem: json.loads(file.read_text()) for file in sorted(RESULTS.glob("*.json"))}
    if rows:
        terminalreporter.write_line(f"\n{'inputs':>8} {'unhandled':>9} {'lost':>5} {'harmed':>6}  search")
    for surface, (inputs, unhandled, lost, harmed) in rows.items():
        terminalreporter.write_line(f"{inputs:>8,} {unhandled:>9} {lost:>5} {harmed:>6}  {surface}")
    if rows:
        terminalreporter.write_line(f"{sum(row[0] for row in rows.values()):>8,} in all")
