"""A run in figures: nobody is lost, audience = accepted + skipped + scheduled + failed + unknown, at any time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from heliograph.model.packs import Delivered, Planned
from heliograph.model.runs import Run
from heliograph.model.values import Value
from heliograph.recording.facts import Standing, tally


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


def figures(run: Run, records: Iterable[Planned | Delivered]) -> RunFigures:
    """Add up a run's records; people whose fate is not written yet count as unknown (and as pending)."""
    sums, followed = Sums(), Sums()
    for record in records:
        (followed if record.via_fallback else sums).add(record)
    audience = run.audience if run.ingested else max(run.audience, sums.people)
    five = {name: sums.standings[name] for name in ("accepted", "skipped", "scheduled", "failed", "unknown")}
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
        skipped=dict(sums.skipped.most_common()),
        failed=dict(sums.failed.most_common()),
        by_channel=dict(+sums.by_channel),
        via_fallback=dict(+followed.by_channel),
        engagement=dict(sums.engagement),
        via_fallback_engagement=dict(followed.engagement),
        missing=dict(sums.missing.most_common()),
        problem=run.problem,
        ingested=run.ingested,
    )


@dataclass
class Sums:
    """What records add up to."""

    people: int = 0
    standings: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    missing: Counter[str] = field(default_factory=Counter)
    engagement: Counter[str] = field(default_factory=Counter)
    by_channel: Counter[str] = field(default_factory=Counter)

    def add(self, record: Planned | Delivered) -> None:
        """Add what was planned for a pack, or what came of its dispatches on a channel."""
        if isinstance(record, Planned):
            self.people += 0 if record.again else record.people
            self.standings[Standing.SCHEDULED] += record.scheduled - (record.people if record.again else 0)
            self.standings[Standing.SKIPPED] += sum(record.skipped.values())
            self.skipped.update(record.skipped)
            return
        told = tally(record.slots.values())
        self.standings.update(told.standings)
        self.skipped.update(told.skipped)
        self.failed.update(told.failed)
        self.missing.update(told.missing)
        self.engagement.update(told.engagement)
        self.by_channel[record.channel] += told.standings.get(Standing.ACCEPTED, 0)


def _state(run: Run, pending: int) -> str:
    if run.problem:
        return "replaced" if run.replaced else "failed"
    return "complete" if run.ingested and pending == 0 else "running"
