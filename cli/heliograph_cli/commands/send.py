"""`heliograph send`: ask for one message to one person, as any product system can."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import click

from heliograph.reporting.explaining import foreseen
from heliograph.text.errors import MalformedError
from heliograph.text.payloads import KEY_BYTES, REFERENCE_BYTES, short
from heliograph_cli.console import answer, remark
from heliograph_cli.failures import No, Trouble
from heliograph_cli.options import common_options, example
from heliograph_cli.people import found, identifier, only, whom
from heliograph_cli.stack import Stack, ask, connect
from heliograph_cli.target import events

SOURCE = "heliograph.cli"
EVENT_BYTES = 256_000  # of an event, which travels on in messages of SQS beside the names of what it belongs to


def json_object(_ctx: click.Context, _param: click.Parameter, value: str) -> dict[str, Any]:
    """Refuse what is not a JSON object, with its position."""
    import msgspec

    try:
        data = msgspec.json.decode(value)
    except msgspec.DecodeError as error:
        raise click.BadParameter(f"{error}. {_quoting(value)}") from error
    except RecursionError as error:
        raise click.BadParameter("it is nested too deep") from error
    if not isinstance(data, dict):
        raise click.BadParameter('a JSON object is needed, such as {"order_id": "A-1001"}')
    return data


def _quoting(value: str) -> str:
    return 'Put single quotes round it: \'{"order_id": "A-1001"}\'' if value[:1] == "{" and '"' not in value else ""


def of_bytes(most: int) -> Callable[[click.Context, click.Parameter, str | None], str | None]:
    """Refuse what cannot be kept: more bytes, or what cannot be shown."""

    def check(_ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
        try:
            return value and short(value, str(param.name), most)
        except MalformedError as error:
            raise click.BadParameter(error.reason) from error

    return check


@click.command(
    epilog=example('heliograph send password_reset --to anna-1 --data \'{"reset_url": "https://example.com/r/1"}\'')
)
@common_options
@click.argument("message", callback=identifier)
@click.option("--to", "recipient", required=True, metavar="ID|ADDRESS", callback=whom, help="Who gets it.")
@click.option("--data", default="{}", metavar="JSON", callback=json_object, help="The data for the message, as JSON.")
@click.option(
    "--idempotency-key",
    metavar="KEY",
    callback=of_bytes(KEY_BYTES),
    help="The same key twice sends once (default: a new one).",
)
@click.option(
    "--reference",
    metavar="TEXT",
    callback=of_bytes(REFERENCE_BYTES),
    help="A name to find it by later, such as an order number: `heliograph find TEXT`.",
)
def send(
    message: str, recipient: str, data: dict[str, Any], idempotency_key: str | None, reference: str | None
) -> None:
    """Send MESSAGE to one person, by a SendRequested event on the bus.

    First it checks that the message and the person exist, and that the data has everything that the words need.
    """
    stack = connect()
    detail = {"message": message, **_addressed(stack, recipient), "data": data}
    names = {"idempotency_key": idempotency_key, "reference": reference}
    detail |= {name: value for name, value in names.items() if value}
    if len(json.dumps(detail).encode()) > EVENT_BYTES:
        raise Trouble(f"The data is larger than the {EVENT_BYTES:,} bytes of an event.", "Send a link to the rest.")
    told = rehearsed(stack, detail)
    event_id = put_event(stack, "SendRequested", detail)
    answer(
        {"event_id": event_id, "message": message, "recipient_id": told["recipient_id"], "foreseen": told},
        f"Requested. What comes of it: heliograph timeline {told['recipient_id']}",
    )
    if told["outcome"] != "dispatched":
        remark(f"As things are, {foreseen(told)}")


def _addressed(stack: Stack, recipient: str) -> dict[str, Any]:
    """The person whom an id or an address leads to; an address that nobody has stands for itself."""
    people = found(stack, recipient)
    if people:
        return {"recipient_id": only(people, recipient)}
    return {"email" if "@" in recipient else "phone": recipient}


def rehearsed(stack: Stack, detail: dict[str, Any]) -> dict[str, Any]:
    """What would come of a request; raises No or Trouble when it could come to nothing."""
    told: dict[str, Any] = ask(stack, "rehearse", detail=detail)
    if not told["known"] and "recipient_id" in detail:
        unknown = detail["recipient_id"]
        raise No(f"Nobody is known as {unknown}.", "Import them, or send to an address: --to anna@example.com")
    for channel, lack in told["lacks"].items():
        if channel == told["channel"] or not told["channel"]:
            said = f"{detail['message']} cannot be written by {channel}: {_lack(lack)}."
            raise Trouble(said, "Give what is missing with --data JSON, or as an attribute of the person.")
        remark(f"By {channel} it could not be written: {_lack(lack)}.")
    return told


def _lack(lack: dict[str, str]) -> str:
    """A variable is named by its path; what has a blank says itself what is wrong."""
    is_path = lack["reason"] == "missing_variable" and " " not in lack["detail"]
    return f"{lack['detail']} is missing" if is_path else lack["detail"]


def put_event(stack: Stack, detail_type: str, detail: dict[str, Any]) -> str:
    """Put one event on the bus; returns its id."""
    entry = {"EventBusName": stack.bus, "Source": SOURCE, "DetailType": detail_type, "Detail": json.dumps(detail)}
    answered = events(stack.target).put_events(Entries=[entry])  # type: ignore[list-item]  # stubs want a TypedDict
    if answered["FailedEntryCount"]:
        raise Trouble(
            f"The bus refused the event: {answered['Entries'][0].get('ErrorCode')}.", "Run the command again."
        )
    return answered["Entries"][0]["EventId"]
