"""Messages: what a folder in `templates/messages/` says about itself, as compiled into the catalogue."""

from __future__ import annotations

from enum import StrEnum

from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementKind
from heliograph.model.policy import Purpose
from heliograph.model.values import JsonObject, Value


class OnUnknown(StrEnum):
    """What becomes of a dispatch in doubt when nothing was heard of it for a while."""

    RESEND = "resend"
    DROP = "drop"


class Trigger(Value, frozen=True, kw_only=True):
    """Which product event sends a message, and where in it the facts are (JMESPath on the whole event)."""

    source: str
    detail_type: str
    recipient_id: str
    data: str = "detail"
    filter: JsonObject = {}
    """Further EventBridge pattern fields, such as `{"detail": {"total": [{"numeric": [">", 100]}]}}`."""
    idempotency_key: str = ""
    """Empty: the id of the event."""
    reference: str = ""
    """Where something stands by which the message is to be found later, such as the number of an order."""
    email: str = ""
    phone: str = ""
    locale: str = ""
    """Where the address and language are, for people who are not known (transactional messages only)."""
    expires_at: str = ""
    """Where an ISO 8601 time is after which the message must not be sent."""
    most_per_event: int = 1
    """The most recipients that one event is expected to name; beyond it, all of them wait for approval."""
    most_per_hour: int | None = None
    """The most recipients that are expected in an hour (UTC); beyond it, they wait for approval."""


class Fallback(Value, frozen=True, kw_only=True):
    """What follows when a channel does not do its work in time."""

    unless: EngagementKind
    """`opened` or `delivered`: what confirms that the earlier channel has done its work."""
    within: int
    """Seconds after the provider took the message."""
    channels: tuple[Channel, ...]
    """The next channels, in the order in which they are tried; one of them gets the message."""


class Message(Value, frozen=True, kw_only=True):
    """The facts of a folder in `templates/messages/`, as compiled into the catalogue."""

    name: str
    version: str
    """A hash of everything that the message is rendered from and decided by."""
    topic: str
    purpose: Purpose
    channels: tuple[Channel, ...]
    """In the order in which they are tried; the first that may carry the message gets it."""
    fallback: tuple[Fallback, ...] = ()
    """What follows, step by step, when nobody reacts."""
    wait_at_most: int | None = None
    """Seconds for which it may wait (quiet hours, pauses); None: as the policy says."""
    by_engagement: bool | None = None
    """Whether the channel where the person reacted last comes first; None: as the policy says."""
    locales: dict[Channel, tuple[str, ...]]
    """BCP-47 tags of each channel's translations; the first is the default."""
    expires_after: int | None = None
    """Seconds after the request at which the message is worthless."""
    trigger: Trigger | None = None
    sms_parts: int = 3
    """The most SMS parts that one message may take."""
    on_unknown: OnUnknown | None = None
    """None: as its purpose says (`settling_rule`)."""

    def every_channel(self) -> tuple[Channel, ...]:
        """The channels of the message and of its fallbacks, each once."""
        later = (channel for fallback in self.fallback for channel in fallback.channels)
        return tuple(dict.fromkeys([*self.channels, *later]))

    def settling_rule(self) -> OnUnknown:
        """Transactional messages are rather sent twice than not at all, promotional ones the other way round."""
        by_purpose = OnUnknown.RESEND if self.purpose is Purpose.TRANSACTIONAL else OnUnknown.DROP
        return self.on_unknown or by_purpose
