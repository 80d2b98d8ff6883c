"""`heliograph replay`: make every decision of a run again from what it was made of, and compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from heliograph.operations.replay.decisions import BAD, Example, Finding, Replayed
from heliograph_cli import adapters
from heliograph_cli.console import answer, progress, table
from heliograph_cli.options import common_options, example
from heliograph_cli.people import identifier
from heliograph_cli.stack import connect

if TYPE_CHECKING:
    from rich.table import Table

SHOWN = 5  # of the examples, in the table

MEANINGS = {
    Finding.SAME: "the same",
    Finding.DIFFERS: "different",
    Finding.NOT_GENUINE: "inputs that do not match the ledger",
    Finding.MISSING: "inputs that were not kept",
    Finding.WITHOUT_INPUTS: "made by no rule: nothing to repeat",
}


@click.command(epilog=example("heliograph replay 01K0XW5N3M8QJ4RZT6V2Y7B9CD"))
@common_options
@click.argument("run", callback=identifier)
def replay(run: str) -> None:
    """Repeat every decision of RUN from its recorded inputs; exits with 1 when one differs.

    Every person of the segment is included: dispatched, skipped, scheduled, or sent to via fallback.
    """
    from heliograph.operations.replay.work import replay_run

    stack = connect()
    with progress() as bar:
        task = bar.add_task(f"run {run}", total=None)
        told = replay_run(
            adapters.bucket(stack), adapters.ledger(stack), run, progress=lambda people: bar.advance(task, people)
        )
    answer(told, _findings(told), title=_title(told))
    if not told.holds:
        click.get_current_context().exit(1)


def _title(told: Replayed) -> str:
    verdict = "every decision is the same" if told.holds else "some decisions differ"
    return f"Run {told.run_id}: {verdict}"


def _findings(told: Replayed) -> Table:
    shown = table("", "number", "for example")
    shown.columns[1].justify = "right"
    shown.add_row("people in the segment", f"{told.people:,}")
    shown.add_row("nothing decided yet", f"{told.undecided:,}")
    shown.add_row("decisions", f"{told.decisions:,}")
    for kind, count in told.counts.items():
        style = "bold red" if count and kind in BAD else ""
        shown.add_row(MEANINGS[kind], f"{count:,}", _named(told.examples.get(kind, ())), style=style)
    return shown


def _named(examples: Sequence[Example]) -> str:
    named = [" ".join(filter(None, (each.recipient_id, each.dispatch_id, each.detail))) for each in examples[:SHOWN]]
    return ", ".join(named) + (", …" if len(examples) > SHOWN else "")
