"""Destinations side by side: each has a thread and so much time, so that a slow one costs itself alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from queue import Empty, SimpleQueue
from threading import Event
from typing import Final, NamedTuple

from heliograph.model.dispatches import Rendered, Sender, StopSending
from heliograph.model.outcomes import NotSent, Outcome

TIME: Final = timedelta(seconds=60)
"""How long a destination may be asked for the sake of one pack; what has not begun by then is requeued alone.

The longer, the sooner a slow endpoint has all of its own; the shorter, the sooner others have their turn, as its pack
holds a function for so long and a call. docs/decisions/webhooks-repeat.md has the figures.
"""
REQUEUED_FOR: Final = timedelta(seconds=5)
WAITS: Final = "DestinationSlow"
THREADS: Final = "webhook"

MOMENT: Final = 2.0  # seconds; with the longest call it is shorter than what a function keeps for its last one

Outcomes = tuple[Outcome, ...]
END: Final = None
"""What a line puts last."""


class Line(NamedTuple):
    """What one destination is asked for, one call after the other."""

    send: Sender
    group: Sequence[Rendered]


def side_by_side(lines: Sequence[Line], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Outcomes]:
    """Work off all lines at once; yields outcomes as they come, and nothing when none has come for a moment.

    Told to stop (StopSending), each line ends the call that it is in, and its outcomes are yielded as well; what has
    not begun is put off. Who only stops listening waits for nobody, and cannot know what is under way.
    """
    if not lines:
        return
    came: SimpleQueue[Outcomes | None] = SimpleQueue()
    is_over, ends_at, open_lines = Event(), now() + TIME, len(lines)

    def has_time() -> bool:
        return not is_over.is_set() and now() < ends_at

    pool = ThreadPoolExecutor(len(lines), thread_name_prefix=THREADS)
    working = [pool.submit(_work_off, line, came, has_time, now) for line in lines]
    pool.shutdown(wait=False)
    try:
        while open_lines:
            outcomes = _next_of(came)
            open_lines -= outcomes is END
            try:
                if outcomes is not END:
                    yield outcomes
            except StopSending:
                is_over.set()
    finally:
        is_over.set()
    for line in working:
        line.result()  # raises what went wrong there


def _next_of(came: SimpleQueue[Outcomes | None]) -> Outcomes | None:
    """What comes next; nothing, but no END, when it takes long: only who is given something can stop or go on."""
    try:
        return came.get(timeout=MOMENT)
    except Empty:
        return ()


def _work_off(
    line: Line, came: SimpleQueue[Outcomes | None], has_time: Callable[[], bool], now: Callable[[], datetime]
) -> None:
    """One destination, as long as there is time. The rest is put off for a moment: it was not asked for that."""
    left = dict.fromkeys(each.dispatch.dispatch_id for each in line.group)  # in their order
    try:
        calls = line.send(line.group)
        while left and has_time():
            outcomes = next(calls, None)
            if outcomes is None:
                return  # of what it said nothing, nobody knows what became
            came.put(outcomes)
            for outcome in outcomes:
                del left[outcome.dispatch_id]
        if left:
            until = now() + REQUEUED_FOR
            came.put(tuple(NotSent(dispatch_id=each, cause=WAITS, until=until) for each in left))
    finally:
        came.put(END)
