"""Nobody is lost: the sums of a run add up to its audience at any time."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from builders import EMAIL, NOW, PUSH, SMS
from heliograph.model.channels import Channel
from heliograph.model.outcomes import Happened
from heliograph.model.packs import Delivered, Planned
from heliograph.model.runs import Run
from heliograph.reporting.figures import RunFigures, figures
from heliograph.tallying.sums import sums_of, total


def a_run(**fields: object) -> Run:
    return Run(**{"run_id": "r", "campaign": "spring", "message": "sale", "started_at": NOW, **fields})  # type: ignore[arg-type]


def planned(people: int, *, dispatched: int = 0, scheduled: int = 0, again: bool = False, **skipped: int) -> Planned:
    return Planned(people=people, again=again, dispatched={"email": dispatched}, skipped=skipped, scheduled=scheduled)


def delivered(*kinds: str, channel: Channel = EMAIL) -> Delivered:
    return Delivered(channel=channel, slots={slot: {kind: Happened(NOW, "why")} for slot, kind in enumerate(kinds)})


def counted(run: Run, records: Sequence[Planned | Delivered]) -> RunFigures:
    return figures(run, total(map(sums_of, records)))


def holds(sums: RunFigures) -> bool:
    return sum(sums.counts.values()) == sums.audience


def test_a_run_of_which_nothing_is_known_yet_is_running_and_adds_up() -> None:
    sums = counted(a_run(), [])
    assert (sums.state, sums.audience, sums.pending) == ("running", 0, 0)


def test_people_on_their_way_count_as_unknown_and_pending() -> None:
    sums = counted(a_run(audience=10, ingested=True), [planned(6, dispatched=6), delivered("accepted")])
    assert (sums.state, sums.pending, sums.counts["unknown"]) == ("running", 9, 9)
    assert holds(sums)


def test_a_run_is_complete_when_everybody_has_an_outcome() -> None:
    records: list[Planned | Delivered] = [
        planned(6, dispatched=4, scheduled=1, not_consented=1),
        delivered("accepted", "failed", "unknown", "skipped"),
    ]
    sums = counted(a_run(audience=6, ingested=True), records)
    assert sums.state == "complete"
    assert sums.counts == {"accepted": 1, "skipped": 2, "scheduled": 1, "failed": 1, "unknown": 1}
    assert sums.skipped == {"not_consented": 1, "why": 1}
    assert sums.failed == {"why": 1}
    assert holds(sums)


def test_people_who_are_planned_again_are_no_longer_scheduled() -> None:
    records: list[Planned | Delivered] = [
        planned(3, scheduled=3),
        planned(2, again=True, dispatched=1, scheduled=1),
        delivered("accepted"),
    ]
    sums = counted(a_run(audience=3, ingested=True), records)
    assert sums.counts == {"accepted": 1, "skipped": 0, "scheduled": 2, "failed": 0, "unknown": 0}


def test_accepted_is_told_by_channel() -> None:
    records: list[Planned | Delivered] = [
        planned(3, dispatched=3),
        delivered("accepted", "failed"),
        delivered("delivered", channel=SMS),
    ]
    assert counted(a_run(audience=3, ingested=True), records).by_channel == {"email": 1, "sms": 1}


def test_a_run_that_could_not_start_says_why() -> None:
    assert counted(a_run(ingested=True, problem="there is no message"), []).state == "failed"


PACK = st.lists(st.sampled_from(["skipped", "scheduled", "accepted", "failed", "unknown", "retry", "nothing"]))


@given(st.lists(PACK), st.booleans())
def test_a_runs_sums_always_add_up(packs: list[list[str]], ingested: bool) -> None:
    records: list[Planned | Delivered] = []
    for fates in packs:
        noes, scheduled = fates.count("skipped"), fates.count("scheduled")
        records.append(planned(len(fates), scheduled=scheduled, not_consented=noes))
        sent = [fate for fate in fates if fate not in ("skipped", "scheduled", "nothing")]
        records.append(delivered(*sent))
    audience = sum(map(len, packs)) if ingested else 0
    sums = counted(a_run(audience=audience, ingested=ingested), records)
    assert holds(sums)
    assert (sums.state == "complete") == (ingested and not any({"retry", "nothing"} & set(p) for p in packs))


def test_what_followed_via_fallback_is_told_apart_and_counts_nobody_again() -> None:
    first: list[Planned | Delivered] = [
        planned(2, dispatched=2),
        delivered("accepted", "accepted", channel=PUSH),
    ]
    rest = Planned(
        people=2, again=True, via_fallback=True, dispatched={"sms": 1}, skipped={"confirmed": 1}, scheduled=0
    )
    texts = Delivered(channel=SMS, slots={0: {"accepted": Happened(NOW), "delivered": Happened(NOW)}})
    before = counted(a_run(audience=2, ingested=True), first)
    after = counted(a_run(audience=2, ingested=True), [*first, rest, msgspec.structs.replace(texts, via_fallback=True)])
    assert (after.via_fallback, after.via_fallback_engagement) == ({"sms": 1}, {"delivered": 1})
    assert msgspec.structs.replace(after, via_fallback={}, via_fallback_engagement={}) == before
