"""Reconcile a run: read its segment, its decisions, their facts and the providers' log, a hundred people at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from heliograph.aws.bucket import Bucket, StoredObject
from heliograph.campaigns import segments
from heliograph.campaigns.runs import Runs
from heliograph.campaigns.segments import Campaign
from heliograph.campaigns.work import unreached
from heliograph.channels.registry import CHANNELS, spec
from heliograph.ledger.store import Ledger
from heliograph.model.channels import Channel
from heliograph.model.decisions import Verdict
from heliograph.model.engagement import EngagementKind
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Message
from heliograph.model.outcomes import RecordKey, SlotFacts
from heliograph.model.policy import Purpose
from heliograph.model.requests import SendRequest
from heliograph.model.runs import Run
from heliograph.operations.reconcile.comparison import (
    SENDING,
    Decided,
    Person,
    Reconciliation,
    Terms,
    reconcile,
    with_sums,
)
from heliograph.recording.facts import Facts
from heliograph.recording.store import Records
from heliograph.reporting.figures import RunFigures, figures
from heliograph.text import ids
from heliograph.text.csv import read_table
from heliograph.text.lines import Lines
from heliograph_cli import target as targets
from heliograph_cli.commands.outbox import fetch
from heliograph_cli.failures import No
from heliograph_cli.provider_log import ProviderLog, in_lake, in_outbox
from heliograph_cli.stack import Stack

AT_ONCE = 100  # people: one BatchGetItem
Progress = Callable[[int], None]


class Frozen(msgspec.Struct):
    """The run's manifest, as `ingest_segment` froze it."""

    run: Run
    campaign: Campaign
    segment: dict[str, str]
    before: list[str] = []


def compare(stack: Stack, run_id: str, *, at: datetime, grace: timedelta, progress: Progress) -> Reconciliation:
    """Compare a run; raises No when there is no such run, or when nobody was ever asked for."""
    sums = _sums(stack, run_id)
    if sums.problem:
        raise No(f"Run {run_id} failed, and nobody was asked for: {sums.problem}.")
    bucket = Bucket(targets.s3(stack.target), stack.bucket)
    frozen = frozen_run(bucket, run_id)
    with TemporaryDirectory() as directory:
        log = ProviderLog(Path(directory))
        log.add(in_lake(bucket, run_id, since=frozen.run.started_at.date(), until=at.date()))
        if stack.target.is_local:
            log.add(in_outbox(fetch(stack.target), run_id))
        people = _people(stack, requests_of(bucket, frozen), log, progress)
        found = reconcile(people, log.strangers(), Terms(at, grace, reporting(stack)))
        log.close()
    sums = _sums(stack, run_id)
    return with_sums(found, sums.audience, sums.counts)


def _sums(stack: Stack, run_id: str) -> RunFigures:
    """The sums of the run, counted anew."""
    client = targets.dynamodb(stack.target)
    run = Runs(client, stack.runs_table).get(run_id)
    if run is None:
        raise No(f"There is no run {run_id}.", "`heliograph campaign list` shows them.")
    return figures(run, Records(client, stack.runs_table).of_run(run_id))


def reporting(stack: Stack) -> frozenset[Channel]:
    """The channels whose provider tells us what it took; push services and SMS through SNS never do."""
    if stack.target.is_local:
        return frozenset(CHANNELS)
    return frozenset(
        channel
        for channel in CHANNELS
        if EngagementKind.SENT in spec(channel).reports
        and stack.parameters.get(f"{channel.title()}Provider") not in spec(channel).silent_providers
    )


def frozen_run(bucket: Bucket, run_id: str) -> Frozen:
    """What a run was made of."""
    return msgspec.json.decode(bucket.read(StoredObject(f"runs/{run_id}/manifest.json", "")), type=Frozen)


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
    segment = StoredObject(frozen.segment["key"], frozen.segment["version"])
    lines = Lines(bucket.chunks(segment), frozen.segment.get("encoding", ""))
    table = read_table(lines, required="recipient_id")
    people = segments.people(table, is_unreached=unreached(bucket, frozen.before))
    packs = segments.packs(people, table.columns, frozen.run, message, frozen.campaign)
    return (request for pack in packs for request in segments.unpacked(pack).requests)


def _people(stack: Stack, people: Iterable[SendRequest], log: ProviderLog, progress: Progress) -> Iterator[Person]:
    client = targets.dynamodb(stack.target)
    ledger, records = Ledger(client, stack.ledger_table), Records(client, stack.runs_table)
    rest = iter(people)
    while some := list(islice(rest, AT_ONCE)):
        decisions = _decisions(ledger, some)
        facts = _facts(records, [entry for entries in decisions.values() for entry in entries])
        messages = log.take([request.recipient_id for request in some])
        for request in some:
            decided = tuple(Decided(entry, facts(entry)) for entry in decisions[request.request_id])
            yield Person(request.recipient_id, request.request_id, decided, messages.get(request.recipient_id, {}))
        progress(len(some))


def _decisions(ledger: Ledger, people: Sequence[SendRequest]) -> dict[str, list[LedgerEntry]]:
    """The decisions of each request, step by step: a scheduled one is decided again, a fallback follows a dispatch."""
    decisions: dict[str, list[LedgerEntry]] = {request.request_id: [] for request in people}
    asked, step = list(people), 0
    while asked:
        steps = [(each.recipient_id, ids.dispatch_id(each.request_id, step)) for each in asked]
        found = ledger.decisions(steps)
        for request, (_, dispatch_id) in zip(asked, steps, strict=True):
            if dispatch_id in found:
                decisions[request.request_id].append(found[dispatch_id])
        asked = [each for each in asked if _may_go_on(decisions[each.request_id], step)]
        step += 1
    return decisions


def _may_go_on(entries: Sequence[LedgerEntry], step: int) -> bool:
    return len(entries) > step and entries[step].outcome is not Verdict.SKIPPED


def _facts(records: Records, entries: Iterable[LedgerEntry]) -> Callable[[LedgerEntry], Facts]:
    """What came of each of these decisions."""
    keys = {entry.dispatch_id: _record(entry) for entry in entries if entry.outcome in SENDING}
    found: dict[RecordKey, SlotFacts] = records.read(set(keys.values()))

    def facts(entry: LedgerEntry) -> Facts:
        key = keys.get(entry.dispatch_id)
        return found[key].get(entry.slot, {}) if key else {}

    return facts


def _record(entry: LedgerEntry) -> RecordKey:
    return RecordKey(entry.run_id, entry.pack_id, Channel(entry.channel))


def shape(found: Reconciliation, run_id: str) -> dict[str, Any]:
    """What the comparison came to, as scripts read it."""
    return {
        "run_id": run_id,
        "people": found.people,
        "accepted": found.counts["accepted"],
        "provider_messages": found.provider_messages,
        "unknown": found.in_doubt[0],
        "differences": {
            kind.value: {"count": count, "examples": list(examples)}
            for kind, (count, examples) in found.differences.items()
        },
    }
