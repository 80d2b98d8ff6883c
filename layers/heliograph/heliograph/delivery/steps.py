"""What deliver does with a pack: who is still written to, what earlier tries left behind, what came of each letter."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import msgspec

from heliograph.followups.fallbacks import reaches_nobody
from heliograph.model.decisions import NO_DISPATCH, Verdict
from heliograph.model.dispatches import Dispatch, DispatchPack, Rendered
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Message
from heliograph.model.outcomes import Accepted, Failed, InDoubt, NotSent, Outcome, SlotFacts
from heliograph.model.requests import RequestPack, SendRequest
from heliograph.planning.packing import Due, fallbacks, full_minute, packed_by_time
from heliograph.recording.facts import Fact, fact_value, is_in_doubt, is_unsent, may_be_sent_again, reason_value


class Checked(NamedTuple):
    """A dispatch after the last look at its person: a letter to be sent, or the reason why it is skipped."""

    dispatch: Dispatch
    message: Message
    rendered: Rendered | None
    reason: str
    until: datetime | None = None
    """When it is planned again, if it only has to wait."""
    detail: str = ""
    """The name of the variable that is missing."""


class Todo(NamedTuple):
    """What this try on a pack has to do."""

    claimed: list[Rendered]
    """Claimed by this try, to be handed to the provider."""
    again: list[Rendered]
    """Claimed by an earlier try and provably not sent; this try must win them before it sends them."""
    facts: SlotFacts
    """What is known without sending."""
    in_doubt: list[int]
    """Slots of which nobody knows whether they were sent: to be settled."""
    later: list[Due]
    """What is planned later: what has to wait although it was planned for now, and the fallbacks of what is sent."""
    waiting: dict[int, datetime]
    """Slots that were claimed for now, were not taken, and have to wait now, until when: they wait in the outbox."""
    unsent: list[Dispatch]
    """What certainly does not reach its person: it does not count against their caps."""
    unreached: set[int]
    """Slots that certainly reach nobody: their fallbacks are planned at once."""


def claim(checked: Checked, pack: DispatchPack, *, policy: str, at: datetime) -> LedgerEntry:
    """The entry that claims a dispatch, or that says why it is skipped."""
    dispatch = checked.dispatch
    entry = LedgerEntry.of(
        dispatch, pack_id=pack.pack_id, slot=dispatch.slot, version=checked.message.version, policy=policy, at=at
    )
    if not checked.reason:
        return entry
    return msgspec.structs.replace(
        entry,
        outcome=Verdict.SKIPPED_AT_DELIVERY,
        reason=checked.reason,
        until=checked.until.isoformat() if checked.until else "",
        detail=checked.detail,
    )


def todo(
    pack: DispatchPack,
    checked: Sequence[Checked],
    existing: Mapping[str, LedgerEntry],
    facts: SlotFacts,
    *,
    won: set[str],
    at: datetime,
    complete: bool = True,
) -> Todo:
    """Send what this try has claimed, and go on from where an earlier try on the same pack stopped.

    `won` are the dispatches that this try claimed, `existing` those that were decided before, `facts` what is known of
    them. What was claimed and of which nothing else is known is in doubt, and is not sent again. What has to wait is
    put off once everything is decided (`complete`), so that every try puts off the same.
    """
    ours = [entry for entry in existing.values() if _is_ours(entry, pack)]
    retried = {entry.slot for entry in ours if may_be_sent_again(facts.get(entry.slot, {}))}
    interrupted = {entry.slot: entry for entry in ours if not facts.get(entry.slot)}
    claims = _claims(checked, interrupted, won)
    scheduled = {slot: claim.until for slot, claim in claims.items() if claim.until}
    learnt = {slot: _left_behind(entry, at) for slot, entry in interrupted.items()}
    learnt |= {slot: _skipped(claim, at) for slot, claim in claims.items() if claim.reason and slot not in learnt}
    again = [one for one in checked if one.dispatch.slot in retried]
    learnt |= {one.dispatch.slot: _skipped(one, at) for one in again if one.reason and not one.until}
    if not complete:
        learnt = {slot: kinds for slot, kinds in learnt.items() if slot not in scheduled}
    known = {slot: facts.get(slot, {}) | learnt.get(slot, {}) for slot in {*facts, *learnt}}
    return Todo(
        claimed=[one.rendered for one in checked if one.rendered and one.dispatch.dispatch_id in won],
        again=[one.rendered for one in again if one.rendered],
        facts=learnt,
        in_doubt=[entry.slot for entry in ours if is_in_doubt(known.get(entry.slot, {}))],
        later=[
            *(packed_by_time(pack, _waiting(checked, scheduled)) if complete else ()),
            *fallbacks(pack, [one[:2] for one in checked if _is_sent(claims.get(one.dispatch.slot))], at),
        ],
        waiting={one.dispatch.slot: one.until for one in again if one.until},
        unsent=[
            one
            for one in pack.dispatches
            if is_unsent(known.get(one.slot, {})) or _was_refused(existing.get(one.dispatch_id))
        ],
        unreached={slot for slot, kinds in known.items() if reaches_nobody(kinds)},
    )


class Claim(NamedTuple):
    """What was decided on a dispatch of which nothing else is known yet."""

    reason: str
    until: datetime | None
    detail: str


def _claims(checked: Iterable[Checked], interrupted: Mapping[int, LedgerEntry], won: set[str]) -> dict[int, Claim]:
    """What this try decided, and what an earlier one that stopped right after its claim did, by slot."""
    claims = {
        slot: Claim(entry.reason, datetime.fromisoformat(entry.until) if entry.until else None, entry.detail)
        for slot, entry in interrupted.items()
    }
    new = (one for one in checked if one.dispatch.dispatch_id in won)
    return claims | {one.dispatch.slot: Claim(one.reason, one.until, one.detail) for one in new}


def _skipped(one: Checked | Claim, at: datetime) -> dict[str, str]:
    return {Fact.SCHEDULED if one.until else Fact.SKIPPED: fact_value(at, reason_value(one.reason, one.detail))}


def _waiting(
    checked: Iterable[Checked], scheduled: Mapping[int, datetime | None]
) -> Iterator[tuple[SendRequest, datetime]]:
    for one in checked:
        until = scheduled.get(one.dispatch.slot)
        if until:
            yield one.dispatch.request, until


def _is_sent(claim: Claim | None) -> bool:
    """Whether a dispatch was claimed to be sent, so that the next channel has its turn if nobody reacts."""
    return claim is not None and not claim.reason


def told(checked: Iterable[Checked], won: Collection[str]) -> list[tuple[str, str, str]]:
    """Of whom this try has skipped: the message, the reason, and the variable that is missing."""
    skipped = (one for one in checked if one.reason and one.dispatch.dispatch_id in won)
    return [(one.message.name, one.reason, one.detail) for one in skipped]


def at_once(
    pack: DispatchPack, checked: Iterable[Checked], slots: Collection[int], at: datetime
) -> Iterator[RequestPack]:
    """The next channels of dispatches that certainly reach nobody: there is nothing to wait for."""
    unreached = [one[:2] for one in checked if one.dispatch.slot in slots]
    return (requests for requests, _ in fallbacks(pack, unreached, at))


def some_of(pack: DispatchPack, slots: Collection[int], *, tries: int = 0) -> DispatchPack:
    """The dispatches of a pack in some slots, as a pack of their own."""
    dispatches = tuple(dispatch for dispatch in pack.dispatches if dispatch.slot in slots)
    return msgspec.structs.replace(pack, dispatches=dispatches, tries=tries)


def split(pack: DispatchPack, size: int) -> tuple[DispatchPack, DispatchPack]:
    """The first dispatches of a pack, and the rest."""
    return (
        msgspec.structs.replace(pack, dispatches=pack.dispatches[:size]),
        msgspec.structs.replace(pack, dispatches=pack.dispatches[size:]),
    )


def by_time(slots: Mapping[int, datetime]) -> dict[datetime, list[int]]:
    """The slots that wait until the same minute."""
    due: dict[datetime, list[int]] = {}
    for slot, until in slots.items():
        due.setdefault(full_minute(until), []).append(slot)
    return due


def _is_ours(entry: LedgerEntry, pack: DispatchPack) -> bool:
    """Whether a decision was made by an earlier try on this very pack."""
    return (entry.pack_id, entry.channel) == (pack.pack_id, pack.channel) and entry.outcome not in NO_DISPATCH


def _was_refused(entry: LedgerEntry | None) -> bool:
    """Whether another try of plan had decided against it when this one dispatched it."""
    return entry is not None and entry.outcome in NO_DISPATCH


def _left_behind(entry: LedgerEntry, at: datetime) -> dict[str, str]:
    """What a try that stopped right after its claim leaves behind."""
    if entry.outcome is Verdict.SKIPPED_AT_DELIVERY:
        fact = Fact.SCHEDULED if entry.until else Fact.SKIPPED
        return {fact: fact_value(entry.decided_at, reason_value(entry.reason, entry.detail))}
    return {Fact.UNKNOWN: fact_value(at, "interrupted")}


def facts_of(outcomes: Iterable[Outcome], batch: Mapping[str, Rendered], at: datetime) -> SlotFacts:
    """What the provider's answers say about each slot; letters by dispatch id."""
    return {batch[outcome.dispatch_id].dispatch.slot: _fact(outcome, at) for outcome in outcomes}


def not_handed_over(batch: Iterable[Rendered], at: datetime) -> SlotFacts:
    """What is known of letters that were not handed over when sending had to stop: they are certainly not sent."""
    return {rendered.dispatch.slot: {Fact.RETRY: fact_value(at, "stopped")} for rendered in batch}


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
