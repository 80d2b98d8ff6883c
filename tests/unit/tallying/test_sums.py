"""Each change of a record counts once in the sums of its run, wherever batches are cut, however often they come."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from builders import EMAIL, NOW
from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import Happened
from heliograph.model.packs import Delivered, Planned
from heliograph.model.runs import Run
from heliograph.recording.facts import Fact
from heliograph.reporting.figures import figures
from heliograph.tallying.sums import (
    WINDOW,
    Change,
    Count,
    Fence,
    Of,
    Row,
    Sums,
    counted,
    difference,
    overtaken,
    repaired,
    sums_of,
    total,
)

KINDS = [*(fact.value for fact in Fact), *(kind.value for kind in EngagementKind)]
SETS_OF_FACTS = st.sets(st.sampled_from(KINDS)).map(lambda kinds: dict.fromkeys(kinds, Happened(NOW, "why")))
some_sums = st.dictionaries(
    st.builds(Count, st.sampled_from(Of), st.sampled_from(["", "accepted", "email"]), st.booleans()),
    st.integers(-3, 100).filter(bool),
    min_size=1,
    max_size=3,
).map(Sums)


class Delivery(NamedTuple):
    """A batch from where the stream was acknowledged last: how much of it, and whether it was acknowledged."""

    most: int
    is_acknowledged: bool


some_deliveries = st.lists(st.builds(Delivery, st.integers(1, 40), st.booleans()), max_size=30)


def changes_of(sums: Sequence[Sums], *, every: int = 1) -> list[Change]:
    return [Change(number * every + 1, each) for number, each in enumerate(sums)]


def test_a_slot_of_every_kind_counts_where_it_stands_once() -> None:
    slots = {
        0: {"accepted": Happened(NOW, "id"), "opened": Happened(NOW)},
        1: {"skipped": Happened(NOW, "missing_variable", "data.order_id")},
        2: {"failed": Happened(NOW, "rejected")},
        3: {"retry": Happened(NOW, "busy")},
    }
    assert difference(sums_of(Delivered(channel=EMAIL, slots=slots)), Sums()) == {
        Count(Of.STANDING, "accepted"): 1,
        Count(Of.ACCEPTED, "email"): 1,
        Count(Of.ENGAGEMENT, "opened"): 1,
        Count(Of.STANDING, "skipped"): 1,
        Count(Of.SKIPPED, "missing_variable"): 1,
        Count(Of.MISSING, "data.order_id"): 1,
        Count(Of.STANDING, "failed"): 1,
        Count(Of.FAILED, "rejected"): 1,
        Count(Of.STANDING, "pending"): 1,
    }


@given(st.lists(SETS_OF_FACTS))
def test_every_slot_always_counts_in_exactly_one_sum(slots: list[dict[str, Happened]]) -> None:
    sums = sums_of(Delivered(channel=EMAIL, slots=dict(enumerate(slots))))
    assert sum(many for count, many in sums.items() if count.of is Of.STANDING) == len(slots)


def test_what_people_do_later_is_engagement_and_moves_nobody() -> None:
    opened = Delivered(channel=EMAIL, slots={4: {"opened": Happened(NOW)}}, is_later=True)
    assert sums_of(opened) == {Count(Of.ENGAGEMENT, "opened"): 1}


@given(st.lists(some_sums, max_size=80), some_deliveries)
def test_a_change_counts_once_wherever_batches_are_cut_and_however_often_they_come(
    sums: list[Sums], deliveries: list[Delivery]
) -> None:
    changes, row, acknowledged, furthest = changes_of(sums), Row(), 0, 0
    for delivery in [*deliveries, *[Delivery(5, is_acknowledged=True)] * len(sums)]:
        batch = changes[acknowledged : acknowledged + delivery.most]
        assert overtaken(row, batch) == 0
        row, furthest = counted(row, batch), max(furthest, acknowledged + len(batch))
        acknowledged += len(batch) if delivery.is_acknowledged else 0
        assert row.sums == difference(total(sums[:furthest]), Sums())


@given(st.lists(some_sums, min_size=30, max_size=60), st.integers(0, 59), st.integers(1, 60))
def test_what_comes_again_long_after_everything_else_counts_no_more(sums: list[Sums], start: int, many: int) -> None:
    changes, row = changes_of(sums), Row()
    for first in range(0, len(changes), 3):
        row = counted(row, changes[first : first + 3])
    assert counted(row, changes[start : start + many]) is row


@given(st.lists(st.tuples(some_sums, st.booleans()), max_size=60), st.integers(1, WINDOW // 2), st.booleans())
def test_two_streams_of_a_partition_that_was_split_overtake_each_other_and_nothing_is_lost(
    told: list[tuple[Sums, bool]], most: int, swapped: bool
) -> None:
    """Each brings the changes of its own records; the one is at most half a window before the other."""
    changes, row = changes_of([sums for sums, _ in told]), Row()
    for start in range(0, len(changes), most):
        some = range(start, min(start + most, len(changes)))
        for side in sorted((False, True), reverse=swapped):
            row = counted(row, [changes[each] for each in some if told[each][1] is side])
    assert row.sums == difference(total(sums for sums, _ in told), Sums())


def test_a_row_that_learns_nothing_is_not_written() -> None:
    row = counted(Row(), changes_of([Sums({Count(Of.PEOPLE): 3})]))
    assert counted(row, [Change(99, Sums())]) is row


@given(st.lists(st.integers(1, 9), min_size=1))
def test_a_row_knows_the_fence_that_came_last_and_its_number(numbers: list[int]) -> None:
    """Also where numbers begin anew: a recount waits for its own fence, whatever came before."""
    row = Row()
    for number in numbers:
        row = counted(row, [Change(number, Sums(), f"fence-{number}")])
    assert row.fence == Fence(numbers[-1], f"fence-{numbers[-1]}")


@given(st.integers(0, 1_000), st.lists(some_sums, min_size=20, max_size=60), st.integers(0, 60))
def test_after_a_repair_counts_what_came_behind_its_fence_and_nothing_else(
    first: int, sums: list[Sums], fenced: int
) -> None:
    """Whatever numbers the row remembered."""
    at_first = counted(Row(), [Change(first + each, Sums({Count(Of.PEOPLE): 1})) for each in range(WINDOW)])
    changes = changes_of(sums, every=2)
    row = repaired(counted(at_first, [Change(2 * fenced, Sums(), "fence")]), total(sums[:fenced]))
    for each in (changes, changes[: len(changes) // 2], changes):
        row = counted(row, each)
    assert row.sums == difference(total(sums), Sums())


class Pack(NamedTuple):
    """A pack of a run: what was planned for it, and what came of it, in the order in which it was written."""

    shard: int
    records: list[Planned | Delivered]


def a_life(people: int, scheduled: int, scheduled_again: int, shard: int) -> list[Pack]:
    """Some are skipped and sent to, others scheduled; of these some are scheduled once more, in packs elsewhere."""

    def pack(number: int, size: int, later: int, *, again: bool) -> Pack:
        noes = (size - later) // 3
        sent = size - later - noes
        plan = Planned(people=size, again=again, dispatched={"email": sent}, skipped={"capped": noes}, scheduled=later)
        doubt: dict[str, Happened] = {"unknown": Happened(NOW)}
        steps = [doubt, {**doubt, "sent": Happened(NOW)}]
        told = [Delivered(channel=EMAIL, slots=dict.fromkeys(range(sent), facts)) for facts in steps]
        return Pack((shard + number) % 4, [plan, *told])

    packs = [pack(0, people, scheduled, again=False)]
    packs += [pack(1, scheduled, scheduled_again, again=True)] if scheduled else []
    packs += [pack(2, scheduled_again, 0, again=True)] if scheduled and scheduled_again else []
    return packs


some_lives = st.tuples(st.integers(1, 9), st.integers(0, 9), st.integers(0, 9), st.integers(0, 3)).map(
    lambda drawn: a_life(drawn[0], min(drawn[1], drawn[0]), min(drawn[2], drawn[1], drawn[0]), drawn[3])
)


@given(st.lists(some_lives, min_size=1, max_size=5), st.data())
def test_nobody_is_lost_at_any_time_though_each_shard_is_counted_at_its_own_pace(
    lives: list[list[Pack]], data: st.DataObject
) -> None:
    """Who is sent to after they were scheduled may be counted before that: another shard tells it."""
    audience = sum(life[0].records[0].people for life in lives if isinstance(life[0].records[0], Planned))
    run = Run(run_id="r", campaign="c", message="m", started_at=NOW, audience=audience, ingested=True)
    shards: dict[int, list[Sums]] = {shard: [] for shard in range(4)}
    for pack in (pack for life in lives for pack in life):
        plan, doubt, sent = map(sums_of, pack.records)
        shards[pack.shard] += [plan, doubt, difference(sent, doubt)]
    rows = dict.fromkeys(shards, Row())
    while any(shards.values()):
        shard = data.draw(st.sampled_from([each for each, rest in shards.items() if rest]))
        number = len(shards[shard])
        rows[shard] = counted(rows[shard], [Change(1_000 - number, shards[shard].pop(0))])
        found = figures(run, total(row.sums for row in rows.values()))
        assert sum(found.counts.values()) == audience
        assert min(found.pending, *found.counts.values()) >= 0
    assert (found.state, found.pending, found.counts["scheduled"], found.counts["unknown"]) == ("complete", 0, 0, 0)


def test_via_fallback_counts_nobody_again() -> None:
    plan = Planned(people=2, again=True, dispatched={"email": 2}, skipped={}, scheduled=0, via_fallback=True)
    sent = Delivered(channel=EMAIL, slots={0: {"accepted": Happened(NOW)}}, via_fallback=True)
    sums = total([sums_of(plan), sums_of(sent)])
    assert {count.via_fallback for count, many in sums.items() if many} == {True}
    assert sums_of(msgspec.structs.replace(sent, via_fallback=False))[Count(Of.ACCEPTED, "email")] == 1
