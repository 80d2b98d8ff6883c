"""Traces: how a decision came about, rule by rule, from which inputs, and after what on earlier channels."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementKind


class Tried(NamedTuple):
    """A channel that was tried."""

    channel: Channel
    objection: str = ""
    """The rule that objected, whose name is a reason; empty: the channel carries the message."""


Trace = tuple[Tried, ...]
"""The channels in the order in which they were tried; the rules before the one that objected had passed."""


class Confirmation(NamedTuple):
    """What shows that an earlier channel has done its work."""

    channel: Channel
    kind: EngagementKind


class Achieved(NamedTuple):
    """What earlier dispatches of a request have achieved."""

    confirmed_by: Confirmation | None = None
    awaited_until: datetime | None = None
    """Until when the last of them still has time."""


class Reference(NamedTuple):
    """What the ledger keeps of the inputs of a decision."""

    fingerprint: str
    """Their hash, in eleven characters."""
    kept: str
    """The name of the sheet that they are on, or the inputs themselves as JSON."""

    @property
    def is_inline(self) -> bool:
        """Whether the inputs are in the ledger."""
        return self.kept.startswith("{")
