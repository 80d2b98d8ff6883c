"""Ingest a campaign folder: a run, its people as packed send requests, and the rows that were refused."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

import msgspec

from heliograph.adapters.bucket import StoredObject
from heliograph.adapters.rejects import Rejects
from heliograph.domain import segments
from heliograph.domain.errors import MalformedError
from heliograph.domain.model import Lane, RequestPack, Run
from heliograph.domain.rows import read_table
from heliograph.runtime import deps
from heliograph.runtime.handlers import queue_handler
from heliograph.runtime.observe import logger

PACKS_AT_ONCE = 10  # SendMessageBatch


@queue_handler(segments.Uploaded)
def handler(uploaded: segments.Uploaded, receives: int) -> None:
    """Start the run of a manifest that was uploaded; the same upload twice is the same run."""
    run, manifest = segments.new_run(uploaded), uploaded.detail.object
    try:
        finished = start(run, StoredObject(manifest.key, manifest.version_id))
    except MalformedError as error:
        deps.runs().keep(msgspec.structs.replace(run, ingested=True, problem=str(error)))
        raise
    logger.info("A segment was ingested", extra={"run_id": run.run_id, "audience": finished.audience})


def start(run: Run, manifest: StoredObject) -> Run:
    """Freeze what the run is made of, queue its people, and keep the rows that were refused."""
    bucket, folder = deps.bucket(), f"{segments.FOLDER}/{run.campaign}"
    campaign = segments.read_campaign(bucket.read(manifest))
    message = deps.templates().messages.get(campaign.message)
    if message is None:
        raise MalformedError(f"{segments.MANIFEST}: message", f"there is no message {campaign.message}")
    run = msgspec.structs.replace(run, message=message.name, version=message.version)
    segment = bucket.current(f"{folder}/{campaign.segment}")
    deps.runs().keep(run)
    bucket.write(f"runs/{run.run_id}/manifest.json", segments.frozen(run, campaign, *segment), "application/json")
    with Rejects() as rejects:
        table = read_table(bucket.lines(segment), required="recipient_id")
        people = segments.people(table, rejects.refuse)
        audience = queue(segments.packs(people, table.columns, run, message, campaign))
        bucket.write(f"{folder}/rejected.csv", rejects.file(), "text/csv")
    run = msgspec.structs.replace(run, audience=audience, rejected=rejects.refused, ingested=True)
    deps.runs().keep(run)
    return run


def queue(packs: Iterator[RequestPack]) -> int:
    """Send packs as they are read, a few at a time, so that a segment of any size takes little memory; the people."""
    people = 0
    while some := list(islice(packs, PACKS_AT_ONCE)):
        deps.requests(Lane.BULK).send(some)
        people += sum(len(pack.segment.rows) for pack in some if pack.segment)
    return people
