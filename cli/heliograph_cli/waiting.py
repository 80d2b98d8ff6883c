"""Wait for what others do: until it is done, or until nothing has moved for a stated time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TypeVar

T = TypeVar("T")
POLL_SECONDS = 1.0  # at first
POLL_MOST = 16.0  # at last
POLL_GROWTH = 2
POLL_LOCAL = 0.25  # on the local cloud, where nobody pays for a look


def until_still(look: Callable[[], tuple[T, object]], *, patience: float, most: float = POLL_MOST) -> T:
    """Look until it is done, or until what is seen has not changed for so many seconds; returns what was seen last.

    Only the seconds count in which this waited: on a machine that is too busy to let others work, looking takes
    longer, too, and that is no reason to give up.
    """
    seen, is_done = look()
    still, pause = 0.0, pauses(most)
    while not is_done and still < patience:
        seconds = next(pause)
        time.sleep(seconds)
        still += seconds
        before = seen
        seen, is_done = look()
        if seen != before:
            still = 0.0
    return seen


def pauses(most: float) -> Iterator[float]:
    """How long to wait between two looks: each time twice as long, and never longer than `most`."""
    pause = min(POLL_SECONDS, most)
    while True:
        yield pause
        pause = min(pause * POLL_GROWTH, most)
