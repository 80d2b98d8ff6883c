"""A run in figures: nobody is lost, audience = accepted + skipped + scheduled + failed + unknown, at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime

from heliograph.model.channels import Channel
from heliograph.model.runs import Run
from heliograph.model.values import Value
from heliograph.recording.facts import Facts, Standing, tally


class Planned(Value, frozen=True, kw_only=True):
    """What plan decided for a request pack; written anew, and the same, by every retry."""

    people: int
    again: bool
    """Whether these people had been scheduled before."""
    dispatched: dict[str, int]
    skipped: dict[str, int]
    scheduled: int
    further: bool = False
    """Whether these people are counted already: a fallback follows what was sent to them on another channel."""


class Delivered(Value, frozen=True, kw_only=True):
    """What came of the dispatches of a pack on a channel."""

    channel: Channel
    slots: Mapping[int, Facts]
    further: bool = False


class RunFigures(Value, frozen=True, kw_only=True, omit_defaults=False):
    """The sums of a run and what came of it since."""

    run_id: str
    campaign: str
    message: str
    state: str
    """`running`, `complete`, `failed` when the campaign folder could not be read, or `replaced` by a newer upload."""
    started_at: datetime
    audience: int
    rejected: int
    reached: int = 0
    """People of the segment whom earlier runs of the campaign had reached: they are no part of the audience."""
    pending: int
    """How many of `counts["unknown"]` are merely on their way; 0 once complete."""
    counts: dict[str, int]
    """Exactly accepted, skipped, scheduled, failed and unknown; they add up to the audience."""
    skipped: dict[str, int]
    failed: dict[str, int]
    by_channel: dict[str, int]
    """Accepted, by channel."""
    further: dict[str, int]
    """Accepted on a further channel after a fallback, by channel; these people are in `counts` once."""
    engagement: dict[str, int]
    further_engagement: dict[str, int] = {}
    """What happened to the messages on further channels."""
    missing: dict[str, int] = {}
    """Variable -> people to whom nothing could be written without it, the most first."""
    problem: str = ""
    """Why the run failed; empty when it did not."""
    ingested: bool = True
    """Whether all of the segment was read: until then the audience may grow."""


def figures(run: Run, records: Iterable[Planned | Delivered]) -> RunFigures:
    """Add up a run's records; people whose fate is not written yet count as unknown (and as pending)."""
    counts, skipped, failed, by_channel, engagement = (Counter[str]() for _ in range(5))
    further, further_engagement, missing = Counter[str](), Counter[str](), Counter[str]()
    people = 0
    for record in records:
        if record.further:
            _count_further(record, further, further_engagement)
            continue
        if isinstance(record, Planned):
            people += 0 if record.again else record.people
            counts[Standing.SCHEDULED] += record.scheduled - (record.people if record.again else 0)
            skipped.update(record.skipped)
            counts[Standing.SKIPPED] += sum(record.skipped.values())
            continue
        sums = tally(record.slots.values())
        counts.update(sums.standings)
        skipped.update(sums.skipped)
        failed.update(sums.failed)
        missing.update(sums.missing)
        engagement.update(sums.engagement)
        by_channel[record.channel] += sums.standings.get(Standing.ACCEPTED, 0)
    audience = run.audience if run.ingested else max(run.audience, people)
    five = {name: counts[name] for name in ("accepted", "skipped", "scheduled", "failed", "unknown")}
    pending = audience - sum(five.values())
    state = "complete" if run.ingested and pending == 0 else "running"
    if run.problem:
        state = "replaced" if run.replaced else "failed"
    return RunFigures(
        run_id=run.run_id,
        campaign=run.campaign,
        message=run.message,
        state=state,
        started_at=run.started_at,
        audience=audience,
        rejected=run.rejected,
        reached=run.reached,
        pending=pending,
        counts={**five, "unknown": five["unknown"] + pending},
        skipped=dict(skipped.most_common()),
        failed=dict(failed.most_common()),
        by_channel={channel: count for channel, count in by_channel.items() if count},
        further={channel: count for channel, count in further.items() if count},
        engagement=dict(engagement),
        further_engagement=dict(further_engagement),
        missing=dict(missing.most_common()),
        problem=run.problem,
        ingested=run.ingested,
    )


def _count_further(record: Planned | Delivered, further: Counter[str], engagement: Counter[str]) -> None:
    if isinstance(record, Delivered):
        sums = tally(record.slots.values())
        further.update({record.channel: sums.standings.get(Standing.ACCEPTED, 0)})
        engagement.update(sums.engagement)
