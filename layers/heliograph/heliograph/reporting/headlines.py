"""A run in a sentence: what its figures come to, so that a page of zeros is never taken for a success."""

from __future__ import annotations

from typing import NamedTuple

from heliograph.reporting.figures import RunFigures
from heliograph.text.quantities import counted, people


class Headline(NamedTuple):
    """What is said first of a run."""

    text: str
    good: bool
    """Whether somebody was sent to and the sums match; all else asks for a look."""


def headline(figures: RunFigures) -> Headline:
    """The worst that is to be said of a run, else that everybody is accounted for."""
    counts = figures.counts
    accounted = sum(counts.values())
    if figures.state == "replaced":
        return Headline(f"This run was replaced: {figures.problem}.", good=False)
    if figures.problem:
        return Headline(f"This run failed: {figures.problem.rstrip('.')}. {_reached(figures)}", good=False)
    if accounted != figures.audience:
        return Headline(f"The sums do not match: {accounted:,} of {figures.audience:,} are accounted for.", good=False)
    if not figures.ingested:
        return Headline("The segment is still being read: these figures are not final.", good=False)
    if not figures.audience and figures.reached:
        reached = counted(figures.reached, "person was", "people were")
        return Headline(
            f"Nobody was sent to: {reached} reached by earlier runs of this campaign.{_refused(figures)}",
            good=False,
        )
    if not figures.audience:
        return Headline(f"Nobody was sent to: the segment names nobody.{_refused(figures)}", good=False)
    if figures.pending:
        return Headline(
            f"{counted(figures.pending, 'person is', 'people are')} on their way: these figures are not final.",
            good=False,
        )
    if not counts["accepted"]:
        left = ", ".join(f"{number:,} {name}" for name, number in counts.items() if number)
        return Headline(f"Nobody was sent to{' yet' if counts['scheduled'] else ''}: {left}.", good=False)
    return Headline("Everybody is accounted for.", good=True)


def _reached(figures: RunFigures) -> str:
    if not figures.audience:
        return "Nobody was sent to."
    return f"It stopped after {people(figures.audience)}."


def _refused(figures: RunFigures) -> str:
    rows, file = figures.rejected, f"rejected-{figures.run_id}.csv"
    return f" {counted(rows, 'row was', 'rows were')} refused; {file} beside the segment says why." if rows else ""
