"""`heliograph approvals`: requests that are more than was expected; approve them, or drop them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from heliograph.text.quantities import counted
from heliograph_cli import adapters
from heliograph_cli.console import answer, progress, remark, table
from heliograph_cli.failures import No, Trouble
from heliograph_cli.options import common_options, example
from heliograph_cli.stack import connect

if TYPE_CHECKING:
    from heliograph.approvals.approval import ApprovalKey
    from heliograph.approvals.store import Approvals
    from heliograph.approvals.work import Waiting

NOTHING = "Nothing waits for approval."
SHOWN = 3  # packs of a row, in the table
WHY = {
    "most_per_event": "an event named more than {:,}",
    "most_per_hour": "more than {:,} in an hour",
}
NAMES = click.argument("names", nargs=-1, required=True, metavar="MESSAGE|PACK...")
YES = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


@click.group(epilog=example("heliograph approvals list"))
@common_options
def approvals() -> None:
    """Approve or drop requests that wait, because they are more than their message expects."""


@approvals.command(
    "list", short_help="List what waits for approval.", epilog=example("heliograph approvals list --json")
)
@common_options
def list_() -> None:
    """List what waits for approval: which message, how many people, since when, and why."""
    store = adapters.approvals(connect())
    rows = _rows(_waiting(store, store.listed()))
    shown = table("message", "people", "since", "why", "packs")
    for row in rows:
        packs = [*row["packs"][:SHOWN], *([f"and {len(row['packs']) - SHOWN:,} more"] if row["packs"][SHOWN:] else [])]
        why = WHY[row["why"]].format(row["most"])
        shown.add_row(row["message"], f"{row['people']:,}", row["since"], why, "\n".join(packs))
    answer(rows, shown if rows else NOTHING)
    if rows:
        remark("What to do: heliograph approvals approve MESSAGE, or heliograph approvals drop MESSAGE")


@approvals.command(
    short_help="Approve what waits, and send it.", epilog=example("heliograph approvals approve order_shipped")
)
@common_options
@NAMES
@YES
def approve(names: tuple[str, ...], yes: bool) -> None:
    """Approve what waits of MESSAGE, or in PACK, and send it.

    Safe to repeat: nobody gets anything twice. What has expired meanwhile is not sent; its timeline says so.
    """
    from heliograph.approvals import work

    stack = connect()
    store, queues = adapters.approvals(stack), adapters.requests(stack)
    some = _chosen(store, names, yes, "Send {messages}")
    with progress() as bar:
        task = bar.add_task("approve", total=len(some))
        with repeatable():
            done = work.approve(
                store, some, queues, now=datetime.now(UTC), advance=lambda number: bar.advance(task, number)
            )
    told = {"packs": done.packs, "people": done.people, "expired": done.expired}
    went = counted(done.people, "request is", "requests are")
    late = (
        f" {counted(done.expired, 'of them has', 'of them have')} expired, and will not be sent."
        if done.expired
        else ""
    )
    answer(told, f"{went} on their way.{late} What comes of each: heliograph timeline RECIPIENT")


@approvals.command(
    short_help="Drop what waits for approval.",
    epilog=example("heliograph approvals drop 01KAJ8ZQG0PACK00000000000P --yes"),
)
@common_options
@NAMES
@YES
def drop(names: tuple[str, ...], yes: bool) -> None:
    """Drop what waits of MESSAGE, or in PACK: everybody's timeline then says `dropped`.

    Safe to repeat. Whoever was decided on before keeps that decision.
    """
    from heliograph.approvals import work

    stack = connect()
    store, ledger = adapters.approvals(stack), adapters.ledger(stack)
    some = _chosen(store, names, yes, "Never send {messages}")
    with progress() as bar:
        task = bar.add_task("drop", total=len(some))
        with repeatable():
            done = work.drop(
                store, some, ledger, now=datetime.now(UTC), advance=lambda number: bar.advance(task, number)
            )
    before = f"; {done.decided_before:,} had been decided on before" if done.decided_before else ""
    told = {"packs": done.packs, "people": done.people, "decided_before": done.decided_before}
    answer(told, f"{counted(done.people, 'request was', 'requests were')} dropped{before}.")


@contextmanager
def repeatable() -> Iterator[None]:
    """Say that the command can be run again when AWS was too busy for all of it, or SQS refused some of it."""
    from heliograph.aws.errors import BusyError, QueueError

    try:
        yield
    except (BusyError, QueueError) as error:
        raise Trouble(
            f"AWS did not take all of it: {error}.",
            "Run the command again: nobody gets anything twice, what is done stays done.",
        ) from error


def _waiting(store: Approvals, keys: Sequence[ApprovalKey]) -> list[Waiting]:
    from heliograph.approvals import work

    with progress() as bar:
        task = bar.add_task("approvals", total=len(keys))
        return list(work.waiting(store, keys, lambda number: bar.advance(task, number)))


def _rows(found: Sequence[Waiting]) -> list[dict[str, Any]]:
    """A row for each message and limit, what waits longest first."""
    groups: dict[tuple[str, str, int], list[Waiting]] = defaultdict(list)
    for each in found:
        groups[each.key.message, each.limit.value, each.most].append(each)
    return sorted(map(_row, groups.values()), key=lambda row: str(row["since"]))


def _row(some: Sequence[Waiting]) -> dict[str, Any]:
    """What waits of one message for one limit."""
    return {
        "message": some[0].key.message,
        "people": sum(each.people for each in some),
        "since": min(each.since for each in some).isoformat(timespec="seconds"),
        "why": some[0].limit.value,
        "most": some[0].most,
        "packs": [each.key.pack_id for each in some],
    }


def _chosen(store: Approvals, names: Sequence[str], yes: bool, question: str) -> list[ApprovalKey]:
    """What waits under the names of messages or packs, once the operator has agreed."""
    every = store.listed()
    if unknown := set(names) - {name for key in every for name in (key.message, key.pack_id)}:
        raise No(
            f"Nothing waits for approval under {', '.join(sorted(unknown))}.",
            "`heliograph approvals list` shows what is.",
        )
    some = [key for key in every if {key.message, key.pack_id} & {*names}]
    if not yes:
        found = _waiting(store, some)
        messages = ", ".join(sorted({each.key.message for each in found}))
        asked = question.format(messages=counted(sum(each.people for each in found), "message"))
        click.confirm(f"{asked} ({messages}, {counted(len(found), 'pack')})?", abort=True, err=True)
    return some
