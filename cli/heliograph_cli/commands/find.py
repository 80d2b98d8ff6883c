"""`heliograph find`: what was asked for under a reference or an idempotency key, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from heliograph.reporting.explaining import reason
from heliograph_cli.commands.send import of_bytes
from heliograph_cli.console import answer, table
from heliograph_cli.options import common_options, example
from heliograph_cli.stack import ask, connect

if TYPE_CHECKING:
    from rich.table import Table

NAME_BYTES = 255  # the longest name, that of an idempotency key


@click.command(epilog=example("heliograph find A-1001"))
@common_options
@click.argument("name", callback=of_bytes(NAME_BYTES))
def find(name: str) -> None:
    """Find requests by NAME: a reference, an idempotency key, or the reference of a campaign."""
    told = ask(connect(), "named", name=name)
    answer(told, _rows(told))


def _rows(told: dict[str, Any]) -> Table:
    """A row for every decision, for what was not decided on yet, and for every run."""
    shown = table("person", "message", "channel", "outcome", "what came of it", "decided")
    for request in told["requests"]:
        for each in request["entries"]:
            why = reason(each["reason"], each) if each["reason"] else each["state"]
            about = (each["message"], each["channel"] or "", each["outcome"], why, each["decided_at"])
            shown.add_row(request["recipient_id"], *about)
        if not request["entries"]:
            shown.add_row(request["recipient_id"], "", "", "", "nothing was decided yet", "")
    for run in told["runs"]:
        shown.add_row("", f"run {run['run_id']} of {run['campaign']}", "", "", "", run["started_at"])
    return shown
