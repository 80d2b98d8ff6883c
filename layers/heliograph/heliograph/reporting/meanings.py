"""What every reason and code means, in a sentence that a customer can be read."""

from __future__ import annotations

from collections.abc import Mapping

from heliograph.model.outcomes import FailureCode
from heliograph.model.people import ZoneSource
from heliograph.model.reasons import Reason
from heliograph.planning.rules import RULES

MEANINGS: Mapping[str, str] = {
    **{rule.name: rule.means for rule in RULES},
    Reason.UNKNOWN_MESSAGE: "There is no such message.",
    Reason.DROPPED: "It waited for approval, and was dropped.",
    Reason.MISSING_VARIABLE: "Something that the message is made of was missing.",
    Reason.TOO_LONG: "The text would take more SMS parts than the message may, or a part of it be too large.",
    Reason.UNSAFE_LINK: "A link would lead neither to the web, nor to a mailbox, a phone or an app of yours.",
    FailureCode.REJECTED: "The provider refused the message.",
    FailureCode.OPTED_OUT: "The person opted out at the provider.",
    FailureCode.DEAD_TOKEN: "Every device of the person is gone.",
    FailureCode.COUNTRY_BLOCKED: "The provider does not send to this country.",
    FailureCode.PRICE_TOO_HIGH: "It would have cost more than is allowed.",
    FailureCode.CONTENT_TOO_LARGE: "The message is too large for the channel.",
    FailureCode.SENDER_NOT_ALLOWED: "The provider does not let this sender send.",
    FailureCode.IN_DOUBT: "Nobody could tell whether it was taken; it was rather dropped than sent twice.",
}

ZONE_SOURCES: Mapping[str, str] = {
    ZoneSource.PROFILE: "known from the profile",
    ZoneSource.PHONE: "known from the phone number",
    ZoneSource.COUNTRY: "taken from the country",
    ZoneSource.DEFAULT: "the policy's default, as none is known",
}

ORDERS: Mapping[str, str] = {
    "preference": "as the person prefers",
    "engagement": "where the person reacted last",
    "message": "as the message says",
}
"""Whose order of channels put one where it is."""
