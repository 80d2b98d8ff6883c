"""Requests that are more than was expected: how they are held for approval, and what a release or a drop makes of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from heliograph.domain import ids, requests
from heliograph.domain.errors import MalformedError
from heliograph.domain.model import JsonObject, LedgerEntry, Reason, RequestPack, SendRequest, Trigger, Value, Verdict
from heliograph.domain.requests import Asked

FOLDER = "held"
BLOCKS = 20
"""The part of what is left of an hour that a process reserves at once: few calls, and little lies idle."""


class Limit(StrEnum):
    """What a trigger declares of how many people are expected."""

    MOST_PER_EVENT = "most_per_event"
    MOST_PER_HOUR = "most_per_hour"


class Held(Value, frozen=True, kw_only=True):
    """The requests of one event, waiting for approval."""

    pack: RequestPack
    """All of them, however many: it is cut into packs that can travel when it is released. Without their data."""
    data: JsonObject
    """The data of every request."""
    message: str
    version: str
    """The version that the message had."""
    limit: Limit
    """What was exceeded."""
    most: int
    """What it allowed."""
    held_at: datetime


class Place(NamedTuple):
    """Where in the bucket something is held."""

    message: str
    pack_id: str

    @property
    def key(self) -> str:
        """The key of the object."""
        return f"{FOLDER}/{self.message}/{self.pack_id}.json"


def place_at(key: str) -> Place:
    """The place of a key; raises MalformedError when nothing of ours lies there."""
    folder, message, file = [*key.split("/"), "", ""][:3]
    pack_id = file.removesuffix(".json")
    if folder != FOLDER or Place(message, pack_id).key != key:
        raise MalformedError("key", f"what is held lies at {FOLDER}/<message>/<pack id>.json")
    return Place(message, pack_id)


def exceeds_event(trigger: Trigger, people: int) -> bool:
    """Whether an event names more people than its trigger expects of one."""
    return people > trigger.most_per_event


def block(people: int, left: int) -> int | None:
    """How many people to reserve at once when some more are needed; None when not so many are left of the hour."""
    return max(people, left // BLOCKS) if people <= left else None


def held(asked: Asked, some: tuple[SendRequest, ...], limit: Limit, most: int, at: datetime) -> Held:
    """What an event asks for, to be held; the same event is always held in the same place."""
    bare = [msgspec.structs.replace(request, data={}) for request in some]
    return Held(
        pack=requests.pack(bare, requests.lane_of(asked.message)),
        data=some[0].data,
        message=some[0].message,
        version=asked.message.version if asked.message else "",
        limit=limit,
        most=most,
        held_at=at,
    )


def place_of(what: Held) -> Place:
    """Where something is held."""
    return Place(what.message, what.pack.pack_id)


def packs(what: Held) -> list[RequestPack]:
    """What is released: the requests as they were made, in packs that can travel."""
    whole = [msgspec.structs.replace(request, data=what.data) for request in what.pack.requests]
    return requests.packs(whole, what.pack.lane)


def drops(what: Held, at: datetime) -> Iterator[LedgerEntry]:
    """What the ledger keeps of people whose requests are dropped: a "no" to each."""
    for pack in packs(what):
        for slot, request in enumerate(pack.requests):
            yield LedgerEntry(
                recipient_id=request.recipient_id,
                dispatch_id=ids.dispatch_id(request.request_id, request.step),
                message=request.message,
                version=what.version,
                outcome=Verdict.SUPPRESSED,
                decided_at=at,
                pack_id=pack.pack_id,
                slot=slot,
                reason=Reason.DROPPED,
            )
