"""Send through the stack to the providers' simulators, see what comes of it, and leave nothing behind but the run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from heliograph.aws.bucket import Bucket
from heliograph.channels import registry
from heliograph.operations.doctor import trials
from heliograph.operations.doctor.channel import Trying
from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.examine import told
from heliograph.operations.doctor.findings import Finding, State, well, wrong
from heliograph.operations.doctor.tidying import tidy_up
from heliograph.operations.doctor.trials import Chosen, Trial
from heliograph.people.store import Recipients
from heliograph.text.errors import NotFoundError

PATIENCE = 120.0  # seconds without any progress: cold starts, and a simulator complains after half a minute

Say = Callable[[str], None]
Choose = Callable[..., Chosen | None]
"""`trials.choose` of the messages that are deployed."""
Entries = Sequence[Mapping[str, Any]]
Look = Callable[[], tuple[Any, object]]
"""What is seen, and whether it is done."""


@dataclass(frozen=True)
class Reach:
    """How the doctor reaches the stack that it sends through, as producers and operators do."""

    put_event: Callable[[str, Mapping[str, Any]], object]
    """Put an event of a type on the bus."""
    timeline: Callable[[str], Entries]
    """What was decided about a person, newest first."""
    submit: Callable[[Path], object]
    """Submit a campaign folder; raises NotFoundError when its run does not appear."""
    wait: Callable[[Look, float], Any]
    """Look until it is done, or until nothing has moved for so many seconds; what was seen last."""
    recipients: Recipients
    bucket: Bucket
    catalogue: Mapping[str, Any]
    """The messages that are deployed."""
    templates: Path
    """The folder that they were built of."""


def send_through(
    reach: Reach,
    deployment: Deployment,
    *,
    message: str = "",
    simulators: Mapping[str, str] = {},
    say: Say = lambda _: None,
) -> Iterator[Finding]:
    """All trials at once; each finding as soon as it is there. It cleans up in any case."""
    now = datetime.now(UTC)
    stamp = f"{now:%y%m%d%H%M%S}"
    choose = partial(trials.choose, reach.catalogue, reach.templates)
    planned = list[Trial]()
    for each in plan(deployment, choose, stamp=stamp, now=now, message=message, simulators=simulators):
        if isinstance(each, Trial):
            planned.append(each)
        else:
            yield each
    try:
        yield from _go(reach, planned, stamp=stamp, say=say)
    finally:
        say("cleaning up")
        yield from tidy_up(reach.recipients, reach.bucket, deployment, planned, campaign=_campaign(stamp))


def plan(
    deployment: Deployment,
    choose: Choose,
    *,
    stamp: str,
    now: datetime,
    message: str = "",
    simulators: Mapping[str, str] = {},
) -> Iterator[Trial | Finding]:
    """What each channel sends, and what it leaves out, and why."""
    for channel in deployment.channels:
        if doctor := registry.doctor(channel):
            transactional = choose(purpose="transactional", channel=channel, name=message)
            promotional = choose(purpose="promotional", channel=channel)
            simulator = simulators.get(channel, doctor.simulator)
            trying = Trying(deployment, transactional, promotional, stamp, now, simulator)
            yield from told(f"send: {channel}", doctor.trials(trying))


def _go(reach: Reach, planned: Sequence[Trial], *, stamp: str, say: Say) -> Iterator[Finding]:
    for each in planned:
        reach.put_event("RecipientUpdated", each.profile)
    unknown_people = _saved(reach, planned, say)
    if unknown_people:
        mend = "Look at the queue `events`, its dead letters, and the log of the function ingest-event."
        yield wrong("send: people", f"{unknown_people} of {len(planned)} were not saved", mend)
        return
    for each in planned:
        if not each.by_campaign:
            detail = {"message": each.message.name, "recipient_id": each.person, "data": dict(each.message.data)}
            reach.put_event("SendRequested", detail)
    yield from _start_campaign(reach, [each for each in planned if each.by_campaign], _campaign(stamp))
    yield from _follow(reach, planned, say)


def _saved(reach: Reach, planned: Sequence[Trial], say: Say) -> int:
    """How many people are still not there when nothing moves any more."""

    names = [each.person for each in planned]

    def look() -> tuple[int, bool]:
        missing = len(names) - len(reach.recipients.get_many(names))
        say(f"{len(names) - missing} of {len(names)} people are known")
        return missing, not missing

    missing: int = reach.wait(look, PATIENCE)
    return missing


def _written(folder: Path, planned: Sequence[Trial]) -> Path:
    """A campaign folder for the people of some trials."""
    folder.mkdir()
    rows = "".join(f"{each.person}\n" for each in planned)
    (folder / "segment.csv").write_text(f"recipient_id\n{rows}", encoding="utf-8")
    (folder / "campaign.toml").write_text(trials.manifest(planned[0].message), encoding="utf-8")
    return folder


def _start_campaign(reach: Reach, planned: Sequence[Trial], name: str) -> Iterator[Finding]:
    if not planned:
        return
    with tempfile.TemporaryDirectory() as directory:
        try:
            reach.submit(_written(Path(directory, name), planned))
        except NotFoundError as missing:
            yield wrong(
                "send: campaign",
                "no run appeared",
                f"{missing.what} Look at the queue `segments` and its dead letters.",
            )


def _follow(reach: Reach, planned: Sequence[Trial], say: Say) -> Iterator[Finding]:
    """Each trial's finding, when it has come to its end or when nothing moves any more."""
    open_trials = list(planned)
    seen: dict[str, Sequence[Mapping[str, Any]]] = {}
    ended: list[tuple[Trial, Finding]] = []

    def look() -> tuple[tuple[str, ...], bool]:
        now = datetime.now(UTC)
        for each in list(open_trials):
            seen[each.person] = reach.timeline(each.person)
            if finding := trials.judge(each, seen[each.person], now):
                ended.append((each, finding))
                open_trials.remove(each)
        waits = [each.due for each in open_trials if each.due and each.due > now]
        say(f"{len(planned) - len(open_trials)} of {len(planned)} messages came to their end")
        states = (*(_state(seen.get(each.person, ())) for each in planned), f"{len(waits)} wait for their time")
        return states, not open_trials

    reach.wait(look, PATIENCE + trials.PLANNED_AGAIN.total_seconds())
    yield from summed(
        [finding for _, finding in ended] + [trials.overdue(each, seen[each.person]) for each in open_trials]
    )


def summed(findings: Sequence[Finding]) -> list[Finding]:
    """One line for all that say the same of one check, such as the people of the campaign."""
    same = {(each.check, each.state, each.says): each for each in findings}
    counts = {key: sum((each.check, each.state, each.says) == key for each in findings) for key in same}
    return [
        well(each.check, f"{counts[key]} × {each.says}") if counts[key] > 1 and each.state is State.WELL else each
        for key, each in same.items()
    ]


def _state(entries: Sequence[Mapping[str, Any]]) -> str:
    return f"{len(entries)} {entries[0]['state']}" if entries else ""


def _campaign(stamp: str) -> str:
    """Its run stays in the list of runs, under this name."""
    return f"doctor-{stamp}"
