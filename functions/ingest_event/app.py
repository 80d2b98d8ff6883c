"""Ingest product events: send requests for the messages that they trigger, changes for the people they speak of."""

from __future__ import annotations

import msgspec

from heliograph.domain import requests
from heliograph.domain.model import JsonObject, SendRequest
from heliograph.domain.recipients import RecipientChange
from heliograph.runtime import deps
from heliograph.runtime.handlers import queue_handler


@queue_handler(JsonObject)
def handler(body: JsonObject, receives: int) -> None:
    """Take one event, as a trigger's rule or the bus delivers it."""
    templates = deps.templates()
    match requests.read(body, templates.messages, region=templates.policy.default_region):
        case RecipientChange() as change:
            deps.recipients().save(change)
        case requests.Wanted() as wanted:
            request = first_of_its_key(wanted)
            pack = requests.pack_of_one(request, templates.message(request.message))
            deps.requests(pack.lane).send([pack])


def first_of_its_key(wanted: requests.Wanted) -> SendRequest:
    """The request; with an idempotency key, under the id of the first request that had this key."""
    request = wanted.request
    if not wanted.idempotency_key:
        return request
    key = f"{request.message}#{wanted.idempotency_key}"
    first = deps.ledger().first_request(request.recipient_id, key, request.request_id, request.requested_at)
    return msgspec.structs.replace(request, request_id=first)
