"""Whom a command is about: somebody's id, or an address that one person has."""

from __future__ import annotations

import click

from heliograph.text import ids
from heliograph_cli.failures import No
from heliograph_cli.stack import Stack, ask

NAMED = 10  # of the people who share an address


def identifier(_ctx: click.Context, _param: click.Parameter, value: str | None) -> str | None:
    """Refuse what cannot be an identifier: they travel as SES tags."""
    if value is not None and not ids.is_identifier(value):
        raise click.BadParameter("an identifier has 1 to 128 letters, digits, _ or -")
    return value


def whom(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Take an id, an e-mail address, or a phone number with its country code."""
    if is_other_address(value):
        raise click.BadParameter(
            "people are not looked up by endpoints and devices: import a person who has this one, and name the id"
        )
    if not (ids.is_identifier(value) or is_address(value)):
        raise click.BadParameter(
            "neither an id (1 to 128 letters, digits, _ or -) nor an e-mail address nor +49 151 23456789"
        )
    return value


def is_address(value: str) -> bool:
    """Whether it is an address rather than an id: no id has an @ or a +."""
    return "@" in value or value.startswith("+")


def is_other_address(value: str) -> bool:
    """Whether it looks like an endpoint or a device, by which nobody is looked up: no id has a colon."""
    return ":" in value and not is_address(value)


def found(stack: Stack, value: str) -> list[str]:
    """The ids of those whom an address leads to; an id leads to itself."""
    return list(ask(stack, "find", address=value)["recipient_ids"]) if is_address(value) else [value]


def written_to(stack: Stack, value: str) -> list[str]:
    """The same; of an address that nobody has, the guest who was written to there."""
    if not is_address(value):
        return [value]
    answer = ask(stack, "find", address=value)
    return list(answer["recipient_ids"] or filter(None, [answer.get("guest_id")]))


def one(stack: Stack, value: str) -> str:
    """The id of the one person who is meant; raises No when nobody or several have the address."""
    people = written_to(stack, value)
    if not people:
        raise No(f"Nobody is known by {value}.", "`heliograph recipients export` lists everybody.")
    return only(people, value)


def only(people: list[str], value: str) -> str:
    """The one person of these; raises No with the others when there are several."""
    if len(people) > 1:
        more = f" and {len(people) - NAMED:,} more" if len(people) > NAMED else ""
        raise No(f"{value} belongs to {', '.join(people[:NAMED])}{more}.", "Name one of them by the id.")
    return people[0]
