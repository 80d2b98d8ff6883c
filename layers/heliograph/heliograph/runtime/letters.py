"""Letters: the last look at a person before delivery, and the words written to them."""

from __future__ import annotations

from datetime import datetime

from heliograph.domain import ids
from heliograph.domain.decisions import recheck
from heliograph.domain.delivery import Checked
from heliograph.domain.errors import UndeliverableError
from heliograph.domain.limits import VARIABLE
from heliograph.domain.model import Channel, Dispatch, DispatchPack, Letter, Message, Purpose, Reason, Recipient
from heliograph.domain.sms_text import measure
from heliograph.runtime import deps


def last_look(
    pack: DispatchPack, dispatch: Dispatch, recipient: Recipient | None, now: datetime, *, confirmed_by: str = ""
) -> Checked:
    """The letter to a person as they are now, or why it is withheld."""
    templates = deps.templates()
    message = templates.messages[dispatch.message]
    current, ruling = recheck(dispatch, message, recipient, policy=templates.policy, now=now, confirmed_by=confirmed_by)
    if ruling.reason:
        return Checked(current, message, None, ruling.reason, ruling.until)
    attributes = (recipient.attributes if recipient else {}) | dispatch.attributes
    try:
        letter = written_letter(current, message, attributes, ids.place(pack.pack_id, dispatch.slot))
    except UndeliverableError as error:
        return Checked(current, message, None, error.code, detail=error.detail[:VARIABLE])
    return Checked(current, message, letter, "")


def written_letter(dispatch: Dispatch, message: Message, attributes: dict[str, object], place: str) -> Letter:
    """Render a dispatch; raises UndeliverableError when the words cannot be written to this person."""
    promotional = message.purpose is Purpose.PROMOTIONAL
    unsubscribe_url = deps.links().url(dispatch.recipient_id, message.topic) if promotional else ""
    content = deps.templates().render(
        message,
        dispatch.channel,
        locale=dispatch.locale,
        recipient=attributes,
        data=dispatch.data,
        unsubscribe_url=unsubscribe_url,
        timezone=dispatch.zone.partition(" ")[0],
    )
    if dispatch.channel is Channel.SMS and measure(content["text"]).parts > message.sms_parts:
        raise UndeliverableError(Reason.TOO_LONG, f"more than {message.sms_parts} SMS parts")
    return Letter(dispatch=dispatch, message=message, content=content, place=place, unsubscribe_url=unsubscribe_url)
