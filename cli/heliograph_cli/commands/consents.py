"""`heliograph consents`: what one person consented to, now or at a time, and the proof of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from heliograph.channels.registry import CHANNELS
from heliograph.model.people import ConsentState
from heliograph_cli.console import answer, stacked, table
from heliograph_cli.options import common_options, example
from heliograph_cli.people import one, whom
from heliograph_cli.stack import ask, connect

if TYPE_CHECKING:
    from rich.table import Table

WORDS = {
    ConsentState.OPTED_IN: "opted in",
    ConsentState.OPTED_OUT: "opted out",
    ConsentState.PENDING: "waits for confirmation",
    ConsentState.NOT_SET: "not set",
}


def moment(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """A time as it was given, once it can be read."""
    from heliograph.text.addresses import moment
    from heliograph.text.errors import MalformedError

    try:
        return moment(value).isoformat() if value else None
    except MalformedError as error:
        raise click.BadParameter(f"{error.reason}, such as 2026-11-21T10:00:00Z.") from None


@click.command(epilog=example("heliograph consents anna-1 --at 2026-11-21T10:00:00Z"))
@common_options
@click.argument("recipient", callback=whom)
@click.option("--at", metavar="TIME", callback=moment, help="Show the consents at this time (ISO 8601; default: now).")
def consents(recipient: str, at: str | None) -> None:
    """Show what RECIPIENT consented to, by channel, and every answer they ever gave, newest last.

    A history entry names the version of the text that was shown, where the proof is, and when it was recorded.
    """
    stack = connect()
    told = ask(stack, "consents", recipient_id=one(stack, recipient), at=at)
    when = f"at {told['at']}" if told["at"] else "now"
    title = f"{told['recipient_id']}, {when}"
    answer(told, stacked(_states(told["consents"]), "", _history(told["history"])), title=title)


def _states(told: list[dict[str, Any]]) -> Table:
    """A row for each topic and purpose, a column for each channel."""
    states = {(each["subject"], each["channel"]): WORDS[ConsentState(each["state"])] for each in told}
    shown = table("topic or purpose", *CHANNELS)
    for subject in dict.fromkeys(subject for subject, _ in states):
        shown.add_row(subject, *(states.get((subject, channel), "") for channel in CHANNELS))
    return shown


def _history(told: list[dict[str, Any]]) -> Table | str:
    if not told:
        return "No answer was ever given."
    shown = table("said", "about", "channel", "state", "source", "text shown", "proof", "known since", "holds")
    for each in told:
        shown.add_row(
            each["at"],
            each["subject"],
            each["channel"],
            WORDS[ConsentState(each["state"])],
            *(each[name] for name in ("source", "text", "proof", "recorded_at")),
            "yes" if each["holds"] else "",
        )
    return shown
