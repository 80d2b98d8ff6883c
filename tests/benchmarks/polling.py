"""How queues really deliver: pollers that each fill a batch of their own until it is full or its window ends.

Lambda reads a standard queue with five pollers (AWS's guide to event source mappings). SQS hands a message to whoever
asks, so each of them sees a random fifth. A batch is closed by its size or when its window has passed since its first
message; a ReceiveMessage takes ten at most, and what arrives after one was answered is another one's.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")

POLLERS = 5
RECEIVE = 10  # messages: ReceiveMessage
ROUND_TRIP = 0.015  # seconds between two answers to a poller


class Arrival(NamedTuple, Generic[T]):
    """Something that comes into a queue, and when (seconds)."""

    at: float
    content: T


class Batch(NamedTuple, Generic[T]):
    """What a function gets at once, and the requests of SQS that it took to receive it."""

    contents: list[T]
    receives: int
    at: float
    """When it is handed over (seconds)."""


class _Poller(Generic[T]):
    """A batch that is being filled."""

    def __init__(self) -> None:
        self.contents: list[T] = []
        self.ends = self._last = 0.0
        self._receives = 0
        self._answered = 0.0
        self._in_hand = 0

    def take(self, arrival: Arrival[T], window: float) -> None:
        """Receive a message: with others, if they came before the last answer."""
        if not self.contents:
            self.ends, self._receives, self._answered = arrival.at + window, 0, 0.0
        if arrival.at >= self._answered or self._in_hand == RECEIVE:
            self._receives, self._in_hand = self._receives + 1, 0
            self._answered = max(arrival.at, self._answered) + ROUND_TRIP
        self._in_hand += 1
        self._last = arrival.at
        self.contents.append(arrival.content)

    def close(self, *, is_full: bool = False) -> Batch[T]:
        """The batch; the poller begins another one."""
        batch = Batch(self.contents, self._receives, self._last if is_full else self.ends)
        self.contents = []
        return batch


def polled(
    arrivals: Iterable[Arrival[T]], *, size: int, window: float, rng: random.Random, pollers: int = POLLERS
) -> Iterator[Batch[T]]:
    """The batches in which arrivals, in the order of their times, reach a function."""
    some: list[_Poller[T]] = [_Poller() for _ in range(pollers)]
    for arrival in arrivals:
        poller = rng.choice(some)
        if poller.contents and arrival.at >= poller.ends:
            yield poller.close()
        poller.take(arrival, window)
        if len(poller.contents) == size:
            yield poller.close(is_full=True)
    yield from (poller.close() for poller in some if poller.contents)
