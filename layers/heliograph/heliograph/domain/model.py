"""The nouns: every type that travels between the functions, frozen, readable by older and newer code.

Readers are tolerant (unknown fields are ignored, missing ones take their default); writers are strict.
Fields are added with a default and never renamed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple, Protocol

import msgspec

JsonObject = dict[str, Any]
"""Raw data of a product event or a segment row: opaque to us, handed to the template."""


class Value(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The root of the travelling types."""


# ---- words -------------------------------------------------------------------------------------------------


class Channel(StrEnum):
    """A way to reach a person."""

    EMAIL = "email"
    SMS = "sms"
    PUSH = "push"


class Purpose(StrEnum):
    """Why a message is sent. Promotional messages need consent; transactional ones do not."""

    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"


class Lane(StrEnum):
    """Which queues a piece of work takes, so that a password reset never waits behind a million-row run."""

    PRIORITY = "priority"
    BULK = "bulk"


class Reason(StrEnum):
    """The closed list of reasons for a "no" (or "not now"), in the order in which the rules are asked."""

    UNKNOWN_MESSAGE = "unknown_message"
    UNKNOWN_RECIPIENT = "unknown_recipient"
    INVALID_ADDRESS = "invalid_address"
    NO_ADDRESS = "no_address"
    ADDRESS_SUPPRESSED = "address_suppressed"
    NOT_CONSENTED = "not_consented"
    EXPIRED = "expired"
    QUIET_HOURS = "quiet_hours"
    MISSING_VARIABLE = "missing_variable"
    TOO_LONG = "too_long"


class FailureCode(StrEnum):
    """The closed list of final refusals by a provider; everything else means "try again" or "in doubt"."""

    REJECTED = "rejected"
    INVALID_ADDRESS = "invalid_address"
    OPTED_OUT = "opted_out"
    DEAD_TOKEN = "dead_token"
    COUNTRY_BLOCKED = "country_blocked"
    PRICE_TOO_HIGH = "price_too_high"
    CONTENT_TOO_LARGE = "content_too_large"
    SENDER_NOT_ALLOWED = "sender_not_allowed"
    IN_DOUBT = "in_doubt"
    """Nobody could tell whether it was taken, and its message is rather dropped than sent twice."""


class OnUnknown(StrEnum):
    """What becomes of a dispatch in doubt when nothing was heard of it for a while."""

    RESEND = "resend"
    DROP = "drop"


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


class ConsentState(StrEnum):
    """What a person said about a topic on a channel; a missing consent is "not set", which is not consent."""

    OPTED_IN = "opted_in"
    OPTED_OUT = "opted_out"


# ---- the recipient -----------------------------------------------------------------------------------------


class Consent(Value, frozen=True, kw_only=True):
    """One answer of a person, with where and when it was given."""

    state: ConsentState
    at: datetime
    source: str
    """`import:<file>`, `event:<source>`, `complaint`, `reply`: who or what recorded it."""


class AddressSuppression(Value, frozen=True, kw_only=True):
    """Why an address must not be used any more."""

    reason: str
    """`hard_bounce`, `complaint`, `opted_out`, `dead_token`."""
    at: datetime


class Preferences(Value, frozen=True, kw_only=True):
    """What a person asked for."""

    channels: tuple[Channel, ...] = ()
    """Most liked first; empty: the order of the message."""


class Recipient(Value, frozen=True, kw_only=True):
    """A person: addresses, consents, preferences, locale, time zone, attributes."""

    recipient_id: str
    known: bool = True
    """False: nobody told us of this person; all we hold is that an address must not be used."""
    email: str = ""
    phone: str = ""
    """E.164, or empty."""
    devices: tuple[str, ...] = ()
    """`<platform>:<token>`; platforms as Pinpoint names them, in lower case: `gcm`, `apns`, `apns_sandbox`."""
    invalid: tuple[Channel, ...] = ()
    """Channels whose given address could not be read; the address itself is not kept."""
    consents: dict[str, Consent] = {}
    """By `consent_key(topic, channel)`."""
    suppressed: dict[str, AddressSuppression] = {}
    """By address, as kept in `email`, `phone` and `devices`."""
    preferences: Preferences = Preferences()
    locale: str = ""
    """BCP-47, or empty: the policy's default."""
    timezone: str = ""
    """IANA name, or empty: the policy's default."""
    attributes: JsonObject = {}

    def addresses(self, channel: Channel) -> tuple[str, ...]:
        """Every address of this person on a channel, suppressed ones included."""
        match channel:
            case Channel.EMAIL:
                return (self.email,) if self.email else ()
            case Channel.SMS:
                return (self.phone,) if self.phone else ()
            case Channel.PUSH:
                return self.devices

    def consented(self, topic: str, channel: Channel) -> bool:
        """Whether this person opted in to a topic on a channel. Unknown consent is not consent."""
        consent = self.consents.get(consent_key(topic, channel))
        return consent is not None and consent.state is ConsentState.OPTED_IN


def consent_key(topic: str, channel: Channel) -> str:
    """The name under which a consent is kept: `news/email`."""
    return f"{topic}/{channel}"


# ---- the message -------------------------------------------------------------------------------------------


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
    email: str = ""
    phone: str = ""
    locale: str = ""
    """Where the address and language are, for people who are not known (transactional messages only)."""
    expires_at: str = ""
    """Where an ISO 8601 time is after which the message must not be sent."""


class Message(Value, frozen=True, kw_only=True):
    """The facts of a folder in `templates/messages/`, as compiled into the catalogue."""

    name: str
    version: str
    """A hash of everything that the message is rendered from."""
    topic: str
    purpose: Purpose
    channels: tuple[Channel, ...]
    """In the order in which they are tried."""
    locales: dict[Channel, tuple[str, ...]]
    """BCP-47 tags of each channel's translations; the first is the default."""
    expires_after: int | None = None
    """Seconds after the request at which the message is worthless."""
    trigger: Trigger | None = None
    sms_parts: int = 3
    """The most SMS parts that one message may take."""
    on_unknown: OnUnknown | None = None
    """None: as its purpose says (`settling_rule`)."""

    def settling_rule(self) -> OnUnknown:
        """Transactional messages are rather sent twice than not at all, promotional ones the other way round."""
        by_purpose = OnUnknown.RESEND if self.purpose is Purpose.TRANSACTIONAL else OnUnknown.DROP
        return self.on_unknown or by_purpose


class QuietHours(Value, frozen=True, kw_only=True):
    """A half-open window of local time, `start` <= t < `end`; `21:00` to `08:00` spans midnight."""

    start: str
    end: str


class Policy(Value, frozen=True, kw_only=True):
    """`templates/policy.toml`: what holds for every message."""

    version: str = ""
    default_locale: str = "en"
    default_timezone: str = "UTC"
    default_region: str = "US"
    """ISO 3166-1 alpha-2, for phone numbers without a country code."""
    topics: dict[str, str] = {}
    """Name -> what people read."""
    quiet_hours: dict[Channel, QuietHours] = {}
    """Promotional messages only."""


# ---- work: what queues carry -------------------------------------------------------------------------------


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
    """How many decisions this request has seen before: a deferral, later a fallback."""
    email: str = ""
    phone: str = ""
    locale: str = ""
    """The address and language that an event carried, for people who are not known."""
    invalid: tuple[Channel, ...] = ()
    """Channels whose carried address could not be read."""


class SegmentRows(Value, frozen=True, kw_only=True):
    """Rows of a segment as ingest queues them: what all have in common once, and the cells of each."""

    message: str
    requested_at: datetime
    columns: tuple[str, ...]
    """One of them is `recipient_id`; the others become attributes."""
    rows: tuple[list[str], ...]
    data: JsonObject = {}
    not_after: datetime | None = None


class RequestPack(Value, frozen=True, kw_only=True):
    """Up to 100 requests of one message and one run: read with one BatchGetItem, carried in one SQS message."""

    pack_id: str
    lane: Lane
    requests: tuple[SendRequest, ...] = ()
    run_id: str = ""
    segment: SegmentRows | None = None
    """In the place of requests, from which `segments.unpacked` makes them."""


class Dispatch(Value, frozen=True, kw_only=True):
    """The decision to send on one channel."""

    dispatch_id: str
    request_id: str
    recipient_id: str
    message: str
    channel: Channel
    addresses: tuple[str, ...]
    """One, or for push every live device of the person."""
    locale: str
    slot: int
    """The place of its request in the pack: stable over every retry."""
    requested_at: datetime
    data: JsonObject = {}
    attributes: JsonObject = {}
    known: bool = True
    """False: the address came with the event and there is no such recipient."""
    variant: str = ""
    run_id: str = ""
    not_after: datetime | None = None
    tried: str = ""
    """The trace of the rules (`Trace`), to be kept with the claim."""


class DispatchPack(Value, frozen=True, kw_only=True):
    """The dispatches of one request pack on one channel."""

    pack_id: str
    channel: Channel
    lane: Lane
    run_id: str = ""
    dispatches: tuple[Dispatch, ...] = ()
    tries: int = 0
    """How often its provider had no time for it: it comes again later, and later."""


# ---- decisions ---------------------------------------------------------------------------------------------


class Skipped(Value, frozen=True, kw_only=True):
    """A channel that may not carry the message, and the rule that says so."""

    channel: Channel
    reason: Reason


class Suppression(Value, frozen=True, kw_only=True):
    """The decision not to send, with its reason."""

    dispatch_id: str
    request: SendRequest
    reason: Reason
    channel: Channel | None = None
    """The channel that came closest."""
    skipped: tuple[Skipped, ...] = ()


class Deferral(Value, frozen=True, kw_only=True):
    """The decision to plan again at `until`."""

    dispatch_id: str
    request: SendRequest
    until: datetime
    reason: Reason
    channel: Channel
    skipped: tuple[Skipped, ...] = ()


Decision = Dispatch | Suppression | Deferral


# ---- what came of it ---------------------------------------------------------------------------------------


Content = Mapping[str, str]
"""Part -> text: `subject`, `html`, `text` for email; `text` for SMS; `title`, `body`, `url` for push."""


class Accepted(Value, frozen=True, kw_only=True):
    """The provider took it: the receipt."""

    dispatch_id: str
    provider_message_id: str
    dead_addresses: tuple[str, ...] = ()
    """Devices that the provider reported gone while it took others."""


class Failed(Value, frozen=True, kw_only=True):
    """The provider refused it for good."""

    dispatch_id: str
    code: FailureCode
    dead_addresses: tuple[str, ...] = ()


class NotSent(Value, frozen=True, kw_only=True):
    """The provider certainly did not take it (throttled, unavailable): it is sent again under the same claim."""

    dispatch_id: str
    cause: str


class InDoubt(Value, frozen=True, kw_only=True):
    """Nobody knows whether the provider took it (time-out, broken connection): never sent again blindly."""

    dispatch_id: str
    cause: str


Outcome = Accepted | Failed | NotSent | InDoubt


class EngagementEvent(Value, frozen=True, kw_only=True):
    """What happened to a dispatch since: the one vocabulary for every provider."""

    event_id: str
    """Derived from the provider's event: the same event twice has the same id."""
    dispatch_id: str
    recipient_id: str
    channel: Channel
    kind: EngagementKind
    occurred_at: datetime
    place: str
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
    """An address of a recipient must not be used any more."""

    recipient_id: str
    address: str
    reason: str
    at: datetime


class WithdrawConsent(Value, frozen=True, kw_only=True):
    """A recipient opted out of every promotional topic on a channel."""

    recipient_id: str
    channel: Channel
    source: str
    at: datetime


class RemoveDevice(Value, frozen=True, kw_only=True):
    """A device token is reported dead."""

    recipient_id: str
    device: str


Consequence = SuppressAddress | WithdrawConsent | RemoveDevice


class Letter(Value, frozen=True, kw_only=True):
    """A dispatch, claimed and rendered: what a channel hands to its provider."""

    dispatch: Dispatch
    message: Message
    content: dict[str, str]
    place: str
    unsubscribe_url: str = ""
    """Signed, for this person and topic; promotional messages only."""

    def tags(self) -> dict[str, str]:
        """Our ids, to travel with the message and come back with each provider event."""
        ids = {
            "dispatch_id": self.dispatch.dispatch_id,
            "recipient_id": self.dispatch.recipient_id,
            "place": self.place,
            "message": self.message.name,
        }
        return ids | ({"run_id": self.dispatch.run_id} if self.dispatch.run_id else {})


class Sender(Protocol):
    """A channel's provider."""

    def __call__(self, letters: Sequence[Letter]) -> Iterator[tuple[Outcome, ...]]:
        """Hand letters over; after every provider call yield its outcomes, so that they are kept at once."""
        ...


class Events(Value, frozen=True, kw_only=True):
    """What deliver tells record: outcomes that have consequences for the person."""

    events: tuple[EngagementEvent, ...]


# ---- the ledger --------------------------------------------------------------------------------------------


class Verdict(StrEnum):
    """What was decided on a request."""

    DISPATCHED = "dispatched"
    SUPPRESSED = "suppressed"
    DEFERRED = "deferred"
    WITHHELD = "withheld"
    """Dispatched by plan, and suppressed when asked again just before delivery."""


class RecordKey(NamedTuple):
    """The record that holds what came of a pack on a channel."""

    run_id: str
    pack_id: str
    channel: Channel


SlotFacts = dict[int, dict[str, str]]
"""Slot -> kind of fact -> its value (`facts.fact_value`)."""


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
    """ISO 8601; deferrals only."""
    tried: str = ""
    policy: str = ""
    run_id: str = ""


class Run(Value, frozen=True, kw_only=True):
    """One execution of a campaign."""

    run_id: str
    campaign: str
    message: str
    started_at: datetime
    version: str = ""
    audience: int = 0
    """People that the segment names; final once `ingested`."""
    rejected: int = 0
    """Rows that could not be read."""
    ingested: bool = False
    problem: str = ""
    """Why the run could not start."""
    complete: bool = False
    """Whether everybody was seen to have an outcome: such a run need not be counted again to be listed."""
