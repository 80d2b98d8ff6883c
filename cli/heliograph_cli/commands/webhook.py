"""`heliograph webhook`: what the owners of endpoints are given."""

from __future__ import annotations

from functools import partial

import click

from heliograph_cli import target as targets
from heliograph_cli.console import answer, facts
from heliograph_cli.options import common_options, example
from heliograph_cli.stack import connect

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
    found = secrets_for(url, stack=stack.target.stack, client=partial(targets.client, stack.target))
    told = {"endpoint": found.endpoint, "secret": found.secret}
    earlier = {"earlier secrets": "\n".join(found.earlier)} if found.earlier else {}
    answer({**told, "earlier": found.earlier}, facts({**told, **earlier}))
