"""Fallbacks when nobody reacts: whether an earlier one has done its work, and when the next one's turn is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import Facts
from heliograph.model.reasons import Reason
from heliograph.model.requests import EarlierDispatch
from heliograph.model.traces import Achieved, Confirmation
from heliograph.recording.facts import (
    SHOWS_ACCEPTANCE,
    Fact,
    Standing,
    detail_of,
    is_accepted,
    is_unsent,
    may_be_sent_again,
    standing_of,
)

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
NOT_ARRIVED = frozenset({EngagementKind.BOUNCED.value, EngagementKind.UNDELIVERED.value})
"""It reached nobody, even if it was called delivered before."""

LOST_AFTER = timedelta(days=14)
"""A dispatch of which nothing was heard for so long is gone from its outbox (`MessageRetentionPeriod`)."""
LONGER = 4
"""While a dispatch waits in its outbox, it is looked at again after a quarter of the time that it has waited."""


def achieved(earlier: Iterable[EarlierDispatch], facts: Mapping[str, Facts], now: datetime) -> Achieved:
    """What the earlier dispatches have achieved, and until when the last of them still has time.

    `facts` by outcome key. Any of them may confirm, however late; its time runs from the provider's receipt, and anew
    while it is not known whether there will be one.
    """
    until = None
    for each in earlier:
        known = facts.get(each.outcome_key, {})
        if kind := _confirmed_by(each, known):
            return Achieved(Confirmation(each.channel, kind))
        until = _time_left(each, known, now)
    return Achieved(awaited_until=until)


def reaches_nobody(facts: Facts) -> bool:
    """Whether a dispatch certainly reached nobody, and its next channel need not wait for anything.

    Not so when an earlier channel had done its work, or when it was scheduled or dropped in doubt.
    """
    if standing_of(facts) not in (Standing.FAILED, Standing.SKIPPED):
        return False
    return is_unsent(facts) and detail_of(facts, Fact.SKIPPED) != Reason.CONFIRMED


def _confirmed_by(dispatch: EarlierDispatch, facts: Facts) -> EngagementKind | None:
    did_not_arrive = not NOT_ARRIVED.isdisjoint(facts)
    kinds = (kind for kind in CONFIRMING[dispatch.unless] if kind in facts)
    return next((kind for kind in kinds if not (did_not_arrive and kind is EngagementKind.DELIVERED)), None)


def _time_left(dispatch: EarlierDispatch, facts: Facts, now: datetime) -> datetime | None:
    """Until when to wait for a dispatch; None when its time is over, or when there is nothing to wait for any more.

    That is so when it certainly reaches nobody, and when it stays in doubt after its settlement.
    """
    within = timedelta(seconds=dispatch.within)
    if is_accepted(facts):
        taken = min(value.at for kind, value in facts.items() if kind in SHOWS_ACCEPTANCE)
        return taken + within if taken + within > now and NOT_ARRIVED.isdisjoint(facts) else None
    is_settled = Fact.SETTLED in facts and not may_be_sent_again(facts)
    if is_settled or Fact.FAILED in facts or Fact.SKIPPED in facts or now > dispatch.at + LOST_AFTER:
        return None
    return now + max(within, (now - dispatch.at) / LONGER)
