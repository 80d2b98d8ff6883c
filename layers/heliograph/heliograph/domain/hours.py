"""When a message may be sent: quiet and allowed hours, closed days, in a person's own time, over clock changes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from heliograph.domain.model import Hours

DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)
DAYS_AHEAD = 370
"""How far ahead a permitted time is looked for: rules that permit nothing for a year permit nothing."""


class Window(NamedTuple):
    """A half-open window of local time, `start` <= t < `end`; it spans midnight when it ends before it starts."""

    start: time
    end: time

    @property
    def spans_midnight(self) -> bool:
        """Whether a part of it lies on the day after the one that it belongs to."""
        return self.end < self.start

    def holds(self, moment: time) -> bool:
        """Whether it holds at a time of the day that it belongs to."""
        return self.start <= moment and (moment < self.end or self.spans_midnight)

    def spills(self, moment: time) -> bool:
        """Whether it still holds at a time of the day after."""
        return self.spans_midnight and moment < self.end


@lru_cache(maxsize=256)
def window(text: str) -> Window:
    """Read `21:00-08:00`; `24:00` is the end of the day. Raises ValueError."""
    start, _, end = text.partition("-")
    if end == "24:00":
        return Window(time.fromisoformat(start), time.max)
    return Window(time.fromisoformat(start), time.fromisoformat(end))


def permitted(rules: Sequence[Hours], country: str, local: datetime) -> bool:
    """Whether every rule permits sending at a local time."""
    return all(_permits(rule, country, local.date(), local.time()) for rule in rules)


def next_permitted(rules: Sequence[Hours], country: str, moment: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment (UTC) from `moment` on that every rule permits; None when there is none for a year.

    Where the clock jumps over the end of a quiet time, that time ends at the jump; where the end comes twice, at the
    first one that is still to come.
    """
    local = moment.astimezone(zone)
    if not rules or permitted(rules, country, local):
        return moment
    turns = sorted({turn for rule in rules for turn in _turns(rule)} | {time.min})
    for ahead in range(DAYS_AHEAD):
        for turn in _moments(local.date() + ahead * DAY, turns, zone):
            if turn > moment and permitted(rules, country, turn.astimezone(zone)):
                return _back_to_the_jump(rules, country, turn, moment, zone)
    return None


def _moments(day: date, turns: Iterable[time], zone: ZoneInfo) -> Iterator[datetime]:
    """The moments (UTC) at which clocks show times of a day, both where a time comes twice, in their order."""
    walls = [datetime.combine(day, turn, tzinfo=zone).replace(fold=fold) for turn in turns for fold in (0, 1)]
    return iter(sorted({wall.astimezone(UTC) for wall in walls}))


def _back_to_the_jump(
    rules: Sequence[Hours], country: str, turn: datetime, moment: datetime, zone: ZoneInfo
) -> datetime:
    """A turn that no clock shows is reached at the jump over it."""
    while turn - MINUTE > moment and permitted(rules, country, (turn - MINUTE).astimezone(zone)):
        turn -= MINUTE
    return turn


def _turns(rule: Hours) -> Iterator[time]:
    """The times of day at which a rule may change its mind."""
    for text in (*(rule.allowed or ()), *rule.quiet):
        yield from window(text)


def _permits(rule: Hours, country: str, day: date, moment: time) -> bool:
    """Whether a rule permits sending; windows of the day before that span midnight still count."""
    today, yesterday = _holds_on(rule, country, day), _holds_on(rule, country, day - DAY)

    def within(texts: Iterable[str]) -> bool:
        windows = [window(text) for text in texts]
        return (today and any(one.holds(moment) for one in windows)) or (
            yesterday and any(one.spills(moment) for one in windows)
        )

    if within(rule.quiet):
        return False
    return rule.allowed is None or not today or within(rule.allowed)


def _holds_on(rule: Hours, country: str, day: date) -> bool:
    if rule.days and day.weekday() not in rule.days:
        return False
    if rule.dates is None:
        return True
    return any(day.isoformat() in rule.dates.get(key, ()) for key in ("", country))
