"""`heliograph reconcile`: the ledger of a run against the provider's log and events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from heliograph.operations.reconcile.comparison import Example, Kind, Reconciliation
from heliograph.text.quantities import counted
from heliograph_cli import adapters
from heliograph_cli.commands.outbox import fetch
from heliograph_cli.console import answer, progress, remark, table
from heliograph_cli.options import common_options, example
from heliograph_cli.people import identifier
from heliograph_cli.stack import Stack, connect

if TYPE_CHECKING:
    from rich.table import Table

GRACE_MINUTES = 15
SHOWN = 5  # of the examples, in the table

MEANINGS = {
    Kind.LOST: "in the segment, but nothing was decided",
    Kind.NOT_IN_PROVIDER_LOG: "accepted in the ledger, but not in the provider's log",
    Kind.NOT_IN_LEDGER: "in the provider's log, but not accepted in the ledger",
    Kind.DISPATCH_SENT_TWICE: "more than one provider message for a dispatch",
    Kind.PERSON_SENT_TWICE: "provider messages of several dispatches for a person",
    Kind.CONTRADICTING_FACTS: "failed or skipped, and yet taken by the provider",
    Kind.SUMS: "sums of the run that do not match its people",
}


@click.command(epilog=example("heliograph reconcile 01K0XW5N3M8QJ4RZT6V2Y7B9CD"))
@common_options
@click.argument("run", callback=identifier)
@click.option(
    "--grace",
    type=click.IntRange(0),
    metavar="MINUTES",
    help=f"How late a provider's events may be (default: {GRACE_MINUTES}; 0 on the local cloud).",
)
def reconcile(run: str, grace: int | None) -> None:
    """Compare the ledger of RUN with the provider's log and events; exits with 1 when they differ.

    Every person of the segment is compared. What is in doubt is listed, and is no difference.
    """
    from heliograph.operations.reconcile.work import shape

    stack = connect()
    minutes = (0 if stack.target.is_local else GRACE_MINUTES) if grace is None else grace
    with progress() as bar:
        task = bar.add_task(f"run {run}", total=None)
        found = compared(
            stack,
            run,
            at=datetime.now(UTC),
            grace=timedelta(minutes=minutes),
            progress=lambda people: bar.advance(task, people),
        )
    answer(shape(found, run), _differences(found), title=_title(found, run))
    for line in remarks(found, minutes):
        remark(line)
    if not found.holds:
        click.get_current_context().exit(1)


def compared(
    stack: Stack, run: str, *, at: datetime, grace: timedelta, progress: Callable[[int], None]
) -> Reconciliation:
    """Compare a run of a stack; on the local cloud the outbox is a log of every provider."""
    from heliograph.channels.registry import CHANNELS
    from heliograph.operations.reconcile.work import Kept, compare, reporting

    is_local = stack.target.is_local
    return compare(
        Kept(adapters.bucket(stack), adapters.ledger(stack), adapters.records(stack), adapters.runs(stack)),
        run,
        at=at,
        grace=grace,
        reporting=CHANNELS if is_local else reporting(stack.parameters),
        outbox=fetch(stack.target) if is_local else (),
        progress=progress,
    )


def remarks(found: Reconciliation, minutes: int) -> list[str]:
    """What is no difference and yet worth knowing."""
    doubt, awaited, unchecked = found.in_doubt[0], found.awaited, found.unchecked
    lines = [
        f"In doubt, and no difference: {doubt}: {_named(found.in_doubt[1])}." if doubt else "",
        f"{counted(awaited, 'was', 'were')} accepted less than {counted(minutes, 'minute')} ago: events may be late."
        if awaited
        else "",
        f"{counted(unchecked, 'was', 'were')} accepted by a provider that has no log to compare with."
        if unchecked
        else "",
    ]
    if not found.holds and (found.counts["unknown"] or found.differences[Kind.LOST][0]):
        lines.append("While a run is running, people on their way count as lost: see `heliograph campaign status`.")
    return [line for line in lines if line]


def _title(found: Reconciliation, run: str) -> str:
    verdict = "ledger and provider agree" if found.holds else "ledger and provider differ"
    return f"Run {run}: {verdict}"


def _differences(found: Reconciliation) -> Table:
    shown = table("", "number", "for example")
    shown.columns[1].justify = "right"
    shown.add_row("people in the segment", f"{found.people:,}")
    shown.add_row("accepted in the ledger", f"{found.counts['accepted']:,}")
    shown.add_row("messages in the provider's log", f"{found.provider_messages:,}")
    shown.add_row("in doubt", f"{found.in_doubt[0]:,}", _named(found.in_doubt[1]))
    for kind, (count, examples) in found.differences.items():
        shown.add_row(MEANINGS[kind], f"{count:,}", _named(examples), style="bold red" if count else "")
    return shown


def _named(examples: Sequence[Example]) -> str:
    named = [" ".join(filter(None, (each.recipient_id, each.dispatch_id, each.detail))) for each in examples[:SHOWN]]
    return ", ".join(named) + (", …" if len(examples) > SHOWN else "")
