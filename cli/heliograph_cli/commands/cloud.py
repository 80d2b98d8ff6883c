"""`heliograph up` and `heliograph down`: the local cloud."""

from __future__ import annotations

import click

from heliograph.channels.registry import refusal
from heliograph_cli.console import answer, remark
from heliograph_cli.local import cloud
from heliograph_cli.options import common_options, example

PORT = click.option(
    "--port", type=click.IntRange(1, 65535), help=f"Port (default: a free one from {cloud.PORTS[0]} on)."
)


def usable_channels(_ctx: click.Context, _param: click.Parameter, value: str) -> str:
    """Refuse what no stack can have, before anything starts."""
    if why := value and refusal(value):
        raise click.BadParameter(why)
    return value


@click.command(epilog=example("heliograph up --port 4600"))
@common_options
@PORT
@click.option(
    "--channels",
    metavar="NAMES",
    default="",
    callback=usable_channels,
    help="Channels of the stack, such as email,sms,push,webhook (default: as before).",
)
def up(port: int | None, channels: str) -> None:
    """Start the local cloud on 127.0.0.1 and deploy the built stack on it."""
    started = cloud.up(port=port, state_file=cloud.STATE, channels=channels, progress=remark)
    webhooks = cloud.webhook_endpoint(started)
    told = {"endpoint": started.endpoint, "region": started.region, "stack": started.stack, "webhooks": webhooks}
    answer(told, f"Heliograph runs. Outbox: {started.endpoint}/_heliograph/outbox\nWebhooks go to {webhooks}")


@click.command(epilog=example("heliograph down"))
@common_options
def down() -> None:
    """Stop the local cloud and leave nothing behind."""
    cloud.down(state_file=cloud.STATE, progress=remark)
    answer({"state": "stopped"}, "Nothing runs here any more.")
