"""`heliograph campaign`: send a message to a segment, and follow the run."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from heliograph.model.reasons import Reason
from heliograph.reporting.figures import RunFigures
from heliograph.reporting.headlines import headline
from heliograph.text.quantities import counted
from heliograph_cli import adapters
from heliograph_cli.console import answer, bold, remark, stacked, table
from heliograph_cli.failures import No
from heliograph_cli.options import common_options, example
from heliograph_cli.people import identifier
from heliograph_cli.runs import checked_folder, follow, longest_pause, shape, submit_folder
from heliograph_cli.stack import Stack, ask, connect, link, links_open
from heliograph_cli.waiting import until_still

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

FENCE_PATIENCE = 120.0  # seconds until the stream has brought what was written


@click.group(epilog=example("heliograph campaign submit campaigns/spring-sale --wait"))
@common_options
def campaign() -> None:
    """Send a message to a segment, and follow the run."""


@campaign.command(
    short_help="Check and upload a campaign folder, and start its run.",
    epilog=example("heliograph campaign submit campaigns/spring-sale --wait"),
)
@common_options
@click.argument("directory", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option(
    "--wait", is_flag=True, help="Wait until something was decided for everybody; not for those who are scheduled."
)
def submit(directory: Path, wait: bool) -> None:
    """Check DIRECTORY (campaign.toml, segment.csv), upload it, and start its run."""
    folder = checked_folder(directory)
    stack = connect()
    run_id, is_new = submit_folder(stack, folder)
    same = "This content was uploaded before: nobody is written to twice. To start over, say `again = true`. It is run"
    remark(f"Run {run_id} of {folder.name} started." if is_new else f"{same} {run_id}.")
    figures = follow(stack, run_id) if wait else ask(stack, "status", run_id=run_id)
    next_step = f"Run {run_id}. Follow it: heliograph campaign status {run_id}"
    answer(shape(figures), _told(figures) if wait else next_step)


@campaign.command("list", epilog=example("heliograph campaign list --json"))
@common_options
def list_() -> None:
    """List the runs, newest first."""
    runs = ask(connect(), "runs")
    shown = table("run", "campaign", "state", "started")
    for each in runs:
        shown.add_row(each["run_id"], each["campaign"], each["state"], each["started_at"])
    names = ("run_id", "campaign", "state", "started_at")
    none = "No campaign has run yet. Start one: heliograph campaign submit DIRECTORY"
    answer([{name: each[name] for name in names} for each in runs], shown if runs else none)


@campaign.command(epilog=example("heliograph campaign status 01K0XW5N3M8QJ4RZT6V2Y7B9CD"))
@common_options
@click.argument("run", callback=identifier)
def status(run: str) -> None:
    """Show the sums of RUN: who was sent to, who was not, and why."""
    figures = ask(connect(), "status", run_id=run)
    answer(shape(figures), _told(figures))


@campaign.command(epilog=example("heliograph campaign report 01K0XW5N3M8QJ4RZT6V2Y7B9CD"))
@common_options
@click.argument("run", callback=identifier)
def report(run: str) -> None:
    """Write the report page of RUN and show its links."""
    stack = connect()
    made = ask(stack, "report", run_id=run)
    links = {"html": link(stack, made["html_key"]), "json": link(stack, made["json_key"])}
    figures = made["figures"]
    answer(shape(figures) | {"links": links}, _told(figures))
    remark(f"Report: {links['html']}\nFigures: {links['json']}\nThe links open for {links_open(stack)}.")


@campaign.command(
    short_help="Compare the sums of a run with its records.",
    epilog=example("heliograph campaign recount 01K0XW5N3M8QJ4RZT6V2Y7B9CD"),
)
@common_options
@click.argument("run", callback=identifier)
@click.option("--repair", is_flag=True, help="Put the sums right where they differ.")
def recount(run: str, repair: bool) -> None:
    """Count the records of RUN and compare them with its kept sums; exits with 1 when they differ.

    It reads all records: 34,000 read units for a million people. The run may go on meanwhile. `--repair` is for a run
    whose changes could not be counted. Records are kept for 400 days: an older run is not counted any more.
    """
    from heliograph.tallying.recounting import work

    stack = connect()
    started_at = datetime.fromisoformat(ask(stack, "status", run_id=run)["started_at"])
    if work.is_too_old(started_at, datetime.now(UTC)):
        raise No(
            f"Run {run} is more than {work.KEPT_DAYS} days old: its records expire, and its sums know better.",
            "`heliograph campaign status` shows what was counted while they were there.",
        )
    kept = work.Kept(adapters.records(stack), adapters.sums(stack))
    found = work.recount(kept, run, repair=repair, until=partial(_counted, stack), now=lambda: datetime.now(UTC))
    told = work.shape(found, run)
    answer(told, _compared(told))
    if found.moving:
        remark(f"{counted(found.moving, 'shard')} changed all the time: count again when the run is calm.")
    if found.moving or found.wrong > found.repaired:
        click.get_current_context().exit(1)


def _counted(stack: Stack, has_come: Callable[[], bool]) -> None:
    """Wait until the stream has brought what was written."""

    def look() -> tuple[bool, bool]:
        seen = has_come()
        return seen, seen

    if not until_still(look, patience=FENCE_PATIENCE, most=longest_pause(stack)):
        raise No(
            "What changed in the records of this run was not counted in time.",
            "See the runbook, `tally-age`: the function tally does not keep up, or does not run.",
        )


def _compared(told: dict[str, Any]) -> Table | str:
    if told["equal"]:
        return f"Run {told['run_id']}: the kept sums are those of its records."
    shown = table("", "kept", "counted")
    for each in told["differences"]:
        name = " ".join(filter(None, (each["of"], each["name"], "via fallback" if each["via_fallback"] else "")))
        shown.add_row(name, f"{each['kept']:,}", f"{each['counted']:,}")
    return shown


def _told(figures: dict[str, Any]) -> Group:
    """What it comes to, and the sums of a run that has any."""
    import msgspec

    first = headline(msgspec.convert(figures, RunFigures))
    title = bold(f"{figures['campaign']}, run {figures['run_id']}: {figures['state']}")
    if not figures["audience"]:
        return stacked(title, first.text)
    return stacked(title, first.text, _sums(figures), *_later(figures), *_left_out(figures))


def _later(figures: dict[str, Any]) -> Iterator[str]:
    """Who still waits: a run is complete without them."""
    if scheduled := figures["counts"]["scheduled"]:
        yield f"{counted(scheduled, 'person is', 'people are')} planned again later; a run is complete without them."


def _left_out(figures: dict[str, Any]) -> Iterator[str]:
    """Who stands in the segment and is no part of the audience: the sums do not show them."""
    if figures["rejected"]:
        place = f"campaigns/{figures['campaign']}/rejected-{figures['run_id']}.csv"
        yield f"{counted(figures['rejected'], 'row was', 'rows were')} refused. Why: {place}"
    if figures.get("reached"):
        were = counted(figures["reached"], "person was", "people were")
        yield f"{were} left out, because earlier runs of this campaign had reached them."


def _sums(figures: dict[str, Any]) -> Table:
    counts = figures["counts"]
    shown = table("", "people")
    shown.columns[1].justify = "right"
    shown.add_row("audience", str(figures["audience"]), style="bold")
    for name, detail in (
        ("accepted", "by_channel"),
        ("skipped", "skipped"),
        ("scheduled", ""),
        ("failed", "failed"),
    ):
        shown.add_row(f"  {name}", str(counts[name]))
        for reason, number in sorted(figures.get(detail, {}).items(), key=lambda each: -each[1]):
            shown.add_row(f"    {reason}", str(number), style="dim")
            if reason == Reason.MISSING_VARIABLE:
                for variable, people in figures.get("missing", {}).items():
                    shown.add_row(f"      {variable}", str(people), style="dim")
    shown.add_row("  unknown", str(counts["unknown"]))
    if figures.get("pending"):
        shown.add_row("    on their way", str(figures["pending"]), style="dim")
    for kind, number in figures["engagement"].items():
        shown.add_row(kind, str(number))
    for channel, number in figures.get("via_fallback", {}).items():
        shown.add_row(f"via fallback, by {channel}", str(number))
    return shown
