"""What End User Messaging reports of texts."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final

import msgspec

from heliograph.channels.events import tagged_event
from heliograph.channels.sms.spec import NAME
from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.model.values import JsonObject
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import unquoted

LAST_MILLISECOND: Final = 253_402_300_799_999  # of the year 9999


class _Record(msgspec.Struct, rename="camel"):
    event_type: str
    event_timestamp: Annotated[int, msgspec.Meta(ge=0, le=LAST_MILLISECOND)]
    message_id: str
    context: dict[str, str]
    is_final: bool = False
    message_status: str = ""
    destination_phone_number: str = ""


def read_sms_event(record: JsonObject) -> EngagementEvent | None:
    """Read a record of the configuration set; None when it is not ours or says nothing yet. Raises MalformedError."""
    context = record.get("context")
    if not isinstance(context, dict) or "dispatch_id" not in context:
        return None
    try:
        event = msgspec.convert(record, _Record)
    except msgspec.ValidationError as error:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, "SMS event", unquoted(error)) from None
    kind = _kind(event)
    if kind is None:
        return None
    bounced = kind is EngagementKind.BOUNCED
    return tagged_event(
        event.context,
        channel=NAME,
        kind=kind,
        occurred_at=datetime.fromtimestamp(event.event_timestamp / 1000, UTC),
        told_apart_by=(event.message_id, event.event_type, str(event.event_timestamp)),
        address=event.destination_phone_number if bounced else "",
        permanent=bounced,
        detail=event.event_type,
    )


FOLLOWED: Final = frozenset({"TEXT", "MEDIA", "RCS"})
"""What a text may travel as: its pool may hold an RCS agent, and RCS falls back to SMS by itself after 25 seconds."""
ON_ITS_WAY: Final = frozenset({"PENDING", "QUEUED"})
KINDS: Final = {
    "SENT": EngagementKind.SENT,
    "DELIVERED": EngagementKind.DELIVERED,
    "READ": EngagementKind.OPENED,
    "INVALID": EngagementKind.BOUNCED,
    "FALLEN_BACK_TO_SMS": EngagementKind.SENT,
}
"""What an event type says after `TEXT_`, `MEDIA_` or `RCS_`, if it says the same whether final or not."""
MAY_STILL_COME: Final = "TTL_EXPIRATION_REVOKE_FAILED"
"""The status of an RCS message that expired and could not be called back."""


def _kind(event: _Record) -> EngagementKind | None:
    """Many routes never say more than "the carrier took it": if that is final, it counts as delivered."""
    way, _, what = event.event_type.partition("_")
    if way not in FOLLOWED or what in ON_ITS_WAY:
        return None
    if what == "SUCCESSFUL":
        return EngagementKind.DELIVERED if event.is_final else EngagementKind.SENT
    may_come = event.message_status == MAY_STILL_COME or not event.is_final
    return KINDS.get(what) or (EngagementKind.DELAYED if may_come else EngagementKind.UNDELIVERED)
