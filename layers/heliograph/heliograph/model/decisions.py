"""Decisions: what they are made of, and what they can be."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from heliograph.model.channels import Channel
from heliograph.model.dispatches import Dispatch
from heliograph.model.people import ConsentState, Preferences, Reach, Zone, ZoneSource
from heliograph.model.policy import Purpose
from heliograph.model.reasons import Reason
from heliograph.model.requests import SendRequest
from heliograph.model.traces import Confirmation, Reference, Trace
from heliograph.model.values import Value


class Verdict(StrEnum):
    """What was decided on a request."""

    DISPATCHED = "dispatched"
    SKIPPED = "skipped"
    SCHEDULED = "scheduled"
    SKIPPED_AT_DELIVERY = "skipped_at_delivery"
    """Dispatched by plan, and skipped when asked again just before delivery."""


NO_DISPATCH = frozenset({Verdict.SKIPPED, Verdict.SCHEDULED})
"""What plan decides alone: nothing was given to deliver, and it counts in plan's sums."""


class Reservation(Value, frozen=True, kw_only=True):
    """A message that counts against a person's caps."""

    dispatch_id: str
    at: datetime
    channel: Channel
    purpose: Purpose
    topic: str


class Inputs(Value, frozen=True, kw_only=True):
    """Everything about a person and a request that a decision is made of: no address, no name, no data.

    The same inputs, message and policy always make the same decision, which is how a decision is replayed.
    """

    now: datetime
    recipient_id: str
    dispatch_id: str
    message: str
    version: str = ""
    policy: str = ""
    requested_at: datetime
    not_after: datetime | None = None
    fallbacks: int = 0
    """How many of the message's fallbacks have begun."""
    known: bool = True
    readable: bool = True
    reach: dict[Channel, Reach] = {}
    """Channels that are not named: `none`."""
    consents: dict[str, ConsentState] = {}
    """Those to the message's topic and purpose."""
    preferences: Preferences = Preferences()
    zones: dict[ZoneSource, str] = {}
    country: str = ""
    engaged: dict[Channel, datetime] = {}
    reserved: tuple[Reservation, ...] = ()
    """What counts against the person's caps, this request's own reservation included."""
    confirmed_by: Confirmation | None = None
    awaited_until: datetime | None = None
    """Until when an earlier channel still has time."""
    before: tuple[Channel, ...] = ()
    """Channels that this request was sent on before."""


class Ruling(Value, frozen=True, kw_only=True):
    """What the rules make of inputs: yes, no or later, and why."""

    outcome: Verdict
    channel: Channel | None = None
    """The channel that carries it; of a "no" the one that came closest; of a "later" the one that is waited for."""
    reason: Reason | None = None
    until: datetime | None = None
    """When it is planned again; scheduled requests only."""
    next_time: datetime | None = None
    """The earliest time at which a message like this could be sent, if nothing else changes; None: nobody knows."""
    tried: Trace = ()
    order: str = "message"
    """Whose order of channels came first: `preference`, `engagement` or `message`."""
    zone: Zone | None = None
    fallback: int = 0
    """Which fallback the channel belongs to; 0: none."""


class NotDispatched(Value, frozen=True, kw_only=True):
    """The decision not to send, at least not now; the ruling says why."""

    request: SendRequest
    ruling: Ruling
    inputs: Reference | None = None

    @property
    def dispatch_id(self) -> str:
        """The id of this decision on its request."""
        return self.request.dispatch_id

    @property
    def reason(self) -> Reason:
        """The reason, from the closed list."""
        return self.ruling.reason or Reason.UNKNOWN_MESSAGE

    @property
    def channel(self) -> Channel | None:
        """The channel that came closest, or that is waited for."""
        return self.ruling.channel


class Skipped(NotDispatched, frozen=True, kw_only=True):
    """The decision not to send."""


class Scheduled(NotDispatched, frozen=True, kw_only=True):
    """The decision to plan again at `until`."""

    until: datetime


Decision = Dispatch | Skipped | Scheduled
