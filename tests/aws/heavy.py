"""Which keys are asked for most, in the memory of a few thousand, however many there are."""

from __future__ import annotations

from typing import NamedTuple

COUNTERS = 4_096


class Hottest(NamedTuple):
    """The key that most went to; `most` is at most `all / COUNTERS` less than it was."""

    key: str
    most: float
    all: float


class Heavy:
    """Sums by key (Misra and Gries, 1982): whoever has more than a four-thousandth of all is among them."""

    def __init__(self) -> None:
        self._sums: dict[str, float] = {}
        self._all = 0.0

    def add(self, key: str, amount: float) -> None:
        """So much went to a key."""
        self._all += amount
        self._sums[key] = self._sums.get(key, 0.0) + amount
        if len(self._sums) > COUNTERS:
            least = min(self._sums.values())
            self._sums = {name: amount - least for name, amount in self._sums.items() if amount > least}

    def hottest(self) -> Hottest:
        """The key that most went to."""
        key = max(self._sums, key=self._sums.__getitem__, default="")
        return Hottest(key, self._sums.get(key, 0.0), self._all)
