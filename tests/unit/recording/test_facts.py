"""Facts only accumulate, and the state of a dispatch follows from them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import EMAIL, NOW, PACK_ID
from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.model.outcomes import Happened, RecordKey
from heliograph.recording.facts import STRONGEST_FIRST, Fact, Standing, by_record, standing_of, state_of
from heliograph.text.errors import MalformedError

KINDS = [*(fact.value for fact in Fact), *(kind.value for kind in EngagementKind)]
SETS_OF_FACTS = st.sets(st.sampled_from(KINDS)).map(lambda kinds: dict.fromkeys(kinds, Happened(NOW, "x")))


def an_event(kind: EngagementKind, *, slot: int = 7, minutes: int = 0, event_id: str = "e") -> EngagementEvent:
    return EngagementEvent(
        event_id=event_id,
        dispatch_id="d-0",
        recipient_id="amara",
        channel=EMAIL,
        kind=kind,
        occurred_at=NOW + timedelta(minutes=minutes),
        outcome_key=f"{PACK_ID}-{slot}",
        run_id="run",
    )


@given(SETS_OF_FACTS, SETS_OF_FACTS)
def test_a_state_never_moves_backwards(facts: dict[str, Happened], more: dict[str, Happened]) -> None:
    order = [kind.value for kind in STRONGEST_FIRST] + ["pending"]
    assert order.index(state_of({**facts, **more})) <= order.index(state_of(facts))


@pytest.mark.parametrize(
    ("kinds", "state", "standing"),
    [
        ((), "pending", Standing.PENDING),
        (("retry",), "retry", Standing.PENDING),
        (("unknown",), "unknown", Standing.UNKNOWN),
        (("unknown", "sent"), "accepted", Standing.ACCEPTED),
        (("unknown", "delivered"), "delivered", Standing.ACCEPTED),
        (("accepted", "opened"), "opened", Standing.ACCEPTED),
        (("accepted", "bounced", "delivered"), "bounced", Standing.ACCEPTED),
        (("failed",), "failed", Standing.FAILED),
        (("failed", "retry"), "failed", Standing.FAILED),
        (("skipped",), "skipped", Standing.SKIPPED),
    ],
)
def test_the_strongest_fact_is_the_state(kinds: Sequence[str], state: str, standing: Standing) -> None:
    facts = dict.fromkeys(kinds, Happened(NOW, "x"))
    assert (state_of(facts), standing_of(facts)) == (state, standing)


@given(st.lists(st.sampled_from(list(EngagementKind)), min_size=1), st.randoms())
def test_events_count_once_in_whatever_order_and_number_they_come(kinds: list[EngagementKind], random: Random) -> None:
    events = [an_event(kind) for kind in kinds * 2]
    random.shuffle(events)
    ((record, slots),) = by_record(events).items()
    assert record == RecordKey("run", PACK_ID, EMAIL)
    assert {slot: facts.keys() for slot, facts in slots.items()} == {7: {kind.value for kind in kinds}}


def test_an_event_whose_outcome_is_known_already_adds_no_fact() -> None:
    assert by_record([msgspec.structs.replace(an_event(EngagementKind.BOUNCED), outcome_key="")]) == {}


@pytest.mark.parametrize("pack_id", ["", "x", "runs", PACK_ID.lower(), f"{PACK_ID}-", f"{PACK_ID}ff"])
@pytest.mark.parametrize("slot", ["", "1", "-1", "01", "1a", "100", "\u0661"])
def test_a_place_of_somebody_else_is_refused(pack_id: str, slot: str) -> None:
    place = f"{pack_id}-{slot}"
    with pytest.raises(MalformedError):
        by_record([msgspec.structs.replace(an_event(EngagementKind.SENT), outcome_key=place)])
