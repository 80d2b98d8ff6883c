"""Requests that are more than was expected: put them aside, look at them, approve them, drop them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from heliograph.approvals import approval as approving
from heliograph.approvals.approval import Approval, ApprovalKey, Limit
from heliograph.approvals.store import Approvals
from heliograph.aws.queues import Queue
from heliograph.aws.tables import chunks
from heliograph.ledger.store import Ledger
from heliograph.model.requests import Lane

AT_ONCE = 100  # objects that are worked off together

Advance = Callable[[int], None]
"""Told how many objects were worked off."""


class Waiting(NamedTuple):
    """What waits under one key, in figures."""

    key: ApprovalKey
    people: int
    limit: Limit
    most: int
    since: datetime


class Approved(NamedTuple):
    """What was sent on its way."""

    packs: int
    people: int
    expired: int
    """Of the people: those whose message had expired, which is all that they are told."""


class Dropped(NamedTuple):
    """What was decided against."""

    packs: int
    people: int
    decided_before: int
    """Of the people: those on whom something had been decided."""


def waiting(approvals: Approvals, keys: Sequence[ApprovalKey], advance: Advance) -> Iterator[Waiting]:
    """Look at what waits; what somebody else has approved or dropped meanwhile is left out."""
    for part in _parts(approvals, keys, advance):
        for key, found in part.items():
            yield Waiting(key, len(found.pack.requests), found.limit, found.most, found.since)


def approve(
    approvals: Approvals,
    keys: Sequence[ApprovalKey],
    queues: Mapping[Lane, Queue],
    *,
    now: datetime,
    advance: Advance,
) -> Approved:
    """Send what waits on its way, each before it is deleted: whatever happens, none is lost.

    What is in both for a moment does no harm: ids are derived, and the ledger decides once.
    """
    people, expired = [], 0
    for part in _parts(approvals, keys, advance):
        for lane, queue in queues.items():
            queue.send(
                [pack for found in part.values() if found.pack.lane is lane for pack in approving.packs(found, now)]
            )
        people += [len(found.pack.requests) for found in part.values()]
        expired += sum(len(found.pack.requests) for found in part.values() if approving.is_expired(found, now))
        approvals.delete(part)
    return Approved(len(people), sum(people), expired)


def drop(
    approvals: Approvals, keys: Sequence[ApprovalKey], ledger: Ledger, *, now: datetime, advance: Advance
) -> Dropped:
    """Decide against what waits, person by person, each before it is deleted. What was decided before stays.

    Raises BusyError under pressure; what was dropped until then stays dropped.
    """
    people, decided_before = [], 0
    for part in _parts(approvals, keys, advance):
        entries = {entry.dispatch_id: entry for found in part.values() for entry in approving.drops(found, now)}
        existing = ledger.write_all(list(entries.values()))
        decided_before += sum(not approving.is_dropped(entry) for entry in existing.values())
        people += [len(found.pack.requests) for found in part.values()]
        approvals.delete(part)
    return Dropped(len(people), sum(people), decided_before)


def _parts(
    approvals: Approvals, keys: Sequence[ApprovalKey], advance: Advance
) -> Iterator[dict[ApprovalKey, Approval]]:
    """What waits, a part at a time."""
    for part in chunks(keys, AT_ONCE):
        yield dict(approvals.read(part))
        advance(len(part))
