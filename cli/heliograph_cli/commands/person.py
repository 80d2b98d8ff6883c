"""`heliograph timeline` and `heliograph why`: what one person was sent, and which rule decided it."""

from __future__ import annotations

from typing import Any

import click
from rich.table import Table

from heliograph.domain.planning import PASSED
from heliograph_cli.commands.send import identifier
from heliograph_cli.console import answer, remark, table
from heliograph_cli.failures import No
from heliograph_cli.options import common_options
from heliograph_cli.stack import ask, connect, link


@click.command(epilog="Example: heliograph timeline anna-1")
@common_options
@click.argument("recipient", callback=identifier)
def timeline(recipient: str) -> None:
    """Show every decision about RECIPIENT and what came of it, newest first."""
    stack = connect()
    told = ask(stack, "timeline", recipient_id=recipient)
    answer(told, _entries(told))
    if told.get("html_key"):
        remark(f"As a page: {link(stack, told['html_key'])}")


def _entries(told: dict[str, Any]) -> Table | str:
    if not told["entries"]:
        return f"Nothing was decided about {told['recipient_id']} yet."
    shown = table("decided", "message", "channel", "outcome", "reason", "what happened")
    for each in sorted(told["entries"], key=lambda entry: str(entry["decided_at"]), reverse=True):
        happened = ", ".join(sorted(each["facts"], key=each["facts"].__getitem__))
        until = f"until {each['until']}" if each["until"] else happened
        shown.add_row(
            each["decided_at"], each["message"], each["channel"] or "", each["outcome"], each["reason"] or "", until
        )
    return shown


@click.command(epilog="Example: heliograph why anna-1 --message spring_sale")
@common_options
@click.argument("recipient", callback=identifier)
@click.option("--message", metavar="NAME", callback=identifier, help="The latest request of this message.")
def why(recipient: str, message: str | None) -> None:
    """Show the rules that were asked for the latest request about RECIPIENT, and the outcome."""
    told = ask(connect(), "why", recipient_id=recipient, message=message)
    if not told:
        raise No(f"Nothing was decided about {recipient} yet.", "`heliograph send` asks for a message.")
    by = f" by {told['channel']}" if told["channel"] else ""
    outcome = " ".join(str(told[name]) for name in ("outcome", "reason") if told[name])
    answer(told, _rules(told), title=f"{told['message']}: {outcome}{by} ({told['decided_at']})")


def _rules(told: dict[str, Any]) -> Table:
    shown = table("channel", "rule", "result")
    for each in told["rules"]:
        style = "" if each["result"] == PASSED else "bold"
        shown.add_row(each["channel"], each["rule"], each["result"], style=style)
    return shown
