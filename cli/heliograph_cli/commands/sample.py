"""`heliograph test-send`: a message's sample to oneself, by the way that every message takes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from heliograph.channels.registry import address_kinds, channels_of
from heliograph.channels.spec import AddressKind
from heliograph.reporting.explaining import came_of, foreseen
from heliograph.text import ids
from heliograph.text.errors import MalformedError
from heliograph_cli import adapters
from heliograph_cli.commands.send import put_event, rehearsed
from heliograph_cli.compiled import catalogue, policy
from heliograph_cli.console import answer, remark
from heliograph_cli.failures import No, Trouble
from heliograph_cli.options import common_options, example
from heliograph_cli.people import identifier, is_address, is_other_address
from heliograph_cli.stack import Stack, ask, connect
from heliograph_cli.waiting import until_still

PATIENCE = 90.0  # seconds in which nothing moves
POLL_MOST = 3.0  # seconds
UNDERWAY = frozenset({"pending", "retry"})


def address(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Refuse what can be no address of any kind."""
    if not (is_address(value) or is_other_address(value)):
        raise click.BadParameter(
            "an e-mail address, a phone number such as +4915123456789, or what a person has in a column of an import:"
            " gcm:TOKEN, https://hooks.example.com/a"
        )
    return value


def kind_of(to: str, region: str) -> AddressKind:
    """The kind of an address: the first that can read it. Raises Trouble with why it is none.

    A token of a device may hold digits that would be a phone number of that region: a number has its country code here.
    """
    reasons = []
    for kind in (each for each in address_kinds().values() if bool(each.indexed_by) is is_address(to)):
        try:
            kind.read(to, region)
        except MalformedError as error:
            reasons.append(f"{error.position} {error.reason}")
        else:
            return kind
    raise Trouble(f"{to} is no address: {'; '.join(reasons)}.", "Correct it and run the command again.")


@click.command("test-send", epilog=example("heliograph test-send order_shipped --to me@example.com --locale de"))
@common_options
@click.argument("message", callback=identifier)
@click.option("--to", required=True, metavar="ADDRESS", callback=address, help="Your own address, of any kind.")
@click.option("--locale", metavar="TAG", default="", help="The language to send it in (default: the policy's).")
@click.option(
    "--templates",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    default="templates",
    show_default=True,
    help="Where the message's sample is.",
)
def test_send(message: str, to: str, locale: str, templates: Path) -> None:
    """Send the sample of MESSAGE, as it is deployed, to yourself; exits with 0 once the provider accepted it.

    It goes through the whole stack, for a person who is created for it, has opted in to its topic, and is erased
    afterwards. The hours and holidays of the policy apply.
    """
    facts, sample = _facts(message), _sample(templates, message, locale)
    kind = kind_of(to, policy().default_region)
    channel = channels_of(kind)[0]
    stack, now = connect(), datetime.now(UTC)
    person = f"test-{ids.derived_id(now, 'test-send', message, to)}"
    given: dict[str, Any] = {"recipient_id": person, kind.column: to, "locale": locale}
    given["attributes"] = sample.get("recipient", {})
    given["consents"] = {f"{about}/{channel}": "confirmed" for about in (facts["topic"], facts["purpose"])}
    with _somebody(stack, given):
        entry = _sent(stack, {"message": message, "recipient_id": person, "data": sample.get("data", {})}, channel)
    told = {"message": message, "recipient_id": person, **{name: entry[name] for name in TOLD}}
    answer(told, f"{message} was sent by {channel} to {to}; {came_of(entry)}.")


TOLD = ("channel", "state", "provider_message_id", "dispatch_id")


def _sent(stack: Stack, detail: dict[str, Any], channel: str) -> dict[str, Any]:
    """Send, and follow it to the provider; raises No when it does not get there."""
    told = rehearsed(stack, detail)
    if (told["outcome"], told["channel"]) != ("dispatched", channel):
        raise No(f"As things are, {foreseen(told)}", f"Ask about another time: heliograph decide ID {told['message']}")
    put_event(stack, "SendRequested", detail)
    remark("Requested. Waiting for the provider.")

    def look() -> tuple[list[dict[str, Any]], bool]:
        entries = ask(stack, "timeline", recipient_id=detail["recipient_id"])["entries"]
        return entries, any(each["state"] not in UNDERWAY for each in entries)

    entries = until_still(look, patience=PATIENCE, most=POLL_MOST)
    entry = next((each for each in entries if each["state"] not in UNDERWAY), None)
    if entry is None:
        raise No(
            f"It is not with the provider, and nothing moved for {PATIENCE:.0f} s.",
            "`heliograph status` shows what waits.",
        )
    if entry["state"] not in ("accepted", "delivered", "opened", "clicked"):
        why = entry["reason"] or came_of(entry)
        raise No(f"It was not sent: {why.replace('_', ' ')}.", "`heliograph doctor` looks at the deployment.")
    return entry


@contextmanager
def _somebody(stack: Stack, given: dict[str, Any]) -> Iterator[None]:
    """A person as an event would bring them in, for as long as the block."""
    from heliograph.people.changes import from_event
    from heliograph.people.erasing.work import erase_person

    rules = policy()
    change = from_event(
        given,
        region=rules.default_region,
        double_opt_in=rules.double_opt_in,
        source="api:test-send",
        at=datetime.now(UTC),
    )
    if change.problems:
        raise Trouble(f"{change.problems[0]}.", "Correct it and run the command again.")
    adapters.recipients(stack).save(change)
    try:
        yield
    finally:
        erase_person(adapters.recipients(stack), adapters.bucket(stack), given["recipient_id"])


def _facts(message: str) -> dict[str, Any]:
    messages = catalogue().get("messages", {})
    if message not in messages:
        raise No(f"There is no message {message}.", f"`make build` compiled {', '.join(sorted(messages)) or 'none'}.")
    return dict(messages[message])


def _sample(templates: Path, message: str, locale: str) -> dict[str, Any]:
    """The sample of a language, else the one for all."""
    folder = templates / "messages" / message
    for name in (f"sample.{locale}.json", "sample.json"):
        if (folder / name).is_file():
            try:
                sample = json.loads((folder / name).read_text(encoding="utf-8"))
            except ValueError as error:
                raise Trouble(f"{folder / name} is not JSON: {error}.", "`heliograph lint` shows where.") from error
            return dict(sample)
    raise No(f"{folder} has no sample.json.", "--templates names the folder of the templates.")
