"""What records add up to, and which of their changes a row of sums has counted already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from heliograph.model.engagement import EngagementKind
from heliograph.model.packs import Delivered, Planned
from heliograph.recording.facts import Fact, Standing, standing_of

WINDOW = 16
"""How many of the changes counted last a row remembers one by one: with this many it stays below 1 KB, a write unit."""
KINDS = tuple(kind.value for kind in EngagementKind)


class Of(StrEnum):
    """What is counted of a run."""

    PEOPLE = "people"
    """In packs that were planned for the first time."""
    STANDING = "standing"
    SKIPPED = "skipped"
    """By reason."""
    MISSING = "missing"
    """By variable: people to whom nothing could be written without it."""
    FAILED = "failed"
    """By code."""
    ACCEPTED = "accepted"
    """By channel."""
    ENGAGEMENT = "engagement"
    """By kind."""


class Count(NamedTuple):
    """One of the sums of a run."""

    of: Of
    name: str = ""
    via_fallback: bool = False
    """Of people who are counted already: their earlier message was not confirmed."""


Sums = Counter[Count]
"""Sums may be added and taken away from each other; one that is 0 says no more than one that is not there."""


class Change(NamedTuple):
    """A change of a record, as the table's stream tells it."""

    number: int
    """The stream's: a later change of the same record has a greater one."""
    sums: Sums
    """What it adds to the sums."""
    fence: str = ""
    """A recount learns by it that everything before it was counted."""
    stream: str = ""
    """When the stream was made: a table that was restored has a later one, whose numbers begin anew."""


class Fence(NamedTuple):
    """The fence that came last, and the number of the change that brought it."""

    number: int = 0
    name: str = ""


class Row(NamedTuple):
    """The sums of one of a run's shards; version 0 is not written yet."""

    version: int = 0
    sums: Sums = Sums()
    seen: tuple[int, ...] = ()
    """The numbers of the changes that were counted last, in their order."""
    floor: int = 0
    """Less than all that are seen. What is not greater counts no more."""
    fence: Fence = Fence()
    stream: str = ""
    """Whose numbers these are."""


def sums_of(record: Planned | Delivered | None) -> Sums:
    """What a record adds to the sums of its run; nothing, if there is none."""
    match record:
        case Planned():
            sums = _of_plan(record)
        case Delivered():
            sums = _of_dispatches(record)
        case None:
            return Sums()
    if record.via_fallback:
        return Sums({count._replace(via_fallback=True): number for count, number in sums.items()})
    return sums


def difference(new: Sums, old: Sums) -> Sums:
    """What makes the new sums of the old ones: without zeros."""
    sums = Sums(new)
    sums.subtract(old)
    return Sums({count: number for count, number in sums.items() if number})


def total(sums: Iterable[Sums]) -> Sums:
    """Sums added up."""
    found = Sums()
    for each in sums:
        found.update(each)
    return found


def counted(row: Row, changes: Sequence[Change]) -> Row:
    """A row with those changes that it has not counted yet; the row itself, when there are none.

    Changes of one record come in their order, and those of a shard nearly always do; the same may come again at any
    time, with others. What is newer than everything that the row remembers has not been counted. In between its memory
    tells: DynamoDB may split a shard's partition, and then two streams bring its changes. It is twice as long as the
    batch, so that one that comes again is remembered whole, wherever it is cut then.
    """
    since = _of_their_stream(row, changes)
    told = {each.number: each for each in changes if each.stream == since.stream}
    fences = [Fence(number, each.fence) for number, each in told.items() if each.fence]
    fence = fences[-1] if fences else row.fence
    moving = {number for number, each in told.items() if each.sums}
    fresh = {number for number in moving if number > since.floor and number not in since.seen}
    if not fresh:
        return row if fence == row.fence else since._replace(fence=fence)
    numbers = sorted(fresh.union(since.seen))
    most = max(WINDOW, 2 * len(moving))
    floor = max([since.floor, *numbers[:-most]])
    sums = total([row.sums, *(told[number].sums for number in fresh)])
    return Row(row.version, difference(sums, Sums()), tuple(numbers[-most:]), floor, fence, since.stream)


def overtaken(row: Row, changes: Sequence[Change]) -> int:
    """How many changes a row passes over without knowing that it has counted them: it has forgotten all so old.

    None, while one stream brings its batches, however often they come again.
    """
    since = _of_their_stream(row, changes)
    return sum(bool(each.sums) and (each.stream < since.stream or each.number <= since.floor) for each in changes)


def repaired(row: Row, sums: Sums) -> Row:
    """A row with what was counted between its last two fences: what came before the last one counts no more."""
    return row._replace(sums=sums, seen=(), floor=row.fence.number)


def _of_their_stream(row: Row, changes: Sequence[Change]) -> Row:
    """The row itself, or without its memory when a later stream brings changes: none of them has come before."""
    stream = max([row.stream, *(each.stream for each in changes)])
    return row._replace(seen=(), floor=0, stream=stream) if stream > row.stream else row


def _of_plan(planned: Planned) -> Sums:
    sums = Sums({Count(Of.SKIPPED, reason): people for reason, people in planned.skipped.items()})
    sums[Count(Of.PEOPLE)] = 0 if planned.again else planned.people
    sums[Count(Of.STANDING, Standing.SKIPPED)] = sum(planned.skipped.values())
    sums[Count(Of.STANDING, Standing.SCHEDULED)] = planned.scheduled - (planned.people if planned.again else 0)
    return sums


def _of_dispatches(delivered: Delivered) -> Sums:
    sums = Sums()
    for facts in delivered.slots.values():
        sums.update([Count(Of.ENGAGEMENT, kind) for kind in KINDS if kind in facts])
        if delivered.is_later:
            continue
        standing = standing_of(facts)
        sums[Count(Of.STANDING, standing)] += 1
        if standing is Standing.ACCEPTED:
            sums[Count(Of.ACCEPTED, delivered.channel)] += 1
        if standing is Standing.SKIPPED:
            sums[Count(Of.SKIPPED, facts[Fact.SKIPPED].detail)] += 1
            sums.update([Count(Of.MISSING, variable) for variable in [facts[Fact.SKIPPED].about] if variable])
        if standing is Standing.FAILED:
            sums[Count(Of.FAILED, facts[Fact.FAILED].detail)] += 1
    return sums


def some(sums: Sums, of: Of, *, via_fallback: bool = False) -> dict[str, int]:
    """The sums of a sort by their names, the greatest first."""
    return {
        count.name: number
        for count, number in sums.most_common()
        if count.of is of and count.via_fallback is via_fallback and number > 0
    }
