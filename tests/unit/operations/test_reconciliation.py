"""The ledger against the provider's log: what counts as a difference, and what does not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import pytest

from builders import EMAIL, NOW, PACK_ID, REQUEST_ID, SMS
from heliograph.model.decisions import Verdict
from heliograph.model.engagement import EngagementKind
from heliograph.model.ledger import LedgerEntry
from heliograph.model.outcomes import Happened
from heliograph.operations.reconcile.comparison import (
    EXAMPLES,
    Decided,
    Example,
    Kind,
    Person,
    Reconciliation,
    Terms,
    reconcile,
    with_sums,
)
from heliograph.recording.facts import Fact
from heliograph.text import ids

DISPATCH_ID = f"{REQUEST_ID}-0"
NEXT_ID = f"{REQUEST_ID}-1"
HOUR_AGO = NOW - timedelta(hours=1)
TERMS = Terms(at=NOW, grace=timedelta(minutes=15), reporting=frozenset({EMAIL, SMS}))


def decided(
    outcome: Verdict, *facts: str, step: int = 0, channel: str = "email", until: str = "", pack_id: str = PACK_ID
) -> Decided:
    """A decision of an hour ago; facts as `kind` or `kind detail`."""
    entry = LedgerEntry(
        recipient_id="amara",
        dispatch_id=f"{REQUEST_ID}-{step}",
        message="spring_sale",
        version="v1",
        outcome=outcome,
        decided_at=HOUR_AGO,
        pack_id=pack_id,
        slot=0,
        channel=channel,
        until=until,
    )
    return Decided(entry, {kind: Happened(HOUR_AGO, *more) for kind, *more in map(str.split, facts)})


def somebody(*decisions: Decided, messages: Mapping[str, int] | None = None) -> Person:
    return Person("amara", REQUEST_ID, decisions, messages or {})


def found(*people: Person, terms: Terms = TERMS) -> Reconciliation:
    return reconcile(people, [], terms)


def kinds(*people: Person, terms: Terms = TERMS) -> dict[str, int]:
    return {kind: count for kind, (count, _) in found(*people, terms=terms).differences.items() if count}


ACCEPTED = decided(Verdict.DISPATCHED, Fact.ACCEPTED)
ONE = {DISPATCH_ID: 1}


def test_a_person_who_was_accepted_once_and_whom_the_provider_has_once_is_no_difference() -> None:
    sums = found(somebody(ACCEPTED, messages=ONE))
    assert sums.holds
    assert (sums.people, sums.counts["accepted"], sums.provider_messages) == (1, 1, 1)


@pytest.mark.parametrize(
    ("decision", "sum_"),
    [
        (decided(Verdict.SKIPPED), "skipped"),
        (decided(Verdict.SKIPPED_AT_DELIVERY, "skipped not_consented"), "skipped"),
        (decided(Verdict.SCHEDULED, until=(NOW + timedelta(hours=8)).isoformat()), "scheduled"),
        (decided(Verdict.DISPATCHED, "failed rejected"), "failed"),
    ],
)
def test_a_no_and_a_later_are_no_difference(decision: Decided, sum_: str) -> None:
    sums = found(somebody(decision))
    assert sums.holds
    assert sums.counts[sum_] == 1


def test_a_person_of_whom_nothing_was_decided_is_lost() -> None:
    sums = found(somebody())
    assert sums.differences[Kind.LOST] == (1, (Example(recipient_id="amara", dispatch_id=DISPATCH_ID),))


def test_who_is_scheduled_and_long_due_is_lost_at_its_next_step() -> None:
    due = decided(Verdict.SCHEDULED, until=(NOW - timedelta(hours=1)).isoformat())
    assert found(somebody(due)).differences[Kind.LOST][1][0].dispatch_id == NEXT_ID


def test_who_is_scheduled_and_just_due_has_the_grace() -> None:
    assert not kinds(somebody(decided(Verdict.SCHEDULED, until=(NOW - timedelta(minutes=5)).isoformat())))


def test_who_is_scheduled_counts_as_what_the_next_step_became() -> None:
    first = decided(Verdict.SCHEDULED, until=HOUR_AGO.isoformat())
    sums = found(somebody(first, decided(Verdict.DISPATCHED, Fact.ACCEPTED, step=1), messages={NEXT_ID: 1}))
    assert sums.holds
    assert sums.counts == {"accepted": 1, "skipped": 0, "scheduled": 0, "failed": 0, "unknown": 0}


def test_what_was_accepted_and_is_not_in_the_providers_log_is_a_difference() -> None:
    assert kinds(somebody(ACCEPTED)) == {Kind.NOT_IN_PROVIDER_LOG: 1}


def test_what_was_accepted_within_the_grace_is_awaited() -> None:
    sums = found(somebody(ACCEPTED), terms=TERMS._replace(grace=timedelta(hours=2)))
    assert sums.holds
    assert sums.awaited == 1


def test_a_provider_without_a_log_cannot_be_compared() -> None:
    sums = found(somebody(decided(Verdict.DISPATCHED, Fact.ACCEPTED, channel="push")))
    assert sums.holds
    assert sums.unchecked == 1


@pytest.mark.parametrize(
    "person",
    [
        somebody(decided(Verdict.DISPATCHED, "failed rejected"), messages=ONE),
        somebody(decided(Verdict.SKIPPED_AT_DELIVERY, "skipped not_consented"), messages=ONE),
        somebody(decided(Verdict.SKIPPED), messages=ONE),
        somebody(ACCEPTED, messages={"01ANOTHER-0": 1, **ONE}),
    ],
)
def test_what_the_provider_has_and_the_ledger_did_not_accept_is_a_difference(person: Person) -> None:
    assert kinds(person)[Kind.NOT_IN_LEDGER] == 1


def test_a_message_to_somebody_who_is_not_in_the_segment_is_not_in_the_ledger() -> None:
    stranger = Example(recipient_id="zoe", dispatch_id="01ZOE-0")
    sums = reconcile([somebody(ACCEPTED, messages=ONE)], [stranger], TERMS)
    assert sums.differences[Kind.NOT_IN_LEDGER] == (1, (stranger,))


def test_two_messages_of_one_dispatch_are_sent_twice() -> None:
    assert kinds(somebody(ACCEPTED, messages={DISPATCH_ID: 2})) == {Kind.DISPATCH_SENT_TWICE: 1}


def test_messages_of_two_dispatches_to_one_person_are_sent_twice() -> None:
    again = decided(Verdict.DISPATCHED, Fact.ACCEPTED, step=1)
    assert kinds(somebody(ACCEPTED, again, messages={DISPATCH_ID: 1, NEXT_ID: 1})) == {Kind.PERSON_SENT_TWICE: 1}


def via_fallback(outcome: Verdict, *facts: str) -> Decided:
    return decided(outcome, *facts, step=1, channel="sms", pack_id=ids.of_fallbacks(PACK_ID))


def test_a_fallback_is_no_second_message_and_the_person_counts_as_on_the_first() -> None:
    followed = somebody(
        decided(Verdict.DISPATCHED, "failed rejected"),
        via_fallback(Verdict.DISPATCHED, Fact.ACCEPTED),
        messages={NEXT_ID: 1},
    )
    assert (kinds(followed), found(followed).counts["failed"]) == ({}, 1)
    both = somebody(ACCEPTED, via_fallback(Verdict.DISPATCHED, Fact.ACCEPTED), messages={DISPATCH_ID: 1, NEXT_ID: 1})
    assert (kinds(both), found(both).counts["accepted"]) == ({}, 1)


def test_a_fallback_that_was_not_needed_changes_nothing() -> None:
    person = somebody(ACCEPTED, via_fallback(Verdict.SKIPPED), messages=ONE)
    assert (kinds(person), found(person).counts["accepted"]) == ({}, 1)


def test_who_was_scheduled_just_before_delivery_stays_so_until_it_is_long_due() -> None:
    scheduled = [
        decided(Verdict.SKIPPED_AT_DELIVERY, "scheduled quiet_hours", until=(NOW + timedelta(hours=hours)).isoformat())
        for hours in (8, -1)
    ]
    assert (kinds(somebody(scheduled[0])), found(somebody(scheduled[0])).counts["scheduled"]) == ({}, 1)
    assert kinds(somebody(scheduled[1])) == {Kind.LOST: 1}


def test_what_another_provider_took_in_an_outage_cannot_be_compared() -> None:
    sums = found(somebody(decided(Verdict.DISPATCHED, "accepted s-1 sns", channel="sms")))
    assert (sums.holds, sums.unchecked, sums.counts["accepted"]) == (True, 1, 1)


@pytest.mark.parametrize("facts", [("failed rejected", EngagementKind.DELIVERED), ("skipped expired", "accepted")])
def test_facts_that_exclude_each_other_contradict(facts: tuple[str, ...]) -> None:
    assert kinds(somebody(decided(Verdict.DISPATCHED, *facts), messages=ONE)) == {Kind.CONTRADICTING_FACTS: 1}


def test_what_was_dropped_in_doubt_and_turns_out_to_be_delivered_does_not_contradict() -> None:
    dropped = decided(Verdict.DISPATCHED, "unknown timeout", "failed in_doubt", EngagementKind.DELIVERED)
    assert not kinds(somebody(dropped, messages=ONE))


@pytest.mark.parametrize("messages", [{}, ONE])
@pytest.mark.parametrize("facts", [(), ("unknown timeout",)])
def test_what_is_in_doubt_is_listed_and_is_no_difference(facts: tuple[str, ...], messages: dict[str, int]) -> None:
    sums = found(somebody(decided(Verdict.DISPATCHED, *facts), messages=messages))
    assert sums.holds
    assert (sums.counts["unknown"], sums.in_doubt[0]) == (1, 1)


def test_all_differences_are_counted_and_the_first_twenty_named() -> None:
    count, examples = found(*[somebody()] * 30).differences[Kind.LOST]
    assert (count, len(examples)) == (30, EXAMPLES)


def test_sums_that_are_not_those_of_the_people_are_a_difference() -> None:
    sums = found(somebody(ACCEPTED, messages=ONE))
    assert with_sums(sums, 1, sums.counts).holds
    count, examples = with_sums(sums, 2, {**sums.counts, "unknown": 1}).differences[Kind.SUMS]
    assert count == 2
    assert {example.detail.partition(":")[0] for example in examples} == {"audience", "unknown"}
