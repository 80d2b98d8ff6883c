"""Further channels when nobody reacts: whether an earlier one has done its work, and when the next one's turn is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from heliograph.domain.facts import EVIDENCE_OF_ACCEPTANCE, Fact, Facts, at_of, has_evidence
from heliograph.domain.model import EarlierDispatch, EngagementKind

REACTIONS = (
    EngagementKind.OPENED,
    EngagementKind.CLICKED,
    EngagementKind.COMPLAINED,
    EngagementKind.UNSUBSCRIBED,
)
"""Who complains has seen it, and surely wants no more of it."""
CONFIRMING = {
    EngagementKind.OPENED: REACTIONS,
    EngagementKind.DELIVERED: (EngagementKind.DELIVERED, *REACTIONS),
}


LOST_AFTER = timedelta(days=14)
"""A dispatch of which nothing was heard for so long is gone from its outbox (`MessageRetentionPeriod`)."""


def confirmation(
    earlier: Iterable[EarlierDispatch], facts: Mapping[str, Facts], *, requested_at: datetime, now: datetime
) -> tuple[str, datetime | None]:
    """What the earlier dispatches have achieved (`push opened`), and until when the last of them still has time.

    `facts` by place. Any of them may confirm, however late; its time runs from the provider's receipt, and anew while
    it is not known whether there will be one. A dispatch that was put off just before delivery has steps of its own.
    """
    until = None
    for each in earlier:
        known = facts.get(each.place, {})
        kinds = [kind for kind in CONFIRMING[each.unless] if kind in known]
        if kinds or Fact.DEFERRED in known:
            return f"{each.channel} {kinds[0] if kinds else Fact.DEFERRED}", None
        until = _time_left(each, known, now, lost=now > requested_at + LOST_AFTER)
    return "", until


def _time_left(dispatch: EarlierDispatch, facts: Facts, now: datetime, *, lost: bool) -> datetime | None:
    """Until when to wait for a dispatch; None when its time is over, or when it certainly was not sent."""
    within = timedelta(seconds=dispatch.within)
    if not has_evidence(facts):
        never = lost or Fact.FAILED in facts or Fact.SUPPRESSED in facts
        return None if never else now + within
    taken = min(at_of(value) for kind, value in facts.items() if kind in EVIDENCE_OF_ACCEPTANCE)
    return taken + within if taken + within > now else None
