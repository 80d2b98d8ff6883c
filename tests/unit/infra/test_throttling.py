"""An account with room for ten functions at once: what waits for room does not end in the dead letters.

Simulated, unkindly: no queue is ever empty, every call takes its function's whole timeout, who gets the room that
becomes free is drawn by lot, and work that found none until its visibility ended has been received once in vain.
What a stream or the clock calls asks for room again until it finds some; nothing bounds how many of a stream do.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from math import inf
from random import Random
from typing import NamedTuple

from wiring import (
    CHANNELS,
    DEFAULT_CHANNELS,
    FUNCTIONS,
    QUEUES,
    ROOT,
    TEMPLATE,
    everywhere,
    mappings,
    queue_of,
    streams,
)

ROOM = 10  # executions at once, of a new account
DAYS = 3
ROOM_FOR = (*DEFAULT_CHANNELS, "webhook")
"""The channels that such an account has room for; one with a fifth asks for more room first."""


SHARDS = 4
"""Of the stream of a new on-demand table, each with a call at a time."""


class Poller(NamedTuple):
    """A mapping's consumer: how long a call takes, how long the queue waits, how often it hands a message out."""

    queue: str
    """Or what is called otherwise."""
    seconds: int
    visibility: float = inf
    receives: int = 1


class Outcome(NamedTuple):
    """What became of some days."""

    dead: Counter[str]
    """What ended in dead letters, by queue."""
    in_vain: int
    """Receives."""
    waited: dict[str, float]
    """Seconds that a call waited for room at most, by queue."""


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
        found += [Poller(function, facts["Timeout"])] * (SHARDS * len(streams(function)))
    return [*found, *(Poller(name, FUNCTIONS[name]["Timeout"]) for name in called_by_the_clock())]


def called_by_the_clock() -> list[str]:
    """Functions of which a call at a time may ask for room; who misses its minute asks with the next."""
    schedules = everywhere("AWS::Scheduler::Schedule").values()
    return [each["Target"]["Arn"]["Fn::GetAtt"][0] for each in schedules]


def after_days(everybody: list[Poller], *, seed: int) -> Outcome:
    """What becomes of them, who gets room being drawn by lot."""
    lot, dead, in_vain = Random(seed), Counter[str](), 0
    waited: defaultdict[str, float] = defaultdict(float)
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
            since, _ = waiting.pop(number)
            queue = everybody[number].queue
            waited[queue] = max(waited[queue], now - since)
            heapq.heappush(ends, (now + everybody[number].seconds, number))
        now, number = heapq.heappop(ends)
        receive(number, now)
    return Outcome(dead, in_vain, waited)


DEFAULTS = {name: about["Default"] for name, about in TEMPLATE["Parameters"].items() if name.endswith("Concurrency")}


LATEST = 2
"""Hours; docs/deploy.md says so."""


def test_no_work_is_given_up_because_a_small_account_has_no_room() -> None:
    everybody = pollers(concurrency=DEFAULTS)
    assert Counter(each.queue for each in everybody if each.visibility == inf) == {"Tally": SHARDS, "Tick": 1}
    for seed in range(5):
        found = after_days(everybody, seed=seed)
        assert found.dead == Counter()
        assert found.in_vain > 0  # some receives find no room, or this would show nothing


def test_figures_and_scheduled_messages_are_as_late_as_the_page_says() -> None:
    found = [after_days(pollers(concurrency=DEFAULTS), seed=seed).waited for seed in range(5)]
    latest = max(each[name] for each in found for name in ("Tally", "Tick"))
    assert LATEST / 2 < latest / 3600 <= LATEST
    assert f"up to {LATEST} hours late" in (ROOT / "docs/deploy.md").read_text()


def test_with_few_receives_and_many_pollers_it_would_be() -> None:
    many = dict.fromkeys(DEFAULTS, 10)
    assert after_days(pollers(concurrency=many, receives=3), seed=1).dead.total() > 100
