"""Who stands in a file for the first time: a table of hashes, for files of millions of people."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Final

from heliograph.text.errors import Code, MalformedError

PEOPLE_LIMIT: Final = 1 << 25
"""People of a segment. Their table has 512 MB, and 256 more while it doubles; the next one would not fit beside one of
whom earlier runs have reached into the 1,769 MB of the function."""


class Newcomers:
    """Tells which hashes come for the first time, at 16 to 32 bytes a person, where a set of ids takes a hundred.

    A table of 64-bit hashes with open addressing, half full at most; `size` is a power of two to begin with. That two
    of a million people have the same hash, and one of them is refused for it, has a chance of 1 in 37 million; of ten
    million people, 1 in 370,000.
    """

    def __init__(self, size: int = 1 << 20) -> None:
        self._table = array("q", [0]) * size
        self._room = size // 2

    def known(self, fingerprints: Iterable[int], *, keep: bool = True) -> list[int]:
        """The places of those that are known; with `keep`, all are from now on.

        Raises MalformedError beyond the limit.
        """
        table, last, found = self._table, len(self._table) - 1, list[int]()
        for place, fingerprint in enumerate(fingerprints):
            wanted = fingerprint or 1  # 0 is an empty slot
            position = wanted & last
            while (held := table[position]) and held != wanted:
                position = (position + 1) & last
            if held:
                found.append(place)
            elif keep:
                table[position] = wanted
                self._room -= 1
                if not self._room:
                    table, last = self._grown()
        return found

    def _grown(self) -> tuple[array[int], int]:
        if len(self._table) >= 2 * PEOPLE_LIMIT:
            raise MalformedError(
                Code.FILE_TOO_LARGE, "segment", f"names more than {PEOPLE_LIMIT:,} people: make it several campaigns"
            )
        self._table = _twice_as_large(self._table)
        self._room = len(self._table) // 4
        return self._table, len(self._table) - 1


def _twice_as_large(table: array[int]) -> array[int]:
    larger = array("q", [0]) * (2 * len(table))
    last = len(larger) - 1
    for fingerprint in filter(None, table):
        position = fingerprint & last
        while larger[position]:
            position = (position + 1) & last
        larger[position] = fingerprint
    return larger
