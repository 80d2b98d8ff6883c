"""Does the ledger say the same as the provider? Every person of a run is compared, one after the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import NamedTuple

import msgspec

from heliograph.model.channels import Channel
from heliograph.model.decisions import Verdict
from heliograph.model.ledger import LedgerEntry
from heliograph.model.outcomes import Facts, FailureCode
from heliograph.model.values import Value
from heliograph.recording.facts import SHOWS_ACCEPTANCE, Fact, Standing, detail_of, is_by_another_provider, standing_of
from heliograph.text import ids

EXAMPLES = 20
"""How many of each difference are named; all are counted."""
SENDING = frozenset({Verdict.DISPATCHED, Verdict.SKIPPED_AT_DELIVERY})


class Kind(StrEnum):
    """The closed list of differences."""

    LOST = "lost"
    """In the segment, and nothing was decided (or what is scheduled is long due, and nothing was decided since)."""
    NOT_IN_PROVIDER_LOG = "not_in_provider_log"
    """Accepted, says the ledger; the provider knows nothing of it."""
    NOT_IN_LEDGER = "not_in_ledger"
    """The provider has it; the ledger does not say that it was accepted."""
    DISPATCH_SENT_TWICE = "dispatch_sent_twice"
    PERSON_SENT_TWICE = "person_sent_twice"
    """The provider has messages of several dispatches to one person of the run, and no fallback explains it."""
    CONTRADICTING_FACTS = "contradicting_facts"
    """Failed or skipped, and yet taken by the provider."""
    SUMS = "sums"
    """The sums of the run are not those of its people."""


class Example(Value, frozen=True, kw_only=True, omit_defaults=False):
    """One difference, by identifiers only."""

    recipient_id: str = ""
    dispatch_id: str = ""
    detail: str = ""


class Decided(NamedTuple):
    """A decision and what came of it."""

    entry: LedgerEntry
    facts: Facts


class Person(NamedTuple):
    """Everything that is known of one person of the run."""

    recipient_id: str
    request_id: str
    decisions: tuple[Decided, ...]
    """One for each step, as far as decisions were made."""
    messages: Mapping[str, int]
    """How many messages the provider has, by dispatch."""


class Terms(NamedTuple):
    """What holds for the comparison."""

    at: datetime
    grace: timedelta
    """How late a provider's events and the scheduler may be."""
    reporting: frozenset[Channel]
    """The channels whose provider has a log that we can read."""


class Reconciliation(Value, frozen=True, kw_only=True):
    """What the comparison came to."""

    people: int
    counts: dict[str, int]
    """The five sums over the people."""
    provider_messages: int
    unchecked: int
    """Accepted on a channel whose provider has no log for us."""
    awaited: int
    """Accepted so recently that the provider's events may still be on their way."""
    in_doubt: tuple[int, tuple[Example, ...]]
    """Nobody knows whether the provider took it; no difference."""
    differences: dict[Kind, tuple[int, tuple[Example, ...]]]

    @property
    def holds(self) -> bool:
        """Whether there is no difference."""
        return not any(count for count, _ in self.differences.values())


Finding = tuple[str, Example]
"""A `Kind`, `in_doubt`, `unchecked` or `awaited`, and where."""


def reconcile(people: Iterable[Person], strangers: Iterable[Example], terms: Terms) -> Reconciliation:
    """Compare person by person, so that a run of any size takes little memory.

    `strangers` are messages of the run to people who are not in it; they are read after the people.
    """
    number, messages = 0, 0
    counts, found = Counter[str](), Counter[str]()
    examples: dict[str, list[Example]] = {}

    def note(kind: str, example: Example) -> None:
        found[kind] += 1
        if found[kind] <= EXAMPLES:
            examples.setdefault(kind, []).append(example)

    for person in people:
        number += 1
        messages += sum(person.messages.values())
        counts[standing(person)] += 1
        for kind, example in findings(person, terms):
            note(kind, example)
    for stranger in strangers:
        messages += 1
        note(Kind.NOT_IN_LEDGER, stranger)
    return Reconciliation(
        people=number,
        counts={name: counts[name] for name in Standing if name is not Standing.PENDING},
        provider_messages=messages,
        unchecked=found["unchecked"],
        awaited=found["awaited"],
        in_doubt=(found["in_doubt"], tuple(examples.get("in_doubt", ()))),
        differences={kind: (found[kind], tuple(examples.get(kind, ()))) for kind in Kind},
    )


def with_sums(found: Reconciliation, audience: int, counts: Mapping[str, int]) -> Reconciliation:
    """Add where the sums of the run are not those of its people."""
    told = {"audience": audience, **counts}
    counted = {"audience": found.people, **found.counts}
    wrong = tuple(
        Example(detail=f"{name}: {told[name]} in the sums of the run, {counted[name]} people")
        for name in counted
        if told.get(name, 0) != counted[name]
    )
    return msgspec.structs.replace(found, differences={**found.differences, Kind.SUMS: (len(wrong), wrong)})


def standing(person: Person) -> Standing:
    """In which of the five sums a person counts, whatever followed via fallback; on the way is unknown."""
    first = [decided for decided in person.decisions if not ids.is_of_fallbacks(decided.entry.pack_id)]
    if not first:
        return Standing.UNKNOWN
    entry, facts = first[-1]
    match entry.outcome:
        case Verdict.SKIPPED:
            return Standing.SKIPPED
        case Verdict.SCHEDULED:
            return Standing.SCHEDULED
        case Verdict.DISPATCHED | Verdict.SKIPPED_AT_DELIVERY:
            stands = standing_of(facts)
            return Standing.UNKNOWN if stands is Standing.PENDING else stands


def findings(person: Person, terms: Terms) -> Iterator[Finding]:
    """Everything that is to be said about one person."""
    if _is_lost(person, terms):
        yield Kind.LOST, _example(person, ids.dispatch_id(person.request_id, len(person.decisions)))
    sending = {decided.entry.dispatch_id: decided for decided in person.decisions if decided.entry.outcome in SENDING}
    for dispatch_id, decided in sending.items():
        for kind in _of_dispatch(decided, person.messages.get(dispatch_id, 0), terms):
            yield kind, _example(person, dispatch_id)
    for dispatch_id, number in person.messages.items():
        if dispatch_id not in sending:
            yield Kind.NOT_IN_LEDGER, _example(person, dispatch_id)
        if number > 1:
            yield Kind.DISPATCH_SENT_TWICE, _example(person, dispatch_id)
    via_fallback = {each.entry.dispatch_id for each in person.decisions if ids.is_of_fallbacks(each.entry.pack_id)}
    if len(person.messages.keys() - via_fallback) > 1:
        yield Kind.PERSON_SENT_TWICE, _example(person, max(person.messages.keys() - via_fallback))


def _is_lost(person: Person, terms: Terms) -> bool:
    if not person.decisions:
        return True
    last = person.decisions[-1].entry
    return bool(last.until) and datetime.fromisoformat(last.until) + terms.grace < terms.at


def _of_dispatch(decided: Decided, messages: int, terms: Terms) -> Iterator[str]:
    facts, stands = decided.facts, standing_of(decided.facts)
    if stands in (Standing.UNKNOWN, Standing.PENDING):
        yield "in_doubt"
    elif stands is Standing.ACCEPTED:
        if not messages:
            yield _without_message(decided, terms)
        if not facts.keys().isdisjoint((Fact.SKIPPED, Fact.SCHEDULED)) or _was_refused(facts):
            yield Kind.CONTRADICTING_FACTS
    elif messages:
        yield Kind.NOT_IN_LEDGER


def _was_refused(facts: Facts) -> bool:
    """Whether the provider refused it; what was dropped in doubt may turn out to have been taken."""
    return Fact.FAILED in facts and detail_of(facts, Fact.FAILED) != FailureCode.IN_DOUBT


def _without_message(decided: Decided, terms: Terms) -> str:
    if decided.entry.channel not in terms.reporting or is_by_another_provider(decided.facts):
        return "unchecked"
    accepted_at = min(value.at for kind, value in decided.facts.items() if kind in SHOWS_ACCEPTANCE)
    return "awaited" if accepted_at + terms.grace > terms.at else Kind.NOT_IN_PROVIDER_LOG


def _example(person: Person, dispatch_id: str) -> Example:
    return Example(recipient_id=person.recipient_id, dispatch_id=dispatch_id)
