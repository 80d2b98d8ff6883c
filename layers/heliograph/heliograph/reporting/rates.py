"""The rates of a run, each with its formula: a rate without its denominator is an opinion."""

from __future__ import annotations

from heliograph.model.values import Value
from heliograph.reporting.figures import RunFigures

FORMULAS = (
    ("Delivery rate", "delivered", "accepted"),
    ("Open rate", "opened", "delivered"),
    ("Click-through rate", "clicked", "delivered"),
    ("Click-to-open rate", "clicked", "opened"),
    ("Bounce rate", "bounced", "accepted"),
    ("Complaint rate", "complained", "delivered"),
    ("Unsubscribe rate", "unsubscribed", "delivered"),
)
"""Name, what is counted, and of what."""


class Rate(Value, frozen=True, kw_only=True):
    """A share with the two numbers that it is made of."""

    name: str
    part: str
    whole: str
    counted: int
    of: int

    @property
    def share(self) -> float | None:
        """Between 0 and 1; None when there is nothing to divide by."""
        return self.counted / self.of if self.of else None


def rates(figures: RunFigures) -> list[Rate]:
    """Every rate of a run."""
    known = {"accepted": figures.counts["accepted"], **figures.engagement}
    return [
        Rate(name=name, part=part, whole=whole, counted=known.get(part, 0), of=known.get(whole, 0))
        for name, part, whole in FORMULAS
    ]
