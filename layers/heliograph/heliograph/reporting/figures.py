"""A run in figures: nobody is lost, audience = accepted + skipped + scheduled + failed + unknown, at any time."""

from __future__ import annotations

from datetime import datetime

from heliograph.model.runs import Run
from heliograph.model.values import Value
from heliograph.tallying.sums import Count, Of, Sums, some


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
    via_fallback: dict[str, int]
    """Accepted via fallback, by channel; these people are in `counts` once."""
    engagement: dict[str, int]
    via_fallback_engagement: dict[str, int] = {}
    """What happened to the messages via fallback."""
    missing: dict[str, int] = {}
    """Variable -> people to whom nothing could be written without it, the most first."""
    problem: str = ""
    """Why the run failed; empty when it did not."""
    ingested: bool = True
    """Whether all of the segment was read: until then the audience may grow."""


def figures(run: Run, sums: Sums) -> RunFigures:
    """A run by its sums; people whose fate is not counted yet are unknown (and pending).

    The shards of a run are counted each at its own pace: who was planned again may be so before they were scheduled.
    """
    standings = some(sums, Of.STANDING)
    audience = run.audience if run.ingested else max(run.audience, sums[Count(Of.PEOPLE)])
    five = {name: standings.get(name, 0) for name in ("accepted", "skipped", "scheduled", "failed", "unknown")}
    pending = audience - sum(five.values())
    return RunFigures(
        run_id=run.run_id,
        campaign=run.campaign,
        message=run.message,
        state=_state(run, pending),
        started_at=run.started_at,
        audience=audience,
        rejected=run.rejected,
        reached=run.reached,
        pending=pending,
        counts={**five, "unknown": five["unknown"] + pending},
        skipped=some(sums, Of.SKIPPED),
        failed=some(sums, Of.FAILED),
        by_channel=some(sums, Of.ACCEPTED),
        via_fallback=some(sums, Of.ACCEPTED, via_fallback=True),
        engagement=some(sums, Of.ENGAGEMENT),
        via_fallback_engagement=some(sums, Of.ENGAGEMENT, via_fallback=True),
        missing=some(sums, Of.MISSING),
        problem=run.problem,
        ingested=run.ingested,
    )


def _state(run: Run, pending: int) -> str:
    if run.problem:
        return "replaced" if run.replaced else "failed"
    return "complete" if run.ingested and pending == 0 else "running"
