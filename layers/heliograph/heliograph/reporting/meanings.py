"""What every reason and code means, in a sentence that a customer can be read."""

from __future__ import annotations

from collections.abc import Mapping

from heliograph.model.outcomes import FailureCode
from heliograph.model.people import ZoneSource
from heliograph.model.reasons import Reason

MEANINGS: Mapping[str, str] = {
    Reason.UNKNOWN_MESSAGE: "There is no such message.",
    Reason.UNDECIDABLE: "What is kept of this person, or of the request, cannot be worked with.",
    Reason.UNKNOWN_RECIPIENT: "This person is not known.",
    Reason.CONFIRMED: "An earlier channel has done its work, so that no further one is needed.",
    Reason.AWAITING_CONFIRMATION: "An earlier channel still has time to do its work.",
    Reason.INVALID_ADDRESS: "The address that was given cannot be read.",
    Reason.NO_ADDRESS: "No address for any channel of the message.",
    Reason.CHANNEL_OFF: "The channel is not set up.",
    Reason.ADDRESS_SUPPRESSED: "The address bounced or complained before.",
    Reason.NOT_CONSENTED: "No consent for this topic on this channel.",
    Reason.EXPIRED: "It would have come too late.",
    Reason.WAITED_TOO_LONG: "It would have had to wait longer than it may.",
    Reason.CAPPED: "The caps are full; this person has had as many messages as they may get.",
    Reason.PAUSED: "The person wants to be left alone for a while.",
    Reason.QUIET_HOURS: "It waits for an hour at which messages may be sent to this person.",
    Reason.PREFERRED_TIME: "It waits for the time of day that the person prefers.",
    Reason.DROPPED: "It was held for approval, and dropped.",
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
