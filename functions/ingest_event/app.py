"""Ingest product events: send requests for the messages that they trigger, changes for the people they speak of."""

from __future__ import annotations

from functools import partial

import msgspec

from heliograph.domain import holding, requests
from heliograph.domain.errors import MalformedError
from heliograph.domain.model import JsonObject, SendRequest
from heliograph.domain.recipients import RecipientChange
from heliograph.runtime import deps
from heliograph.runtime.handlers import queue_handler
from heliograph.runtime.observe import count, logger


@queue_handler(JsonObject)
def handler(body: JsonObject, receives: int) -> None:
    """Take one event, as a trigger's rule or the bus delivers it."""
    templates = deps.templates()
    match requests.read(body, templates.messages, policy=templates.policy):
        case RecipientChange() as change:
            deps.recipients().save(change)
        case requests.Asked() as asked:
            pass_on(asked, first_of_their_key(asked))
            if asked.refused:
                park_rest(body, asked.refused)


def pass_on(asked: requests.Asked, some: tuple[SendRequest, ...]) -> None:
    """Queue requests in packs; or hold them for approval, when they are more than was expected."""
    if exceeded := holding.exceeded(asked.trigger, len(some), granted=partial(granted, asked, len(some))):
        hold(holding.held(asked, some, exceeded, deps.now()))
        return
    lane = requests.lane_of(asked.message)
    deps.requests(lane).send(requests.packs(some, lane))


def granted(asked: requests.Asked, people: int, most: int) -> bool:
    """Whether so many people are left of this hour's allowance."""
    return deps.allowances().take(asked.requests[0].message, people, most=most, now=deps.now())


def hold(held: holding.Held) -> None:
    """Put requests aside until an operator releases or drops them; the alarm tells them."""
    place, people = holding.place_of(held), len(held.pack.requests)
    deps.bucket().write(place.key, msgspec.json.encode(held), "application/json")
    count("", {"held": people})
    told = {"pack_id": place.pack_id, "message_name": place.message, "people": people, "limit": held.limit}
    logger.warning("Requests were held for approval", extra=told)


def park_rest(body: JsonObject, refused: MalformedError) -> None:
    """Park an event for the people in it who could not be read; the others have gone on."""
    logger.warning("A part of an event was parked", extra={"place": refused.place, "reason": refused.reason})
    deps.parking().park(msgspec.json.encode(body).decode(), place=refused.place, reason=refused.reason)


def first_of_their_key(asked: requests.Asked) -> tuple[SendRequest, ...]:
    """The requests; with an idempotency key, under the ids of the first requests that had this key."""
    if not asked.idempotency_key:
        return asked.requests
    key = f"{asked.requests[0].message}#{asked.idempotency_key}"
    first = deps.ledger().first_requests(asked.requests, key)
    return tuple(msgspec.structs.replace(request, request_id=first[request.recipient_id]) for request in asked.requests)
