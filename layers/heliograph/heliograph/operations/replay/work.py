"""Replay a run: every decision on every person of its segment is made again, a hundred people at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from heliograph.aws.bucket import Bucket
from heliograph.ledger.store import Ledger
from heliograph.model.ledger import LedgerEntry
from heliograph.model.requests import SendRequest
from heliograph.operations.replay.decisions import MADE_WITHOUT_INPUTS, Finding, Found, Replayed, found, summed, verdict
from heliograph.operations.rereading.work import AT_ONCE, frozen_run, requests_of
from heliograph.planning.inputs_store import KeptInputs
from heliograph.reporting.why.work import made_again
from heliograph.text import ids
from heliograph.text.errors import MalformedError

Progress = Callable[[int], None]


def replay_run(bucket: Bucket, ledger: Ledger, run_id: str, *, progress: Progress) -> Replayed:
    """Make every decision of a run again: first ones, those that were scheduled, and those of fallbacks.

    Raises NotFoundError when there is no such run.
    """
    frozen, kept = frozen_run(bucket, run_id), KeptInputs(bucket)

    def people() -> Iterator[Sequence[Found]]:
        rest = requests_of(bucket, frozen)
        while some := list(islice(rest, AT_ONCE)):
            for entries in decisions(ledger, some):
                yield [again(entry, kept) for entry in entries]
            progress(len(some))

    return summed(run_id, people())


def decisions(ledger: Ledger, requests: Sequence[SendRequest]) -> list[list[LedgerEntry]]:
    """The decisions on each request, step by step, until no further one was made."""
    made: dict[str, list[LedgerEntry]] = {request.request_id: [] for request in requests}
    open_requests, step = list(requests), 0
    while open_requests:
        steps = {each.request_id: ids.dispatch_id(each.request_id, step) for each in open_requests}
        known = ledger.decisions([(each.recipient_id, steps[each.request_id]) for each in open_requests])
        open_requests = [each for each in open_requests if steps[each.request_id] in known]
        for each in open_requests:
            made[each.request_id].append(known[steps[each.request_id]])
        step += 1
    return list(made.values())


def again(entry: LedgerEntry, kept: KeptInputs) -> Found:
    """What comes of making a decision again."""
    if not entry.inputs and entry.reason in MADE_WITHOUT_INPUTS:
        return found(entry, Finding.WITHOUT_INPUTS, entry.reason)
    try:
        return verdict(entry, made_again(entry, kept))
    except MalformedError as missing:
        return found(entry, Finding.MISSING, str(missing))
