"""Whether a person costs the same in a run of any size, no key is hot, and the rate is reached."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scale.limits import PARTITION
from scale.runs import Scaled

FLAT = 1.10
"""The most that a person may cost in a run, as a multiple of the least that one costs in another."""
SMALLEST = 0.01
"""What happens less than once for a hundred people has no verdict: a run of ten thousand has too few."""
TICK = "tick_seconds"
"""Most of them are the one look at a minute, however few wait for it: they are told, and have a limit."""
REACHED = 0.9
"""Of the rate at which a run may be sent: the first and the last packs of a small one are not sent at once."""


def flat(name: str, values: Sequence[float]) -> Iterator[str]:
    """An objection, where values differ by more than a tenth."""
    if max(values) > FLAT * min(values):
        yield f"{name} differs by more than a tenth: {', '.join(f'{value:.4g}' for value in values)}"


def not_flat(found: Sequence[Scaled]) -> Iterator[str]:
    """What costs a person, or who asks, more in one run than in another."""
    for name in found[0].each:
        values = [scaled.each[name] for scaled in found]
        if max(values) >= SMALLEST:
            yield from flat(f"{name} of a person", values)
    waiting = [scaled.waiting for scaled in found if scaled.waiting]
    for name in waiting[0] if waiting else ():
        if name != TICK:
            yield from flat(f"{name} of a person who waits", [each[name] for each in waiting])
    for name in found[0].look:
        yield from flat(f"{name} of a look", [scaled.look[name] for scaled in found])
    yield from flat("memory of functions at the end, MB", [scaled.memory[1] for scaled in found])


def hot(found: Sequence[Scaled]) -> Iterator[str]:
    """Keys that a partition of DynamoDB could not serve."""
    for scaled in found:
        for table, key in scaled.hot.items():
            if key.a_second > PARTITION[table.split()[-1]]:
                yield f"{scaled.people:,} people: {key.key} of {table} takes {key.a_second:,.0f} units a second"


def growing(found: Sequence[Scaled]) -> Iterator[str]:
    """Functions that hold more the longer they live."""
    for scaled in found:
        early, late = scaled.memory
        if late > FLAT * early:
            yield f"{scaled.people:,} people: functions grew from {early:.0f} to {late:.0f} MB"


def slow(found: Sequence[Scaled]) -> Iterator[str]:
    """Runs that were sent more slowly than they may be."""
    for scaled in found:
        if scaled.mails_a_second < REACHED * scaled.rate:
            yield f"{scaled.people:,} people: sent at {scaled.mails_a_second:.0f} mails/s instead of {scaled.rate:g}"


def against(found: Sequence[Scaled]) -> list[str]:
    """Everything that there is to say against it."""
    return [*not_flat(found), *hot(found), *growing(found), *slow(found)]
