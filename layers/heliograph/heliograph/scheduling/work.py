"""Waiting and its end: who is planned later is kept, and handed on in full packs when the minute has come."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Final

from heliograph.aws.timers import Timer
from heliograph.model.requests import Lane, RequestPack
from heliograph.planning.packing import MINUTE, Due, portions
from heliograph.runtime import wiring
from heliograph.runtime.handlers import log_failure, may_be_the_fault_of_one
from heliograph.scheduling.handing import ENOUGH, NotHandedOnError, hand_on
from heliograph.scheduling.parts import parts_of
from heliograph.scheduling.store import Late, OvertakenError
from heliograph.text.bodies import body

SURELY_AHEAD: Final = timedelta(minutes=2)
"""A minute that is so far ahead when somebody has been kept for it is not looked at before: clocks differ by less."""
FIRST_LOOK: Final = timedelta(hours=1)
"""How far the first look of all goes back: no deployment takes so long."""
BEHIND: Final = timedelta(minutes=10)
"""How far ticks may be behind their minutes until an alarm is raised; a million people of a minute take one or two."""


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
    notes = [note for note in wiring.minutes().late() if note.minute <= now]  # before anybody who came late is read
    failed: set[datetime] = set()
    tried = {*_tried_minutes(now, notes, failed)}
    if done := [note for note in notes if note.minute in tried and not (note.is_of_failure and note.minute in failed)]:
        wiring.minutes().forget(done)
    if failed:
        raise NotHandedOnError(f"{len(failed)} minutes could not be handed on, the first {min(failed):%FT%R}")


def _tried_minutes(now: datetime, notes: Sequence[Late], failed: set[datetime]) -> Iterator[datetime]:
    """Hand on the minutes that have come, those of notes, and at last what failed before, until time runs out."""
    minutes = wiring.minutes()
    last = minutes.last() or now - FIRST_LOOK
    for minute in _minutes_after(last, now):
        if wiring.time_left() < ENOUGH or not _tried(minute, failed):
            return
        minutes.advance(minute)
        yield minute
    failed_before = {note.minute for note in notes if note.is_of_failure}
    again = {note.minute for note in notes if note.minute <= last}
    for minute in sorted(again, key=lambda minute: (minute in failed_before, minute)):
        if not _tried(minute, failed):
            return
        yield minute


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


def _minutes_after(last: datetime, now: datetime) -> Iterator[datetime]:
    """The full minutes after one, up to now."""
    minute = last.replace(second=0, microsecond=0) + MINUTE
    while minute <= now:
        yield minute
        minute += MINUTE
