"""The policy: what holds for every message."""

from __future__ import annotations

from enum import StrEnum

from heliograph.model.channels import Channel
from heliograph.model.values import Value


class Purpose(StrEnum):
    """Why a message is sent. Promotional messages need consent; transactional ones do not."""

    TRANSACTIONAL = "transactional"
    PROMOTIONAL = "promotional"


class Enforcement(StrEnum):
    """Which consents a purpose needs on a channel."""

    OPT_IN = "opt_in"
    """Only who opted in."""
    OPT_OUT = "opt_out"
    """Everybody who did not opt out."""
    OFF = "off"
    """Everybody, whatever they said."""


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
    """What is not named: opt_in for promotional messages, opt_out for transactional ones."""
    caps: tuple[Cap, ...] = ()
    hours: tuple[Hours, ...] = ()
    wait_at_most: int = 3 * 24 * 3600
    """Seconds after the request for which a message may wait."""
    by_engagement: bool = False
    """Whether the channel where a person reacted last comes first."""
