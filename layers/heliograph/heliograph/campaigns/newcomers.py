"""Who stands in a file for the first time: a table of hashes, for files of millions of people."""

from __future__ import annotations

from array import array
from typing import Protocol


class IsNew(Protocol):
    """Whether a hash comes for the first time."""

    def __call__(self, fingerprint: int, /, *, keep: bool = True) -> bool:
        """`keep`: from now on it is known."""
        ...


def newcomers(size: int = 1 << 20) -> IsNew:
    """Tells whether a hash comes for the first time, at 16 to 32 bytes a person, where a set of ids takes a hundred.

    A table of 64-bit hashes with open addressing, half full at most; `size` is a power of two to begin with. That two
    of a million people have the same hash, and one of them is refused for it, has a chance of 1 in 37 million; of ten
    million people, 1 in 370,000.
    """
    table, last, room = array("q", [0]) * size, size - 1, size // 2

    def is_new(fingerprint: int, /, *, keep: bool = True) -> bool:
        nonlocal table, last, room
        fingerprint = fingerprint or 1  # 0 is an empty slot
        position = fingerprint & last
        while found := table[position]:
            if found == fingerprint:
                return False
            position = (position + 1) & last
        if not keep:
            return True
        table[position] = fingerprint
        room -= 1
        if not room:
            table = _twice_as_large(table)
            last, room = len(table) - 1, len(table) // 4
        return True

    return is_new


def _twice_as_large(table: array[int]) -> array[int]:
    larger = array("q", [0]) * (2 * len(table))
    last = len(larger) - 1
    for fingerprint in filter(None, table):
        position = fingerprint & last
        while larger[position]:
            position = (position + 1) & last
        larger[position] = fingerprint
    return larger
