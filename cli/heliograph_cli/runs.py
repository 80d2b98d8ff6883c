"""Campaign runs from the outside: start one by uploading its folder, then follow it to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, TypeVar

from heliograph_cli import target as targets
from heliograph_cli.campaign_folder import Folder
from heliograph_cli.console import progress
from heliograph_cli.failures import No
from heliograph_cli.stack import Stack, ask

T = TypeVar("T")
POLL_SECONDS = 0.5  # at first
POLL_MOST = 30.0  # at last: the status of a run of a million reads 34,000 units
POLL_GROWTH = 1.5
APPEAR_SECONDS = 60.0
COMPLETE_SECONDS = 6 * 3600.0
SHAPE = (
    *("run_id", "campaign", "state", "problem", "audience", "rejected", "reached", "pending", "counts"),
    *("skipped", "missing", "failed", "by_channel", "further", "engagement"),
)


def shape(figures: dict[str, Any]) -> dict[str, Any]:
    """The figures of a run as scripts read them."""
    return {name: figures[name] for name in SHAPE}


class Submitted(NamedTuple):
    """The run of an uploaded folder."""

    run_id: str
    is_new: bool
    """False when the same content was uploaded before: then it is the run of that time."""


def submit_folder(stack: Stack, folder: Folder) -> Submitted:
    """Upload a campaign folder, the manifest last because it starts the run."""
    before = _runs_of(stack, folder.name)
    s3 = targets.s3(stack.target)
    s3.upload_file(str(folder.segment), stack.bucket, f"campaigns/{folder.name}/{folder.segment.name}")
    s3.upload_file(str(folder.manifest), stack.bucket, f"campaigns/{folder.name}/campaign.toml")
    started = wait_for(lambda: sorted(_runs_of(stack, folder.name) - before), seconds=APPEAR_SECONDS)
    if not started:
        raise No("The folder was uploaded, but its run did not appear.", "Look for it later: heliograph campaign list.")
    run_id, _ = started[-1]
    return Submitted(run_id, is_new=run_id not in {known for known, _ in before})


def _runs_of(stack: Stack, campaign: str) -> set[tuple[str, int]]:
    """The runs of a campaign, and how often each was uploaded."""
    runs = ask(stack, "runs")
    return {(each["run_id"], each.get("uploads", 1)) for each in runs if each["campaign"] == campaign}


def follow(stack: Stack, run_id: str) -> dict[str, Any]:
    """Show a run's progress until it is complete; returns its figures."""
    with progress() as bar:
        task = bar.add_task(f"run {run_id}", total=None)

        def is_complete() -> dict[str, Any]:
            figures: dict[str, Any] = ask(stack, "status", run_id=run_id)
            bar.update(task, total=figures["audience"], completed=figures["audience"] - figures.get("pending", 0))
            return figures if figures["state"] != "running" else {}

        figures = wait_for(is_complete, seconds=COMPLETE_SECONDS)
    if not figures:
        raise No(f"Run {run_id} is still not complete.", f"Follow it: heliograph campaign status {run_id}.")
    if figures["state"] == "failed":
        raise No(f"Run {run_id} failed: {figures['problem']}.", "Correct the campaign folder and submit it again.")
    return figures


def wait_for(question: Callable[[], T], *, seconds: float, most: float = POLL_MOST) -> T:
    """Ask until the answer is something, or for so many seconds, ever more seldom; returns the last answer."""
    give_up_at = time.monotonic() + seconds
    for pause in pauses(most):
        if (answer := question()) or time.monotonic() >= give_up_at:
            break
        time.sleep(pause)
    return answer


def until_still(look: Callable[[], tuple[T, bool]], *, patience: float, most: float = POLL_MOST) -> T:
    """Look until it is done, or until what is seen has not changed for so long; returns what was seen last."""
    seen, done = look()
    moved_at, pause = time.monotonic(), pauses(most)
    while not done and time.monotonic() - moved_at <= patience:
        time.sleep(next(pause))
        before = seen
        seen, done = look()
        if seen != before:
            moved_at, pause = time.monotonic(), pauses(most)
    return seen


def pauses(most: float) -> Iterator[float]:
    """How long to wait between two questions: each time by half longer, and never longer than `most`."""
    pause = min(POLL_SECONDS, most)
    while True:
        yield pause
        pause = min(pause * POLL_GROWTH, most)
