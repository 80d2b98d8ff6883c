"""Which concurrency a rate needs, and how long runs take at it: reckoned with what functions take for a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import NamedTuple

from heliograph.channels.rate import BULK_SHARE

RATES = (14, 50, 100, 200, 500, 1_000, 2_000, 5_000)
"""Mails a second."""
PEOPLE = (1_000_000, 10_000_000, 100_000_000)
FEWEST = 2  # ScalingConfig.MaximumConcurrency
HEADROOM = 0.8
"""Of a function's time that is planned for: packs arrive unevenly, and answers of AWS sometimes take longer."""


class Needed(NamedTuple):
    """What a rate needs."""

    rate: int
    deliver: int
    """`DeliverBulkConcurrency`."""
    others: int
    """`BulkConcurrency`: the larger of what planning and recording need."""
    at_once: int
    """Functions at work in all: of the account's concurrency."""
    hours: tuple[float, ...]
    """Of runs of `PEOPLE`, which take `BULK_SHARE` of the rate."""


def functions(seconds: float) -> int:
    """Functions that do so many seconds of work a second: one of them waits for its turn at the rate."""
    return ceil(seconds / HEADROOM) + 1


def work_of(at_once: int) -> float:
    """Seconds of work a second that so many functions are planned to do: what `functions` is the reverse of."""
    return (at_once - 1) * HEADROOM


def needed(rate: int, seconds: Mapping[str, float]) -> Needed:
    """Little's law: people a second, times the seconds that functions take for one, are functions at work."""
    most_of_others = rate * max(seconds["plan"], seconds["record"])
    return Needed(
        rate,
        deliver=max(FEWEST, functions(rate * seconds["deliver"])),
        others=max(FEWEST, ceil(most_of_others / HEADROOM)),
        at_once=functions(rate * sum(seconds.values())),
        hours=tuple(people / (rate * BULK_SHARE) / 3_600 for people in PEOPLE),
    )


def lasting(hours: float) -> str:
    """A time as people say it."""
    if hours < 2:
        return f"{60 * hours:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def table(seconds: Mapping[str, float], *, most_days: float) -> Iterator[str]:
    """The rows of the page, in Markdown; a run that would take more than so many days is not told as one."""
    yield "| mails/s | `DeliverBulkConcurrency` | `BulkConcurrency` | functions at work | 1 M | 10 M | 100 M |"
    yield "|---|---|---|---|---|---|---|"
    for one in (needed(rate, seconds) for rate in RATES):
        times = " | ".join(lasting(hours) if hours <= 24 * most_days else "too long" for hours in one.hours)
        yield f"| {one.rate:,} | {one.deliver} | {one.others} | {one.at_once} | {times} |"
