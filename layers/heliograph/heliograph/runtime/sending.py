"""Sending: at the pace of the provider, with every answer kept at once, and every open end seen to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from botocore.exceptions import BotoCoreError, ClientError

from heliograph.adapters.queues import QueueError
from heliograph.domain import delivery
from heliograph.domain.engagement import outcome_events
from heliograph.domain.model import (
    Dispatch,
    DispatchPack,
    Events,
    Failed,
    InDoubt,
    Lane,
    Letter,
    NotSent,
    Outcome,
    RecordKey,
    SlotFacts,
)
from heliograph.domain.pace import BULK_SHARE, HOLD, delay, is_halted, passes_by_itself
from heliograph.runtime import deps
from heliograph.runtime.observe import count, count_facts

PATIENCE = 10.0  # seconds that a pack may wait inside the function for its turn


class NotSentYetError(Exception):
    """Some letters of a pack were not taken yet; the pack comes again."""


def is_our_turn(pack: DispatchPack) -> bool:
    """Wait for the pace of the channel; False when that would take too long. Single messages do not wait."""
    rate = deps.rate(pack.channel) if pack.lane is Lane.BULK else None
    if rate is None:
        return True
    letters, share = len(pack.dispatches), rate * BULK_SHARE
    wait = deps.pace().take(pack.channel, letters, rate=share, patience=PATIENCE, now=deps.now())
    if wait:
        deps.sleep(wait)
    return wait is not None


def send(record: RecordKey, letters: list[Letter]) -> Iterator[Outcome]:
    """Hand letters to the provider and keep each answer at once; yields the outcomes that something follows from."""
    waiting = {letter.dispatch.dispatch_id: letter for letter in letters}
    for outcomes in deps.sender(record.channel)(letters) if letters else ():
        taken = {outcome.dispatch_id: waiting.pop(outcome.dispatch_id) for outcome in outcomes}
        try:
            keep_answers(record, outcomes, taken)
        except (ClientError, BotoCoreError, QueueError):
            keep(record, delivery.not_handed_over(waiting.values(), deps.now()), deps.now())
            raise  # what was answered is in doubt now; what was not handed over is not
        yield from (outcome for outcome in outcomes if isinstance(outcome, NotSent | InDoubt | Failed))


def keep_answers(record: RecordKey, outcomes: Sequence[Outcome], letters: Mapping[str, Letter]) -> None:
    """Keep a provider's answers, and tell record of those that have consequences for a person."""
    now = deps.now()
    keep(record, delivery.facts_of(outcomes, letters, now), now)
    events = tuple(
        event
        for outcome in outcomes
        for event in outcome_events(letters[outcome.dispatch_id].dispatch, outcome, occurred_at=now)
    )
    if events:
        deps.engagement().send([Events(events=events)])


def keep(record: RecordKey, facts: SlotFacts, now: datetime) -> None:
    """Keep facts, and count them."""
    if facts:
        deps.records().keep(record, facts, now)
        count_facts(record.channel, facts)


def refused(pack: DispatchPack, outcomes: Sequence[Outcome]) -> list[Dispatch]:
    """What the provider has refused for good."""
    failed = {outcome.dispatch_id for outcome in outcomes if isinstance(outcome, Failed)}
    return [dispatch for dispatch in pack.dispatches if dispatch.dispatch_id in failed]


def tie_up(
    pack: DispatchPack, open_ends: list[Outcome], *, in_doubt: list[int], waiting: list[int], is_complete: bool
) -> None:
    """See to what has no outcome yet: later, settled after a grace, or tried again at once."""
    slots = {dispatch.dispatch_id: dispatch.slot for dispatch in pack.dispatches}
    unsent = {slots[end.dispatch_id]: end.cause for end in open_ends if isinstance(end, NotSent)}
    doubts = [*in_doubt, *(slots[end.dispatch_id] for end in open_ends if isinstance(end, InDoubt))]
    if doubts:
        deps.settling().send([delivery.some_of(pack, doubts)], delay=deps.grace())
    if halted := sum(map(is_halted, unsent.values())):
        deps.pace().hold(pack.channel, deps.now() + timedelta(seconds=HOLD))
        count(pack.channel, {"halted": halted})
    patient = {slot for slot, cause in unsent.items() if passes_by_itself(cause)}
    if patient or waiting:
        come_back(pack, {*patient, *waiting})
    if not is_complete or patient != unsent.keys():
        raise NotSentYetError(f"some letters of pack {pack.pack_id} wait for another try")


def come_back(pack: DispatchPack, slots: Collection[int]) -> None:
    """Put some of a pack back into its outbox, for when the provider has time."""
    later = delivery.some_of(pack, slots, tries=pack.tries + 1)
    deps.outbox(pack.channel, pack.lane).send([later], delay=delay(pack.tries, pack.pack_id))
