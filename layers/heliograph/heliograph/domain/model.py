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
    UNDECIDABLE = "undecidable"
    """What is kept of the person, or of the request, cannot be worked with; it stops nobody else."""
    UNKNOWN_RECIPIENT = "unknown_recipient"
    CONFIRMED = "confirmed"
    """An earlier channel has done its work, so that this further one is not needed."""
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    INVALID_ADDRESS = "invalid_address"
    NO_ADDRESS = "no_address"
    CHANNEL_OFF = "channel_off"
    ADDRESS_SUPPRESSED = "address_suppressed"
    NOT_CONSENTED = "not_consented"
    EXPIRED = "expired"
    HELD_TOO_LONG = "held_too_long"
    CAPPED = "capped"
    PAUSED = "paused"
    QUIET_HOURS = "quiet_hours"
    PREFERRED_TIME = "preferred_time"
    DROPPED = "dropped"
    """Held for approval, and dropped by an operator."""
    MISSING_VARIABLE = "missing_variable"
    TOO_LONG = "too_long"
    UNSAFE_LINK = "unsafe_link"


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
    """What a person said about a topic or a purpose on a channel; a missing consent is "not set", too."""

    OPTED_IN = "opted_in"
    OPTED_OUT = "opted_out"
    PENDING = "pending"
    """Opted in to a topic of double opt-in, and not confirmed yet: as good as not set."""
    NOT_SET = "not_set"
    """Neither opted in nor out any more: as if nothing had ever been said."""


class Enforcement(StrEnum):
    """Which consents a purpose needs on a channel."""

    RESTRICTIVE = "restrictive"
    """Only who opted in."""
    NON_RESTRICTIVE = "non_restrictive"
    """Everybody who did not opt out."""
    DISABLED = "disabled"
    """Everybody, whatever they said."""


class Reach(StrEnum):
    """What there is to reach a person by on a channel."""

    LIVE = "live"
    NONE = "none"
    INVALID = "invalid"
    SUPPRESSED = "suppressed"
    OFF = "off"
    """There is something, but nobody has set up the channel in this deployment."""


class ZoneSource(StrEnum):
    """Where a person's time zone is known from, the best first."""

    PROFILE = "profile"
    PHONE = "phone"
    COUNTRY = "country"
    DEFAULT = "default"


class Verdict(StrEnum):
    """What was decided on a request."""

    DISPATCHED = "dispatched"
    SUPPRESSED = "suppressed"
    DEFERRED = "deferred"
    WITHHELD = "withheld"
    """Dispatched by plan, and suppressed when asked again just before delivery."""


NO_DISPATCH = frozenset({Verdict.SUPPRESSED, Verdict.DEFERRED})
"""What plan decides alone: nothing was given to deliver, and it counts in plan's sums."""


# ---- the recipient -----------------------------------------------------------------------------------------


class Consent(Value, frozen=True, kw_only=True):
    """One answer of a person, with where and when it was given."""

    state: ConsentState
    at: datetime
    source: str
    """`page`, `import`, `reply`, `api` or `complaint`, and after a colon what exactly: `import:people.csv`."""
    text: str = ""
    """The version of the text that the person was shown, such as `newsletter-2026-03`."""
    evidence: str = ""
    """Where the proof is: the id of a form's answer, of a call, of a signed sheet."""


class AddressSuppression(Value, frozen=True, kw_only=True):
    """Why an address must not be used any more."""

    reason: str
    """`hard_bounce`, `complaint`, `opted_out`, `dead_token`."""
    at: datetime


class Preferences(Value, frozen=True, kw_only=True):
    """What a person asked for."""

    channels: tuple[Channel, ...] = ()
    """Most liked first; empty: the order of the message."""
    time: str = ""
    """`18:30`: when promotional messages are welcome, in the person's own time; empty: at any hour."""
    quiet: tuple[str, ...] = ()
    """The person's own quiet hours, `22:00-09:00`, for promotional messages on every channel."""
    paused_until: datetime | None = None
    """No promotional message before this time."""


class Recipient(Value, frozen=True, kw_only=True):
    """A person: addresses, consents, preferences, locale, time zone, attributes."""

    recipient_id: str
    known: bool = True
    """False: nobody told us of this person; all we hold is that an address must not be used."""
    readable: bool = True
    """False: what is kept of this person cannot be read, so that nothing may be sent."""
    email: str = ""
    phone: str = ""
    """E.164, or empty."""
    devices: tuple[str, ...] = ()
    """`<platform>:<token>`; platforms as Pinpoint names them, in lower case: `gcm`, `apns`, `apns_sandbox`."""
    invalid: tuple[Channel, ...] = ()
    """Channels whose given address could not be read; the address itself is not kept."""
    consents: dict[str, Consent] = {}
    """By `consent_key(topic or purpose, channel)`."""
    suppressed: dict[str, AddressSuppression] = {}
    """By address, as kept in `email`, `phone` and `devices`."""
    preferences: Preferences = Preferences()
    locale: str = ""
    """BCP-47, or empty: the policy's default."""
    timezone: str = ""
    """IANA name, as the profile says it; empty: that of the phone number, the country, or the policy's default."""
    phone_timezone: str = ""
    """The only time zone in which the phone number can be; empty when there are several."""
    country: str = ""
    """ISO 3166-1 alpha-2: that of the postal address; empty: that of the phone number."""
    phone_country: str = ""
    country_timezone: str = ""
    """The time zone in which most people of `country` live."""
    engaged: dict[Channel, datetime] = {}
    """When this person last opened, clicked or answered on a channel; kept when the policy chooses by it."""
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


def consent_key(subject: str, channel: Channel) -> str:
    """The name under which a consent to a topic or a purpose is kept: `news/email`, `promotional/sms`."""
    return f"{subject}/{channel}"


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
    reference: str = ""
    """Where something stands by which the message is to be found later, such as the number of an order."""
    email: str = ""
    phone: str = ""
    locale: str = ""
    """Where the address and language are, for people who are not known (transactional messages only)."""
    expires_at: str = ""
    """Where an ISO 8601 time is after which the message must not be sent."""
    most_per_event: int = 1
    """The most recipients that one event is expected to name; beyond it, all of them are held for approval."""
    most_per_hour: int | None = None
    """The most recipients that are expected in an hour (UTC); beyond it, they are held for approval."""


class Fallback(Value, frozen=True, kw_only=True):
    """What follows when a channel does not do its work in time."""

    unless: EngagementKind
    """`opened` or `delivered`: what confirms that the earlier channel has done its work."""
    within: int
    """Seconds after the provider took the message."""
    channels: tuple[Channel, ...]
    """The further channels, in the order in which they are tried; one of them gets the message."""


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
    hold_for: int | None = None
    """Seconds for which it may be held (quiet hours, pauses); None: as the policy says."""
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


class Hours(Value, frozen=True, kw_only=True):
    """When messages may be sent, in the person's own time. Every rule that fits a case must permit it."""

    name: str
    """What people who ask why read: `us.toml #1`."""
    purpose: Purpose = Purpose.PROMOTIONAL
    channels: tuple[Channel, ...] = ()
    """Empty: every channel."""
    countries: tuple[str, ...] = ()
    """ISO 3166-1 alpha-2; empty: everywhere."""
    days: tuple[int, ...] = ()
    """Weekdays on which it holds, Monday is 0; empty: every day."""
    dates: dict[str, tuple[str, ...]] | None = None
    """Country ("" for all) -> dates (`2026-12-25`) on which it holds; None: it does not go by dates."""
    allowed: tuple[str, ...] | None = None
    """Windows `08:00-20:00` outside of which nothing is sent; empty: nothing all day; None: no such limit."""
    quiet: tuple[str, ...] = ()
    """Windows in which nothing is sent. Each is half-open, may span midnight, and belongs to the day it begins on."""


class Cap(Value, frozen=True, kw_only=True):
    """The most messages that one person gets in a while, across all campaigns."""

    limit: int
    seconds: int | None = None
    """The length of a rolling window; None: a calendar day in the person's time zone."""
    purpose: Purpose = Purpose.PROMOTIONAL
    channel: Channel | None = None
    """None: over all channels."""
    topic: str = ""
    """Empty: over all topics."""


class Policy(Value, frozen=True, kw_only=True):
    """`templates/policy.toml`: what holds for every message."""

    version: str = ""
    default_locale: str = "en"
    default_timezone: str = "UTC"
    default_region: str = "US"
    """ISO 3166-1 alpha-2, for phone numbers without a country code."""
    topics: dict[str, str] = {}
    """Name -> what people read."""
    double_opt_in: tuple[str, ...] = ()
    """Topics to which an opt-in counts only once it is confirmed."""
    enforcement: dict[Purpose, dict[Channel, Enforcement]] = {}
    """What is not named: restrictive for promotional messages, non-restrictive for transactional ones."""
    caps: tuple[Cap, ...] = ()
    hours: tuple[Hours, ...] = ()
    hold_for: int = 3 * 24 * 3600
    """Seconds after the request for which a message may be held."""
    by_engagement: bool = False
    """Whether the channel where a person reacted last comes first."""


# ---- work: what queues carry -------------------------------------------------------------------------------


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

    place: str
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
    """How many decisions this request has seen before: deferrals and fallbacks."""
    stage: int = 0
    """How many of the message's fallbacks have begun."""
    earlier: tuple[EarlierDispatch, ...] = ()
    """What was sent on other channels before, and may still be confirmed."""
    email: str = ""
    phone: str = ""
    locale: str = ""
    """The address and language that an event carried, for people who are not known."""
    invalid: tuple[Channel, ...] = ()
    """Channels whose carried address could not be read."""
    cause: Cause = NO_CAUSE


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
    """The trace of the rules, to be kept with the claim."""
    inputs: str = ""
    """What the ledger keeps of the inputs of the decision (`evidence.Reference`)."""
    zone: str = ""
    """The time zone and its source, `Europe/Berlin profile`."""
    step: int = 0
    stage: int = 0
    earlier: tuple[EarlierDispatch, ...] = ()
    email: str = ""
    phone: str = ""
    invalid: tuple[Channel, ...] = ()
    """What the event said of people who are not known, for when they are reached on another channel."""
    cause: Cause = NO_CAUSE


class DispatchPack(Value, frozen=True, kw_only=True):
    """The dispatches of one request pack on one channel."""

    pack_id: str
    channel: Channel
    lane: Lane
    run_id: str = ""
    dispatches: tuple[Dispatch, ...] = ()
    tries: int = 0
    """How often it was put back, because its provider had no time for it: the older, the sooner it gets a place."""
    not_before: datetime | None = None
    """Its place in the line of its channel, or until when it has to wait."""


# ---- decisions ---------------------------------------------------------------------------------------------


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
    stage: int = 0
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
    confirmed_by: str = ""
    """`push opened`: what an earlier channel has achieved."""
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
    """When it is planned again; deferrals only."""
    next_time: datetime | None = None
    """The earliest time at which a message like this could be sent, if nothing else changes; None: nobody knows."""
    tried: str = ""
    """The rules' results in short, `push:no_address sms:passed`."""
    order: str = "message"
    """Whose order of channels came first: `preference`, `engagement` or `message`."""
    zone: str = ""
    """The time zone and its source, `Europe/Berlin profile`."""
    stage: int = 0
    """Which fallback the channel belongs to; 0: none."""


class Suppression(Value, frozen=True, kw_only=True):
    """The decision not to send, with its reason."""

    dispatch_id: str
    request: SendRequest
    ruling: Ruling
    inputs: str = ""

    @property
    def reason(self) -> Reason:
        """The reason, from the closed list."""
        return self.ruling.reason or Reason.UNKNOWN_MESSAGE

    @property
    def channel(self) -> Channel | None:
        """The channel that came closest."""
        return self.ruling.channel


class Deferral(Value, frozen=True, kw_only=True):
    """The decision to plan again at `until`."""

    dispatch_id: str
    request: SendRequest
    until: datetime
    ruling: Ruling
    inputs: str = ""

    @property
    def reason(self) -> Reason:
        """The reason, from the closed list."""
        return self.ruling.reason or Reason.QUIET_HOURS

    @property
    def channel(self) -> Channel | None:
        """The channel that is waited for."""
        return self.ruling.channel


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
    until: datetime | None = None
    """When it is asked again, where the refusal is about this one destination: others are sent to meanwhile."""


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
    after: str = ""
    """The owners of the address up to this id are done: an address may have more than one function has time for."""


class WithdrawConsent(Value, frozen=True, kw_only=True):
    """A recipient opted out of a purpose on a channel: promotional messages, unless they say that they want none."""

    recipient_id: str
    channel: Channel
    source: str
    at: datetime
    purpose: Purpose = Purpose.PROMOTIONAL


class RemoveDevice(Value, frozen=True, kw_only=True):
    """A device token is reported dead."""

    recipient_id: str
    device: str


class Refund(Value, frozen=True, kw_only=True):
    """A message that did not reach its person no longer counts against their caps."""

    recipient_id: str
    dispatch_id: str


class Engaged(Value, frozen=True, kw_only=True):
    """A person reacted on a channel."""

    recipient_id: str
    channel: Channel
    at: datetime


Consequence = SuppressAddress | WithdrawConsent | RemoveDevice | Refund | Engaged


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


class Unfinished(Value, frozen=True, kw_only=True):
    """What record tells itself: an address has more owners than could be seen to at once."""

    unfinished: SuppressAddress


# ---- the ledger --------------------------------------------------------------------------------------------


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
    zone: str = ""
    next_time: str = ""
    """ISO 8601; when a message like this could be sent."""
    inputs: str = ""
    """The hash of the decision's inputs, and where they are (`evidence.Reference`)."""
    cause: Cause = NO_CAUSE
    detail: str = ""
    """The name of the variable that is missing."""


class Run(Value, frozen=True, kw_only=True):
    """One execution of a campaign."""

    run_id: str
    campaign: str
    message: str
    started_at: datetime
    version: str = ""
    audience: int = 0
    """People that are written to: known before the first of them is queued; final once `ingested`."""
    rejected: int = 0
    """Rows that could not be read."""
    reached: int = 0
    """People of the segment whom earlier runs of the campaign had reached: they are no part of the audience."""
    ingested: bool = False
    problem: str = ""
    """Why the run could not start."""
    replaced: bool = False
    """Whether a newer upload of its folder came before anybody was written to."""
    uploads: int = 1
    """How often its folder was uploaded with the same content."""
    reference: str = ""
    """What its manifest says to find it by."""
    complete: bool = False
    """Whether everybody was seen to have an outcome: such a run need not be counted again to be listed."""
