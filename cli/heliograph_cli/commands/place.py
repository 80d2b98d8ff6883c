"""`heliograph up` and `heliograph down`: the local cloud."""

from __future__ import annotations

import click

from heliograph_cli import cloud
from heliograph_cli.console import answer, remark
from heliograph_cli.options import common_options, example


@click.command(epilog=example("heliograph up"))
@common_options
def up() -> None:
    """Start the local cloud on 127.0.0.1 and deploy the built stack on it."""
    started = cloud.up(state_file=cloud.STATE, progress=remark)
    told = {"endpoint": started.endpoint, "region": started.region, "stack": started.stack}
    answer(told, f"Heliograph runs. Outbox: {started.endpoint}/_heliograph/outbox")


@click.command(epilog=example("heliograph down"))
@common_options
def down() -> None:
    """Stop the local cloud and leave nothing behind."""
    cloud.down(state_file=cloud.STATE, progress=remark)
    answer({"state": "stopped"}, "Nothing runs here any more.")
