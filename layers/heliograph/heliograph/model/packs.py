"""Packs in sums: what was planned for one, and what came of its dispatches on a channel."""

from __future__ import annotations

from collections.abc import Mapping

from heliograph.model.channels import Channel
from heliograph.model.outcomes import Facts
from heliograph.model.values import Value


class Planned(Value, frozen=True, kw_only=True):
    """What plan decided for a request pack; written anew, and the same, by every retry."""

    people: int
    again: bool
    """Whether these people had been scheduled before."""
    dispatched: dict[str, int]
    skipped: dict[str, int]
    scheduled: int
    via_fallback: bool = False
    """Whether these people are counted already: a fallback follows what was sent to them on another channel."""


class Delivered(Value, frozen=True, kw_only=True):
    """What came of the dispatches of a pack on a channel."""

    channel: Channel
    slots: Mapping[int, Facts]
    via_fallback: bool = False
    is_later: bool = False
    """Whether this is only what came later, kept by itself: what is kept beside it tells each standing."""
