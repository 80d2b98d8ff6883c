"""What people answer by SMS: the two-way messages of End User Messaging."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from heliograph.channels.addresses import PHONE
from heliograph.channels.sms.spec import NAME
from heliograph.model.inbound import InboundMessage, ProviderId, Text
from heliograph.model.values import JsonObject
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import unquoted

IdOrNothing = Annotated[str, msgspec.Meta(pattern=r"\A[\x21-\x7e]{0,512}\Z")]
"""A `ProviderId`, or the empty text."""


class _Received(msgspec.Struct, rename="camel"):
    origination_number: str
    message_body: Text
    inbound_message_id: ProviderId
    previous_published_message_id: IdOrNothing | None = None


def read_two_way(content: JsonObject, received_at: datetime) -> InboundMessage | None:
    """Read what a number of ours got; it carries no time of its own. Raises MalformedError.

    None when nobody could write back: short codes and names of networks, or numbers of which nothing is known. What
    anybody sends is no reason for an alarm, nor for keeping their words in the dead letters.
    """
    try:
        received = msgspec.convert(content, _Received)
    except msgspec.ValidationError as error:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, "two-way SMS", unquoted(error)) from None
    try:
        address = PHONE.read(received.origination_number, "")
    except MalformedError:
        return None
    return InboundMessage(
        channel=NAME,
        address=address,
        text=received.message_body,
        provider_message_id=received.inbound_message_id,
        answers=received.previous_published_message_id or None,
        received_at=received_at,
    )
