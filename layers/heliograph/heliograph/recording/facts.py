"""What came of a dispatch: facts that only accumulate, and the state that follows from them.

The record of a pack holds, for every slot, facts such as that it was accepted, or delivered. Because a fact is only
ever added, late, early and duplicate events cannot move a state backwards nor count twice.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from enum import StrEnum

from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.model.outcomes import Facts, FailureCode, Happened, RecordKey, SlotFacts
from heliograph.text.ids import split_outcome_key


def detail_of(facts: Facts, kind: str) -> str:
    """What more a fact says; nothing, if there is none."""
    return facts[kind].detail if kind in facts else ""


class Fact(StrEnum):
    """What deliver knows of a dispatch; the kinds of engagement are facts, too."""

    RETRY = "retry"
    ACCEPTED = "accepted"
    FAILED = "failed"
    SKIPPED = "skipped"
    SCHEDULED = "scheduled"
    """Scheduled again just before delivery."""
    UNKNOWN = "unknown"
    SETTLED = "settled"


class Standing(StrEnum):
    """The five sums of a run, and `pending` for what is still on its way."""

    ACCEPTED = "accepted"
    SKIPPED = "skipped"
    SCHEDULED = "scheduled"
    FAILED = "failed"
    UNKNOWN = "unknown"
    PENDING = "pending"


SHOWS_ACCEPTANCE = frozenset({Fact.ACCEPTED.value, *(kind.value for kind in EngagementKind)}) - {
    EngagementKind.UNSUBSCRIBED.value
}
"""A provider that reports on a message has taken it, whatever deliver came to know."""

STRONGEST_FIRST = (
    EngagementKind.COMPLAINED,
    EngagementKind.BOUNCED,
    EngagementKind.UNDELIVERED,
    EngagementKind.CLICKED,
    EngagementKind.OPENED,
    EngagementKind.DELIVERED,
    EngagementKind.DELAYED,
    Fact.ACCEPTED,
    Fact.FAILED,
    Fact.SKIPPED,
    Fact.SCHEDULED,
    Fact.UNKNOWN,
    Fact.RETRY,
)


def is_accepted(facts: Facts) -> bool:
    """Whether the provider has certainly taken it."""
    return bool(SHOWS_ACCEPTANCE & facts.keys())


def may_be_sent_again(facts: Facts) -> bool:
    """Whether a claimed dispatch is provably not sent, or its settling rule says that it is to be sent again."""
    is_final = is_accepted(facts) or not facts.keys().isdisjoint((Fact.FAILED, Fact.SKIPPED, Fact.SCHEDULED))
    return Fact.RETRY in facts and not is_final


def is_unsent(facts: Facts) -> bool:
    """Whether it certainly does not reach its person: skipped, scheduled, or refused for good; not if in doubt."""
    if detail_of(facts, Fact.FAILED) == FailureCode.IN_DOUBT:
        return False
    return standing_of(facts) in (Standing.FAILED, Standing.SKIPPED, Standing.SCHEDULED)


def is_in_doubt(facts: Facts) -> bool:
    """Whether nobody knows if the provider took it, and nothing was decided about that yet."""
    return standing_of(facts) is Standing.UNKNOWN and Fact.SETTLED not in facts and Fact.RETRY not in facts


def state_of(facts: Facts) -> str:
    """The state of a dispatch: the strongest of its facts; `sent` by the provider counts as accepted."""
    if EngagementKind.SENT in facts and Fact.ACCEPTED not in facts:
        facts = {**facts, Fact.ACCEPTED: facts[EngagementKind.SENT]}
    return next((kind.value for kind in STRONGEST_FIRST if kind in facts), Standing.PENDING.value)


def cause_of(facts: Facts) -> str:
    """The code of a dispatch that the provider refused or did not take, or that is in doubt; empty for any other."""
    state = state_of(facts)
    return detail_of(facts, state) if state in (Fact.FAILED, Fact.RETRY, Fact.UNKNOWN) else ""


def standing_of(facts: Facts) -> Standing:
    """In which of a run's sums a dispatch counts."""
    if is_accepted(facts):
        return Standing.ACCEPTED
    for fact in (Fact.FAILED, Fact.SKIPPED, Fact.SCHEDULED, Fact.UNKNOWN):
        if fact in facts:
            return Standing(fact.value)
    return Standing.PENDING


def is_by_another_provider(facts: Facts) -> bool:
    """Whether a provider took it that stood in for the channel's own, and reports nothing."""
    return Fact.ACCEPTED in facts and bool(facts[Fact.ACCEPTED].about)


def by_record(events: Iterable[EngagementEvent]) -> dict[RecordKey, SlotFacts]:
    """The facts that events tell, by the record that they belong to; the first event of a kind gives its time."""
    records: dict[RecordKey, SlotFacts] = {}
    for event in events:
        if not event.outcome_key:
            continue  # the outcome of its dispatch is known already
        slots, (_, slot) = records.setdefault(record_of(event), {}), split_outcome_key(event.outcome_key)
        slots.setdefault(slot, {}).setdefault(event.kind.value, Happened(event.occurred_at, event.detail))
    return records


def accepted_slots(slots: SlotFacts) -> set[int]:
    """The slots that are called accepted, and not merely shown to be by what came later."""
    return {slot for slot, facts in slots.items() if Fact.ACCEPTED in facts}


def unproven(slots: SlotFacts, accepted: Container[int]) -> SlotFacts:
    """That messages were taken, by the first event that shows it, where their record itself does not call them so."""
    return {
        slot: {Fact.ACCEPTED: Happened(min(fact.at for kind, fact in facts.items() if kind in SHOWS_ACCEPTANCE))}
        for slot, facts in slots.items()
        if slot not in accepted and is_accepted(facts)
    }


def record_of(event: EngagementEvent) -> RecordKey:
    """The record that holds the outcome of an event's dispatch; the event has an outcome key."""
    return RecordKey(event.run_id, split_outcome_key(event.outcome_key)[0], event.channel)
