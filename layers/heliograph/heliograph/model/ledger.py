"""The ledger's entries: every decision, written once."""

from __future__ import annotations

from datetime import datetime

from heliograph.model.decisions import Decision, Ruling, Verdict
from heliograph.model.dispatches import Dispatch
from heliograph.model.people import Zone
from heliograph.model.requests import NO_CAUSE, Cause
from heliograph.model.traces import Reference, Trace
from heliograph.model.values import Value


class LedgerEntry(Value, frozen=True, kw_only=True):
    """One decision on a request, written once and never changed."""

    recipient_id: str
    dispatch_id: str
    message: str
    version: str
    outcome: Verdict
    decided_at: datetime
    pack_id: str
    slot: int
    channel: str = ""
    reason: str = ""
    until: str = ""
    """ISO 8601; scheduled requests only."""
    tried: Trace = ()
    policy: str = ""
    run_id: str = ""
    zone: Zone | None = None
    next_time: str = ""
    """ISO 8601; when a message like this could be sent."""
    inputs: Reference | None = None
    cause: Cause = NO_CAUSE
    detail: str = ""
    """The name of the variable that is missing."""

    @classmethod
    def of(cls, decision: Decision, *, pack_id: str, slot: int, version: str, policy: str, at: datetime) -> LedgerEntry:
        """What the ledger keeps of a decision on the request in a slot of a pack."""
        request, ruling = decision.request, ruling_of(decision)
        return cls(
            recipient_id=request.recipient_id,
            dispatch_id=decision.dispatch_id,
            message=request.message,
            version=version,
            outcome=ruling.outcome,
            decided_at=at,
            pack_id=pack_id,
            slot=slot,
            channel=ruling.channel or "",
            reason=ruling.reason or "",
            until=ruling.until.isoformat() if ruling.until else "",
            tried=ruling.tried,
            policy=policy,
            run_id=request.run_id,
            zone=ruling.zone,
            next_time=ruling.next_time.isoformat() if ruling.next_time else "",
            inputs=decision.inputs,
            cause=request.cause,
        )


def ruling_of(decision: Decision) -> Ruling:
    """The ruling that a decision follows; of a dispatch what travels of it."""
    if not isinstance(decision, Dispatch):
        return decision.ruling
    return Ruling(outcome=Verdict.DISPATCHED, channel=decision.channel, tried=decision.tried, zone=decision.zone)
