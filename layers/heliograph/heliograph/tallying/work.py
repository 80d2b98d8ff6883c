"""Count what changed in the records of runs into their sums, each change once, however often it comes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from heliograph.aws.errors import BusyError
from heliograph.recording.store import part_of_shard
from heliograph.runtime import wiring
from heliograph.runtime.observe import count_uncounted
from heliograph.tallying.store import Shard
from heliograph.tallying.sums import Change, counted, overtaken

TRIES = 5
"""Somebody else may write a row meanwhile: a recount, or who brings the other half of a partition that was split."""


def count(changes: Mapping[Shard, Sequence[Change]]) -> None:
    """Count changes; raises BusyError when others were faster each time, and all of them may come again."""
    for _ in range(TRIES):
        before = wiring.sums().rows(changes)
        after = {shard: counted(before[shard], some) for shard, some in changes.items()}
        lost = wiring.sums().write(
            {shard: row for shard, row in after.items() if row is not before[shard]}, wiring.now()
        )
        for shard in changes.keys() - lost:
            if passed := overtaken(before[shard], changes[shard]):
                count_uncounted(passed, part=part_of_shard(*shard), error="overtaken")
        if not lost:
            return
        changes = {shard: changes[shard] for shard in lost}
    raise BusyError(f"{len(changes)} rows of sums were written by others each time")
