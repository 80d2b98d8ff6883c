"""`heliograph doctor`: is the deployment well?"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any

import click

from heliograph_cli.options import common_options, example, wants_json

WIDTH = 17  # of the longest check's name


@click.command(epilog=example("heliograph doctor --send --profile messaging"))
@common_options
@click.option("--send", "sends", is_flag=True, help="Also send through the stack, to the providers' simulators.")
@click.option("--message", metavar="NAME", default="", help="With --send: the transactional message to send.")
@click.option(
    "--phone", metavar="NUMBER", default="", help="With --send: the simulator number for the dry run of an SMS."
)
def doctor(sends: bool, message: str, phone: str) -> None:
    """Check the deployment (permissions, quotas, providers, alarms), and say what to fix.

    Exits with 1 when something is wrong. What cannot be checked, and limits such as a sandbox, are listed and are no
    failure. With --send, a few mails go to SES's simulator and to nobody else; what was made for that is removed.
    docs/doctor.md lists the checks and the permissions that they need.
    """
    from heliograph_cli.console import answer
    from heliograph_cli.doctor import deployment
    from heliograph_cli.doctor.examine import examine
    from heliograph_cli.doctor.findings import State
    from heliograph_cli.failures import No
    from heliograph_cli.stack import connect

    stack = connect()
    looked_at, found = deployment.read(stack), []
    for each in chain(examine(looked_at), _sent(stack, looked_at, message, phone) if sends else ()):
        found.append(each)
        if not wants_json():
            _show(each)
    bad = [each for each in found if each.state is State.WRONG]
    answer({"well": not bad, "findings": found})
    if bad:
        raise No(f"{len(bad)} of {len(found)} findings are wrong.", "Fix them, then run it again.")


def _sent(stack: Any, looked_at: Any, message: str, phone: str) -> Iterator[Any]:
    from heliograph_cli.console import console
    from heliograph_cli.doctor.sending import SIMULATED_PHONE, send_through

    with console(stderr=True).status("Sending to simulators") as shown:
        yield from send_through(
            stack,
            looked_at,
            message=message,
            phone=phone or SIMULATED_PHONE,
            say=lambda text: shown.update(f"Sending to simulators: {text}"),
        )


def _show(finding: Any) -> None:
    from heliograph_cli.console import console
    from heliograph_cli.doctor.findings import State

    styles = {State.WELL: "green", State.NOTE: "yellow", State.WRONG: "bold red", State.UNKNOWN: "magenta"}
    mend = f" {finding.mend}" if finding.mend else ""
    line = f"{finding.state.value:8}{finding.check:{WIDTH}}  {finding.says}.{mend}"
    console().print(line, style=styles[finding.state], soft_wrap=True)
