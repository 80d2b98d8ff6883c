"""Letters: the last look at a person before delivery, and the words written to them."""

from __future__ import annotations

from datetime import datetime

from heliograph.channels.registry import spec
from heliograph.delivery.steps import Checked
from heliograph.model.dispatches import Dispatch, DispatchPack, Rendered
from heliograph.model.messages import Message
from heliograph.model.people import Recipient
from heliograph.model.policy import Purpose
from heliograph.model.reasons import Reason
from heliograph.model.traces import Confirmation
from heliograph.planning.decisions import recheck
from heliograph.runtime import wiring
from heliograph.text import ids
from heliograph.text.errors import UndeliverableError
from heliograph.text.limits import VARIABLE


def last_look(
    pack: DispatchPack,
    dispatch: Dispatch,
    recipient: Recipient | None,
    now: datetime,
    *,
    confirmed_by: Confirmation | None = None,
) -> Checked:
    """The letter to a person as they are now, or why it is skipped."""
    templates = wiring.templates()
    message = templates.messages[dispatch.request.message]
    current, ruling = recheck(dispatch, message, recipient, policy=templates.policy, now=now, confirmed_by=confirmed_by)
    if ruling.reason:
        return Checked(current, message, None, ruling.reason, ruling.until)
    attributes = (recipient.attributes if recipient else {}) | dispatch.request.attributes
    try:
        rendered = render_dispatch(current, message, attributes, ids.outcome_key(pack.pack_id, dispatch.slot))
    except UndeliverableError as error:
        return Checked(current, message, None, error.code, detail=error.detail[:VARIABLE])
    return Checked(current, message, rendered, "")


def render_dispatch(dispatch: Dispatch, message: Message, attributes: dict[str, object], outcome_key: str) -> Rendered:
    """Render a dispatch; raises UndeliverableError when the words cannot be written to this person."""
    promotional = message.purpose is Purpose.PROMOTIONAL
    unsubscribe_url = wiring.links().url(dispatch.request.recipient_id, message.topic) if promotional else ""
    content = wiring.templates().render(
        message,
        dispatch.channel,
        locale=dispatch.locale,
        recipient=attributes,
        data=dispatch.request.data,
        unsubscribe_url=unsubscribe_url,
        timezone=dispatch.zone.name if dispatch.zone else "",
    )
    if excess := spec(dispatch.channel).excess(message, content):
        raise UndeliverableError(Reason.TOO_LONG, excess)
    return Rendered(
        dispatch=dispatch, message=message, content=content, outcome_key=outcome_key, unsubscribe_url=unsubscribe_url
    )
