"""People: addresses, consents, preferences, and what there is to reach them by."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from heliograph.model.channels import Channel
from heliograph.model.values import JsonObject, Value


class ConsentState(StrEnum):
    """What a person said about a topic or a purpose on a channel; a missing consent is "not set", too."""

    OPTED_IN = "opted_in"
    OPTED_OUT = "opted_out"
    PENDING = "pending"
    """Opted in to a topic of double opt-in, and not confirmed yet: as good as not set."""
    NOT_SET = "not_set"
    """Neither opted in nor out any more: as if nothing had ever been said."""


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


class Zone(NamedTuple):
    """A time zone by its IANA name, and where it is known from."""

    name: str
    source: str
    """A `ZoneSource`, as it was kept."""


class Consent(Value, frozen=True, kw_only=True):
    """One answer of a person, with where and when it was given."""

    state: ConsentState
    at: datetime
    source: str
    """`page`, `import`, `reply`, `api` or `complaint`, and after a colon what exactly: `import:people.csv`."""
    text: str = ""
    """The version of the text that the person was shown, such as `newsletter-2026-03`."""
    proof: str = ""
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
    addresses: dict[str, tuple[str, ...]] = {}
    """By their kind (`channels.spec.AddressKind`), suppressed ones included."""
    invalid: tuple[str, ...] = ()
    """Kinds of address of which what was given could not be read; the address itself is not kept."""
    consents: dict[str, Consent] = {}
    """By `consent_key(topic or purpose, channel)`."""
    suppressed: dict[Channel, dict[str, AddressSuppression]] = {}
    """By channel and address: a number that takes no texts may still be called."""
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


def consent_key(subject: str, channel: Channel) -> str:
    """The name under which a consent to a topic or a purpose is kept: `news/email`, `promotional/sms`."""
    return f"{subject}/{channel}"
