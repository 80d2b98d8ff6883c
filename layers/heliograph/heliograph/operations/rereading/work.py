"""The people of a run, read again from the version of the segment that it was made of."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from heliograph.aws.bucket import Bucket, StoredObject
from heliograph.campaigns import segments
from heliograph.campaigns.segments import Campaign
from heliograph.campaigns.work import reached_by
from heliograph.model.messages import Message
from heliograph.model.policy import Purpose
from heliograph.model.requests import SendRequest
from heliograph.model.runs import Run
from heliograph.text.csv import Table, read_table
from heliograph.text.errors import Code, MalformedError, NotFoundError
from heliograph.text.lines import Lines

AT_ONCE = 100  # people: one BatchGetItem


class Frozen(msgspec.Struct):
    """The run's manifest, as `ingest_segment` froze it."""

    run: Run
    campaign: Campaign
    segment: dict[str, str]
    before: list[str] = []


def no_such_run(run_id: str) -> NotFoundError:
    """There is no such run."""
    return NotFoundError(f"There is no run {run_id}.", "`heliograph campaign list` shows them.")


def frozen_run(bucket: Bucket, run_id: str) -> Frozen:
    """What a run was made of; raises NotFoundError when there is no such run."""
    try:
        content = bucket.read(StoredObject(f"runs/{run_id}/manifest.json", ""))
    except MalformedError as error:
        if error.code is Code.FILE_MISSING:
            raise no_such_run(run_id) from None
        raise
    return msgspec.json.decode(content, type=Frozen)


def requests_of(bucket: Bucket, frozen: Frozen) -> Iterator[SendRequest]:
    """A run's requests, in the version of the segment that it was made of."""
    message = Message(
        name=frozen.run.message,
        version=frozen.run.version,
        topic="",
        purpose=Purpose.PROMOTIONAL,
        channels=(),
        locales={},
    )
    table = _segment(bucket, frozen)
    people = segments.people(table, reached=reached_by(bucket, frozen.before))
    packs = segments.packs(people, table.columns, frozen.run, message, frozen.campaign)
    return (request for pack in packs for request in segments.unpacked(pack).requests)


def _segment(bucket: Bucket, frozen: Frozen) -> Table:
    """The rows of the segment, in the version that was read."""
    segment = StoredObject(frozen.segment["key"], frozen.segment["version"])
    return read_table(Lines(bucket.chunks(segment), frozen.segment.get("encoding", "")), required="recipient_id")
