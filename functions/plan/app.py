"""Plan send requests: to the outbox of a channel, to a later hour, or a "no" with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from heliograph.domain import packing, segments
from heliograph.domain.model import Decision, Dispatch, Lane, LedgerEntry, RequestPack
from heliograph.domain.planning import plan
from heliograph.runtime import deps
from heliograph.runtime.handlers import queue_handler
from heliograph.runtime.observe import count_decisions


@queue_handler(RequestPack)
def handler(pack: RequestPack, receives: int) -> None:
    """Decide on every request of a pack, write each "no" and "later" once, and pass the rest on."""
    now, templates, pack = deps.now(), deps.templates(), segments.unpacked(pack)
    people = deps.recipients().get_many([request.recipient_id for request in pack.requests])
    decisions = [
        plan(
            request,
            templates.message(request.message),
            people.get(request.recipient_id),
            policy=templates.policy,
            now=now,
            slot=slot,
        )
        for slot, request in enumerate(pack.requests)
    ]
    may_be_decided = receives > 1 or pack.lane is Lane.BULK
    outbox = packing.outbox(pack, decisions, earlier_decisions(pack, decisions, now, look_up=may_be_decided))
    if pack.run_id:  # before anybody can be planned again: no sum is ever taken from before it is there
        deps.records().keep_plan(pack.run_id, pack.pack_id, outbox.planned, now)
    for deferred, until in outbox.deferred:
        deps.schedules().defer(deferred, until)
    for dispatches in outbox.dispatches:
        deps.outbox(dispatches.channel, dispatches.lane).send([dispatches])
    count_decisions(outbox.planned)


def earlier_decisions(
    pack: RequestPack, decisions: Sequence[Decision], now: datetime, *, look_up: bool
) -> dict[str, LedgerEntry]:
    """Write suppressions and deferrals down; what had been decided before, by an earlier try or another planner.

    Dispatches are written by deliver, as the claim. They are looked up here because a pack may have been planned
    before, whatever SQS's approximate count says: deferrals and sums must follow what was decided then. A single
    transactional request is spared that on its first try: it is never deferred and in no sum, and deliver claims it.
    """
    templates = deps.templates()
    entries = [
        packing.entry(
            request,
            decision,
            place=(pack.pack_id, slot),
            message=templates.message(request.message),
            policy=templates.policy.version,
            at=now,
        )
        for slot, (request, decision) in enumerate(zip(pack.requests, decisions, strict=True))
    ]
    looked_up = deps.ledger().read(entries) if look_up else {}
    noes = [
        entry
        for entry, decision in zip(entries, decisions, strict=True)
        if not isinstance(decision, Dispatch) and entry.dispatch_id not in looked_up
    ]
    return looked_up | deps.ledger().write_all(noes)
