"""The ledger's entries: every decision, written once."""

from __future__ import annotations

from datetime import datetime

from heliograph.model.decisions import Verdict
from heliograph.model.requests import NO_CAUSE, Cause
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
    tried: str = ""
    policy: str = ""
    run_id: str = ""
    zone: str = ""
    next_time: str = ""
    """ISO 8601; when a message like this could be sent."""
    inputs: str = ""
    """The hash of the decision's inputs, and where they are (`evidence.Reference`)."""
    cause: Cause = NO_CAUSE
    detail: str = ""
    """The name of the variable that is missing."""
