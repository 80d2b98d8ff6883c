"""What End User Messaging SMS reports of a text: records for SNS, and thinner ones on the default bus."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from localcloud.announce import notify, put_event
from localcloud.sms_resources import configuration_sets

GSM_ALPHABET = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_ESCAPED = frozenset("^{}\\[~]|€\f")  # each takes two places
PART_LENGTHS = {"GSM": (160, 153), "Unicode": (70, 67)}  # of a single part, of each of several
PRICE_PER_PART = 0.00581  # USD, United States
FEE_PER_PART = 0.003

DESCRIPTIONS = {
    "QUEUED": "Message is currently queued and will be sent",
    "SUCCESSFUL": "Message has been accepted by phone carrier",
    "DELIVERED": "Message has been accepted by phone",
    "INVALID": "The destination phone number is not valid",
    "UNREACHABLE": "Phone is currently unreachable/unavailable",
    "CARRIER_BLOCKED": "Phone carrier has blocked this message",
    "TTL_EXPIRED": "Message could not be delivered within its time to live",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text message that the provider took."""

    message_id: str
    origination: str
    destination: str
    body: str
    message_type: str
    configuration_set: str = ""
    context: dict[str, str] = field(default_factory=dict)
    requested_at: int = field(default_factory=lambda: int(time.time() * 1000))
    """Milliseconds."""


def report(text: Text, status: str, *, final: bool) -> None:
    """Publish one status to the configuration set's topics and, without what is personal, to the default bus."""
    record = {**_facts(text, status, final=final), "destinationPhoneNumber": text.destination, "context": text.context}
    stored = configuration_sets.get(text.configuration_set) or {}
    for destination in stored.get("EventDestinations", ()):
        asked = {"ALL", "TEXT_ALL", f"TEXT_{status}"} & set(destination.get("MatchingEventTypes") or ())
        if asked and destination.get("Enabled") and "SnsDestination" in destination:
            notify(destination["SnsDestination"]["TopicArn"], record)
    thin = _facts(text, status, final=final) | {"carrierName": "Local Carrier"}
    put_event(source="aws.sms-voice", detail_type="Text Message Delivery Status Updated", detail=thin)


def _facts(text: Text, status: str, *, final: bool) -> dict[str, Any]:
    encoding, parts = measure(text.body)
    return {
        "eventType": f"TEXT_{status}",
        "eventVersion": "1.0",
        "eventTimestamp": int(time.time() * 1000),
        "isFinal": final,
        "originationPhoneNumber": text.origination,
        "isoCountryCode": "US",
        "isInternationalSend": False,
        "mcc": "310",
        "mnc": "800",
        "messageId": text.message_id,
        "messageRequestTimestamp": text.requested_at,
        "messageEncoding": encoding,
        "messageType": text.message_type,
        "messageStatus": status,
        "messageStatusDescription": DESCRIPTIONS[status],
        "totalMessageParts": parts,
        "totalMessagePrice": round(PRICE_PER_PART * parts, 5),
        "totalCarrierFee": round(FEE_PER_PART * parts, 5),
    }


def measure(body: str) -> tuple[str, int]:
    """The encoding of a text and the number of its parts."""
    if all(rendered in GSM_ALPHABET or rendered in GSM_ESCAPED for rendered in body):
        encoding, length = "GSM", len(body) + sum(rendered in GSM_ESCAPED for rendered in body)
    else:
        encoding, length = "Unicode", len(body.encode("utf-16-le")) // 2
    single, several = PART_LENGTHS[encoding]
    return encoding, 1 if length <= single else -(-length // several)
