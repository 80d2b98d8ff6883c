"""`heliograph dead-letters`: what failed, for whom, why, what to do about it; and to send it back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from heliograph.operations.dead_letters.summary import Explanation, explain
from heliograph.text.quantities import counted
from heliograph_cli import target as targets
from heliograph_cli.console import answer, bold, facts, remark, stacked, table
from heliograph_cli.failures import No
from heliograph_cli.options import common_options, example
from heliograph_cli.stack import Stack, connect

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

    from heliograph.operations.dead_letters.store import DeadLetters

LOOKED_AT = 100  # messages of a queue, for the summary
NONE = "There are no dead letters."
NAMES = click.argument("names", nargs=-1, metavar="[QUEUE|ID]...")
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""A message id of SQS."""


class Chosen(NamedTuple):
    """What was named: queues with all that is in them, or single messages wherever they are."""

    queues: list[DeadLetters]
    ids: frozenset[str]


@click.group(epilog=example("heliograph dead-letters list"))
@common_options
def dead_letters() -> None:
    """Show what failed and why; send it back, or delete it."""


@dead_letters.command(
    "list", short_help="List the queues that have dead letters.", epilog=example("heliograph dead-letters list --json")
)
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


@dead_letters.command(
    short_help="Explain dead letters.", epilog=example("heliograph dead-letters show outbox-email-bulk --limit 5")
)
@common_options
@NAMES
@click.option(
    "--limit", type=click.IntRange(1), default=20, show_default=True, help="Show at most this many of each queue."
)
def show(names: tuple[str, ...], limit: int) -> None:
    """Explain dead letters (default: all): what failed, for whom, why, and what to do.

    It takes nothing away, but SQS counts it as a receive.
    """
    from heliograph.operations.dead_letters.work import find

    stack = connect()
    chosen = _chosen(stack, names)
    if chosen.ids:
        sqs = targets.sqs(stack.target)
        found = [explain(each) for letters in chosen.queues for each in find(sqs, letters, chosen.ids)]
        _all_there(chosen.ids, {each.message_id for each in found})
    else:
        found = [each for letters in chosen.queues for each in _explained(stack, letters, limit)]
    answer(found, stacked(*(_shown(each) for each in found)) if found else NONE)


@dead_letters.command(
    short_help="Send dead letters back.", epilog=example("heliograph dead-letters redrive outbox-email-bulk --yes")
)
@common_options
@NAMES
@click.option("--parked", is_flag=True, help="Include what could not be read, after a deployment that can read it.")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def redrive(names: tuple[str, ...], parked: bool, yes: bool) -> None:
    """Send dead letters (default: all) back to where they failed, once the cause is fixed.

    Safe to repeat: nobody gets a message twice. A dead letter that is named by its id is sent back even if it could not
    be read.
    """
    from heliograph.operations.dead_letters import work

    stack = connect()
    chosen, sqs = _chosen(stack, names), targets.sqs(stack.target)
    _confirm("Send back", chosen, yes)
    if chosen.ids:
        rows = _by_id(chosen, lambda letters: work.send_back(sqs, letters, chosen.ids))
        answer(rows, f"{counted(len(rows), 'message')} sent back.")
        return
    rows = [{"queue": each.queue, **work.redrive(sqs, each, parked=parked)._asdict()} for each in chosen.queues]
    answer(rows, _redriven(rows) if rows else NONE)
    if any(row["parked"] for row in rows):
        remark("What could not be read was left, because it would only fail again: heliograph dead-letters show")


@dead_letters.command(
    short_help="Delete dead letters for good.",
    epilog=example("heliograph dead-letters delete 7f9c2c1e-5d0b-4c0f-9a54-0d1f3b8c2f11 --yes"),
)
@common_options
@click.argument("ids", nargs=-1, required=True, metavar="ID...")
@click.option("--yes", is_flag=True, help="Do not ask for confirmation.")
def delete(ids: tuple[str, ...], yes: bool) -> None:
    """Delete single dead letters for good: what they were for is never done.

    `heliograph dead-letters show` lists their ids.
    """
    from heliograph.operations.dead_letters import work

    if strange := [each for each in ids if not ID.fullmatch(each)]:
        raise click.BadParameter(f"{strange[0]} is no id of a message", param_hint="ID")
    stack = connect()
    chosen, sqs = _chosen(stack, ids), targets.sqs(stack.target)
    _confirm("Delete for good", chosen, yes)
    rows = _by_id(chosen, lambda letters: work.delete(sqs, letters, chosen.ids))
    answer(rows, f"{counted(len(rows), 'message')} deleted.")


def _confirm(question: str, chosen: Chosen, yes: bool) -> None:
    number = len(chosen.ids) or sum(letters.number for letters in chosen.queues)
    where = "" if chosen.ids else f" of {counted(len(chosen.queues), 'queue')}"
    if number and not yes:
        most = "" if chosen.ids else "up to "
        click.confirm(f"{question} {most}{counted(number, 'message')}{where}?", abort=True, err=True)


def _by_id(chosen: Chosen, take: Callable[[DeadLetters], set[str]]) -> list[dict[str, str]]:
    """Work off single messages, queue by queue; raises No when one is in none of them."""
    rows: list[dict[str, str]] = []
    for letters in chosen.queues:
        rows += [{"message_id": each, "queue": letters.queue} for each in sorted(take(letters))]
        if len(rows) == len(chosen.ids):
            break
    _all_there(chosen.ids, {row["message_id"] for row in rows})
    return rows


def _all_there(ids: Collection[str], found: Collection[str]) -> None:
    if missing := sorted(set(ids) - set(found)):
        raise No(f"There is no dead letter {', '.join(missing)}.", "`heliograph dead-letters show` lists their ids.")


def _chosen(stack: Stack, names: Sequence[str]) -> Chosen:
    """The queues that are named by their short or whole names, or all that have letters; and the ids."""
    ids = frozenset(name for name in names if ID.fullmatch(name))
    if ids and len(ids) < len(set(names)):
        raise click.UsageError("Name queues or ids, not both.")
    some = [letters for name in names for letters in _queues(stack, name)] if names and not ids else _queues(stack)
    return Chosen(list(dict.fromkeys(some)), ids)


def _queues(stack: Stack, name: str | None = None) -> list[DeadLetters]:
    """The queues that have dead letters; all, or the one that was asked for."""
    from heliograph.operations.dead_letters.store import SUFFIX, queues

    found = queues(targets.sqs(stack.target), stack.target.stack)
    if name:
        short = name.removeprefix(f"{stack.target.stack}-").removesuffix(SUFFIX)
        known = ", ".join(letters.queue for letters in found)
        found = [letters for letters in found if letters.queue == short]
        if not found:
            raise No(f"There is no queue {name}.", f"The queues are {known}.")
    return [letters for letters in found if letters.number]


def _explained(stack: Stack, letters: DeadLetters, limit: int) -> list[Explanation]:
    from heliograph.operations.dead_letters.store import peek

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
