"""`heliograph webhook`: what the owners of endpoints are given."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import click

from heliograph_cli import target as targets
from heliograph_cli.console import answer, facts, remark
from heliograph_cli.failures import No
from heliograph_cli.options import common_options, example
from heliograph_cli.stack import Stack, connect

EXAMPLE = "heliograph webhook secret https://hooks.example.com/orders"


@click.group(epilog=example(EXAMPLE))
@common_options
def webhook() -> None:
    """Show what the owner of an endpoint needs: the secret to verify signatures with."""


@webhook.command(short_help="Show the secret of an endpoint.", epilog=example(EXAMPLE))
@common_options
@click.argument("url", metavar="URL")
def secret(url: str) -> None:
    """Show the secret with which the owner of the endpoint URL verifies that requests are ours.

    Each URL has its own: give it to that owner, and to nobody else. It changes when the URL does.

    After the signing keys were rotated, every request carries a signature for the new secret and for each earlier one.
    Owners change to the new one whenever they like, ten minutes after the rotation or later; an earlier secret ends
    when its key is taken out (docs/deploy.md).
    """
    from heliograph.channels.webhook.secret import secrets_for

    stack = connect()
    _refuse_without_channel(stack)
    found = secrets_for(url, stack=stack.target.stack, client=partial(targets.client, stack.target))
    told = {"endpoint": found.endpoint, "secret": found.secret}
    earlier = {"earlier secrets": "\n".join(found.earlier)} if found.earlier else {}
    answer({**told, "earlier": found.earlier}, facts({**told, **earlier}))
    if found.earlier and now() < found.signs_from:
        remark(
            f"The key of this secret is new: from {found.signs_from:%H:%M} UTC on every request is signed with it."
            " Give it to its owner then; the earlier ones are good until their keys are taken out."
        )


def now() -> datetime:
    """The clock."""
    return datetime.now(UTC)


def _refuse_without_channel(stack: Stack) -> None:
    """Raises No with how to add the channel to those that the stack has."""
    from heliograph.channels.webhook.spec import NAME

    channels = stack.parameters.get("Channels", "").split(",")
    if NAME in channels:
        return
    wanted = ",".join(filter(None, [*channels, NAME]))
    raise No(
        f"The {stack.target} has no channel {NAME}.",
        f"Add it: `heliograph up --channels {wanted}`."
        if stack.target.is_local
        else f"Set Channels={wanted} among parameter_overrides in samconfig.toml, and run `make deploy`.",
    )
