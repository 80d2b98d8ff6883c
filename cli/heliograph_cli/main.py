"""`heliograph`: the command line of operators and marketers."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

from heliograph_cli.failures import Trouble, explained
from heliograph_cli.options import common_options

COMMANDS = {
    "up": "heliograph_cli.commands.place:up",
    "down": "heliograph_cli.commands.place:down",
    "status": "heliograph_cli.commands.status:status",
    "demo": "heliograph_cli.commands.demo:demo",
    "recipients": "heliograph_cli.commands.recipients:recipients",
    "consents": "heliograph_cli.commands.consents:consents",
    "send": "heliograph_cli.commands.send:send",
    "campaign": "heliograph_cli.commands.campaign:campaign",
    "timeline": "heliograph_cli.commands.person:timeline",
    "why": "heliograph_cli.commands.person:why",
    "decide": "heliograph_cli.commands.decide:decide",
    "replay": "heliograph_cli.commands.replay:replay",
    "reconcile": "heliograph_cli.commands.reconcile:reconcile",
    "dead-letters": "heliograph_cli.commands.dead_letters:dead_letters",
    "hold": "heliograph_cli.commands.hold:hold",
    "outbox": "heliograph_cli.commands.outbox:outbox",
    "preview": "heliograph_cli.desk.commands:preview",
    "lint": "heliograph_cli.desk.commands:lint",
    "build": "heliograph_cli.desk.commands:build",
}
"""Imported when asked for: one command does not wait for the libraries of all the others."""


class Heliograph(click.Group):
    """Finds commands by name and turns the errors of AWS into sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command: click.Command = getattr(import_module(module), name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        from botocore.exceptions import BotoCoreError, ClientError

        from heliograph.domain.errors import MalformedError

        try:
            return super().invoke(ctx)
        except (BotoCoreError, ClientError) as error:
            raise explained(error) from error
        except MalformedError as error:
            raise Trouble(f"{error}.", "Correct it and run the command again.") from error


@click.command(
    cls=Heliograph,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog='Example: heliograph send order_shipped --to anna-1 --data \'{"order_id": "A-1001"}\'',
)
@common_options
@click.version_option(package_name="heliograph")
def cli() -> None:
    """Send a message to a person on the channel that they chose, once, with proof.

    Works on the running local cloud; without one, or with --profile, on a stack on AWS.
    """


def main() -> None:
    """The entry point `heliograph`."""
    cli(prog_name="heliograph")
