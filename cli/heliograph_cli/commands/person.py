"""`heliograph timeline` and `heliograph why`: what one person was sent, and which rule decided it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import click

from heliograph.planning.rules import PASSED
from heliograph.reporting.explaining import at, decided, reason
from heliograph.reporting.statements import in_order
from heliograph_cli.commands.consents import moment
from heliograph_cli.console import answer, bold, remark, stacked, table
from heliograph_cli.options import common_options, example
from heliograph_cli.people import identifier, one, whom
from heliograph_cli.stack import Stack, ask, connect, link, links_open

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.table import Table


@click.command(epilog=example("heliograph timeline anna-1"))
@common_options
@click.argument("recipient", callback=whom)
@click.option(
    "--limit", type=click.IntRange(1), default=100, show_default=True, help="Show at most this many decisions."
)
def timeline(recipient: str, limit: int) -> None:
    """Show the decisions about RECIPIENT (an id, or an address) and what came of them, newest first."""
    stack = connect()
    told = pages(stack, one(stack, recipient), limit)
    answer(told, _entries(told))
    if told["before"]:
        remark("There are more: use --limit.")
    if told.get("html_key"):
        remark(f"As a page, for {links_open(stack)}: {link(stack, told['html_key'])}")


def pages(stack: Stack, recipient_id: str, limit: int) -> dict[str, Any]:
    """So many decisions, in as many answers as it takes."""
    told: dict[str, Any] = ask(stack, "timeline", recipient_id=recipient_id)
    while told.get("before") and len(told["entries"]) < limit:
        further = ask(stack, "timeline", recipient_id=recipient_id, before=told["before"])
        told |= {"entries": told["entries"] + further["entries"], "before": further["before"]}
    left = told.get("before") or ("cut" if len(told["entries"]) > limit else None)
    return told | {"entries": told["entries"][:limit], "before": left}


def _entries(told: dict[str, Any]) -> Table | str:
    if not told["entries"]:
        return f"Nothing was decided about {told['recipient_id']} yet."
    shown = table("decided", "message", "channel", "outcome", "why", "what happened")
    for each in sorted(told["entries"], key=lambda entry: str(entry["decided_at"]), reverse=True):
        why = reason(each["reason"], each) if each["reason"] else ""
        about = f"{each['message']} ({each['reference']})" if each.get("reference") else each["message"]
        shown.add_row(
            each["decided_at"], about, each["channel"] or "", each["outcome"], why, "; ".join(_happened(each))
        )
    return shown


def _happened(entry: dict[str, Any]) -> Iterator[str]:
    for kind in in_order(entry["events"]):
        yield f"{kind} ({entry['cause']})" if entry.get("cause") and kind == entry["state"] else kind
    if entry["until"]:
        yield f"planned again on {at(entry['until'], entry)}"
    elif entry["next_time"]:
        yield f"the next one could go on {at(entry['next_time'], entry)}"


@click.command(epilog=example("heliograph why anna-1 --message spring_sale"))
@common_options
@click.argument("recipient", callback=whom)
@click.option("--message", metavar="NAME", callback=identifier, help="The latest decision on this message.")
@click.option("--run", "run_id", metavar="RUN", callback=identifier, help="The latest decision in this run.")
@click.option("--name", metavar="TEXT", help="The latest decision under an event's id, key or reference.")
@click.option(
    "--at", "when", metavar="TIME", callback=moment, help="As of this time (ISO 8601; UTC if it names no zone)."
)
def why(recipient: str, message: str | None, run_id: str | None, name: str | None, when: str | None) -> None:
    """Tell why RECIPIENT (an id, or an address) did or did not get a message.

    It explains the latest decision, with everything that it was made of.
    """
    stack = connect()
    person = one(stack, recipient)
    told = ask(stack, "why", recipient_id=person, message=message, run_id=run_id, name=name, at=when)
    answer(told, explanation(decided(told), told))


def explanation(sentences: Sequence[str], told: dict[str, Any]) -> RenderableType:
    """Sentences, and what every rule found for every channel that was tried."""
    shown = table("channel", "what the rules found")
    for each in told["rules"]:
        style = "" if each["result"] == PASSED else "bold"
        shown.add_row(each["channel"], each["says"], style=style)
    first, *rest = sentences
    rules: tuple[RenderableType, ...] = ("", shown) if told["rules"] else ()
    return stacked(bold(first), *rest, *rules)
