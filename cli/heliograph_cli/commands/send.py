"""`heliograph send`: ask for one message to one person, as any product system can."""

from __future__ import annotations

import json
from typing import Any

import click

from heliograph.domain import ids
from heliograph_cli.console import answer
from heliograph_cli.failures import Trouble
from heliograph_cli.options import common_options, example
from heliograph_cli.stack import Stack, connect
from heliograph_cli.target import events

SOURCE = "heliograph.cli"


def identifier(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """Refuse what cannot be an identifier: they travel as SES tags."""
    if value is not None and not ids.is_identifier(value):
        raise click.BadParameter("an identifier has 1 to 128 letters, digits, _ or -")
    return value


def json_object(_ctx: click.Context, _param: click.Parameter, value: str) -> dict[str, Any]:
    """Refuse what is not a JSON object, with its place."""
    try:
        data = json.loads(value)
    except json.JSONDecodeError as error:
        raise click.BadParameter(f"not JSON at character {error.pos + 1}: {error.msg}") from error
    if not isinstance(data, dict):
        raise click.BadParameter('a JSON object is needed, such as {"order_id": "A-1001"}')
    return data


@click.command(
    epilog=example('heliograph send password_reset --to anna-1 --data \'{"reset_url": "https://example.com/r/1"}\'')
)
@common_options
@click.argument("message", callback=identifier)
@click.option("--to", "recipient_id", required=True, metavar="ID", callback=identifier, help="Recipient to send to.")
@click.option("--data", default="{}", metavar="JSON", callback=json_object, help="What the message is rendered from.")
@click.option("--idempotency-key", metavar="KEY", help="The same key twice sends once (default: a new one).")
def send(message: str, recipient_id: str, data: dict[str, Any], idempotency_key: str | None) -> None:
    """Send MESSAGE to one recipient by putting SendRequested on the bus."""
    detail = {"message": message, "recipient_id": recipient_id, "data": data}
    if idempotency_key:
        detail["idempotency_key"] = idempotency_key
    event_id = put_event(connect(), "SendRequested", detail)
    next_step = f"Requested. What comes of it: heliograph timeline {recipient_id}"
    answer({"event_id": event_id, "message": message, "recipient_id": recipient_id}, next_step)


def put_event(stack: Stack, detail_type: str, detail: dict[str, Any]) -> str:
    """Put one event on the bus; returns its id."""
    entry = {"EventBusName": stack.bus, "Source": SOURCE, "DetailType": detail_type, "Detail": json.dumps(detail)}
    answered = events(stack.target).put_events(Entries=[entry])  # type: ignore[list-item]  # stubs want a TypedDict
    if answered["FailedEntryCount"]:
        raise Trouble(
            f"The bus refused the event: {answered['Entries'][0].get('ErrorCode')}.", "Run the command again."
        )
    return answered["Entries"][0]["EventId"]
