"""Quiet hours: half-open windows of local time, over midnight and over clock changes."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.domain.model import Policy, QuietHours
from heliograph.domain.quiet_hours import quiet_until, zone_for

NIGHT = QuietHours(start="21:00", end="08:00")
ZONES = [
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/St_Johns",
    "Africa/Cairo",
]


def until(local: str, zone: str, hours: QuietHours = NIGHT, *, fold: int = 0) -> str | None:
    now = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)
    end = quiet_until(now, hours, ZoneInfo(zone))
    return f"{end.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" if end else None


@pytest.mark.parametrize(
    ("local", "ends"),
    [
        ("2026-11-21 20:59:59", None),
        ("2026-11-21 21:00", "2026-11-22 08:00"),
        ("2026-11-21 23:59", "2026-11-22 08:00"),
        ("2026-11-22 00:00", "2026-11-22 08:00"),
        ("2026-11-22 07:59:59", "2026-11-22 08:00"),
        ("2026-11-22 08:00", None),
        ("2028-02-28 22:00", "2028-02-29 08:00"),
        ("2028-02-29 22:00", "2028-03-01 08:00"),
    ],
)
@pytest.mark.parametrize("zone", ZONES)
def test_a_window_over_midnight_is_half_open(zone: str, local: str, ends: str | None) -> None:
    assert until(local, zone) == ends


@pytest.mark.parametrize(
    ("local", "ends"),
    [("2026-05-01 11:59", None), ("2026-05-01 12:00", "2026-05-01 14:00"), ("2026-05-01 14:00", None)],
)
def test_a_window_within_a_day_is_half_open(local: str, ends: str | None) -> None:
    assert until(local, "Europe/Berlin", QuietHours(start="12:00", end="14:00")) == ends


def test_a_window_of_no_length_is_never_quiet() -> None:
    assert until("2026-05-01 12:00", "Europe/Berlin", QuietHours(start="12:00", end="12:00")) is None


@pytest.mark.parametrize(
    ("zone", "local", "end", "ends"),
    [  # the clock jumps over `end`: the window ends at the jump
        ("Europe/Berlin", "2026-03-29 01:00", "02:30", "2026-03-29 03:00"),
        ("America/New_York", "2026-03-08 00:30", "02:15", "2026-03-08 03:00"),
        ("Australia/Lord_Howe", "2026-10-04 01:00", "02:10", "2026-10-04 02:30"),
        ("America/St_Johns", "2026-03-08 01:00", "02:30", "2026-03-08 03:00"),
        ("Africa/Cairo", "2026-04-23 22:00", "00:30", "2026-04-24 01:00"),
    ],
)
def test_an_end_that_does_not_exist_is_the_jump_of_the_clock(zone: str, local: str, end: str, ends: str) -> None:
    assert until(local, zone, QuietHours(start="21:00", end=end)) == ends


@pytest.mark.parametrize(
    ("zone", "local"),
    [
        ("Europe/Berlin", "2026-10-25 02:10"),
        ("America/New_York", "2026-11-01 01:10"),
        ("America/St_Johns", "2026-11-01 01:10"),
        ("Australia/Lord_Howe", "2026-04-05 01:35"),
    ],
)
@pytest.mark.parametrize("fold", [0, 1])
def test_an_end_that_comes_twice_is_the_next_one(zone: str, local: str, fold: int) -> None:
    end = (datetime.fromisoformat(local) + timedelta(minutes=20)).strftime("%H:%M")
    now = datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)
    assert quiet_until(now, QuietHours(start="21:00", end=end), ZoneInfo(zone)) == now + timedelta(minutes=20)


@given(
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),
    st.sampled_from(ZONES),
    st.times(),
    st.times(),
)
def test_the_end_always_lies_ahead_outside_of_the_window_and_within_a_day(
    now: datetime, zone: str, start: time, end: time
) -> None:
    hours = QuietHours(start=f"{start:%H:%M}", end=f"{end:%H:%M}")
    there = ZoneInfo(zone)
    ends = quiet_until(now, hours, there)
    if ends is not None:
        assert now < ends <= now + timedelta(hours=26)
        assert quiet_until(ends - timedelta(seconds=1), hours, there) is not None


@pytest.mark.parametrize("name", ["", "Mars/Olympus", "PST8", "America", "../etc", "a\0b"])
def test_a_missing_or_wrong_zone_falls_back_to_the_policys(name: str) -> None:
    assert zone_for(name, Policy(default_timezone="Asia/Tokyo")).key == "Asia/Tokyo"
