"""`heliograph dead-letters`: what failed, for whom, why, what to do about it; and to send it back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click

from heliograph.domain.dead_letters import Explanation, explain
from heliograph_cli import target as targets
from heliograph_cli.console import answer, bold, facts, remark, stacked, table
from heliograph_cli.failures import No
from heliograph_cli.options import common_options, example
from heliograph_cli.stack import Stack, connect

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from heliograph_cli.dead_letters import DeadLetters

LOOKED_AT = 100  # messages of a queue, for the summary
NONE = "There are no dead letters."
QUEUE = click.argument("queue", required=False)


@click.group(epilog=example("heliograph dead-letters list"))
@common_options
def dead_letters() -> None:
    """Show what was put aside and why, and send it back."""


@dead_letters.command("list", epilog=example("heliograph dead-letters list --json"))
@common_options
def list_() -> None:
    """List the queues that have dead letters: how many, since when, and what failed."""
    stack = connect()
    rows = [_row(letters, _explained(stack, letters, LOOKED_AT)) for letters in _queues(stack)]
    shown = table("queue", "number", "oldest", "what failed")
    for row in rows:
        failed = "\n".join(f"{number} × {why}" for why, number in row["failed"].items())
        shown.add_row(row["queue"], str(row["number"]), row["oldest"], failed)
    answer(rows, shown if rows else NONE)
    if rows:
        remark("What to do: heliograph dead-letters show")


@dead_letters.command(epilog=example("heliograph dead-letters show outbox-email-bulk --limit 5"))
@common_options
@QUEUE
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="At most so many of each queue.")
def show(queue: str | None, limit: int) -> None:
    """Explain the dead letters of QUEUE (default: all): what failed, for whom, why, and what to do.

    Looking takes nothing away, but SQS counts it as a receive.
    """
    stack = connect()
    found = [each for letters in _queues(stack, queue) for each in _explained(stack, letters, limit)]
    answer(found, stacked(*(_shown(each) for each in found)) if found else NONE)


@dead_letters.command(epilog=example("heliograph dead-letters redrive outbox-email-bulk --yes"))
@common_options
@QUEUE
@click.option("--parked", is_flag=True, help="Also what could not be read: after a deployment that can read it.")
@click.option("--yes", is_flag=True, help="Do not ask.")
def redrive(queue: str | None, parked: bool, yes: bool) -> None:
    """Send the dead letters of QUEUE (default: all) back to where they failed, once the cause is mended.

    Safe to repeat: ids are derived and decisions are written once, so that nobody is sent to twice.
    """
    from heliograph_cli import dead_letters as adapter

    stack = connect()
    found = _queues(stack, queue)
    number = sum(letters.number for letters in found)
    if number and not yes:
        click.confirm(f"Send back up to {number} messages of {len(found)} queues?", abort=True, err=True)
    rows = []
    for letters in found:
        done = adapter.redrive(targets.sqs(stack.target), letters, parked=parked)
        rows.append({"queue": letters.queue, **done._asdict()})
    answer(rows, _redriven(rows) if rows else NONE)
    if any(row["parked"] for row in rows):
        remark("What could not be read was left, for it would only come back: heliograph dead-letters show")


def _queues(stack: Stack, name: str | None = None) -> list[DeadLetters]:
    """The queues that have dead letters; all, or the one that was asked for by its short or its whole name."""
    from heliograph_cli.dead_letters import SUFFIX, queues

    found = queues(targets.sqs(stack.target), stack.target.stack)
    if name:
        short = name.removeprefix(f"{stack.target.stack}-").removesuffix(SUFFIX)
        known = ", ".join(letters.queue for letters in found)
        found = [letters for letters in found if letters.queue == short]
        if not found:
            raise No(f"There is no queue {name}.", f"The queues are {known}.")
    return [letters for letters in found if letters.number]


def _explained(stack: Stack, letters: DeadLetters, limit: int) -> list[Explanation]:
    from heliograph_cli.dead_letters import peek

    return [explain(letter) for letter in peek(targets.sqs(stack.target), letters, limit)]


def _row(letters: DeadLetters, found: Sequence[Explanation]) -> dict[str, Any]:
    """A queue in a line; of a long queue, the first messages speak for all."""
    oldest = min((each.sent_at for each in found), default=None)
    return {
        "queue": letters.queue,
        "number": letters.number,
        "oldest": oldest.isoformat(timespec="seconds") if oldest else "",
        "parked": sum(each.parked for each in found),
        "failed": dict(Counter(each.why for each in found)),
    }


def _shown(letter: Explanation) -> Group:
    whom = "; ".join(f"{name} {_words(value)}" for name, value in letter.whom.items())
    why = f"{letter.why} ({letter.said})" if letter.said else letter.why
    told = {
        "for": whom or "nobody can be told",
        "why": why,
        "what to do": letter.what_to_do,
        "message": f"{letter.message_id}, since {letter.sent_at:%Y-%m-%d %H:%M} UTC",
    }
    return stacked(bold(letter.what), facts(told), "")


def _words(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _redriven(rows: Sequence[dict[str, Any]]) -> Table:
    shown = table("queue", "sent back", "left: cannot be read", "left: came in since")
    for row in rows:
        shown.add_row(row["queue"], str(row["moved"]), str(row["parked"]), str(row["newer"]))
    return shown
