"""What SES reports of mails, from the bus or over SNS."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Final

import msgspec

from heliograph.channels.email.spec import NAME
from heliograph.channels.events import BOT, tagged_event
from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.model.values import JsonObject
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import unquoted

PAYLOADS: Final = {
    "Send": ("send", EngagementKind.SENT),
    "Delivery": ("delivery", EngagementKind.DELIVERED),
    "Bounce": ("bounce", EngagementKind.BOUNCED),
    "Complaint": ("complaint", EngagementKind.COMPLAINED),
    "Open": ("open", EngagementKind.OPENED),
    "Click": ("click", EngagementKind.CLICKED),
    "Reject": ("reject", EngagementKind.UNDELIVERED),
    "Rendering Failure": ("failure", EngagementKind.UNDELIVERED),
    "DeliveryDelay": ("deliveryDelay", EngagementKind.DELAYED),
    "Subscription": ("subscription", EngagementKind.UNSUBSCRIBED),
}
"""`eventType` -> the key of its payload, and our word for it."""

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class _Mail(msgspec.Struct, rename="camel"):
    message_id: str
    timestamp: Moment
    tags: dict[str, list[str]]
    destination: list[str] = []


class _TopicPreferences(msgspec.Struct, rename="camel"):
    unsubscribe_all: bool = False
    topic_subscription_status: list[dict[str, str]] = []

    def declines(self) -> bool:
        return self.unsubscribe_all or any(
            topic.get("subscriptionStatus") == "OptOut" for topic in self.topic_subscription_status
        )


class _Payload(msgspec.Struct, rename="camel"):
    """The fields that matter of every kind of payload."""

    timestamp: Moment | None = None
    feedback_id: str | None = None
    bounce_type: str = ""
    bounce_sub_type: str = ""
    complaint_feedback_type: str | None = None
    complaint_sub_type: str | None = None
    delay_type: str = ""
    reason: str | None = None
    link: str | None = None
    is_bot_event: str | None = None
    new_topic_preferences: _TopicPreferences | None = None

    def is_news(self, kind: EngagementKind) -> bool:
        """`not-spam` takes a complaint back, and a subscription may be an opt-in: neither is an event of ours."""
        match kind:
            case EngagementKind.COMPLAINED:
                return self.complaint_feedback_type != "not-spam"
            case EngagementKind.UNSUBSCRIBED:
                return self.new_topic_preferences is not None and self.new_topic_preferences.declines()
            case _:
                return True

    def detail(self, kind: EngagementKind) -> str:
        """SES's own code."""
        match kind:
            case EngagementKind.BOUNCED:
                return f"{self.bounce_type}/{self.bounce_sub_type}"
            case EngagementKind.OPENED | EngagementKind.CLICKED:
                return BOT if self.is_bot_event == "Likely" else ""
            case _:
                return self.complaint_sub_type or self.complaint_feedback_type or self.delay_type or self.reason or ""


def read_ses_event(event: JsonObject) -> EngagementEvent | None:
    """Read what SES put on the bus; None when the mail is not ours. Raises MalformedError.

    The event's own id is not used: SES may put the same happening on the bus twice, under two ids.
    """
    record = _ours(event.get("detail"))
    if record is None or str(record.get("eventType")) not in PAYLOADS:
        return None
    payload_key, kind = PAYLOADS[record["eventType"]]
    try:
        sent = msgspec.convert(record["mail"], _Mail)
        payload = msgspec.convert(record.get(payload_key) or {}, _Payload)
    except msgspec.ValidationError as error:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, f"SES event {kind}", unquoted(error)) from None
    if not payload.is_news(kind):
        return None
    occurred_at = payload.timestamp or sent.timestamp
    concerns_address = kind in (EngagementKind.BOUNCED, EngagementKind.COMPLAINED)
    return tagged_event(
        {name: values[0] for name, values in sent.tags.items() if values},
        channel=NAME,
        kind=kind,
        occurred_at=occurred_at,
        told_apart_by=(sent.message_id, occurred_at.isoformat(), payload.link or payload.feedback_id or ""),
        address=sent.destination[0] if concerns_address and sent.destination else "",
        permanent=payload.bounce_type == "Permanent",
        detail=payload.detail(kind),
    )


def _ours(record: Any) -> JsonObject | None:
    """The record if its mail carries our ids."""
    about = record.get("mail") if isinstance(record, dict) else None
    tags = about.get("tags") if isinstance(about, dict) else None
    return record if isinstance(tags, dict) and "dispatch_id" in tags else None
