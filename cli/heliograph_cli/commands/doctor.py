"""`heliograph doctor`: is the deployment well?"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, Any

import click

from heliograph_cli.options import common_options, example, wants_json

if TYPE_CHECKING:
    from heliograph.operations.doctor.sending import Reach
    from heliograph_cli.stack import Stack

WIDTH = 17  # of the longest check's name


def simulators(_: click.Context, __: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """Addresses of simulators, by channel."""
    from heliograph.channels.registry import CHANNELS, doctor

    found = dict(each.partition("=")[::2] for each in given)
    known = [channel for channel in CHANNELS if (told := doctor(channel)) and told.simulator] if found else []
    if strange := [channel for channel, address in found.items() if channel not in known or not address]:
        raise click.BadParameter(f"{strange[0]!r} is not one of {', '.join(known)} with an address.")
    return found


@click.command(epilog=example("heliograph doctor --send --profile messaging"))
@common_options
@click.option("--send", "sends", is_flag=True, help="Also send through the stack, to the providers' simulators.")
@click.option("--message", metavar="NAME", default="", help="With --send: the transactional message to send.")
@click.option(
    "--simulator",
    "simulated",
    metavar="CHANNEL=ADDRESS",
    multiple=True,
    callback=simulators,
    help="With --send: another address of a provider's simulator, as sms=NUMBER.",
)
def doctor(sends: bool, message: str, simulated: dict[str, str]) -> None:
    """Check the deployment (permissions, quotas, providers, alarms), and say what to fix.

    Exits with 1 when something is wrong. What cannot be checked, and limits such as a sandbox, are listed and are no
    failure. With --send, a few mails go to SES's simulator and to nobody else; what was made for that is removed.
    docs/doctor.md lists the checks and the permissions that they need.
    """
    from heliograph.operations.doctor import deployment
    from heliograph.operations.doctor.examine import examine
    from heliograph.operations.doctor.findings import State
    from heliograph_cli import target as targets
    from heliograph_cli.console import answer
    from heliograph_cli.failures import No
    from heliograph_cli.stack import connect

    stack = connect()
    looked_at, found = deployment.read(stack.target.stack, partial(targets.client, stack.target)), []
    for each in chain(examine(looked_at), _sent(stack, looked_at, message, simulated) if sends else ()):
        found.append(each)
        if not wants_json():
            _show(each)
    bad = [each for each in found if each.state is State.WRONG]
    answer({"well": not bad, "findings": found})
    if bad:
        raise No(f"{len(bad)} of {len(found)} findings are wrong.", "Fix them, then run it again.")


def _sent(stack: Stack, looked_at: Any, message: str, simulated: dict[str, str]) -> Iterator[Any]:
    from heliograph.operations.doctor.sending import send_through
    from heliograph_cli.console import console

    with console(stderr=True).status("Sending to simulators") as shown:
        yield from send_through(
            _reach(stack),
            looked_at,
            message=message,
            simulators=simulated,
            say=lambda text: shown.update(f"Sending to simulators: {text}"),
        )


def _reach(stack: Stack) -> Reach:
    """How the doctor reaches the stack, with the commands' own ways."""
    from heliograph.operations.doctor.sending import Reach
    from heliograph_cli import adapters
    from heliograph_cli.commands.send import put_event
    from heliograph_cli.compiled import catalogue
    from heliograph_cli.local.cloud import ROOT
    from heliograph_cli.runs import checked_folder, submit_folder
    from heliograph_cli.stack import ask
    from heliograph_cli.waiting import until_still

    return Reach(
        put_event=lambda kind, detail: put_event(stack, kind, dict(detail)),
        timeline=lambda person: list(ask(stack, "timeline", recipient_id=person)["entries"]),
        submit=lambda folder: submit_folder(stack, checked_folder(folder)),
        wait=lambda look, patience: until_still(look, patience=patience),
        recipients=adapters.recipients(stack),
        bucket=adapters.bucket(stack),
        catalogue=catalogue(),
        templates=ROOT / "templates",
    )


def _show(finding: Any) -> None:
    from heliograph.operations.doctor.findings import State
    from heliograph_cli.console import console

    styles = {State.WELL: "green", State.NOTE: "yellow", State.WRONG: "bold red", State.UNKNOWN: "magenta"}
    mend = f" {finding.mend}" if finding.mend else ""
    line = f"{finding.state.value:8}{finding.check:{WIDTH}}  {finding.says}.{mend}"
    console().print(line, style=styles[finding.state], soft_wrap=True)
