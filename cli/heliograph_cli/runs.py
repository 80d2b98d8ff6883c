"""Campaign runs from the outside: start one by uploading its folder, then follow it to its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

from heliograph.campaigns.folder import Folder, read_folder
from heliograph.text.errors import NotFoundError
from heliograph_cli import target as targets
from heliograph_cli.compiled import catalogue
from heliograph_cli.console import progress
from heliograph_cli.failures import No
from heliograph_cli.stack import Stack, ask
from heliograph_cli.waiting import POLL_LOCAL, POLL_MOST, until_still

APPEAR_PATIENCE = 60.0  # seconds without any progress
COMPLETE_PATIENCE = 6 * 3600.0
SHAPE = (
    *("run_id", "campaign", "state", "problem", "audience", "rejected", "reached", "pending", "counts"),
    *("skipped", "missing", "failed", "by_channel", "via_fallback", "engagement"),
)


def shape(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures of a run as scripts read them."""
    return {name: figures[name] for name in SHAPE}


class Submitted(NamedTuple):
    """The run of an uploaded folder."""

    run_id: str
    is_new: bool
    """False when the same content was uploaded before: then it is the run of that time."""


def checked_folder(directory: Path) -> Folder:
    """A campaign folder that can be submitted, of the messages that were compiled here."""
    return read_folder(directory, messages=catalogue().get("messages", {}))


def submit_folder(stack: Stack, folder: Folder) -> Submitted:
    """Upload a campaign folder, the manifest last because it starts the run."""
    before = _runs_of(stack, folder.name)
    s3 = targets.s3(stack.target)
    s3.upload_file(str(folder.segment), stack.bucket, f"campaigns/{folder.name}/{folder.segment.name}")
    s3.upload_file(str(folder.manifest), stack.bucket, f"campaigns/{folder.name}/campaign.toml")

    def look() -> tuple[list[tuple[str, int]], bool]:
        new = sorted(_runs_of(stack, folder.name) - before)
        return new, bool(new)

    started = until_still(look, patience=APPEAR_PATIENCE, most=longest_pause(stack))
    if not started:
        raise NotFoundError(
            "The folder was uploaded, but its run did not appear.", "Look for it later: heliograph campaign list."
        )
    run_id, _ = started[-1]
    return Submitted(run_id, is_new=run_id not in {known for known, _ in before})


def _runs_of(stack: Stack, campaign: str) -> set[tuple[str, int]]:
    """The runs of a campaign, and how often each was uploaded."""
    runs = ask(stack, "runs")
    return {(each["run_id"], each.get("uploads", 1)) for each in runs if each["campaign"] == campaign}


def longest_pause(stack: Stack) -> float:
    """Seconds between two looks at a run, at most."""
    return POLL_LOCAL if stack.target.is_local else POLL_MOST


def follow(stack: Stack, run_id: str) -> dict[str, Any]:
    """Show a run's progress until it is complete; returns its figures."""
    with progress() as bar:
        task = bar.add_task(f"run {run_id}", total=None)

        def look() -> tuple[dict[str, Any], bool]:
            figures: dict[str, Any] = ask(stack, "status", run_id=run_id)
            bar.update(task, total=figures["audience"], completed=figures["audience"] - figures.get("pending", 0))
            return figures, figures["state"] != "running"

        figures = until_still(look, patience=COMPLETE_PATIENCE, most=longest_pause(stack))
    if figures["state"] == "running":
        hours = COMPLETE_PATIENCE // 3600
        raise No(
            f"Run {run_id} has not moved for {hours:.0f} hours.", f"Look at it: heliograph campaign status {run_id}."
        )
    if figures["state"] == "failed":
        raise No(f"Run {run_id} failed: {figures['problem']}.", "Correct the campaign folder and submit it again.")
    return figures
