"""`heliograph decide`: what would happen to a message now, without sending it."""

from __future__ import annotations

import click

from heliograph.reporting.explaining import would_be
from heliograph_cli.commands.consents import moment
from heliograph_cli.commands.person import explanation
from heliograph_cli.console import answer
from heliograph_cli.options import common_options, example
from heliograph_cli.people import identifier, one, whom
from heliograph_cli.stack import ask, connect


@click.command(epilog=example("heliograph decide anna-1 spring_sale --at 2026-11-23T09:00+01:00"))
@common_options
@click.argument("recipient", callback=whom)
@click.argument("message", callback=identifier)
@click.option("--at", metavar="TIME", callback=moment, help="At another time (ISO 8601; UTC if it names no zone).")
def decide(recipient: str, message: str, at: str | None) -> None:
    """Tell what would be decided now on MESSAGE to RECIPIENT (an id, or an address). Nothing is sent, reserved or kept.

    It uses what is known of the person now: what changes until then is not foreseen.
    """
    stack = connect()
    told = ask(stack, "decide", recipient_id=one(stack, recipient), message=message, at=at)
    answer(told, explanation(would_be(told), told))
