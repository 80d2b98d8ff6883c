"""When a person must not be disturbed, in their own time, over midnight and over clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from heliograph.domain.model import Policy, QuietHours

MINUTE = timedelta(minutes=1)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of a name; None when there is no such zone."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a name that is a folder of the zone database
        return None


def zone_for(timezone: str, policy: Policy) -> ZoneInfo:
    """A person's zone, or the policy's default when theirs is missing or wrong: one bad zone never drops a person."""
    return zone_of(timezone) or zone_of(policy.default_timezone) or ZoneInfo("UTC")


def quiet_until(now: datetime, hours: QuietHours, zone: ZoneInfo) -> datetime | None:
    """The moment (UTC) at which the quiet window that `now` lies in ends; None outside of the window.

    The window is half-open, `start` <= local time < `end`, may span midnight, and is empty when both are equal. Where
    the clock jumps over `end`, the window ends at the jump; where `end` comes twice, at the next one.
    """
    start, end = time.fromisoformat(hours.start), time.fromisoformat(hours.end)
    local = now.astimezone(zone)
    if not _within(local.time(), start, end):
        return None
    ends_tomorrow = start > end and local.time() >= start
    wall = datetime.combine(local.date() + timedelta(days=ends_tomorrow), end, tzinfo=zone)
    until = wall.astimezone(UTC)
    if until <= now:
        until = wall.replace(fold=1).astimezone(UTC)
    while not _within((until - MINUTE).astimezone(zone).time(), start, end):
        until -= MINUTE  # `end` lies in a gap: go back to where the clock jumped
    return until


def _within(moment: time, start: time, end: time) -> bool:
    if start <= end:
        return start <= moment < end
    return moment >= start or moment < end
