"""`heliograph outbox`: what the local cloud's providers took, newest first."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import Request, urlopen

import click

from heliograph.channels.registry import CHANNELS
from heliograph_cli import target as targets
from heliograph_cli.console import answer, table
from heliograph_cli.failures import Trouble
from heliograph_cli.options import common_options, example
from heliograph_cli.target import Target

if TYPE_CHECKING:
    from rich.table import Table

PREVIEW_LIMIT = 60
TIMEOUT = 30.0
SHOWN = ("channel", "to", "subject", "text", "html", "headers", "tags", "provider_message_id", "sent_at")


@click.command(epilog=example("heliograph outbox --channel sms --limit 5"))
@common_options
@click.option("--channel", type=click.Choice(CHANNELS), help="Only this channel.")
@click.option("--to", metavar="ADDRESS", help="Only what went to this address.")
@click.option(
    "--limit", type=click.IntRange(1), default=50, show_default=True, help="Show at most this many, newest first."
)
def outbox(channel: str | None, to: str | None, limit: int) -> None:
    """Show the messages that were sent, on the local cloud."""
    messages = fetch(targets.chosen(), channel=channel, to=to, limit=limit)
    answer([{name: each.get(name) for name in SHOWN} for each in messages], _listed(messages, channel, to))


def fetch(target: Target, **filters: str | int | None) -> list[dict[str, Any]]:
    """The messages of the outbox, newest first."""
    query = urlencode({name: value for name, value in filters.items() if value is not None})
    found: list[dict[str, Any]] = call(target, f"outbox.json?{query}")
    return found


def page_url(target: Target) -> str:
    """Where the outbox page is."""
    return f"{target.endpoint}/_heliograph/outbox"


def call(target: Target, path: str, body: Any = None) -> Any:
    """Call one of the local cloud's own endpoints."""
    if urlsplit(target.endpoint).scheme not in {"http", "https"}:
        raise Trouble("Only the local cloud has an outbox and none is running.", "Start it with `heliograph up`.")
    payload = None if body is None else json.dumps(body).encode()
    request = Request(f"{target.endpoint}/_heliograph/{path}", payload, {"Content-Type": "application/json"})  # noqa: S310
    try:
        with urlopen(request, timeout=TIMEOUT) as response:  # noqa: S310  # the scheme was checked
            return json.loads(response.read() or "null")
    except HTTPError as error:
        raise Trouble(f"The local cloud refused {path.partition('?')[0]}: {error.read().decode()}.") from error
    except URLError as error:
        raise Trouble(f"The outbox at {target.endpoint} does not answer.", "Start it with `heliograph up`.") from error


def _listed(messages: list[dict[str, Any]], channel: str | None, to: str | None) -> Table | str:
    if not messages and (channel or to):
        return f"Nothing{f' by {channel}' if channel else ''}{f' to {to}' if to else ''}."
    if not messages:
        return "The outbox is empty. Send something: heliograph send order_shipped --to ID --data JSON"
    shown = table("sent", "channel", "to", "message")
    for each in messages:
        words = " ".join(str(each.get("subject") or each.get("text") or "").split())
        shown.add_row(each["sent_at"], each["channel"], str(each["to"]), words[:PREVIEW_LIMIT])
    return shown
