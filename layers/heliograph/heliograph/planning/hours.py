"""When a message may be sent: quiet and allowed hours, closed days, in a person's own time, over clock changes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo

from heliograph.model.policy import Hours

DAY = timedelta(days=1)
SECOND = timedelta(seconds=1)
DAYS_AHEAD = 370
"""How far ahead a permitted time is looked for: rules that permit nothing for a year permit nothing."""


class Window(NamedTuple):
    """A half-open window of local time, `start` <= t < `end`."""

    start: time
    end: time
    is_over_midnight: bool
    """Whether it lasts to the end of its day, and from there to `end` on the next."""

    def holds(self, moment: time) -> bool:
        """Whether it holds at a time of the day that it belongs to."""
        return self.start <= moment and (moment < self.end or self.is_over_midnight)

    def spills(self, moment: time) -> bool:
        """Whether it still holds at a time of the day after."""
        return self.is_over_midnight and moment < self.end


@lru_cache(maxsize=2_048)
def window(text: str) -> Window:
    """Read `21:00-08:00`; `24:00` is the end of the day. Raises ValueError."""
    start, _, end = text.partition("-")
    begins, ends = time.fromisoformat(start), time.min if end == "24:00" else time.fromisoformat(end)
    return Window(begins, ends, is_over_midnight=ends < begins or end == "24:00")


def permitted(rules: Sequence[Hours], country: str, local: datetime) -> bool:
    """Whether every rule permits sending at a local time."""
    return all(_permits(rule, country, local.date(), local.time()) for rule in rules)


def next_permitted(rules: Sequence[Hours], country: str, moment: datetime, zone: ZoneInfo) -> datetime | None:
    """The first moment (UTC) from `moment` on that every rule permits; None when there is none for a year.

    Where the clock jumps over the end of a quiet time, that time ends at the jump; where the end comes twice, at the
    first one that is still to come. A day on which no hour is permitted is one step, however many windows there are.
    """
    if not rules or permitted(rules, country, moment.astimezone(zone)):
        return moment
    moment = moment.astimezone(UTC)
    turns = sorted({turn for rule in rules for turn in _turns(rule)} | {time.min})
    opens = _opening(rules, country, turns)
    last = moment + DAYS_AHEAD * DAY
    while moment < last:
        moment = _next_turn(moment, turns if opens(moment.astimezone(zone).date()) else (time.min,), zone)
        if permitted(rules, country, moment.astimezone(zone)):
            return moment
    return None


def _opening(rules: Sequence[Hours], country: str, turns: Sequence[time]) -> Callable[[date], bool]:
    """Tells whether a day has an hour that every rule permits; days on which the same rules hold are asked once."""
    known: dict[tuple[bool, ...], bool] = {}

    def opens(day: date) -> bool:
        holding = tuple(_holds_on(rule, country, each) for each in (day - DAY, day) for rule in rules)
        if holding not in known:
            known[holding] = any(all(_permits(rule, country, day, turn) for rule in rules) for turn in turns)
        return known[holding]

    return opens


def _next_turn(moment: datetime, turns: Sequence[time], zone: ZoneInfo) -> datetime:
    """The next moment (UTC) at which clocks show one of some times of day, or jump."""
    local = moment.astimezone(zone)
    today, tomorrow = local.date(), local.date() + DAY
    turn = next((turn for turn in turns if turn > local.time()), None)
    wall = datetime.combine(today, turn) if turn else datetime.combine(tomorrow, turns[0])
    then = moment + (wall - local.replace(tzinfo=None))
    return then if then.astimezone(zone).utcoffset() == local.utcoffset() else _jump(moment, then, zone)


def _jump(before: datetime, after: datetime, zone: ZoneInfo) -> datetime:
    """The moment (UTC) between two at which the clock jumps, which is a whole second."""
    offset = before.astimezone(zone).utcoffset()
    while after - before > SECOND:
        middle = before + (after - before) / 2
        before, after = (middle, after) if middle.astimezone(zone).utcoffset() == offset else (before, middle)
    return after.replace(microsecond=0)


def _turns(rule: Hours) -> Iterator[time]:
    """The times of day at which a rule may change its mind."""
    for text in (*(rule.allowed or ()), *rule.quiet):
        one = window(text)
        yield from (one.start, one.end)


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
