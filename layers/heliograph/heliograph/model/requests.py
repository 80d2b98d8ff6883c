"""Requests: one person, one message, why; and how they travel."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementKind
from heliograph.model.values import JsonObject, Value
from heliograph.text import ids


class Lane(StrEnum):
    """Which queues a piece of work takes, so that a password reset never waits behind a million-row run."""

    PRIORITY = "priority"
    BULK = "bulk"


class Cause(Value, frozen=True, kw_only=True):
    """Who asked for a message, as the asker would know it: kept with every decision, to be found by."""

    event_id: str = ""
    """Empty: a campaign."""
    idempotency_key: str = ""
    reference: str = ""
    """What the asker chose, such as the number of an order: no address, and nothing secret."""

    def handles(self) -> tuple[str, ...]:
        """By what the request can be found without its person: what was given, not the event's own id."""
        return tuple(dict.fromkeys(each for each in (self.reference, self.idempotency_key) if each))

    def is_called(self, text: str) -> bool:
        """Whether a text is one of its names."""
        return bool(text) and text in (self.event_id, self.idempotency_key, self.reference)


NO_CAUSE = Cause()


class EarlierDispatch(Value, frozen=True, kw_only=True):
    """A dispatch of the same request on another channel, whose fallback has begun."""

    outcome_key: str
    """`<pack_id>-<slot>`."""
    channel: Channel
    unless: EngagementKind
    within: int
    """Seconds."""
    at: datetime
    """When it was claimed."""


class SendRequest(Value, frozen=True, kw_only=True):
    """One person, one message, why."""

    request_id: str
    message: str
    recipient_id: str
    requested_at: datetime
    data: JsonObject = {}
    attributes: JsonObject = {}
    """The segment's own columns: they overlay the recipient's attributes when rendering."""
    run_id: str = ""
    """Empty: triggered by an event, not by a campaign."""
    not_after: datetime | None = None
    step: int = 0
    """How many decisions this request has seen before: scheduled requests and fallbacks."""
    fallbacks: int = 0
    """How many of the message's fallbacks have begun."""
    earlier: tuple[EarlierDispatch, ...] = ()
    """What was sent on other channels before, and may still be confirmed."""
    email: str = ""
    phone: str = ""
    locale: str = ""
    """The address and language that an event carried, for people who are not known."""
    invalid: tuple[str, ...] = ()
    """Kinds of address of which the carried one could not be read."""
    cause: Cause = NO_CAUSE

    @property
    def dispatch_id(self) -> str:
        """The id of the next decision on it."""
        return ids.dispatch_id(self.request_id, self.step)


class SegmentRows(Value, frozen=True, kw_only=True):
    """Rows of a segment as ingest queues them: what all have in common once, and the cells of each."""

    message: str
    requested_at: datetime
    columns: tuple[str, ...]
    """One of them is `recipient_id`; the others become attributes."""
    rows: tuple[list[str], ...]
    data: JsonObject = {}
    not_after: datetime | None = None
    reference: str = ""
    """That of the campaign."""


class RequestPack(Value, frozen=True, kw_only=True):
    """Up to 100 requests of one message and one run: read with one BatchGetItem, carried in one SQS message."""

    pack_id: str
    lane: Lane
    requests: tuple[SendRequest, ...] = ()
    run_id: str = ""
    segment: SegmentRows | None = None
    """In the place of requests, from which `segments.unpacked` makes them."""
