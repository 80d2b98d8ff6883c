"""Sending to a million people at the times that they prefer, counted: planned, collected, planned anew, delivered.

A run of a million cannot be planned here, so both halves of it are taken as they would be in one:

- Packs of a hundred, each person with a time of their own in the day, are planned.
- For some minutes, as many people as prefer a minute of the day, each from another pack, are handed on by the tick of
  each minute, planned anew and sent to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from types import SimpleNamespace
from zoneinfo import ZoneInfo

from aws.null_dynamodb import PUNCTUAL
from benchmarks import place, work
from benchmarks.clock import Clock
from benchmarks.measuring import Figure, Notes
from heliograph.campaigns.segments import PACK_LIMIT
from heliograph.planning.packing import MINUTE
from wiring import FUNCTIONS, mappings, queue_of, verb_of

BERLIN = ZoneInfo("Europe/Berlin")
"""Where everybody lives in the null AWS."""
KEYS = ("repacked_calls_per_email",)
MILLION = 1_000_000
DAY = 1_440  # minutes
A_MINUTE = MILLION // DAY
"""People who prefer the same minute when every minute of the day is as dear to people as any other."""
PLANNED = 20
"""Packs of a hundred that are planned for times all over the day."""
MINUTES = 2
"""Minutes whose people are collected and sent to."""
EARLY = timedelta(hours=3)
"""How long before its first minute the run is planned."""


def figures(aws: place.Aws, logs: place.Logs) -> Iterator[Figure]:
    """Calls of AWS for each mail of a run that goes out at preferred times."""
    clock = Clock()
    clock.set((clock.now() + timedelta(days=1)).replace(hour=9, minute=0, second=0).timestamp())
    first_minute = clock.now() + EARLY
    with logs.kept(), clock.runs(answers_take_time=False):
        planned = _planned_for_all_day(aws)
        _planned_for_minutes(first_minute)
        collected, mails = _sent(aws, clock, first_minute)
    parts = {
        "planned for later": sum(planned.values()),
        "handed on, planned and delivered": sum(collected.values()) / mails,
    }
    notes: Notes = {**parts, **{name: n / mails for name, n in collected.items()}}
    each = sum(parts.values())
    yield Figure(KEYS[0], f"{MILLION:,} people at the times that they prefer", each, [each], notes)


def _planned_for_all_day(aws: place.Aws) -> dict[str, float]:
    """The calls for each person of planning packs whose people have times all over the day."""
    rows = [[f"{PUNCTUAL}-{n * 719 % DAY:04d}-{n:07d}"] for n in range(100 * PLANNED)]
    aws.ask("reset")
    place.run("plan", work.packs_of(rows, PACK_LIMIT), mappings("Plan")["Bulk"]["BatchSize"])
    calls: dict[str, int] = aws.ask("counts")["calls"]
    return {name: number / len(rows) for name, number in calls.items()}


def _planned_for_minutes(first: datetime) -> None:
    """Let as many people wait for some minutes as prefer one of a million: one of each pack prefers each."""
    start = 60 * first.astimezone(BERLIN).hour
    rows = [[f"{PUNCTUAL}-{start + n % MINUTES:04d}-{n:07d}"] for n in range(A_MINUTE * MINUTES)]
    place.run("plan", work.packs_of(rows, MINUTES), mappings("Plan")["Bulk"]["BatchSize"])


def _sent(aws: place.Aws, clock: Clock, first: datetime) -> tuple[dict[str, int], int]:
    """The calls from the ticks of some minutes to what is delivered, and how many mails were."""
    clock.set((first - MINUTE).timestamp())
    place.handler("tick")({}, SimpleNamespace())
    aws.ask("messages"), aws.ask("reset")
    for number in range(MINUTES):
        clock.set(max(clock.now(), first + number * MINUTE).timestamp())
        place.handler("tick")({}, SimpleNamespace())
        _work_off(aws, waiting(aws))
    counts = aws.ask("counts")
    assert counts["mails"] >= A_MINUTE * MINUTES  # some of those who were planned for all day are due, too
    return counts["calls"], counts["mails"]


def waiting(aws: place.Aws) -> dict[str, list[str]]:
    """What waits in the queues of plan and deliver."""
    return {name: bodies for name, bodies in aws.ask("messages").items() if bodies and name != "engagement"}


def _work_off(aws: place.Aws, queues: Mapping[str, Sequence[str]]) -> None:
    """Hand what is in queues to their functions, until nothing is left to plan and to deliver."""
    while queues:
        for queue, bodies in queues.items():
            verb, size = OWNERS[queue]
            place.run(verb, bodies, size)
        queues = waiting(aws)


def _owners() -> Iterator[tuple[str, tuple[str, int]]]:
    for function in FUNCTIONS:
        for mapping in mappings(function).values():
            if "Queue" in mapping:
                yield queue_of(mapping), (verb_of(function), mapping["BatchSize"])


OWNERS = dict(_owners())
"""By queue the function that takes its messages, and how many at once."""
