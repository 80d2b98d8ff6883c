"""Plan send requests: to the outbox of a channel, to a later hour, or a "no" with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from heliograph.campaigns import segments
from heliograph.model.decisions import NO_DISPATCH, Decision
from heliograph.model.dispatches import Dispatch
from heliograph.model.ledger import LedgerEntry
from heliograph.model.requests import Lane, RequestPack
from heliograph.planning import packing
from heliograph.planning.work import decide_on, plan_later, refund
from heliograph.runtime import wiring
from heliograph.runtime.handlers import counting_handler
from heliograph.runtime.observe import count_decisions

DEPLOYING = 8
"""Receives for which an unknown message may still come: together about eight minutes, longer than a deployment."""


class NotDeployedYetError(Exception):
    """A message is not in the catalogue, which a deployment or a rollback may be about to change; try again."""


@counting_handler(RequestPack)
def handler(pack: RequestPack, receives: int) -> None:
    """Decide on every request of a pack, write each "no" and "later" once, and pass the rest on."""
    now, pack = wiring.now(), segments.unpacked(pack)
    await_deployment(pack, receives)
    known = earlier_decisions(pack) if receives > 1 or pack.lane is Lane.BULK else {}
    refund((entry for entry in known.values() if entry.outcome in NO_DISPATCH), now)
    decisions = decide_on(pack, now, decided=known.keys())
    known |= write_noes(pack, decisions, known, now)
    outbox = packing.outbox(pack, decisions, known)
    if pack.run_id:  # before anybody can be planned again: no sum is ever taken from before it is there
        wiring.records().keep_plan(pack.run_id, pack.pack_id, outbox.planned, now)
    pass_on(outbox)
    count_decisions(outbox.planned)


def pass_on(outbox: packing.Outbox) -> None:
    """Set the timers of what is decided again later, and hand the rest to its channels."""
    for later, when in outbox.later:
        plan_later(later, when)
    for dispatches in outbox.dispatches:
        wiring.outbox(dispatches.channel, dispatches.lane).send([dispatches])


def await_deployment(pack: RequestPack, receives: int) -> None:
    """Let a pack come again before a message is called unknown for ever; a pack is of one message."""
    if receives < DEPLOYING and any(wiring.templates().message(each.message) is None for each in pack.requests):
        raise NotDeployedYetError(f"pack {pack.pack_id} is of a message that is not deployed")


def earlier_decisions(pack: RequestPack) -> dict[str, LedgerEntry]:
    """What had been decided before, by an earlier try or another planner.

    A pack may have been planned before, whatever SQS's approximate count says: timers and sums must follow what was
    decided then. A single transactional request is spared this on its first try: it is never scheduled and in no sum,
    and deliver claims it.
    """
    return wiring.ledger().decisions([(request.recipient_id, request.dispatch_id) for request in pack.requests])


def write_noes(
    pack: RequestPack, decisions: Sequence[Decision], known: Mapping[str, LedgerEntry], now: datetime
) -> dict[str, LedgerEntry]:
    """Write what is skipped and scheduled down; dispatches are written by deliver, as the claim."""
    policy = wiring.templates().policy.version
    entries = [
        LedgerEntry.of(no, pack_id=pack.pack_id, slot=slot, version=version_of(no), policy=policy, at=now)
        for slot, no in enumerate(decisions)
        if not (isinstance(no, Dispatch) or no.dispatch_id in known)
    ]
    return wiring.ledger().write_all(entries)


def version_of(decision: Decision) -> str:
    """The version of the message that a decision is about; empty when it is not in the catalogue."""
    message = wiring.templates().message(decision.request.message)
    return message.version if message else ""
