"""Reconcile a run: read its segment, its decisions, their facts and the providers' log, a hundred people at a time."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from heliograph.aws.bucket import Bucket
from heliograph.campaigns.runs_store import Runs
from heliograph.channels.registry import CHANNELS, spec
from heliograph.ledger.store import Ledger
from heliograph.model.channels import Channel
from heliograph.model.decisions import Verdict
from heliograph.model.engagement import EngagementKind
from heliograph.model.ledger import LedgerEntry
from heliograph.model.outcomes import Facts, RecordKey, SlotFacts
from heliograph.model.requests import SendRequest
from heliograph.operations.reconcile.comparison import (
    SENDING,
    Decided,
    Person,
    Reconciliation,
    Terms,
    reconcile,
    with_sums,
)
from heliograph.operations.reconcile.provider_log_store import ProviderLog, in_lake, in_outbox
from heliograph.operations.rereading.work import AT_ONCE, frozen_run, no_such_run, requests_of
from heliograph.recording.lake_store import Lake
from heliograph.recording.store import Records
from heliograph.reporting.figures import RunFigures, figures
from heliograph.tallying.sums import sums_of, total
from heliograph.text import ids
from heliograph.text.errors import NotFoundError

Progress = Callable[[int], None]
"""Told how many people were compared since it was told last."""


class Kept(NamedTuple):
    """What a deployment keeps of its runs."""

    bucket: Bucket
    ledger: Ledger
    records: Records
    runs: Runs


def compare(
    kept: Kept,
    run_id: str,
    *,
    at: datetime,
    grace: timedelta,
    reporting: Collection[Channel],
    outbox: Iterable[Mapping[str, Any]] = (),
    progress: Progress,
) -> Reconciliation:
    """Compare a run with the events of its providers, and with the outbox of the local cloud.

    `reporting` are the channels whose provider tells what it took. Raises NotFoundError when there is no such run, or
    when no request was ever made of it.
    """
    sums = _sums(kept, run_id)
    if sums.problem:
        raise NotFoundError(
            f"Run {run_id} failed, and no request was made: {sums.problem}.",
            "Correct the campaign folder and submit it again.",
        )
    frozen = frozen_run(kept.bucket, run_id)
    with TemporaryDirectory() as directory:
        log = ProviderLog(Path(directory))
        log.add(in_lake(Lake(kept.bucket), run_id, since=frozen.run.started_at.date(), until=at.date()))
        log.add(in_outbox(outbox, run_id))
        people = _people(kept, requests_of(kept.bucket, frozen), log, progress)
        found = reconcile(people, log.strangers(), Terms(at, grace, frozenset(reporting)))
        log.close()
    sums = _sums(kept, run_id)
    return with_sums(found, sums.audience, sums.counts)


def _sums(kept: Kept, run_id: str) -> RunFigures:
    """The sums of the run, counted anew."""
    run = kept.runs.get(run_id)
    if run is None:
        raise no_such_run(run_id)
    return figures(run, total(map(sums_of, kept.records.of_run(run_id))))


def reporting(parameters: Mapping[str, str]) -> frozenset[Channel]:
    """The channels whose provider, by a stack's parameters, tells us what it took; push services and SNS never do."""
    return frozenset(
        channel
        for channel in CHANNELS
        if EngagementKind.SENT in spec(channel).reports
        and parameters.get(f"{channel.title()}Provider") not in spec(channel).silent_providers
    )


def _people(kept: Kept, people: Iterable[SendRequest], log: ProviderLog, progress: Progress) -> Iterator[Person]:
    rest = iter(people)
    while some := list(islice(rest, AT_ONCE)):
        decisions = _decisions(kept.ledger, some)
        facts = _facts(kept.records, [entry for entries in decisions.values() for entry in entries])
        messages = log.take([request.recipient_id for request in some])
        for request in some:
            decided = tuple(Decided(entry, facts(entry)) for entry in decisions[request.request_id])
            yield Person(request.recipient_id, request.request_id, decided, messages.get(request.recipient_id, {}))
        progress(len(some))


def _decisions(ledger: Ledger, people: Sequence[SendRequest]) -> dict[str, list[LedgerEntry]]:
    """The decisions of each request, step by step: a scheduled one is decided again, a fallback follows a dispatch."""
    decisions: dict[str, list[LedgerEntry]] = {request.request_id: [] for request in people}
    open_requests, step = list(people), 0
    while open_requests:
        steps = [(each.recipient_id, ids.dispatch_id(each.request_id, step)) for each in open_requests]
        found = ledger.decisions(steps)
        for request, (_, dispatch_id) in zip(open_requests, steps, strict=True):
            if dispatch_id in found:
                decisions[request.request_id].append(found[dispatch_id])
        open_requests = [each for each in open_requests if _may_go_on(decisions[each.request_id], step)]
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
