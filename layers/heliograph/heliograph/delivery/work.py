"""Sending: at the rate of the provider, with every answer kept at once, and every open end seen to."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from heliograph.aws.queues import QueueError
from heliograph.channels.rate import (
    BULK_SHARE,
    HALT,
    LEAD,
    PATIENCE,
    SLICE,
    STOPPED,
    horizon,
    passes_by_itself,
    seconds_until,
    seconds_without,
    waits_until,
)
from heliograph.channels.registry import spec
from heliograph.delivery import steps
from heliograph.model.dispatches import Dispatch, DispatchPack, Rendered
from heliograph.model.engagement import Events
from heliograph.model.outcomes import Failed, InDoubt, NotSent, Outcome, RecordKey, SlotFacts
from heliograph.model.requests import Lane
from heliograph.recording.consequences import outcome_events
from heliograph.runtime import wiring
from heliograph.runtime.observe import count, count_facts

CALL_TIME = 30  # seconds that a call to a provider and keeping its answer may take: its time-outs and a margin
REFUSED_RATE = 50.0
"""Letters a second at which those are taken back that a provider refused whose rate nobody knows."""
WORTH_CORRECTING = 0.1
"""Share of what was spoken for by which a pack must turn out smaller or larger for the clock to be told."""
GIVES_WAY = 3
"""The receive with which a piece that fails lets the rest of its pack go on without it."""


class NotSentYetError(Exception):
    """Some batch of a pack were not taken yet; the pack comes again."""


class Later(NamedTuple):
    """What waits for its turn in the line; without one it asks again later."""

    pack: DispatchPack
    at: datetime | None


class Turn(NamedTuple):
    """What of a pack is sent now, and how fast."""

    pack: DispatchPack
    rate: float | None
    """Units (batch, parts of a text) a second; None: as fast as the provider answers."""
    spoken_for: int
    """Units that the clock of the channel was moved on by."""
    rest: Later | None = None
    """What of the pack is sent later, if it is sent in pieces."""


def turn_of(pack: DispatchPack) -> Turn | None:
    """Wait for the turn of a pack, or requeue it for its turn in the line (None). Single messages do not wait.

    A pack that takes longer than a slice of time is sent piece by piece: the rest waits for the next turn.
    """
    now = wiring.now()
    early = (pack.not_before - now).total_seconds() if pack.not_before else 0.0
    if early > LEAD + 1 or wiring.time_left() < CALL_TIME:
        requeue(pack, pack.not_before or now)
        return None
    is_single = pack.lane is Lane.PRIORITY
    rate = None if is_single and len(pack.dispatches) == 1 else wiring.rate(pack.channel)
    if is_single or rate is None:
        if early > 0:
            wiring.sleep(early)
        return Turn(pack, rate, 0)
    rate *= BULK_SHARE
    size = size_of(pack)
    head, tail = steps.split(pack, max(1, int(rate * SLICE / size)))
    units = round(len(head.dispatches) * size)
    turn = wiring.rate_limits().ask(
        pack.channel,
        units,
        rate=rate,
        patience=PATIENCE,
        horizon=horizon(pack.tries),
        now=now,
        in_line=pack.not_before is not None,
    )
    if turn.wait is None:
        requeue(pack, turn.at)
        return None
    rest = lined_up(tail, {dispatch.slot for dispatch in tail.dispatches}) if tail.dispatches else None
    if turn.wait:
        wiring.sleep(turn.wait)
    return Turn(head, rate, units, rest)


@contextmanager
def then_the_rest(turn: Turn, receives: int) -> Iterator[None]:
    """Around sending a piece: the rest of its pack is requeued once, when that is done.

    A piece that fails comes again with its rest. So the rest is not requeued by each of its tries, and each of what
    they have requeued would do the same; but it goes on when the piece has failed a few times, which is for one
    person's sake perhaps.
    """
    try:
        yield
    except Exception:
        if turn.rest and receives == GIVES_WAY:
            requeue(*turn.rest)
        raise
    if turn.rest:
        requeue(*turn.rest)


def size_of(pack: DispatchPack) -> float:
    """Units that a rendered of a pack is thought to take: as many as those of its message took the last time here."""
    return wiring.sizes().get((pack.channel, pack.dispatches[0].request.message), 1.0)


def correct(turn: Turn, batch: Sequence[Rendered]) -> None:
    """Tell the clock when a piece is much larger or smaller than was thought: texts have parts, people are skipped."""
    units = sum(map(units_of, batch))
    if batch:
        wiring.sizes()[turn.pack.channel, turn.pack.dispatches[0].request.message] = units / len(batch)
    if turn.rate and turn.spoken_for and abs(units - turn.spoken_for) > WORTH_CORRECTING * turn.spoken_for:
        wiring.rate_limits().correct(turn.pack.channel, units - turn.spoken_for, rate=turn.rate)


def units_of(rendered: Rendered) -> int:
    """What a rendered takes of its provider's rate: networks and their limits count the parts of a text."""
    return spec(rendered.dispatch.channel).measure(rendered.content).parts


def send(record: RecordKey, batch: list[Rendered], *, rate: float | None = None) -> Iterator[Outcome]:
    """Hand batch to the provider and keep each answer at once; yields the outcomes that something follows from.

    It stops when the account has halted, or the function would not live to see the answer of another call.
    """
    waiting = {rendered.dispatch.dispatch_id: rendered for rendered in batch}
    calls = wiring.sender(record.channel)(batch) if batch else iter(())
    halted = spec(record.channel).codes.halted
    started, units, is_stopped = wiring.now(), 0, False
    while waiting and not is_stopped:
        pause = units / rate - (wiring.now() - started).total_seconds() if rate else 0.0
        if wiring.time_left() - max(0.0, pause) < CALL_TIME:
            break
        if pause > 0:
            wiring.sleep(pause)
        outcomes = next(calls, None)
        if outcomes is None:
            return  # of what the provider said nothing, nobody knows what became
        taken = {outcome.dispatch_id: waiting.pop(outcome.dispatch_id) for outcome in outcomes}
        units += sum(map(units_of, taken.values()))
        try:
            keep_answers(record, outcomes, taken)
        except (ClientError, BotoCoreError, QueueError):
            keep(record, steps.not_handed_over(waiting.values(), wiring.now()), wiring.now())
            raise  # what was answered is in doubt now; what was not handed over is not
        yield from (outcome for outcome in outcomes if isinstance(outcome, NotSent | InDoubt | Failed))
        is_stopped = any(isinstance(each, NotSent) and each.cause in halted for each in outcomes)
    if waiting:
        keep(record, steps.not_handed_over(waiting.values(), wiring.now()), wiring.now())
        yield from (NotSent(dispatch_id=dispatch_id, cause=STOPPED) for dispatch_id in waiting)


def keep_answers(record: RecordKey, outcomes: Sequence[Outcome], batch: Mapping[str, Rendered]) -> None:
    """Keep a provider's answers, and tell record of those that something follows from."""
    now = wiring.now()
    keep(record, steps.facts_of(outcomes, batch, now), now)
    events = tuple(
        event
        for outcome in outcomes
        for rendered in (batch[outcome.dispatch_id],)
        for event in outcome_events(rendered.dispatch, outcome, occurred_at=now, outcome_key=rendered.outcome_key)
    )
    if events:
        wiring.engagement().send([Events(events=events)])


def keep(record: RecordKey, facts: SlotFacts, now: datetime) -> None:
    """Keep facts, and count them."""
    if facts:
        wiring.records().keep(record, facts, now)
        count_facts(record.channel, facts)


def refused(pack: DispatchPack, outcomes: Sequence[Outcome]) -> list[Dispatch]:
    """What the provider has refused for good."""
    failed = {outcome.dispatch_id for outcome in outcomes if isinstance(outcome, Failed)}
    return [dispatch for dispatch in pack.dispatches if dispatch.dispatch_id in failed]


def follow(pack: DispatchPack, checked: Sequence[steps.Checked], slots: Collection[int]) -> None:
    """Have the next channels planned at once where a dispatch certainly reaches nobody.

    When a timer brings them, too, that decides the same step, which the ledger takes once.
    """
    if following := [*steps.at_once(pack, checked, slots, wiring.now())]:
        wiring.requests(pack.lane).send(following)


def finish(
    pack: DispatchPack,
    open_ends: list[Outcome],
    *,
    in_doubt: list[int],
    waiting: Mapping[int, datetime],
    is_complete: bool,
) -> None:
    """See to what has no outcome yet: later, settled after a grace, or tried again at once.

    `waiting` are slots, and until when they have to wait.
    """
    codes = spec(pack.channel).codes
    slots = {dispatch.dispatch_id: dispatch.slot for dispatch in pack.dispatches}
    unsent = {slots[end.dispatch_id]: end for end in open_ends if isinstance(end, NotSent)}
    doubts = [*in_doubt, *(slots[end.dispatch_id] for end in open_ends if isinstance(end, InDoubt))]
    if doubts:
        wiring.settling().send([steps.some_of(pack, doubts)], delay=wiring.grace())
    if halted := sum(end.cause in codes.halted for end in unsent.values()):
        wiring.rate_limits().halt(pack.channel, wiring.now() + timedelta(seconds=HALT))
        count(pack.channel, {"halted": halted})
    alone = {slot: until for slot, end in unsent.items() if (until := waits_until(end, codes, wiring.now()))}
    for until, some in steps.by_time({**waiting, **alone}).items():
        requeue(steps.some_of(pack, some, tries=pack.tries), until)
    in_line = {slot for slot, end in unsent.items() if slot not in alone and passes_by_itself(end.cause, codes)}
    if in_line:
        requeue_in_line(pack, in_line)
    if not is_complete or alone.keys() | in_line != unsent.keys():
        raise NotSentYetError(f"some batch of pack {pack.pack_id} wait for another try")


def requeue_in_line(pack: DispatchPack, slots: Collection[int]) -> None:
    """Requeue some of a pack in its outbox, for the next free turn in its line."""
    requeue(*lined_up(pack, slots))


def lined_up(pack: DispatchPack, slots: Collection[int]) -> Later:
    """Some of a pack, with the next free turn in its line."""
    some = steps.some_of(pack, slots, tries=pack.tries)
    full = wiring.rate(pack.channel) or REFUSED_RATE
    rate = full * BULK_SHARE if pack.lane is Lane.BULK else full
    units = max(1, min(round(len(some.dispatches) * size_of(some)), int(rate * SLICE)))
    now, far = wiring.now(), horizon(pack.tries)
    return Later(
        some, wiring.rate_limits().line_up(pack.channel, units, rate=rate, horizon=far, now=now, lane=pack.lane)
    )


def requeue(pack: DispatchPack, at: datetime | None) -> None:
    """Requeue a pack in its outbox as a new message, to be seen at its turn; without one it asks again later."""
    later = msgspec.structs.replace(pack, tries=pack.tries + 1, not_before=at)
    delay = seconds_until(at, wiring.now()) if at else seconds_without(pack.pack_id, pack.tries)
    wiring.outbox(pack.channel, pack.lane).send([later], delay=delay)
