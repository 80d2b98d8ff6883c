"""What a try on a pack finds about each of its dispatches, and what follows: each slot is classified once."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from heliograph.followups.fallbacks import reaches_nobody
from heliograph.model.decisions import NO_DISPATCH, Verdict
from heliograph.model.dispatches import Dispatch, DispatchPack, Rendered
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Message
from heliograph.model.outcomes import Facts, Happened, SlotFacts
from heliograph.model.requests import RequestPack
from heliograph.planning.packing import Due, fallbacks, packed_by_time, portions
from heliograph.recording.facts import Fact, is_in_doubt, is_unsent, may_be_sent_again


class Checked(NamedTuple):
    """A dispatch after the last look at its person: rendered, or the reason why it is skipped."""

    dispatch: Dispatch
    message: Message
    rendered: Rendered | None
    reason: str
    until: datetime | None = None
    """When it is planned again, if it only has to wait."""
    detail: str = ""
    """The name of the variable that is missing."""


class Kind(StrEnum):
    """What a try finds about a dispatch."""

    NEW = "new"
    """This try has decided on it."""
    INTERRUPTED = "interrupted"
    """An earlier try has, and stopped right after: whether it was sent, nobody knows."""
    UNSENT = "unsent"
    """An earlier try has claimed it, and it is provably not sent."""
    KNOWN = "known"
    """An earlier try has seen to it."""
    REFUSED = "refused"
    """Another try of plan had decided against it when this one dispatched it."""
    FOREIGN = "foreign"
    """Another pack has it, or nobody has decided yet."""


DECIDED = (Kind.NEW, Kind.INTERRUPTED)
OURS = (Kind.INTERRUPTED, Kind.UNSENT, Kind.KNOWN)


class Claim(NamedTuple):
    """What was decided on a dispatch just before delivery."""

    reason: str
    """Empty: to send it."""
    until: datetime | None
    detail: str


class Slot(NamedTuple):
    """A dispatch of a pack, and what this try makes of it."""

    kind: Kind
    checked: Checked
    claim: Claim
    learnt: dict[str, Happened]
    """The facts that this try adds without sending."""
    known: Facts
    """All that is known of it then."""

    @property
    def number(self) -> int:
        """Its slot in the pack."""
        return self.checked.dispatch.slot

    @property
    def to_send(self) -> Rendered | None:
        """What this try has claimed, and hands to the provider."""
        return self.checked.rendered if self.kind is Kind.NEW else None

    @property
    def to_send_again(self) -> Rendered | None:
        """What this try must win before it hands it to the provider."""
        return self.checked.rendered if self.kind is Kind.UNSENT else None

    @property
    def waits_until(self) -> datetime | None:
        """Until when it waits in the outbox: it was claimed for now, was not taken, and has to wait now."""
        return self.checked.until if self.kind is Kind.UNSENT else None

    @property
    def scheduled_until(self) -> datetime | None:
        """When it is planned again, as it has to wait although it was planned for now."""
        return self.claim.until if self.kind in DECIDED else None

    @property
    def is_claimed(self) -> bool:
        """Whether it was claimed to be sent, so that the next channel has its turn if nobody reacts."""
        return self.kind in DECIDED and not self.claim.reason

    @property
    def is_in_doubt(self) -> bool:
        """Whether nobody knows if it was sent: to be settled."""
        return self.kind in OURS and is_in_doubt(self.known)

    @property
    def counts_no_more(self) -> bool:
        """Whether it certainly does not reach its person, and does not count against their caps."""
        return self.kind is Kind.REFUSED or is_unsent(self.known)

    @property
    def reaches_nobody(self) -> bool:
        """Whether its fallback is planned at once."""
        return reaches_nobody(self.known)


def claim_entry(checked: Checked, pack: DispatchPack, *, policy: str, at: datetime) -> LedgerEntry:
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


def classified(
    pack: DispatchPack,
    checked: Iterable[Checked],
    existing: Mapping[str, LedgerEntry],
    facts: SlotFacts,
    *,
    won: Container[str],
    at: datetime,
    complete: bool = True,
) -> list[Slot]:
    """Each slot of a pack: go on from where an earlier try stopped, and send nothing of which nobody knows.

    `won` are the dispatches that this try claimed, `existing` those that were decided before, `facts` what is known of
    them. What has to wait is scheduled once everything is decided (`complete`), so that every try schedules the same.
    """
    slots = []
    for one in checked:
        dispatch, known = one.dispatch, facts.get(one.dispatch.slot, {})
        entry = existing.get(dispatch.dispatch_id)
        kind = _kind(pack, entry, known, is_won=dispatch.dispatch_id in won)
        claim = _claim_of(entry) if entry and kind is Kind.INTERRUPTED else Claim(one.reason, one.until, one.detail)
        is_early = kind in DECIDED and claim.until is not None and not complete
        learnt = {} if is_early else _learnt(kind, claim, entry, at)
        slots.append(Slot(kind, _since(entry, one), claim, learnt, known | learnt))
    return slots


def _kind(pack: DispatchPack, entry: LedgerEntry | None, facts: Facts, *, is_won: bool) -> Kind:
    if is_won:
        return Kind.NEW
    if entry is None:
        return Kind.FOREIGN
    if entry.outcome in NO_DISPATCH:
        return Kind.REFUSED
    if (entry.pack_id, entry.channel) != (pack.pack_id, pack.channel):
        return Kind.FOREIGN
    if not facts:
        return Kind.INTERRUPTED
    return Kind.UNSENT if may_be_sent_again(facts) else Kind.KNOWN


def _since(entry: LedgerEntry | None, one: Checked) -> Checked:
    """What is sent again was claimed by an earlier try."""
    if entry is None or one.rendered is None:
        return one
    return one._replace(rendered=msgspec.structs.replace(one.rendered, claimed_at=entry.decided_at))


def _claim_of(entry: LedgerEntry) -> Claim:
    return Claim(entry.reason, datetime.fromisoformat(entry.until) if entry.until else None, entry.detail)


def _learnt(kind: Kind, claim: Claim, entry: LedgerEntry | None, at: datetime) -> dict[str, Happened]:
    if kind is Kind.INTERRUPTED and entry is not None:
        if entry.outcome is not Verdict.SKIPPED_AT_DELIVERY:
            return {Fact.UNKNOWN: Happened(at, "interrupted")}
        return _skipped(claim, entry.decided_at)
    is_skipped = (kind is Kind.NEW and claim.reason) or (kind is Kind.UNSENT and claim.reason and not claim.until)
    return _skipped(claim, at) if is_skipped else {}


def _skipped(claim: Claim, at: datetime) -> dict[str, Happened]:
    return {Fact.SCHEDULED if claim.until else Fact.SKIPPED: Happened(at, claim.reason, claim.detail)}


def learnt(slots: Iterable[Slot]) -> SlotFacts:
    """What a try knows without sending."""
    return {slot.number: slot.learnt for slot in slots if slot.learnt}


def due_later(
    pack: DispatchPack, slots: Sequence[Slot], at: datetime, *, lag: int = 0, complete: bool = True
) -> list[Due]:
    """What is planned later: what has to wait, and the fallbacks of what is sent; reactions come `lag` seconds late."""
    waiting = [(each.checked.dispatch.request, until) for each in slots if (until := each.scheduled_until)]
    claimed = [each.checked[:2] for each in slots if each.is_claimed]
    return [*(packed_by_time(pack, waiting) if complete else ()), *fallbacks(pack, claimed, at, lag)]


def due_now(pack: DispatchPack, slots: Iterable[Slot], at: datetime, lag: int = 0) -> Iterator[RequestPack]:
    """The next channels of dispatches that certainly reach nobody: there is nothing to wait for."""
    following = fallbacks(pack, [each.checked[:2] for each in slots], at, lag)
    return (portion for requests, _ in following for portion in portions(requests))


def reasons(slots: Iterable[Slot]) -> list[tuple[str, str, str]]:
    """Message, reason and missing variable of everybody to whom this try cannot write."""
    new = (slot.checked for slot in slots if slot.kind is Kind.NEW)
    return [(one.message.name, one.reason, one.detail) for one in new if one.reason]
