"""What is held for approval in a stack's bucket: look at it, release it, drop it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from heliograph.approvals import approval
from heliograph.approvals.approval import Held, Limit, Place
from heliograph.aws.queues import Queue
from heliograph.aws.tables import BusyError, chunks
from heliograph.ledger.store import Ledger
from heliograph.model.requests import Lane
from heliograph.text.errors import Code, MalformedError
from heliograph_cli import target as targets
from heliograph_cli.failures import Trouble
from heliograph_cli.stack import Stack

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

LANES = 8  # objects that are read at the same time
AT_ONCE = 100  # objects that are worked off together; DeleteObjects takes 1,000

Advance = Callable[[int], None]


class Waiting(NamedTuple):
    """What is held in one place, in figures."""

    place: Place
    people: int
    limit: Limit
    most: int
    since: datetime


class Done(NamedTuple):
    """What became of what was held."""

    packs: int
    people: int
    expired: int = 0
    """Of those who were released: the ones whose message had expired, which is all that they are told."""
    decided_before: int = 0
    """Of those who were to be dropped: the ones on whom something had been decided."""


def places(stack: Stack) -> list[Place]:
    """Where something is held, by message and age; what is not ours is left out."""
    pages = targets.s3(stack.target).get_paginator("list_objects_v2").paginate(Bucket=stack.bucket, Prefix="held")
    found = (approval.place_at(each["Key"]) for page in pages for each in page.get("Contents", ()))
    return [place for place in found if place]


def waiting(stack: Stack, some: Sequence[Place], advance: Advance) -> Iterator[Waiting]:
    """Look at what is held; what somebody else has released or dropped meanwhile is left out."""
    for place, held in _read(stack, some, advance):
        yield Waiting(place, len(held.pack.requests), held.limit, held.most, held.held_at)


def release(stack: Stack, some: Sequence[Place], advance: Advance) -> Done:
    """Send what is held on its way, each before it is deleted here: whatever happens, none is lost.

    What is in both for a moment does no harm: ids are derived, and the ledger decides once.
    """
    sqs = targets.sqs(stack.target)
    names = {lane: f"{stack.target.stack}-requests-{lane}" for lane in Lane}
    queues = {lane: Queue(sqs, sqs.get_queue_url(QueueName=name)["QueueUrl"]) for lane, name in names.items()}
    people, expired, now = [], 0, datetime.now(UTC)
    for part in _parts(stack, some, advance):
        for lane, queue in queues.items():
            queue.send([pack for held in part if held.pack.lane is lane for pack in approval.packs(held, now)])
        people += [len(held.pack.requests) for held in part]
        expired += sum(len(held.pack.requests) for held in part if approval.is_expired(held, now))
    return Done(len(people), sum(people), expired)


def drop(stack: Stack, some: Sequence[Place], advance: Advance) -> Done:
    """Decide against what is held, person by person, each before it is deleted. What was decided before stays."""
    ledger, now = Ledger(targets.dynamodb(stack.target), stack.ledger_table), datetime.now(UTC)
    people, decided_before = [], 0
    for part in _parts(stack, some, advance):
        entries = {entry.dispatch_id: entry for held in part for entry in approval.drops(held, now)}
        try:
            existing = ledger.write_all(list(entries.values()))
        except BusyError as error:
            raise Trouble("DynamoDB was too busy.", "Run the command again: what was dropped stays dropped.") from error
        decided_before += sum(not approval.is_dropped(entry) for entry in existing.values())
        people += [len(held.pack.requests) for held in part]
    return Done(len(people), sum(people), decided_before=decided_before)


def _parts(stack: Stack, some: Sequence[Place], advance: Advance) -> Iterator[list[Held]]:
    """What is held, a part at a time; each is deleted once it has been worked off."""
    s3 = targets.s3(stack.target)
    for part in chunks(some, AT_ONCE):
        found = dict(_read(stack, part, advance))
        yield list(found.values())
        _delete(s3, stack.bucket, list(found))


def _read(stack: Stack, some: Sequence[Place], advance: Advance) -> Iterator[tuple[Place, Held]]:
    s3, decoder = targets.s3(stack.target), msgspec.json.Decoder(Held)

    def read(place: Place) -> tuple[Place, Held] | None:
        try:
            return place, decoder.decode(s3.get_object(Bucket=stack.bucket, Key=place.key)["Body"].read())
        except s3.exceptions.NoSuchKey:
            return None
        except msgspec.DecodeError as error:
            raise MalformedError(Code.UNREADABLE, place.key, str(error)) from None

    with ThreadPoolExecutor(LANES) as lanes:
        for part in chunks(some, AT_ONCE):
            yield from filter(None, lanes.map(read, part))
            advance(len(part))


def _delete(s3: S3Client, bucket: str, some: Sequence[Place]) -> None:
    if not some:
        return
    answer = s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": place.key} for place in some], "Quiet": True})
    if errors := answer.get("Errors"):
        raise Trouble(
            f"{len(errors)} objects below held/ could not be deleted: {errors[0].get('Code')}.",
            "Run the command again: nobody gets anything twice.",
        )
