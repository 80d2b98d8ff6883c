"""Waiting and its end: who is planned later is kept, and handed on in full packs when the minute has come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import chain
from typing import Final

from heliograph.aws.timers import Timer
from heliograph.model.requests import Lane, RequestPack
from heliograph.planning.packing import MINUTE, Due, portions
from heliograph.runtime import wiring
from heliograph.runtime.handlers import log_failure, may_be_the_fault_of_one
from heliograph.scheduling.joining import JoinedPack, assigned, joined, packed, positions
from heliograph.scheduling.parts import parts_of
from heliograph.scheduling.store import OvertakenError
from heliograph.text.bodies import body

SURELY_AHEAD: Final = timedelta(minutes=2)
"""A minute that is so far ahead when somebody has been kept for it is not looked at before: clocks differ by less."""
FIRST_LOOK: Final = timedelta(hours=1)
"""How far the first look of all goes back: no deployment takes so long."""
ENOUGH: Final = 15.0
"""Seconds that must be left to begin with another batch of packs; the next tick goes on."""


BEHIND: Final = timedelta(minutes=10)
"""How far ticks may be behind their minutes until an alarm is raised; a million people of a minute take one or two."""


class NotHandedOnError(Exception):
    """Some minutes are tried again by every tick."""


class BehindError(Exception):
    """Ticks run, and what waits has been due for long; the next one goes on."""


def plan_later(later: Iterable[Due]) -> None:
    """Have packs planned again in their minutes; what an earlier try has kept may be kept again.

    Bulk waits together with everybody of its minute. A single message gains nothing from company: one call starts its
    own schedule.
    """
    everything = [*later]
    for pack, at in everything:
        if pack.lane is Lane.PRIORITY:
            for portion in portions(pack):
                _start(portion, at)
    if parts := [part for due in everything if due.pack.lane is Lane.BULK for part in parts_of(due)]:
        wiring.minutes().keep(parts)
        sure = wiring.now() + SURELY_AHEAD  # only now: it may have taken long to keep them
        if late := [part for part in parts if part.minute < sure]:
            wiring.minutes().note_late(late)


def _start(pack: RequestPack, at: datetime) -> None:
    wiring.timers().start(Timer(pack.pack_id, f"requests-{pack.lane}", body(pack), at))


def hand_on_what_is_due() -> None:
    """Send everybody whose minute has come to be planned; what there is no time for is left to the next tick.

    A minute that cannot be handed on holds up no other: it is noted, and raises NotHandedOnError at every tick. Raises
    BehindError when ticks do not keep up.
    """
    now = wiring.now()
    with suppress(OvertakenError):
        _hand_on_until(now)
    if now - (wiring.minutes().last() or now) > BEHIND:
        raise BehindError("ticks do not keep up with the minutes")


def _hand_on_until(now: datetime) -> None:
    minutes = wiring.minutes()
    notes = [note for note in minutes.late() if note.minute <= now]  # before anybody who came late is read
    seen: set[datetime] = set()
    failed: set[datetime] = set()
    for minute in _minutes_after(minutes.last() or now - FIRST_LOOK, now):
        if wiring.time_left() < ENOUGH or not _tried(minute, failed):
            return
        minutes.advance(minute)
        seen.add(minute)
    for minute in sorted({note.minute for note in notes} - seen):
        if not _tried(minute, failed):
            return
    if done := [note for note in notes if note.minute not in failed]:
        minutes.forget(done)
    if failed:
        raise NotHandedOnError(f"{len(failed)} minutes could not be handed on, the first {min(failed):%FT%R}")


def _tried(minute: datetime, failed: set[datetime]) -> bool:
    """Hand a minute on; False when time ran out. One that fails for reasons of its own is noted."""
    try:
        return hand_on(minute)
    except Exception as error:  # one minute's fault must not hold up all others for ever
        if not may_be_the_fault_of_one(error):
            raise
        log_failure(error)
        wiring.minutes().note(minute)
        failed.add(minute)
        return True


def hand_on(minute: datetime) -> bool:
    """Send everybody who waits for a minute, in packs; False when time ran out before the end.

    Who is in a pack is kept before it is sent, so that a pack is the same however often this is tried. Raises
    OvertakenError when another tick is at it.
    """
    minutes = wiring.minutes()
    waiting = minutes.parts(minute)
    first = next(waiting, None)
    if first is None:
        return True
    fixed = minutes.fixed(minute)
    for number, batch in enumerate(fixed.batches[fixed.sent :], start=fixed.sent):
        names = (piece.part for each in batch for piece in each.pieces)
        parts = minutes.read(minute, names)
        _send(minute, number, [each.pack(parts) for each in batch])
        if wiring.time_left() < ENOUGH:
            return False
    taken = positions(each for batch in fixed.batches for each in batch)
    for number, joints in enumerate(joined(chain([first], waiting), taken), start=len(fixed.batches)):
        if wiring.time_left() < ENOUGH:
            return False
        named = [assigned(joint, minute) for joint in joints]
        minutes.fix(minute, number, named)
        _send(minute, number, [packed(joint, each) for joint, each in zip(joints, named, strict=True)])
    return True


def _send(minute: datetime, number: int, packs: Sequence[JoinedPack]) -> None:
    wiring.requests(Lane.BULK).send(packs)
    wiring.minutes().mark_sent(minute, number + 1)


def _minutes_after(last: datetime, now: datetime) -> Iterator[datetime]:
    """The full minutes after one, up to now."""
    minute = last.replace(second=0, microsecond=0) + MINUTE
    while minute <= now:
        yield minute
        minute += MINUTE
