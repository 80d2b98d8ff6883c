"""`heliograph`: the command line of operators and marketers."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from heliograph_cli.failures import No, Trouble, explained
from heliograph_cli.options import common_options, example
from heliograph_cli.printable import printable

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError


class Where(NamedTuple):
    """Where a command is, imported when it is asked for, and what the list of commands says of it."""

    module: str
    name: str
    summary: str


def _at(module: str, name: str, summary: str) -> Where:
    return Where(f"heliograph_cli.{module}", name, summary)


COMMANDS = {
    "up": _at("commands.cloud", "up", "Start the local cloud and deploy the built stack on it."),
    "down": _at("commands.cloud", "down", "Stop the local cloud and leave nothing behind."),
    "status": _at("commands.status", "status", "Show what runs where, what waits, and what failed."),
    "demo": _at("commands.demo", "demo", "See all of it work on this machine."),
    "doctor": _at("commands.doctor", "doctor", "Check the deployment, and say what to fix."),
    "recipients": _at("commands.recipients", "recipients", "Import, show, erase and export people."),
    "consents": _at("commands.consents", "consents", "Show what a person consented to, and the proof."),
    "send": _at("commands.send", "send", "Send a message to one person."),
    "test-send": _at("commands.sample", "test_send", "Send a message's sample to yourself."),
    "campaign": _at("commands.campaign", "campaign", "Send a message to a segment, and follow the run."),
    "timeline": _at("commands.person", "timeline", "Show every decision about a person."),
    "find": _at("commands.find", "find", "Find requests by their reference or key."),
    "why": _at("commands.person", "why", "Tell why a person did or did not get a message."),
    "decide": _at("commands.decide", "decide", "Tell what would be decided now; nothing is sent."),
    "replay": _at("commands.replay", "replay", "Repeat every decision of a run, and compare."),
    "reconcile": _at("commands.reconcile", "reconcile", "Compare a run with the provider's log."),
    "dead-letters": _at("commands.dead_letters", "dead_letters", "Show what failed and why; send it back."),
    "approvals": _at("commands.approvals", "approvals", "Approve or drop requests that wait for approval."),
    "webhook": _at("commands.webhook", "webhook", "Show the secret of an endpoint, for its owner."),
    "outbox": _at("commands.outbox", "outbox", "Show the messages that were sent, on the local cloud."),
    "preview": _at("authoring.commands", "preview", "Show every message in every channel and language."),
    "lint": _at("authoring.commands", "lint", "Check the policy and every message."),
    "build": _at("authoring.commands", "build", "Compile the templates for deployment."),
}
"""One command does not wait for the libraries of all the others, and neither does their list."""


def aws_errors() -> tuple[type[BotoCoreError], type[ClientError]]:
    """What AWS's library raises; only looked up once something was raised."""
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError


class Heliograph(click.Group):
    """Finds commands by name and turns the errors of AWS into sentences."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        found = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(found.module), found.name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, found.summary) for name, found in COMMANDS.items()])

    def invoke(self, ctx: click.Context) -> Any:
        from heliograph.text.errors import MalformedError, NotFoundError

        try:
            return super().invoke(ctx)
        except (Trouble, click.exceptions.NoArgsIsHelpError, click.exceptions.Exit, click.Abort):
            raise
        except click.UsageError as error:
            raise click.UsageError(printable(error.format_message()), error.ctx) from error
        except aws_errors() as error:
            raise explained(error) from error
        except NotFoundError as error:
            raise No(error.what, error.next_step) from error
        except MalformedError as error:
            raise Trouble(f"{error}.", "Correct it and run the command again.") from error


@click.command(
    cls=Heliograph,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=example("heliograph send spring_sale --to p-0001"),
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
