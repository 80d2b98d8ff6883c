"""The turns of packs: what is sent now, and what is requeued for when its channel has time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from heliograph.channels.rate import (
    BULK_SHARE,
    FIRST_DELAY,
    HALT,
    LEAD,
    PATIENCE,
    SLICE,
    horizon,
    passes_by_itself,
    seconds_until,
    seconds_without,
    waits_until,
)
from heliograph.channels.registry import spec
from heliograph.delivery.packs import by_time, some_of, split
from heliograph.delivery.sending.work import CALL_TIME, units_of
from heliograph.model.dispatches import DispatchPack, Rendered
from heliograph.model.outcomes import InDoubt, NotSent, Outcome
from heliograph.model.requests import Lane
from heliograph.runtime import wiring
from heliograph.runtime.observe import count, count_retried

REFUSED_RATE = 50.0
"""Messages a second at which those are taken back that a provider refused whose rate nobody knows."""
WORTH_CORRECTING = 0.1
"""Share of what was spoken for by which a pack must turn out smaller or larger for the clock to be told."""
GIVES_WAY = 3
"""The receive with which a piece that fails lets the rest of its pack go on without it."""


class NotSentYetError(Exception):
    """Some of a pack was not taken yet; the pack comes again."""


class Waiting(NamedTuple):
    """What waits in the line of its channel; without a time it asks again later."""

    pack: DispatchPack
    at: datetime | None


class Turn(NamedTuple):
    """What of a pack is sent now, and how fast."""

    pack: DispatchPack
    rate: float | None
    """Units (messages, parts of a text) a second; None: as fast as the provider answers."""
    spoken_for: int
    """Units that the clock of the channel was moved on by."""
    rest: Waiting | None = None
    """What of the pack is sent later, if it is sent in pieces."""


def turn_of(pack: DispatchPack) -> Turn | None:
    """Wait for the turn of a pack, or requeue it for then (None). Single messages do not wait.

    A pack that takes longer than a slice of time is sent piece by piece: the rest waits in the line.
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
    return _bulk_turn(pack, rate * BULK_SHARE, now)


def _bulk_turn(pack: DispatchPack, rate: float, now: datetime) -> Turn | None:
    size = size_of(pack)
    head, tail = split(pack, max(1, int(rate * SLICE / size)))
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
    """Units that a message of a pack is thought to take: as many as the last time here."""
    return wiring.sizes().get((pack.channel, pack.dispatches[0].request.message), 1.0)


def correct(turn: Turn, batch: Sequence[Rendered]) -> None:
    """Tell the clock when a piece is much larger or smaller than was thought: texts have parts, people are skipped."""
    units = sum(map(units_of, batch))
    if batch:
        wiring.sizes()[turn.pack.channel, turn.pack.dispatches[0].request.message] = units / len(batch)
    if turn.rate and turn.spoken_for and abs(units - turn.spoken_for) > WORTH_CORRECTING * turn.spoken_for:
        wiring.rate_limits().correct(turn.pack.channel, units - turn.spoken_for, rate=turn.rate)


def finish_open_ends(
    pack: DispatchPack,
    open_ends: Sequence[Outcome],
    *,
    in_doubt: Sequence[int],
    waiting: Mapping[int, datetime],
    is_complete: bool,
) -> None:
    """See to what has no outcome yet: settled after a grace, requeued, or tried again soon (NotSentYetError).

    `waiting` are slots, and until when they have to wait. What is tried again soon goes on by itself where others of
    its pack are settled or requeued: if the pack came again, these would be sent at once, and be requeued once more.
    """
    slots = {dispatch.dispatch_id: dispatch.slot for dispatch in pack.dispatches}
    unsent = {slots[end.dispatch_id]: end for end in open_ends if isinstance(end, NotSent)}
    doubts = [*in_doubt, *(slots[end.dispatch_id] for end in open_ends if isinstance(end, InDoubt))]
    if doubts:
        wiring.settling().send([some_of(pack, doubts)], delay=wiring.grace(pack.channel))
    elsewhere = {*doubts, *waiting, *_requeue_unsent(pack, unsent, waiting)}
    left = (unsent.keys() if is_complete else {*slots.values()}) - elsewhere
    if left and elsewhere:
        wiring.outbox(pack.channel, pack.lane).send([some_of(pack, left, tries=pack.tries)], delay=FIRST_DELAY)
    elif left:
        raise NotSentYetError(f"some of pack {pack.pack_id} waits for another try")


def _requeue_unsent(pack: DispatchPack, unsent: Mapping[int, NotSent], waiting: Mapping[int, datetime]) -> set[int]:
    """Requeue what waits, and what was refused for a cause that passes by itself; the slots of the latter."""
    codes, now = spec(pack.channel).codes, wiring.now()
    if halted := sum(end.cause in codes.halted for end in unsent.values()):
        wiring.rate_limits().halt(pack.channel, now + timedelta(seconds=HALT))
        count(pack.channel, {"halted": halted})
    alone = {slot: until for slot, end in unsent.items() if (until := waits_until(end, codes, now))}
    for until, some in by_time({**waiting, **alone}).items():
        requeue(some_of(pack, some, tries=pack.tries), until)
    in_line = {slot for slot, end in unsent.items() if slot not in alone and passes_by_itself(end.cause, codes)}
    if in_line:
        if pack.lane is Lane.PRIORITY:  # runs wait in line for hours, and not in vain
            count_retried([pack.tries])
        requeue(*lined_up(pack, in_line))
    return alone.keys() | in_line


def lined_up(pack: DispatchPack, slots: Collection[int]) -> Waiting:
    """Some of a pack, with the next free time in its line."""
    some = some_of(pack, slots, tries=pack.tries)
    full = wiring.rate(pack.channel) or REFUSED_RATE
    rate = full * BULK_SHARE if pack.lane is Lane.BULK else full
    units = max(1, min(round(len(some.dispatches) * size_of(some)), int(rate * SLICE)))
    now, far = wiring.now(), horizon(pack.tries)
    at = wiring.rate_limits().line_up(pack.channel, units, rate=rate, horizon=far, now=now, lane=pack.lane)
    return Waiting(some, at)


def requeue(pack: DispatchPack, at: datetime | None) -> None:
    """Send a pack to its outbox as a new message, to be seen at a time; without one it asks again later."""
    later = msgspec.structs.replace(pack, tries=pack.tries + 1, not_before=at)
    delay = seconds_until(at, wiring.now()) if at else seconds_without(pack.pack_id, pack.tries)
    wiring.outbox(pack.channel, pack.lane).send([later], delay=delay)
