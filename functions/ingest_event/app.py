"""Ingest product events: send requests for the messages that they trigger, changes for the people they speak of."""

from __future__ import annotations

from functools import partial

import msgspec

from heliograph.approvals import approval
from heliograph.approvals.store import KEPT
from heliograph.ingesting import requests
from heliograph.model.requests import SendRequest
from heliograph.model.values import JsonObject
from heliograph.people.changes import not_later
from heliograph.runtime import wiring
from heliograph.runtime.handlers import queue_handler, refusal
from heliograph.runtime.observe import count, logger
from heliograph.text import bodies
from heliograph.text.errors import MalformedError


@queue_handler(JsonObject)
def handler(body: JsonObject) -> None:
    """Take one event, as a trigger's rule or the bus delivers it."""
    templates = wiring.templates()
    match requests.read(body, templates.messages, policy=templates.policy):
        case requests.Changed(change, refused):
            wiring.recipients().save(not_later(change, wiring.now()))
        case requests.Requested(refused=refused) as seen:
            pass_on(seen, findable(first_of_their_key(seen)))
    if refused:
        park_rest(body, refused)


def pass_on(seen: requests.Requested, some: tuple[SendRequest, ...]) -> None:
    """Queue requests in packs; or let them wait for approval, when they are more than was expected."""
    if exceeded := approval.exceeded(seen.trigger, len(some), granted=partial(granted, some)):
        await_approval(approval.approval_of(seen, some, exceeded, wiring.now()))
        return
    lane = requests.lane_of(seen.message)
    wiring.requests(lane).send(requests.packs(some, lane))


def granted(some: tuple[SendRequest, ...], most: int) -> bool:
    """Whether so many people are left of this hour's quota, which counts each request once, however often it comes.

    Guests have a quota of their own: whoever makes up addresses uses up nobody else's.
    """
    ledger, quotas, now = wiring.ledger(), wiring.quotas(), wiring.now()
    name = f"{some[0].message}#guests" if requests.is_guest(some[0]) else some[0].message
    if quotas.take(name, len(some), most=most, now=now):
        quotas.give_back(name, ledger.allow(some, now + KEPT), now=now)
        return True
    known = ledger.allowed(some)
    if not known or not quotas.take(name, len(some) - known, most=most, now=now):
        return False
    ledger.allow(some, now + KEPT)
    return True


def await_approval(excess: approval.Approval) -> None:
    """Put requests aside until an operator approves or drops them; the alarm tells them."""
    key, people = approval.key_of(excess), len(excess.pack.requests)
    wiring.approvals().keep(key, excess)
    count("", {"awaiting_approval": people})
    told = {"pack_id": key.pack_id, "message_name": key.message, "people": people, "limit": excess.limit}
    logger.warning("Requests wait for approval", extra=told)


def park_rest(body: JsonObject, refused: MalformedError) -> None:
    """Park an event for what of it could not be read; the rest has gone on."""
    logger.warning("A part of an event was parked", extra=refusal(refused))
    wiring.parking().park(bodies.body(body).decode(), refused)


def first_of_their_key(seen: requests.Requested) -> tuple[SendRequest, ...]:
    """The requests; with an idempotency key, under the ids of the first requests that had this key."""
    if not seen.idempotency_key:
        return seen.requests
    key = f"{seen.requests[0].message}#{seen.idempotency_key}"
    first = wiring.ledger().first_requests(seen.requests, key)
    return tuple(msgspec.structs.replace(request, request_id=first[request.recipient_id]) for request in seen.requests)


def findable(some: tuple[SendRequest, ...]) -> tuple[SendRequest, ...]:
    """Requests that can be found by what their event calls them, whatever becomes of them."""
    if some[0].cause.handles():
        wiring.ledger().make_findable(some)
    return some
