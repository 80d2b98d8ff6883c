"""Numbers as people read them: `1 queue`, `1,200 queues`, `7 days`, `12 h`."""

from __future__ import annotations

UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))
SHORT = ((3_600, "h"), (60, "min"), (1, "s"))


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number and what it counts: `1 person`, `2 people`."""
    return f"{number:,} {noun if number == 1 else plural or f'{noun}s'}"


def people(number: int) -> str:
    """`1 person`, `1,200 people`."""
    return counted(number, "person", "people")


def span(seconds: int) -> str:
    """A length of time in its largest whole unit: `7 days`, `1 hour`, `90 minutes`."""
    size, name = next((size, name) for size, name in UNITS if seconds % size == 0)
    return counted(seconds // size, name)


def about(seconds: float) -> str:
    """A length of time, short and rounded down: `2 h 5 min`, `40 min`, `3 s`."""
    rest, parts = int(seconds), []
    for size, name in SHORT:
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number} {name}")
    return " ".join(parts[:2]) or "0 s"
