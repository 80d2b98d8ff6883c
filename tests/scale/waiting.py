"""A run that waits for one minute, as it does when quiet hours end: planned, kept, handed on by the minute's tick."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import NamedTuple
from zoneinfo import ZoneInfo

from aws.null_dynamodb import PUNCTUAL
from benchmarks import place, prices, work
from benchmarks.campaigns import PLAN_BATCH, Place, in_batches, measured
from benchmarks.measuring import cpu_of
from heliograph.campaigns.segments import PACK_LIMIT

BERLIN = ZoneInfo("Europe/Berlin")
"""Where everybody lives in the null AWS."""
NOON = 720
"""The minute of the day that everybody prefers."""
EARLY = timedelta(minutes=5)
"""How long before it they are planned: earlier than `tick` could have been there."""
ROUND = 5_000
"""People who are planned before their packs are forgotten."""
COUNTED = ("write_units", "read_units", "sqs_requests")


class Waited(NamedTuple):
    """What it takes to let people wait, beyond what planning and delivering them then takes."""

    each: dict[str, float]
    """Calls, units and requests for each person, and `tick_seconds` of the function that hands them on."""
    hot: dict[str, tuple[str, float, float]]
    """By table the key that most units went to, how many, and those of all keys."""


def waited(where: Place, people: int) -> Waited:
    """Let so many people of a run wait for one minute, and hand them on."""
    noon = (where.clock.now().astimezone(BERLIN) + timedelta(days=1)).replace(hour=12, minute=0, second=0)
    _tick(where, noon - EARLY)  # who was due before is not of this run
    where.aws.ask("hottest")
    sums, run = Counter[str](), work.new_run()
    for start in range(0, people, ROUND):
        rows = [[f"{PUNCTUAL}-{NOON:04d}-{number:09d}"] for number in range(start, min(start + ROUND, people))]
        where.clock.set((noon - EARLY).timestamp())  # a run is planned by many functions
        batches = in_batches(work.packs_of(rows, PACK_LIMIT, run), PLAN_BATCH)
        sums += _counted(measured(where, "plan", batches, mails=len(rows), queued=0).counts)
    where.aws.ask("messages"), where.aws.ask("reset")
    seconds = _tick(where, noon)
    sums += _counted(where.aws.ask("counts"))
    handed_on = sum(body.count('"recipient_id"') for body in where.aws.ask("messages")["requests-bulk"])
    assert handed_on == people, f"{handed_on:,} of {people:,} were handed on"
    each = {name: number / people for name, number in sums.items()}
    return Waited(each | {"tick_seconds": seconds / people}, where.aws.ask("hottest"))


def _counted(counts: dict[str, float | dict[str, int]]) -> Counter[str]:
    calls = counts["calls"]
    assert isinstance(calls, dict)
    return Counter({"calls": sum(calls.values())} | {name: counts[name] for name in COUNTED})


def _tick(where: Place, at: datetime) -> float:
    """Seconds of the function, for answers and for its CPU."""
    where.clock.set(at.timestamp())
    waited = where.clock.waited
    cpu = cpu_of(lambda: place.handler("tick")({}, SimpleNamespace()), 1)
    return where.clock.waited - waited + cpu * prices.VCPU_MB / prices.MEMORY_MB
