"""What holds of hours always: in every time zone, for all rules, on every night that a clock jumps."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import hours
from heliograph.model.policy import Hours
from heliograph.planning.hours import next_permitted, permitted

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
ZONES = sorted(available_timezones())
YEARS = (datetime(2005, 1, 1, tzinfo=UTC), datetime(2035, 1, 1, tzinfo=UTC))

times = st.builds("{:02d}:{:02d}".format, st.integers(0, 23), st.sampled_from([0, 1, 15, 30, 59]))
windows = st.builds("{}-{}".format, times, times | st.just("24:00"))
some_windows = st.lists(windows, max_size=2).map(tuple)
some_days = st.lists(st.integers(0, 6), max_size=3, unique=True).map(tuple)
rules = st.lists(
    st.builds(hours, days=some_days, allowed=some_windows) | st.builds(hours, days=some_days, quiet=some_windows),
    min_size=1,
    max_size=3,
).map(tuple)


@cache
def jumps(zone: str) -> list[datetime]:
    """The midnights (UTC) before the clock of a zone jumps."""
    days = [YEARS[0] + number * DAY for number in range((YEARS[1] - YEARS[0]).days)]
    offsets = [day.astimezone(ZoneInfo(zone)).utcoffset() for day in days]
    return [day for day, now, then in zip(days, offsets, offsets[1:], strict=False) if now != then]


@st.composite
def moments(draw: st.DrawFn) -> tuple[datetime, ZoneInfo]:
    """A moment somewhere, and more often than not near a jump of the clock there."""
    zone = draw(st.sampled_from(ZONES))
    near = st.sampled_from(jumps(zone) or [YEARS[0]])
    day = draw(near | near | st.datetimes(datetime(2005, 1, 1), datetime(2034, 1, 1), timezones=st.just(UTC)))
    return day - DAY + draw(st.integers(0, 2 * 86_400_000)) * timedelta(milliseconds=1), ZoneInfo(zone)


def minutes_from(moment: datetime) -> Iterator[datetime]:
    """The moment, and every whole minute of the two days after it."""
    yield moment
    whole = moment.replace(second=0, microsecond=0)
    yield from (whole + number * MINUTE for number in range(1, 2 * 24 * 60))


@settings(max_examples=200)
@given(rules, moments())
def test_a_message_is_sent_at_the_first_minute_that_is_permitted_and_never_at_another(
    rules: tuple[Hours, ...], when: tuple[datetime, ZoneInfo]
) -> None:
    moment, zone = when
    first = next((each for each in minutes_from(moment) if permitted(rules, "", each.astimezone(zone))), None)
    found = next_permitted(rules, "", moment, zone)
    if first is None:
        assert found is None or found >= moment + 2 * DAY - MINUTE
    else:
        assert found == first


@settings(max_examples=300)
@given(rules, moments())
def test_the_time_that_is_found_is_permitted_and_not_in_the_past(
    rules: tuple[Hours, ...], when: tuple[datetime, ZoneInfo]
) -> None:
    moment, zone = when
    found = next_permitted(rules, "", moment, zone)
    if found is not None:
        assert found >= moment
        assert permitted(rules, "", found.astimezone(zone))
        assert next_permitted(rules, "", found, zone) == found
