"""Requests that are more than was expected: they wait for approval, until they are approved or dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

import msgspec

from heliograph.ingesting import requests
from heliograph.ingesting.requests import Requested
from heliograph.model.decisions import Ruling, Skipped, Verdict
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Trigger
from heliograph.model.reasons import Reason
from heliograph.model.requests import RequestPack, SendRequest
from heliograph.model.values import JsonObject, Value

ROOT = "approvals"
FOLDERS = {1: f"{ROOT}-1d", 7: f"{ROOT}-7d", 14: ROOT}
"""Days -> the folder whose objects S3 deletes after so many: `infra/storage.yaml`."""
BLOCKS = 20
"""The part of what is left of an hour that a process reserves at once: few calls, and little lies idle."""


class Limit(StrEnum):
    """What a trigger declares of how many people are expected."""

    MOST_PER_EVENT = "most_per_event"
    MOST_PER_HOUR = "most_per_hour"


class Approval(Value, frozen=True, kw_only=True):
    """The requests of one event, waiting for approval."""

    pack: RequestPack
    """All of them, however many: it is cut into packs that can travel when it is approved. Without their data."""
    data: JsonObject
    """The data of every request."""
    message: str
    version: str
    """The version that the message had."""
    limit: Limit
    """What was exceeded."""
    most: int
    """What it allowed."""
    since: datetime


class ApprovalKey(NamedTuple):
    """Under which key of the bucket requests wait."""

    message: str
    pack_id: str
    days: int = max(FOLDERS)
    """After which it is deleted, if nobody decides."""

    @property
    def path(self) -> str:
        """The key of the object in the bucket."""
        return f"{FOLDERS[self.days]}/{self.message}/{self.pack_id}.json"


def key_at(path: str) -> ApprovalKey | None:
    """What an object's key says; None when it is not one of ours, such as a folder that somebody made."""
    folder, message, file = [*path.split("/"), "", ""][:3]
    for days in (days for days, name in FOLDERS.items() if name == folder):
        key = ApprovalKey(message, file.removesuffix(".json"), days)
        if key.message and key.pack_id and key.path == path:
            return key
    return None


class Exceeded(NamedTuple):
    """A limit, and what it allowed."""

    limit: Limit
    most: int


def exceeded(trigger: Trigger | None, people: int, *, granted: Callable[[int], bool]) -> Exceeded | None:
    """Which limit of its trigger an event exceeds, if any; what a product system asked for itself has none.

    `granted` takes the people off the quota of an hour; it is asked only of triggers that limit it.
    """
    if trigger is None:
        return None
    if people > trigger.most_per_event:
        return Exceeded(Limit.MOST_PER_EVENT, trigger.most_per_event)
    if trigger.most_per_hour is None or granted(trigger.most_per_hour):
        return None
    return Exceeded(Limit.MOST_PER_HOUR, trigger.most_per_hour)


def block(people: int, left: int) -> int | None:
    """How many people to reserve at once when some more are needed; None when not so many are left of the hour."""
    return max(people, left // BLOCKS) if people <= left else None


def approval_of(wanted: Requested, some: Sequence[SendRequest], exceeded: Exceeded, at: datetime) -> Approval:
    """What an event asks for, to be approved; the same event always waits under the same key."""
    bare = [msgspec.structs.replace(request, data={}) for request in some]
    return Approval(
        pack=requests.pack(bare, requests.lane_of(wanted.message)),
        data=some[0].data,
        message=some[0].message,
        version=wanted.message.version if wanted.message else "",
        limit=exceeded.limit,
        most=exceeded.most,
        since=at,
    )


def key_of(approval: Approval) -> ApprovalKey:
    """Where it waits: for whole days, and no longer than its message lives, if that is a day at least."""
    life = approval.pack.requests[0].not_after
    left = (life - approval.since).days if life else max(FOLDERS)
    return ApprovalKey(
        approval.message, approval.pack.pack_id, max((days for days in FOLDERS if days <= left), default=min(FOLDERS))
    )


def is_expired(approval: Approval, now: datetime) -> bool:
    """Whether what waits is worthless by now."""
    not_after = approval.pack.requests[0].not_after
    return not_after is not None and not_after <= now


def packs(approval: Approval, now: datetime) -> list[RequestPack]:
    """What is approved: the requests as they were made, in packs that can travel.

    Of what has expired the data stays behind: it is only to be said that it has.
    """
    data = {} if is_expired(approval, now) else approval.data
    whole = [msgspec.structs.replace(request, data=data) for request in approval.pack.requests]
    return requests.packs(whole, approval.pack.lane)


def is_dropped(entry: LedgerEntry) -> bool:
    """Whether a decision is that of an operator who dropped what waited for approval."""
    return entry.reason == Reason.DROPPED


def drops(approval: Approval, at: datetime) -> Iterator[LedgerEntry]:
    """What the ledger keeps of people whose requests are dropped: a "no" to each."""
    ruling = Ruling(outcome=Verdict.SKIPPED, reason=Reason.DROPPED)
    for pack in packs(approval, at):
        for slot, request in enumerate(pack.requests):
            no = Skipped(request=request, ruling=ruling)
            yield LedgerEntry.of(no, pack_id=pack.pack_id, slot=slot, version=approval.version, policy="", at=at)
