"""Plan send requests: to the outbox of a channel, to a later hour, or a "no" with its reason."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from contextlib import nullcontext
from datetime import datetime
from typing import NamedTuple

import msgspec

from heliograph.campaigns import segments
from heliograph.model.channels import Channel
from heliograph.model.decisions import NO_DISPATCH, Decision
from heliograph.model.dispatches import Dispatch, DispatchPack
from heliograph.model.ledger import LedgerEntry
from heliograph.model.requests import Lane, RequestPack
from heliograph.planning import packing
from heliograph.planning.work import decide_on, refund
from heliograph.runtime import wiring
from heliograph.runtime.handlers import Batch, Part, batch_handler, decoded, parking
from heliograph.runtime.observe import count_decisions
from heliograph.scheduling.work import plan_later
from heliograph.text import ids

PACK = msgspec.json.Decoder(RequestPack)
DEPLOYING = 8
"""Receives for which an unknown message may still come: together about eight minutes, longer than a deployment."""


class NotDeployedYetError(Exception):
    """A message is not in the catalogue, which a deployment or a rollback may be about to change; try again."""


class Task(NamedTuple):
    """A pack to be planned, and the message that brought it."""

    pack: RequestPack
    receives: int
    """How often the message was received."""
    body: str


@batch_handler
def handler(batch: Batch) -> None:
    """Plan the packs of a batch together; one that fails comes again alone."""
    found = batch.read(lambda body, _: [segments.unpacked(decoded(PACK, body))])
    tasks = [Part(each, Task(pack, batch.receives(each), batch.body(each))) for each, pack in found]
    for some in apart(tasks):
        batch.work(plan, some)


def apart(tasks: Iterable[Part[Task]]) -> list[list[Part[Task]]]:
    """Tasks that have no request in common, together: what was decided on one is known to the next."""
    rounds: list[tuple[set[str], list[Part[Task]]]] = []
    for task in tasks:
        asked = {request.dispatch_id for request in task.content.pack.requests}
        free = next((one for one in rounds if one[0].isdisjoint(asked)), None)
        if free is None:
            rounds.append(free := (set(), []))
        free[0].update(asked)
        free[1].append(task)
    return [some for _, some in rounds]


def plan(tasks: Sequence[Task]) -> None:
    """Decide on every request of some packs, write each "no" and "later" once, and pass the rest on.

    What no message can carry is parked, when it is alone and so known to be the one.
    """
    with parking(tasks[0].body) if len(tasks) == 1 else nullcontext():
        for task in tasks:
            await_deployment(task.pack, task.receives)
        now, packs = wiring.now(), [task.pack for task in tasks]
        known = earlier_decisions(tasks)
        refund((entry for entry in known.values() if entry.outcome in NO_DISPATCH), now)
        decisions = decide_on(packs, now, decided=known.keys())
        outboxes = keep_plans(packs, decisions, known, now)
        if first := write_noes(packs, decisions, known, now):  # by another planner, at the same time
            outboxes = keep_plans(packs, decisions, known | first, now)
        pass_on(outboxes)
        for each in outboxes:
            count_decisions(each.planned)


def keep_plans(
    packs: Sequence[RequestPack],
    decisions: Sequence[Sequence[Decision]],
    known: Mapping[str, LedgerEntry],
    now: datetime,
) -> list[packing.Outbox]:
    """Keep what is planned for the packs of runs, and give what follows.

    First of all: who plans a pack again sees that somebody has begun, and no sum is ever taken from before it is there.
    """
    outboxes = [packing.outbox(*pack_decided, known) for pack_decided in zip(packs, decisions, strict=True)]
    plans = {(pack.run_id, pack.pack_id): each.planned for pack, each in zip(packs, outboxes, strict=True)}
    if of_runs := {key: planned for key, planned in plans.items() if key[0]}:
        wiring.records().keep_plans(of_runs, now)
    return outboxes


def pass_on(outboxes: Sequence[packing.Outbox]) -> None:
    """Let what is decided again later wait for its minute, and hand the rest to its channels."""
    plan_later(later for outbox in outboxes for later in outbox.later)
    sent: defaultdict[tuple[Channel, Lane], list[DispatchPack]] = defaultdict(list)
    for outbox in outboxes:
        for dispatches in outbox.dispatches:
            sent[dispatches.channel, dispatches.lane].append(dispatches)
    for (channel, lane), packs in sent.items():
        wiring.outbox(channel, lane).send(packs)


def await_deployment(pack: RequestPack, receives: int) -> None:
    """Let a pack come again before a message is called unknown for ever; a pack is of one message."""
    if receives < DEPLOYING and any(wiring.templates().message(each.message) is None for each in pack.requests):
        raise NotDeployedYetError(f"pack {pack.pack_id} is of a message that is not deployed")


def earlier_decisions(tasks: Sequence[Task]) -> dict[str, LedgerEntry]:
    """What had been decided before, by an earlier try or another planner.

    A pack may have been planned before, whatever SQS's approximate count says: timers and sums must follow what was
    decided then. The plan of a run's pack, which is kept before any decision is, tells whether it was; of a fallback it
    does not, as two tries of deliver may begin it in two packs. A single transactional request is spared the look on
    its first try: it is never scheduled and in no sum, and deliver claims it.
    """
    bulk = {(task.pack.run_id, task.pack.pack_id) for task in tasks if task.pack.lane is Lane.BULK}
    of_runs = {(run_id, pack_id) for run_id, pack_id in bulk if run_id and not ids.is_of_fallbacks(pack_id)}
    begun = (bulk - of_runs) | (wiring.records().planned(of_runs) if of_runs else set())
    asked = [
        (request.recipient_id, request.dispatch_id)
        for pack, receives, _ in tasks
        if receives > 1 or (pack.run_id, pack.pack_id) in begun
        for request in pack.requests
    ]
    return wiring.ledger().decisions(asked) if asked else {}


def write_noes(
    packs: Sequence[RequestPack],
    decisions: Sequence[Sequence[Decision]],
    known: Mapping[str, LedgerEntry],
    now: datetime,
) -> dict[str, LedgerEntry]:
    """Write what is skipped and scheduled down; dispatches are written by deliver, as the claim."""
    policy = wiring.templates().policy.version
    entries = [
        LedgerEntry.of(no, pack_id=pack.pack_id, slot=slot, version=version_of(no), policy=policy, at=now)
        for pack, some in zip(packs, decisions, strict=True)
        for slot, no in enumerate(some)
        if not (isinstance(no, Dispatch) or no.dispatch_id in known)
    ]
    return wiring.ledger().write_all(entries)


def version_of(decision: Decision) -> str:
    """The version of the message that a decision is about; empty when it is not in the catalogue."""
    message = wiring.templates().message(decision.request.message)
    return message.version if message else ""
