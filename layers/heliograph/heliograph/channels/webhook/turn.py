"""Destinations side by side: each has a thread and so much time, so that a slow one costs itself alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from queue import SimpleQueue
from threading import Event
from typing import Final, NamedTuple

from heliograph.channels.webhook.post import later
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.outcomes import Outcome

TIME: Final = timedelta(seconds=15)
"""How long a destination may be asked for the sake of one pack; what has not begun by then is requeued alone."""
WAITS: Final = "DestinationSlow"
THREADS: Final = "webhook"

Outcomes = tuple[Outcome, ...]
END: Final[Outcomes] = ()


class Line(NamedTuple):
    """What one destination is asked for, one call after the other."""

    send: Sender
    group: Sequence[Rendered]


def side_by_side(lines: Sequence[Line], now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> Iterator[Outcomes]:
    """Work off all lines at once; yields outcomes as they come.

    Who stops listening waits for nobody: what was under way then comes again, under the same id.
    """
    if not lines:
        return
    came: SimpleQueue[Outcomes] = SimpleQueue()
    is_over, ends_at, open_lines = Event(), now() + TIME, len(lines)

    def has_time() -> bool:
        return not is_over.is_set() and now() < ends_at

    pool = ThreadPoolExecutor(len(lines), thread_name_prefix=THREADS)
    working = [pool.submit(_work_off, line, came, has_time, now) for line in lines]
    pool.shutdown(wait=False)
    try:
        while open_lines:
            if outcomes := came.get():
                yield outcomes
            else:
                open_lines -= 1
    finally:
        is_over.set()
    for line in working:
        line.result()  # raises what went wrong there


def _work_off(
    line: Line, came: SimpleQueue[Outcomes], has_time: Callable[[], bool], now: Callable[[], datetime]
) -> None:
    """One destination, as long as there is time; the rest is put off as if the destination had asked for it."""
    left = {each.dispatch.dispatch_id: each for each in line.group}
    try:
        calls = line.send(line.group)
        while has_time() and (outcomes := next(calls, END)):
            came.put(outcomes)
            for outcome in outcomes:
                left.pop(outcome.dispatch_id)
        if left:
            came.put(tuple(later(each, WAITS, now()) for each in left.values()))
    finally:
        came.put(END)
