"""Hours: half-open windows of local time, closed days, countries, and clocks that jump."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from builders import at, hours
from heliograph.model.policy import Hours
from heliograph.planning.hours import next_permitted, window
from tables import table

NIGHT = hours(quiet=("21:00-08:00",))
BY_DAY = hours(allowed=("08:00-20:00",))
WORKING_DAYS = hours(days=(0, 1, 2, 3, 4), allowed=("08:00-20:00",))
SATURDAYS = hours(days=(5,), allowed=("10:00-14:00",))
LATE_SATURDAYS = hours(days=(5,), allowed=("10:00-02:00",))
CLOSED_ON_SUNDAYS = hours(days=(6,), allowed=())
CHRISTMAS = hours(dates={"": ("2026-12-24",), "DE": ("2026-12-25", "2026-12-26"), "US": ("2026-12-25",)}, allowed=())
NEVER = hours(allowed=())
WEEKEND = {"Fri": "2026-11-20", "Sat": "2026-11-21", "Sun": "2026-11-22"}
MIDNIGHTS = ("Africa/Cairo", "America/Santiago", "Asia/Beirut")


def goes(
    rules: tuple[Hours, ...],
    ready: str,
    zone: str = "Europe/Berlin",
    *,
    country: str = "",
    spelled: str = "%a %Y-%m-%d %H:%M",
) -> str:
    """When a message goes that is ready at a local time, in local time."""
    moment = next_permitted(rules, country, at(ready, zone), ZoneInfo(zone))
    return moment.astimezone(ZoneInfo(zone)).strftime(spelled) if moment else "never"


@table(
    "ready, sent",
    {
        "a second before the quiet hours": ("2026-11-21 20:59:59", "Sat 2026-11-21 20:59"),
        "the quiet hours begin": ("2026-11-21 21:00", "Sun 2026-11-22 08:00"),
        "before midnight": ("2026-11-21 23:59:59.999999", "Sun 2026-11-22 08:00"),
        "at midnight": ("2026-11-22 00:00", "Sun 2026-11-22 08:00"),
        "a second before they end": ("2026-11-22 07:59:59", "Sun 2026-11-22 08:00"),
        "the quiet hours have ended": ("2026-11-22 08:00", "Sun 2026-11-22 08:00"),
        "the night before 29 February": ("2028-02-28 22:00", "Tue 2028-02-29 08:00"),
        "the night after 29 February": ("2028-02-29 22:00", "Wed 2028-03-01 08:00"),
        "the same night of a year without it": ("2027-02-28 22:00", "Mon 2027-03-01 08:00"),
        "the last night of a year": ("2026-12-31 23:30", "Fri 2027-01-01 08:00"),
    },
)
@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_quiet_hours_are_half_open_and_may_span_midnight(zone: str, ready: str, sent: str) -> None:
    assert goes((NIGHT,), ready, zone) == sent


@table(
    "rules, ready, sent",
    {
        "allowed hours: too early": ((BY_DAY,), "Fri 07:59", "Fri 08:00"),
        "allowed hours: in time": ((BY_DAY,), "Fri 19:59:59", "Fri 19:59"),
        "allowed hours: too late": ((BY_DAY,), "Fri 20:00", "Sat 08:00"),
        "two windows a day": ((hours(allowed=("08:00-12:00", "14:00-18:00")),), "Fri 12:00", "Fri 14:00"),
        "hours of working days say nothing about Saturdays": ((WORKING_DAYS,), "Fri 20:00", "Sat 00:00"),
        "working days and Saturdays": ((WORKING_DAYS, SATURDAYS), "Fri 20:00", "Sat 10:00"),
        "closed on Sundays": ((BY_DAY, CLOSED_ON_SUNDAYS), "Sat 20:00", "Mon 08:00"),
        "Sunday is over at midnight": ((CLOSED_ON_SUNDAYS,), "Sun 12:00", "Mon 00:00"),
        "Saturday's hours last into Sunday": ((LATE_SATURDAYS,), "Sun 01:00", "Sun 01:00"),
        "not into a closed Sunday": ((LATE_SATURDAYS, CLOSED_ON_SUNDAYS), "Sun 01:00", "Mon 00:00"),
        "hours of Saturday do not reach back into its night": ((LATE_SATURDAYS,), "Sat 01:00", "Sat 10:00"),
        "Saturday's quiet night lasts into Sunday": (
            (hours(days=(5,), quiet=("22:00-09:00",)),),
            "Sun 08:00",
            "Sun 09:00",
        ),
        "Friday night is not Saturday's": ((hours(days=(5,), quiet=("22:00-09:00",)),), "Sat 08:00", "Sat 08:00"),
        "every rule must permit it": ((NIGHT, hours(allowed=("09:00-22:00",))), "Fri 21:30", "Sat 09:00"),
        "rules without a common hour": ((NIGHT, hours(allowed=("22:00-24:00",))), "Fri 12:00", "never"),
        "nothing is allowed on any day": ((NEVER,), "Fri 12:00", "never"),
        "no rule": ((), "Fri 03:00", "Fri 03:00"),
        "the whole day is allowed": ((hours(allowed=("00:00-24:00",)),), "Fri 23:59:59.999999", "Fri 23:59"),
        "quiet until 24:00": ((hours(quiet=("21:00-24:00",)),), "Fri 22:00", "Sat 00:00"),
        "quiet until 24:00, closed after it": (
            (hours(quiet=("21:00-24:00",)), CLOSED_ON_SUNDAYS),
            "Sat 22:00",
            "Mon 00:00",
        ),
        "a window of no length": ((hours(quiet=("12:00-12:00",)),), "Fri 12:00", "Fri 12:00"),
    },
)
def test_a_message_waits_for_the_first_hour_that_every_rule_permits(
    rules: tuple[Hours, ...], ready: str, sent: str
) -> None:
    day, time = ready.split()
    assert goes(rules, f"{WEEKEND[day]} {time}", spelled="%a %H:%M") == sent


@table(
    "country, ready, sent",
    {
        "an own date is closed everywhere": ("", "2026-12-24 12:00", "Fri 2026-12-25 00:00"),
        "holidays of Germany": ("DE", "2026-12-24 12:00", "Sun 2026-12-27 00:00"),
        "holidays of the United States": ("US", "2026-12-24 12:00", "Sat 2026-12-26 00:00"),
        "a country without holidays": ("JP", "2026-12-25 12:00", "Fri 2026-12-25 12:00"),
        "the same days of another year": ("DE", "2027-12-25 12:00", "Sat 2027-12-25 12:00"),
    },
)
def test_public_holidays_and_own_dates_are_closed(country: str, ready: str, sent: str) -> None:
    assert goes((CHRISTMAS,), ready, country=country) == sent


@table(
    "zone, ready, quiet, sent",
    {
        "Berlin skips 02:00-03:00": ("Europe/Berlin", "2026-03-29 01:00", "21:00-02:30", "Sun 03:00"),
        "New York skips 02:00-03:00": ("America/New_York", "2026-03-08 00:30", "21:00-02:15", "Sun 03:00"),
        "Lord Howe skips half an hour": ("Australia/Lord_Howe", "2026-10-04 01:00", "21:00-02:10", "Sun 02:30"),
        "Lord Howe, an hour that exists": ("Australia/Lord_Howe", "2026-10-04 01:00", "21:00-02:40", "Sun 02:40"),
        "Cairo skips midnight": ("Africa/Cairo", "2026-04-23 22:00", "21:00-00:30", "Fri 01:00"),
        "Cairo, quiet until midnight": ("Africa/Cairo", "2026-04-23 22:00", "21:00-24:00", "Fri 01:00"),
        "Beirut skips midnight": ("Asia/Beirut", "2026-03-28 22:00", "21:00-00:30", "Sun 01:00"),
        "Santiago skips midnight": ("America/Santiago", "2026-09-05 22:00", "21:00-00:15", "Sun 01:00"),
        "the day that Samoa skipped": ("Pacific/Apia", "2011-12-29 22:00", "21:00-08:00", "Sat 08:00"),
    },
)
def test_an_end_that_no_clock_shows_is_the_jump_over_it(zone: str, ready: str, quiet: str, sent: str) -> None:
    assert goes((hours(quiet=(quiet,)),), ready, zone, spelled="%a %H:%M") == sent


@table(
    "zone, ready, quiet",
    {
        "Berlin": ("Europe/Berlin", "2026-10-25 02:10", "21:00-02:30"),
        "New York": ("America/New_York", "2026-11-01 01:10", "21:00-01:30"),
        "Lord Howe": ("Australia/Lord_Howe", "2026-04-05 01:35", "21:00-01:55"),
        "Beirut": ("Asia/Beirut", "2026-10-24 23:10", "21:00-23:30"),
        "Santiago": ("America/Santiago", "2026-04-04 23:10", "21:00-23:30"),
    },
)
@pytest.mark.parametrize("fold", [0, 1], ids=["the first time", "the second time"])
def test_an_end_that_comes_twice_is_the_next_one(zone: str, ready: str, quiet: str, fold: int) -> None:
    end = at(f"{ready[:10]} {quiet[-5:]}", zone, fold=fold)
    assert next_permitted((hours(quiet=(quiet,)),), "", at(ready, zone, fold=fold), ZoneInfo(zone)) == end


def test_an_allowed_hour_that_comes_again_because_the_clock_is_put_back_is_used() -> None:
    again = next_permitted(
        (hours(allowed=("01:00-02:30",)),), "", at("2026-10-25 02:45", "Europe/Berlin"), ZoneInfo("Europe/Berlin")
    )
    assert again == at("2026-10-25 02:00", "Europe/Berlin", fold=1)


@table(
    "zone, ready, sent",
    {
        "Pyongyang puts its clock back by 30 minutes": ("Asia/Pyongyang", "2015-08-14 22:00", "2015-08-14T23:30"),
        "Pyongyang puts it forward again": ("Asia/Pyongyang", "2018-05-04 22:00", "2018-05-04T23:00"),
        "Istanbul no longer puts its clock back": ("Europe/Istanbul", "2016-11-05 22:00", "2016-11-06T05:00"),
        "Istanbul put it back the year before": ("Europe/Istanbul", "2015-11-07 22:00", "2015-11-08T06:00"),
        "Samoa crosses the date line": ("Pacific/Apia", "2011-12-28 22:00", "2011-12-29T18:00"),
        "Samoa has crossed it": ("Pacific/Apia", "2011-12-29 22:00", "2011-12-30T18:00"),
    },
)
def test_zones_that_changed_their_offset_for_good_are_followed(zone: str, ready: str, sent: str) -> None:
    quiet_until_eight = next_permitted((NIGHT,), "", at(ready, zone), ZoneInfo(zone))
    assert quiet_until_eight == at(sent)


@pytest.mark.parametrize("zone", MIDNIGHTS)
def test_a_closed_day_ends_where_the_clock_skips_midnight(zone: str) -> None:
    year = [datetime(2026, 1, 1) + timedelta(days=day) for day in range(365)]
    for day in year:
        rule = hours(dates={"": (f"{day:%Y-%m-%d}",)}, allowed=())
        opens = next_permitted((rule,), "", at(f"{day:%Y-%m-%d} 12:00", zone), ZoneInfo(zone))
        assert opens is not None
        local = opens.astimezone(ZoneInfo(zone))
        assert local.date() == (day + timedelta(days=1)).date()
        assert (opens - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() == day.date()


@pytest.mark.parametrize("text", ["21:00", "25:00-08:00", "21:00-08:60", "night", ""])
def test_a_window_that_cannot_be_read_is_an_error(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        window(text)
