"""Outcomes: what a provider answered to a dispatch."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from heliograph.model.channels import Channel
from heliograph.model.values import Value


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


class Accepted(Value, frozen=True, kw_only=True):
    """The provider took it: the receipt."""

    dispatch_id: str
    provider_message_id: str
    provider: str = ""
    """Who took it, if that is not the channel's own provider."""
    dead_addresses: tuple[str, ...] = ()
    """Devices that the provider reported gone while it took others."""
    delivered: bool = False
    """Its answer says that the message has arrived: no event will."""


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


class RecordKey(NamedTuple):
    """The record that holds what came of a pack on a channel."""

    run_id: str
    pack_id: str
    channel: Channel


class Happened(NamedTuple):
    """A fact of a dispatch: when it happened, and what more there is to say."""

    at: datetime
    detail: str = ""
    """A provider's id of the message, a code, a reason."""
    about: str = ""
    """Of what was skipped, the missing variable; of what was accepted, a provider other than the channel's own."""


Facts = Mapping[str, Happened]
"""By kind."""
SlotFacts = dict[int, dict[str, Happened]]
"""By slot and kind."""
