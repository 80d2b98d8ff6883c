"""What SES reports of mails, from the bus or over SNS."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import attrgetter
from typing import Annotated, Any, Final, NamedTuple

import msgspec

from heliograph.channels.email.spec import NAME
from heliograph.channels.events import BOT, tagged_event
from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.model.values import JsonObject
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import unquoted

NO_JSON: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
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


class _Record(msgspec.Struct, rename="camel"):
    """What SES tells; a payload for each kind in `PAYLOADS`."""

    event_type: str
    mail: _Mail
    send: _Payload | None = None
    delivery: _Payload | None = None
    bounce: _Payload | None = None
    complaint: _Payload | None = None
    open: _Payload | None = None
    click: _Payload | None = None
    reject: _Payload | None = None
    failure: _Payload | None = None
    delivery_delay: _Payload | None = None
    subscription: _Payload | None = None


class _Told(NamedTuple):
    payload: Callable[[_Record], _Payload | None]
    kind: EngagementKind


PAYLOADS: Final = {
    "Send": _Told(attrgetter("send"), EngagementKind.SENT),
    "Delivery": _Told(attrgetter("delivery"), EngagementKind.DELIVERED),
    "Bounce": _Told(attrgetter("bounce"), EngagementKind.BOUNCED),
    "Complaint": _Told(attrgetter("complaint"), EngagementKind.COMPLAINED),
    "Open": _Told(attrgetter("open"), EngagementKind.OPENED),
    "Click": _Told(attrgetter("click"), EngagementKind.CLICKED),
    "Reject": _Told(attrgetter("reject"), EngagementKind.UNDELIVERED),
    "Rendering Failure": _Told(attrgetter("failure"), EngagementKind.UNDELIVERED),
    "DeliveryDelay": _Told(attrgetter("delivery_delay"), EngagementKind.DELAYED),
    "Subscription": _Told(attrgetter("subscription"), EngagementKind.UNSUBSCRIBED),
}
"""`eventType` -> its payload, and our word for it."""

_LINES = msgspec.json.Decoder(_Record)


def read_ses_event(event: JsonObject) -> EngagementEvent | None:
    """Read what SES put on the bus; None when the mail is not ours. Raises MalformedError.

    The event's own id is not used: SES may put the same happening on the bus twice, under two ids.
    """
    record = _ours(event.get("detail"))
    if record is None or str(record.get("eventType")) not in PAYLOADS:
        return None
    try:
        return _read(msgspec.convert(record, _Record))
    except msgspec.ValidationError as error:
        kind = PAYLOADS[record["eventType"]].kind
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, f"SES event {kind}", unquoted(error)) from None


def read_ses_line(line: bytes) -> EngagementEvent | None:
    """The same of a line out of Firehose: it is read at once into what matters of it, without the rest."""
    try:
        record = _LINES.decode(line)
    except msgspec.ValidationError:  # not ours, or not as we know it
        return read_ses_event({"detail": _content(line)})
    except NO_JSON:
        raise _no_json() from None
    return _read(record) if "dispatch_id" in record.mail.tags and record.event_type in PAYLOADS else None


def _content(line: bytes) -> Any:
    try:
        return msgspec.json.decode(line)
    except NO_JSON:
        raise _no_json() from None


def _no_json() -> MalformedError:
    return MalformedError(Code.UNREADABLE_PROVIDER_EVENT, "event", "is no JSON")


def _read(record: _Record) -> EngagementEvent | None:
    sent, (payload_of, kind) = record.mail, PAYLOADS[record.event_type]
    payload = payload_of(record) or _Payload()
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
