"""Recount a run: its records against its kept sums, and the sums put right where they differ, while nothing moves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import uuid4

from heliograph.aws.tables import RETENTION
from heliograph.recording.store import SHARDS, Records
from heliograph.tallying.store import KeptSums, Shard
from heliograph.tallying.sums import Count, Row, Sums, difference, repaired, sums_of, total

TRIES = 5
"""A shard whose records change during each of so many counts is left: nothing is known of it."""

KEPT_DAYS = RETENTION.days
"""How long the records of a run are there."""

Until = Callable[[Callable[[], bool]], None]
"""Waits until a question is answered by yes; raises when it takes too long."""


class Kept(NamedTuple):
    """What a deployment keeps of its runs."""

    records: Records
    sums: KeptSums


class Found(NamedTuple):
    """A shard of which it is certain what its records add up to, and what its row says of the same changes."""

    row: Row
    counted: Sums


class Recount(NamedTuple):
    """What a recount came to."""

    kept: Sums
    counted: Sums
    wrong: int
    """Shards whose row says something else than their records."""
    moving: int
    """Shards whose records changed all the time: they are not in the sums."""
    repaired: int
    """Shards whose row was put right."""

    @property
    def differences(self) -> list[Count]:
        """What is kept otherwise than it was counted."""
        return sorted(difference(self.counted, self.kept))


def is_too_old(started_at: datetime, now: datetime) -> bool:
    """Whether records of a run may have expired: its sums live on, and what is counted now would be less."""
    return (now - started_at).days >= KEPT_DAYS


def recount(kept: Kept, run_id: str, *, repair: bool, until: Until, now: Callable[[], datetime]) -> Recount:
    """Compare the records of a run with its kept sums; with `repair`, write what was counted where they differ.

    It may be done while the run goes on. A fence is written into each shard before and after its records are read, and
    the stream brings it behind all that was written before. So all that was counted when the first one came is in the
    records, and when nothing was counted between the two, the records hold nothing else.
    """
    found: dict[Shard, Found] = {}
    shards = [Shard(run_id, number) for number in range(SHARDS)]
    for _ in range(TRIES):
        found |= _still(kept, run_id, [shard for shard in shards if shard not in found], until, now)
        if len(found) == SHARDS:
            break
    wrong = {shard: each for shard, each in found.items() if difference(each.counted, each.row.sums)}
    lost = _put_right(kept, wrong, now()) if repair else set(wrong)
    return Recount(
        kept=total(each.row.sums for each in found.values()),
        counted=total(each.counted for each in found.values()),
        wrong=len(wrong),
        moving=SHARDS - len(found),
        repaired=len(wrong.keys() - lost),
    )


def _still(
    kept: Kept, run_id: str, shards: Iterable[Shard], until: Until, now: Callable[[], datetime]
) -> dict[Shard, Found]:
    """Those shards that stood still while they were counted."""
    before = _fenced(kept, run_id, shards, until, now())
    counted = {shard: total(map(sums_of, kept.records.of_shard(*shard))) for shard in shards}
    after = _fenced(kept, run_id, shards, until, now())
    still = [shard for shard in shards if _memory(before[shard]) == _memory(after[shard])]
    return {shard: Found(after[shard], counted[shard]) for shard in still}


def _memory(row: Row) -> tuple[str, int, tuple[int, ...]]:
    """It is another one as soon as a change was counted."""
    return row.stream, row.floor, row.seen


def _fenced(kept: Kept, run_id: str, shards: Iterable[Shard], until: Until, at: datetime) -> Mapping[Shard, Row]:
    """The rows of shards when all that was written into them until now has been counted."""
    fence, rows = uuid4().hex, dict[Shard, Row]()
    for shard in shards:
        kept.sums.put_fence(shard, fence, at)

    def has_come() -> bool:
        rows.update(kept.sums.rows_of_run(run_id))
        return all(rows[shard].fence.name == fence for shard in shards)

    until(has_come)
    return rows


def _put_right(kept: Kept, wrong: Mapping[Shard, Found], at: datetime) -> set[Shard]:
    """Write what was counted; the shards whose row has changed since: what changed it is not in what was counted."""
    return kept.sums.write({shard: repaired(each.row, each.counted) for shard, each in wrong.items()}, at)


def shape(found: Recount, run_id: str) -> dict[str, Any]:
    """What a recount came to, as scripts read it."""
    return {
        "run_id": run_id,
        "equal": not (found.wrong or found.moving),
        "differences": [
            {**count._asdict(), "kept": found.kept[count], "counted": found.counted[count]}
            for count in found.differences
        ],
        "wrong_shards": found.wrong,
        "moving_shards": found.moving,
        "repaired_shards": found.repaired,
    }
