"""An account with room for ten functions at once: what waits for room does not end in the dead letters.

Simulated, unkindly: no queue is ever empty, every call takes its function's whole timeout, who gets the room that
becomes free is drawn by lot, and work that found none until its visibility ended has been received once in vain.
"""

from __future__ import annotations

import heapq
from collections import Counter
from random import Random
from typing import NamedTuple

from wiring import CHANNELS, DEFAULT_CHANNELS, FUNCTIONS, QUEUES, TEMPLATE, mappings, queue_of

ROOM = 10  # executions at once, of a new account
DAYS = 3
ROOM_FOR = (*DEFAULT_CHANNELS, "webhook")
"""The channels that such an account has room for; one with a fifth asks for more room first."""


class Poller(NamedTuple):
    """A mapping's consumer: how long a call takes, how long the queue waits, how often it hands a message out."""

    queue: str
    seconds: int
    visibility: int
    receives: int


def pollers(*, concurrency: dict[str, int], receives: int | None = None) -> list[Poller]:
    """Everybody who may ask for room at the same time."""
    found = []
    others = {f"Deliver{channel}" for channel in CHANNELS if channel not in ROOM_FOR}
    for function, facts in FUNCTIONS.items():
        for mapping in mappings(function).values() if function not in others else ():
            queue = QUEUES[queue_of(mapping)]
            one = Poller(
                queue_of(mapping),
                facts["Timeout"],
                queue["VisibilityTimeout"],
                receives or queue["RedrivePolicy"]["maxReceiveCount"],
            )
            found += [one] * concurrency[mapping["ScalingConfig"]["MaximumConcurrency"]["Ref"]]
    return found


def dead_letters(everybody: list[Poller], *, seed: int) -> tuple[Counter[str], int]:
    """What ends in dead letters in some days, by queue, and how many receives were in vain."""
    lot, dead, in_vain = Random(seed), Counter[str](), 0
    returned: dict[str, list[int]] = {one.queue: [] for one in everybody}
    waiting: dict[int, tuple[float, int]] = {}
    """Poller -> since when it has its message, and how often that was received."""
    ends: list[tuple[float, int]] = []

    def receive(number: int, now: float) -> None:
        back = returned[everybody[number].queue]
        waiting[number] = now, back.pop() if back else 1

    for number in range(len(everybody)):
        receive(number, 0)
    now = 0.0
    while now < DAYS * 24 * 3600:
        for number, (since, receives) in list(waiting.items()):
            one = everybody[number]
            if now - since > one.visibility:
                in_vain += 1
                if receives < one.receives:
                    returned[one.queue].append(receives + 1)
                else:
                    dead[one.queue] += 1
                receive(number, now)
        while waiting and len(ends) < ROOM:
            number = lot.choice(list(waiting))
            del waiting[number]
            heapq.heappush(ends, (now + everybody[number].seconds, number))
        now, number = heapq.heappop(ends)
        receive(number, now)
    return dead, in_vain


DEFAULTS = {name: about["Default"] for name, about in TEMPLATE["Parameters"].items() if name.endswith("Concurrency")}


def test_no_work_is_given_up_because_a_small_account_has_no_room() -> None:
    for seed in range(5):
        dead, in_vain = dead_letters(pollers(concurrency=DEFAULTS), seed=seed)
        assert dead == Counter()
        assert in_vain > 0  # some receives find no room, or this would show nothing


def test_with_few_receives_and_many_pollers_it_would_be() -> None:
    many = dict.fromkeys(DEFAULTS, 10)
    dead, _ = dead_letters(pollers(concurrency=many, receives=3), seed=1)
    assert dead.total() > 100
