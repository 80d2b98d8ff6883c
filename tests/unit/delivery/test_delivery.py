"""What a try on a pack sends, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest

from builders import EMAIL, NOW, PACK_ID, a_dispatch, a_message, a_rendered
from heliograph.delivery.answers import facts_of
from heliograph.delivery.packs import some_of
from heliograph.delivery.slots import Checked, claim_entry, classified, due_later, learnt
from heliograph.model.decisions import Verdict
from heliograph.model.dispatches import Dispatch, DispatchPack, Rendered
from heliograph.model.ledger import LedgerEntry
from heliograph.model.outcomes import Accepted, Failed, FailureCode, Happened, InDoubt, NotSent, Outcome, SlotFacts
from heliograph.model.requests import Lane
from heliograph.planning.packing import Due

MORNING = NOW + timedelta(hours=22)
PACK = DispatchPack(
    pack_id=PACK_ID, channel=EMAIL, lane=Lane.BULK, dispatches=tuple(a_dispatch(slot=slot) for slot in range(3))
)


class Todo(NamedTuple):
    """What a try on the pack has to do, in the order of the slots."""

    claimed: list[Rendered]
    again: list[Rendered]
    facts: SlotFacts
    in_doubt: list[int]
    later: list[Due]
    waiting: dict[int, datetime]
    unsent: list[Dispatch]
    unreached: set[int]


def todo(
    pack: DispatchPack,
    people: Sequence[Checked],
    existing: dict[str, LedgerEntry],
    facts: SlotFacts,
    *,
    won: set[str],
    complete: bool = True,
) -> Todo:
    slots = classified(pack, people, existing, facts, won=won, at=NOW, complete=complete)
    return Todo(
        claimed=[each.to_send for each in slots if each.to_send],
        again=[each.to_send_again for each in slots if each.to_send_again],
        facts=learnt(slots),
        in_doubt=[each.number for each in slots if each.is_in_doubt],
        later=due_later(pack, slots, NOW, complete=complete),
        waiting={each.number: each.waits_until for each in slots if each.waits_until},
        unsent=[each.checked.dispatch for each in slots if each.counts_no_more],
        unreached={each.number for each in slots if each.reaches_nobody},
    )


def checked(slot: int, reason: str = "") -> Checked:
    dispatch = PACK.dispatches[slot]
    rendered = None if reason else a_rendered(slot=slot)
    return Checked(dispatch, a_message(), rendered, reason)


def an_entry(slot: int, **fields: object) -> LedgerEntry:
    return LedgerEntry(
        **{
            "recipient_id": "amara",
            "dispatch_id": PACK.dispatches[slot].dispatch_id,
            "message": "m",
            "version": "v",
            "outcome": Verdict.DISPATCHED,
            "decided_at": NOW,
            "pack_id": PACK_ID,
            "slot": slot,
            "channel": "email",
            **fields,
        }  # type: ignore[arg-type]
    )


def first_try(*people: Checked) -> Todo:
    return todo(PACK, people, {}, {}, won={one.dispatch.dispatch_id for one in people})


def next_try(entry: LedgerEntry, facts: SlotFacts, one: Checked | None = None) -> Todo:
    return todo(PACK, [one or checked(entry.slot)], {entry.dispatch_id: entry}, facts, won=set())


def test_what_this_try_has_claimed_is_sent() -> None:
    result = first_try(checked(0), checked(1))
    assert ([rendered.dispatch.slot for rendered in result.claimed], result.facts) == ([0, 1], {})


def test_who_must_not_be_written_to_is_skipped_with_the_reason() -> None:
    result = first_try(checked(0, "not_consented"))
    assert not result.claimed
    assert result.facts[0]["skipped"].detail == "not_consented"


def test_what_was_claimed_and_of_which_nothing_is_known_is_in_doubt() -> None:
    result = next_try(an_entry(0), {})
    assert not result.claimed
    assert not result.again
    assert result.facts[0].keys() == {"unknown"}
    assert result.in_doubt == [0]


def test_what_is_in_doubt_stays_in_doubt_until_it_is_settled() -> None:
    doubt = {"unknown": Happened(NOW)}
    assert next_try(an_entry(0), {0: doubt}).in_doubt == [0]
    assert next_try(an_entry(0), {0: {**doubt, "settled": Happened(NOW)}}).in_doubt == []


def test_what_is_provably_not_sent_is_sent_again() -> None:
    result = next_try(an_entry(0), {0: {"retry": Happened(NOW, "throttled")}})
    assert [rendered.dispatch.slot for rendered in result.again] == [0]


def test_what_is_sent_again_knows_since_when_it_is_tried() -> None:
    hour = timedelta(hours=1)
    (again,) = next_try(an_entry(0, decided_at=NOW - hour), {0: {"retry": Happened(NOW, "throttled")}}).again
    assert again.claimed_at == NOW - hour


def test_what_is_to_be_sent_again_after_a_doubt_is_sent_again() -> None:
    facts = {kind: Happened(NOW) for kind in ("unknown", "settled", "retry")}
    assert [rendered.dispatch.slot for rendered in next_try(an_entry(0), {0: facts}).again] == [0]


def test_some_of_a_pack_keep_their_places() -> None:
    some = some_of(PACK, {2}, tries=3)
    assert ([one.slot for one in some.dispatches], some.pack_id, some.tries) == ([2], PACK_ID, 3)


@pytest.mark.parametrize("kind", ["accepted", "failed", "skipped", "delivered"])
def test_what_has_an_outcome_is_left_alone(kind: str) -> None:
    facts = {"retry": Happened(NOW), kind: Happened(NOW)}
    assert next_try(an_entry(0), {0: facts})[:6] == ([], [], {}, [], [], {})


def test_who_withdrew_before_a_message_is_sent_again_is_skipped() -> None:
    result = next_try(an_entry(0), {0: {"retry": Happened(NOW)}}, checked(0, "not_consented"))
    assert not result.again
    assert result.facts[0]["skipped"].detail == "not_consented"


def test_who_was_skipped_by_an_interrupted_try_stays_skipped() -> None:
    result = next_try(an_entry(0, outcome=Verdict.SKIPPED_AT_DELIVERY, reason="expired"), {})
    assert result.facts[0]["skipped"].detail == "expired"


def waits(slot: int) -> Checked:
    return Checked(PACK.dispatches[slot], a_message(), None, "quiet_hours", MORNING)


def scheduled(entry_slot: int) -> LedgerEntry:
    return an_entry(entry_slot, outcome=Verdict.SKIPPED_AT_DELIVERY, reason="quiet_hours", until=MORNING.isoformat())


def test_who_has_to_wait_is_scheduled_together_and_decided_on_again() -> None:
    result = first_try(waits(0), waits(1), checked(2))
    ((pack, until),) = result.later
    assert (until, [request.step for request in pack.requests]) == (MORNING, [1, 1])
    assert {slot: facts["scheduled"].detail for slot, facts in result.facts.items()} == dict.fromkeys(
        (0, 1), "quiet_hours"
    )
    assert [one.slot for one in result.unsent] == [0, 1]
    assert [rendered.dispatch.slot for rendered in result.claimed] == [2]


def test_every_try_schedules_the_same() -> None:
    first = first_try(waits(0), waits(1))
    entries = {one.dispatch_id: scheduled(one.slot) for one in PACK.dispatches[:2]}
    again = todo(PACK, [checked(0), checked(1)], entries, {}, won=set())
    assert (again.later, again.claimed, again.facts.keys()) == (first.later, [], first.facts.keys())


def test_nobody_is_scheduled_before_everything_is_decided() -> None:
    people = [waits(0), checked(1)]
    won = {one.dispatch.dispatch_id for one in people}
    result = todo(PACK, people, {}, {}, won=won, complete=False)
    assert (result.later, result.facts, result.unsent) == ([], {}, [])
    assert [rendered.dispatch.slot for rendered in result.claimed] == [1]


def test_what_was_claimed_and_not_taken_waits_in_its_outbox() -> None:
    result = next_try(an_entry(0), {0: {"retry": Happened(NOW, "throttled")}}, waits(0))
    assert (result.waiting, result.later, result.again, result.facts) == ({0: MORNING}, [], [], {})


@pytest.mark.parametrize(
    "fields",
    [
        {"pack_id": "another"},
        {"channel": "sms"},
    ],
)
def test_what_was_decided_elsewhere_is_none_of_this_packs_business(fields: dict[str, object]) -> None:
    assert next_try(an_entry(0, **fields), {})[:6] == ([], [], {}, [], [], {})


@pytest.mark.parametrize("outcome", [Verdict.SKIPPED, Verdict.SCHEDULED])
def test_what_another_try_of_plan_decided_against_is_not_sent_and_does_not_count(outcome: Verdict) -> None:
    assert next_try(an_entry(0, outcome=outcome), {}) == Todo([], [], {}, [], [], {}, list(PACK.dispatches[:1]), set())


@pytest.mark.parametrize(
    ("kind", "detail", "is_unsent"),
    [
        ("skipped", "not_consented", True),
        ("failed", "rejected", True),
        ("scheduled", "quiet_hours", True),
        ("failed", "in_doubt", False),
        ("unknown", "ReadTimeoutError", False),
        ("accepted", "m-1", False),
    ],
)
def test_only_what_certainly_reaches_nobody_does_not_count(kind: str, detail: str, is_unsent: bool) -> None:
    todo = next_try(an_entry(0), {0: {kind: Happened(NOW, detail)}})
    assert bool(todo.unsent) is is_unsent


@pytest.mark.parametrize(
    ("outcome", "kind", "detail"),
    [
        (Accepted(dispatch_id="d", provider_message_id="m-1"), "accepted", "m-1"),
        (Failed(dispatch_id="d", code=FailureCode.REJECTED), "failed", "rejected"),
        (NotSent(dispatch_id="d", cause="throttled"), "retry", "throttled"),
        (InDoubt(dispatch_id="d", cause="time-out"), "unknown", "time-out"),
    ],
)
def test_every_answer_of_a_provider_is_a_fact(outcome: Outcome, kind: str, detail: str) -> None:
    rendered = a_rendered(slot=2)
    ((slot, facts),) = facts_of([outcome], {"d": rendered}, NOW).items()
    assert (slot, {name: value.detail for name, value in facts.items()}) == (2, {kind: detail})


def test_a_claim_says_what_was_decided_and_where_its_outcome_lies() -> None:
    entry = claim_entry(checked(1), PACK, policy="p1", at=NOW)
    assert (entry.outcome, entry.pack_id, entry.slot, entry.policy) == (Verdict.DISPATCHED, PACK_ID, 1, "p1")
    assert claim_entry(checked(1, "expired"), PACK, policy="p1", at=NOW).outcome is Verdict.SKIPPED_AT_DELIVERY
