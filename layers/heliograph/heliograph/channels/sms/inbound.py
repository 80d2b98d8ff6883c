"""What people answer by SMS: the two-way messages of End User Messaging."""

from __future__ import annotations

from datetime import datetime

import msgspec

from heliograph.channels.addresses import PHONE
from heliograph.channels.sms.spec import NAME
from heliograph.model.inbound import InboundMessage, ProviderId, Text
from heliograph.model.values import JsonObject
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import unquoted


class _Received(msgspec.Struct, rename="camel"):
    origination_number: str
    message_body: Text
    inbound_message_id: ProviderId
    previous_published_message_id: ProviderId | None = None


def read_two_way(content: JsonObject, received_at: datetime) -> InboundMessage:
    """Read what a number of ours got; it carries no time of its own. Raises MalformedError."""
    try:
        received = msgspec.convert(content, _Received)
    except msgspec.ValidationError as error:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, "two-way SMS", unquoted(error)) from None
    return InboundMessage(
        channel=NAME,
        address=PHONE.read(received.origination_number, ""),
        text=received.message_body,
        provider_message_id=received.inbound_message_id,
        answers=received.previous_published_message_id,
        received_at=received_at,
    )
