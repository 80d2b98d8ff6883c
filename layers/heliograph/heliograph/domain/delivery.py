"""What deliver does with a pack: who is still written to, what earlier tries left behind, what came of each letter."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from heliograph.domain.facts import Fact, fact_value, is_in_doubt, is_unsent, may_be_sent_again
from heliograph.domain.model import (
    Accepted,
    Dispatch,
    DispatchPack,
    Failed,
    InDoubt,
    LedgerEntry,
    Letter,
    Message,
    NotSent,
    Outcome,
    RequestPack,
    SlotFacts,
    Verdict,
)
from heliograph.domain.packing import deferred_at_delivery

NOT_OURS = frozenset({Verdict.SUPPRESSED, Verdict.DEFERRED})
"""What plan decided counts in plan's sums, not in deliver's."""


class Checked(NamedTuple):
    """A dispatch after the last look at its person: a letter to be sent, or the reason why it is withheld."""

    dispatch: Dispatch
    message: Message
    letter: Letter | None
    reason: str
    until: datetime | None = None
    """When it is planned again, if it only has to wait."""


class Todo(NamedTuple):
    """What this try on a pack has to do."""

    claimed: list[Letter]
    """Claimed by this try, to be handed to the provider."""
    again: list[Letter]
    """Claimed by an earlier try and provably not sent; this try must win them before it sends them."""
    facts: SlotFacts
    """What is known without sending."""
    in_doubt: list[int]
    """Slots of which nobody knows whether they were sent: to be settled."""
    later: list[tuple[RequestPack, datetime]]
    """What has to wait although it was planned for now, to be planned again."""
    unsent: list[Dispatch]
    """What certainly does not reach its person: it does not count against their caps."""


def claim(checked: Checked, pack: DispatchPack, *, policy: str, at: datetime) -> LedgerEntry:
    """The entry that claims a dispatch, or that says why it is withheld."""
    dispatch = checked.dispatch
    return LedgerEntry(
        recipient_id=dispatch.recipient_id,
        dispatch_id=dispatch.dispatch_id,
        message=dispatch.message,
        version=checked.message.version,
        outcome=Verdict.WITHHELD if checked.reason else Verdict.DISPATCHED,
        decided_at=at,
        pack_id=pack.pack_id,
        slot=dispatch.slot,
        channel=dispatch.channel,
        reason=checked.reason,
        until=checked.until.isoformat() if checked.until else "",
        tried=dispatch.tried,
        policy=policy,
        run_id=pack.run_id,
        zone=dispatch.zone,
        inputs=dispatch.inputs,
    )


def todo(
    pack: DispatchPack,
    checked: Sequence[Checked],
    existing: Mapping[str, LedgerEntry],
    facts: SlotFacts,
    *,
    won: set[str],
    at: datetime,
) -> Todo:
    """Send what this try has claimed, and go on from where an earlier try on the same pack stopped.

    `won` are the dispatches that this try claimed, `existing` those that were decided before, `facts` what is known of
    them. What was claimed and of which nothing else is known is in doubt, and is not sent again.
    """
    ours = [entry for entry in existing.values() if _is_ours(entry, pack)]
    retried = {entry.slot for entry in ours if may_be_sent_again(facts.get(entry.slot, {}))}
    learnt = {entry.slot: _left_behind(entry, at) for entry in ours if not facts.get(entry.slot)}
    claimed: list[Letter] = []
    again: list[Letter] = []
    until = {
        entry.slot: datetime.fromisoformat(entry.until) for entry in ours if entry.until and not facts.get(entry.slot)
    }
    for dispatch, _, letter, reason, wait in checked:
        is_new = dispatch.dispatch_id in won
        if not is_new and dispatch.slot not in retried:
            continue
        if letter is None:
            learnt[dispatch.slot] = {Fact.DEFERRED if wait else Fact.SUPPRESSED: fact_value(at, reason)}
            until |= {dispatch.slot: wait} if wait else {}
        else:
            (claimed if is_new else again).append(letter)
    known = {entry.slot: {**facts.get(entry.slot, {}), **learnt.get(entry.slot, {})} for entry in ours}
    known |= {slot: known.get(slot, {}) | kinds for slot, kinds in learnt.items()}
    return Todo(
        claimed=claimed,
        again=again,
        facts=learnt,
        in_doubt=[entry.slot for entry in ours if is_in_doubt(known[entry.slot])],
        later=[
            (deferred_at_delivery(pack, each, until[each.slot]), until[each.slot])
            for each in pack.dispatches
            if each.slot in until
        ],
        unsent=[each for each in pack.dispatches if is_unsent(known.get(each.slot, {}))],
    )


def some_of(pack: DispatchPack, slots: Collection[int], *, tries: int = 0) -> DispatchPack:
    """The dispatches of a pack in some slots, as a pack of their own."""
    dispatches = tuple(dispatch for dispatch in pack.dispatches if dispatch.slot in slots)
    return msgspec.structs.replace(pack, dispatches=dispatches, tries=tries)


def _is_ours(entry: LedgerEntry, pack: DispatchPack) -> bool:
    """Whether a decision was made by an earlier try on this very pack."""
    return (entry.pack_id, entry.channel) == (pack.pack_id, pack.channel) and entry.outcome not in NOT_OURS


def _left_behind(entry: LedgerEntry, at: datetime) -> dict[str, str]:
    """What a try that stopped right after its claim leaves behind."""
    if entry.outcome is Verdict.WITHHELD:
        fact = Fact.DEFERRED if entry.until else Fact.SUPPRESSED
        return {fact: fact_value(entry.decided_at, entry.reason)}
    return {Fact.UNKNOWN: fact_value(at, "interrupted")}


def facts_of(outcomes: Iterable[Outcome], letters: Mapping[str, Letter], at: datetime) -> SlotFacts:
    """What the provider's answers say about each slot; letters by dispatch id."""
    return {letters[outcome.dispatch_id].dispatch.slot: _fact(outcome, at) for outcome in outcomes}


def not_handed_over(letters: Iterable[Letter], at: datetime) -> SlotFacts:
    """What is known of letters that were not handed over when sending had to stop: they are certainly not sent."""
    return {letter.dispatch.slot: {Fact.RETRY: fact_value(at, "stopped")} for letter in letters}


def _fact(outcome: Outcome, at: datetime) -> dict[str, str]:
    match outcome:
        case Accepted():
            return {Fact.ACCEPTED: fact_value(at, outcome.provider_message_id)}
        case Failed():
            return {Fact.FAILED: fact_value(at, outcome.code)}
        case NotSent():
            return {Fact.RETRY: fact_value(at, outcome.cause)}
        case InDoubt():
            return {Fact.UNKNOWN: fact_value(at, outcome.cause)}
