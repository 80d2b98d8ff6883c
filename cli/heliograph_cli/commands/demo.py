"""`heliograph demo`: see all of it work on this machine."""

from __future__ import annotations

import click

from heliograph_cli.commands.cloud import PORT
from heliograph_cli.console import answer
from heliograph_cli.failures import No
from heliograph_cli.options import common_options, example


@click.command(epilog=example("heliograph demo"))
@common_options
@PORT
def demo(port: int | None) -> None:
    """Start the local cloud, send events and a campaign through it, and show the result.

    Exits with 0 only if the sums match. The local cloud keeps running; `heliograph down` stops it.
    """
    from heliograph_cli.demo.run import run
    from heliograph_cli.demo.summary import links_of, shape, summary

    done = run(port)
    links = links_of(done)
    told = shape(done, links)
    answer(told, summary(done, links))
    if not told["holds"]:
        raise No("The sums do not match.", f"Look into {links['report']}")
