"""What would come of a request before it is made: the decision, and what the words of each channel lack."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from heliograph.channels.registry import spec
from heliograph.ingesting.requests import Event, requested
from heliograph.model.channels import Channel
from heliograph.model.messages import Message
from heliograph.model.reasons import Reason
from heliograph.model.values import JsonObject
from heliograph.reporting.why import work
from heliograph.runtime import wiring
from heliograph.text.errors import NotFoundError, UndeliverableError

LINK = "https://example.com/unsubscribe"
"""Stands for the personal link, which needs a secret that answering questions does not."""


def rehearsed(detail: JsonObject) -> JsonObject:
    """What would come of a `SendRequested` event with this detail, now; nothing is sent, reserved or kept.

    Raises MalformedError where ingest would park the event, and NotFoundError when there is no such message.
    """
    now, templates = wiring.now(), wiring.templates()
    event = Event(id="rehearsal", source="heliograph.cli", detail_type="SendRequested", time=now, detail=detail)
    made = requested(event, templates.messages, region=templates.policy.default_region)
    (request,), message = made.requests, made.message
    if message is None:
        raise NotFoundError(f"There is no message {request.message}.", f"Deployed are {', '.join(templates.messages)}.")
    told = work.considered(request, message, now)
    person = wiring.recipients().get_many([request.recipient_id]).get(request.recipient_id)
    attributes = person.attributes if person else {}
    locale = request.locale or (person.locale if person else "")
    lacks = {
        channel: _lack(message, channel, locale=locale, attributes=attributes, data=request.data)
        for channel in message.every_channel()
        if channel in message.locales
    }
    return {
        **{name: told[name] for name in ("recipient_id", "message", "outcome", "channel", "reason", "until", "zone")},
        "known": person is not None and person.known,
        "lacks": {channel: lack for channel, lack in lacks.items() if lack},
    }


def _lack(
    message: Message, channel: Channel, *, locale: str, attributes: Mapping[str, Any], data: JsonObject
) -> JsonObject | None:
    """Why the words of a channel cannot be written to a person; None when they can."""
    try:
        content = wiring.templates().render(
            message, channel, locale=locale, recipient=attributes, data=data, unsubscribe_url=LINK
        )
    except UndeliverableError as error:
        return {"reason": error.code, "detail": error.detail}
    excess = spec(channel).excess(message, content)
    return {"reason": Reason.TOO_LONG, "detail": excess} if excess else None


ACTIONS: Mapping[str, Callable[..., JsonObject]] = {"rehearse": rehearsed}
"""Questions by their names."""
