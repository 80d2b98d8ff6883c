"""What a rule looks at: the inputs on one channel, how long they have to wait, and when full caps have room."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple

from heliograph.model.channels import Channel
from heliograph.model.decisions import Inputs
from heliograph.model.people import Preferences
from heliograph.model.policy import Hours
from heliograph.model.reasons import Reason
from heliograph.planning.caps import full_until
from heliograph.planning.hours import DAY, DAYS_AHEAD, next_permitted
from heliograph.planning.terms import Terms
from heliograph.text.zones import FoundZone

PREFERRED_FOR = timedelta(hours=1)
"""A preferred time is met within an hour after it."""
NO_PREFERENCES = Preferences()


class Wait(NamedTuple):
    """Until when a message has to wait, and the first rule that says so."""

    until: datetime | None
    """None: for ever."""
    reason: Reason | None


@dataclass(frozen=True)
class Case:
    """Everything that a rule may look at: the inputs, and one channel."""

    inputs: Inputs
    terms: Terms
    channel: Channel
    zone: FoundZone

    @cached_property
    def wait(self) -> Wait:
        """Until when the message has to wait for this person on this channel."""
        return wait_from(self, self.inputs.now)

    @property
    def wait_ends(self) -> datetime:
        """After this time the message does not wait any longer."""
        return self.inputs.requested_at + timedelta(seconds=self.terms.wait_at_most)


def wait_from(case: Case, moment: datetime) -> Wait:
    """Until when a message that is ready at `moment` has to wait: for a pause, permitted hours, the preferred time."""
    until, reason = moment, None
    preferences = case.inputs.preferences if case.terms.is_promotional else NO_PREFERENCES
    if preferences.paused_until and preferences.paused_until > until:
        until, reason = preferences.paused_until, Reason.PAUSED
    permitted = _permitted(case, until)
    if permitted is None:
        return Wait(None, reason or Reason.QUIET_HOURS)
    if permitted > until:
        until, reason = permitted, reason or Reason.QUIET_HOURS
    preferred = _next_preferred(case, until, preferences.time) if preferences.time else None
    if preferred and preferred > until:
        until, reason = preferred, reason or Reason.PREFERRED_TIME
    return Wait(until, reason)


def hours_on(case: Case) -> tuple[Hours, ...]:
    """The rules on hours that fit a case, the person's own among them."""
    rules = case.terms.on(case.channel).hours(case.inputs.country)
    return (*rules, Hours(name="the person", quiet=own)) if (own := _own_hours(case)) else rules


def _own_hours(case: Case) -> tuple[str, ...]:
    return case.inputs.preferences.quiet if case.terms.is_promotional else ()


def cap_ends(case: Case) -> datetime | None:
    """When the caps that are full have room again; None when they have room at the time of sending."""
    caps = case.terms.caps
    if not caps:
        return None
    others = [each for each in case.inputs.reserved if each.dispatch_id != case.inputs.dispatch_id]
    at = case.wait.until or case.inputs.now
    return full_until(caps, others, channel=case.channel, at=at, zone=case.zone.zone)


def _permitted(case: Case, moment: datetime) -> datetime | None:
    """Who has hours of their own is asked about alone; for all others, a moment is the same in a country and zone."""
    country, zone = case.inputs.country, case.zone.zone
    if _own_hours(case):
        return next_permitted(hours_on(case), country, moment, zone)
    return case.terms.on(case.channel).permitted_from(moment, country, zone)


def _next_preferred(case: Case, moment: datetime, text: str) -> datetime | None:
    """The first permitted time from `moment` on, within the hour after a time of day; None when it comes too late.

    Where the next permitted time is days away, the days until then are passed over, and after a year nothing is.
    """
    wanted, zone, not_after = time.fromisoformat(text), case.zone.zone, case.inputs.not_after
    day = moment.astimezone(zone).date() - DAY
    last = min(case.wait_ends, moment + DAYS_AHEAD * DAY)
    while (wall := datetime.combine(day, wanted, tzinfo=zone).astimezone(UTC)) <= last:
        ready = _permitted(case, max(moment, wall))
        if ready is None:
            return None
        if ready < wall + PREFERRED_FOR:
            in_time = ready <= case.wait_ends and (not_after is None or ready < not_after)
            return ready if in_time else None
        day = max(day + DAY, ready.astimezone(zone).date() - DAY)
    return None
