"""Reasons: why the answer was no, or not now."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The closed list of reasons for a "no" (or "not now"), in the order in which the rules are asked."""

    UNKNOWN_MESSAGE = "unknown_message"
    UNDECIDABLE = "undecidable"
    """What is kept of the person, or of the request, cannot be worked with; it stops nobody else."""
    UNKNOWN_RECIPIENT = "unknown_recipient"
    CONFIRMED = "confirmed"
    """An earlier channel has done its work, so that this fallback is not needed."""
    AWAITING_CONFIRMATION = "awaiting_confirmation"
    INVALID_ADDRESS = "invalid_address"
    NO_ADDRESS = "no_address"
    CHANNEL_OFF = "channel_off"
    ADDRESS_SUPPRESSED = "address_suppressed"
    NOT_CONSENTED = "not_consented"
    EXPIRED = "expired"
    WAITED_TOO_LONG = "waited_too_long"
    CAPPED = "capped"
    PAUSED = "paused"
    QUIET_HOURS = "quiet_hours"
    PREFERRED_TIME = "preferred_time"
    DROPPED = "dropped"
    """It waited for approval, and an operator dropped it."""
    MISSING_VARIABLE = "missing_variable"
    TOO_LONG = "too_long"
    UNSAFE_LINK = "unsafe_link"
