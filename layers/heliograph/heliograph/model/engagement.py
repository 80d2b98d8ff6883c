"""Engagement: what happened since, and what follows from it for the person."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from heliograph.model.channels import Channel
from heliograph.model.policy import Purpose
from heliograph.model.values import Value


class EngagementKind(StrEnum):
    """What happened since the provider took a message, from the first word to the strongest."""

    SENT = "sent"
    DELAYED = "delayed"
    DELIVERED = "delivered"
    OPENED = "opened"
    CLICKED = "clicked"
    UNDELIVERED = "undelivered"
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


class EngagementEvent(Value, frozen=True, kw_only=True):
    """What happened to a dispatch since: the one vocabulary for every provider."""

    event_id: str
    """Derived from the provider's event: the same event twice has the same id."""
    dispatch_id: str
    recipient_id: str
    channel: Channel
    kind: EngagementKind
    occurred_at: datetime
    outcome_key: str
    """`<pack_id>-<slot>`: where the outcome of the dispatch is kept; empty: that outcome is known already."""
    run_id: str = ""
    message: str = ""
    address: str = ""
    """Needed for consequences only; never logged, never kept in the lake."""
    permanent: bool = False
    """A bounce that will happen again: the address is dead."""
    detail: str = ""
    """The provider's own code for it, such as `Permanent/General` or `TEXT_CARRIER_BLOCKED`."""


class SuppressAddress(Value, frozen=True, kw_only=True):
    """An address of a recipient must not be used on a channel any more."""

    recipient_id: str
    channel: Channel
    address: str
    reason: str
    at: datetime
    after: str = ""
    """The owners of the address up to this id are done: an address may have more than one function has time for."""


class WithdrawConsent(Value, frozen=True, kw_only=True):
    """A recipient opted out of a purpose on a channel: promotional messages, unless they say that they want none."""

    recipient_id: str
    channel: Channel
    source: str
    at: datetime
    purpose: Purpose = Purpose.PROMOTIONAL


class RemoveAddress(Value, frozen=True, kw_only=True):
    """One of many addresses of a recipient is gone for good: a device without the app."""

    recipient_id: str
    channel: Channel
    address: str


class Refund(Value, frozen=True, kw_only=True):
    """A message that did not reach its person no longer counts against their caps."""

    recipient_id: str
    dispatch_id: str


class Engaged(Value, frozen=True, kw_only=True):
    """A person reacted on a channel."""

    recipient_id: str
    channel: Channel
    at: datetime


class Ahead(Value, frozen=True, kw_only=True):
    """An event that came before its minute, for its consequences alone: it is kept when its minute comes."""

    event: EngagementEvent


class RawObject(Value, frozen=True, kw_only=True):
    """What a channel's provider told within a minute, in one object of the bucket."""

    channel: Channel
    key: str
    told_at: datetime
    """When we heard of it: all of it happened before."""
    after: int = 0
    """The lines up to this number are done: an object may hold more than one function has time for."""


Consequence = SuppressAddress | WithdrawConsent | RemoveAddress | Refund | Engaged


class Events(Value, frozen=True, kw_only=True):
    """What deliver tells record: outcomes that have consequences for the person."""

    events: tuple[EngagementEvent, ...]


class Unfinished(Value, frozen=True, kw_only=True):
    """What record tells itself: an address has more owners than could be seen to at once."""

    unfinished: SuppressAddress


class Unread(Value, frozen=True, kw_only=True):
    """What record tells itself: an object holds more than could be read at once."""

    unread: RawObject
