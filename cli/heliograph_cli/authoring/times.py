"""Hours, days, dates and countries, as people write them."""

import re
from datetime import date, timedelta
from functools import cache
from importlib import resources

TIME = r"(?:[01]\d|2[0-3]):[0-5]\d"
WINDOW = re.compile(rf"{TIME}-(?:{TIME}|24:00)")
ROLLING = re.compile(r"(\d+) (hour|day)s?")
LONGEST = timedelta(days=30)
"""Older messages count against no cap: they are forgotten."""
DAY = re.compile(r"(\d{4}-)?\d{2}-\d{2}")
LEAP_YEAR = "2028-"
"""A year that has every day."""


def window(text: str) -> str:
    """A window of local time, such as `08:00-21:00`; it may span midnight."""
    if not WINDOW.fullmatch(text):
        raise ValueError(f'"{text}" is not a window of time such as "08:00-21:00"')
    start, _, end = text.partition("-")
    if start == end:
        raise ValueError(f'"{text}" ends when it begins; a whole day is "00:00-24:00"')
    return text


def rolling_seconds(text: object) -> int | None:
    """The seconds of `24 hours` or `7 days`; None: `calendar day`."""
    if text == "calendar day":
        return None
    spoken = ROLLING.fullmatch(text.strip()) if isinstance(text, str) else None
    if not spoken:
        raise ValueError(f'"{text}" is neither a time such as "7 days" nor "calendar day"')
    length = timedelta(**{f"{spoken[2]}s": int(spoken[1])})
    if not timedelta() < length <= LONGEST:
        raise ValueError(f'"{text}" is not a time between 1 hour and {LONGEST.days} days')
    return int(length.total_seconds())


def day(written: object) -> str:
    """A date, or without its year a day of every year: `2026-12-24`, `12-31`."""
    text = written.isoformat() if isinstance(written, date) else str(written)
    try:
        known = DAY.fullmatch(text) and date.fromisoformat(text if len(text) > len("12-31") else LEAP_YEAR + text)
    except ValueError:
        known = None
    if not known:
        raise ValueError(f'"{text}" is neither a date such as "2026-12-24" nor a day such as "12-31"')
    return text


def dates(day: str, years: range) -> list[str]:
    """The dates of a day: one if it says its year, else one a year, unless the year has no such day."""
    if len(day) > len("12-31"):
        return [day]
    return [f"{year}-{day}" for year in years if _exists(f"{year}-{day}")]


def _exists(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def country(code: str) -> str:
    """An ISO 3166-1 alpha-2 code."""
    if code not in _countries():
        raise ValueError(f'"{code}" is not the code of a country (ISO 3166-1), such as "DE" or "GB"')
    return code


@cache
def _countries() -> frozenset[str]:
    listed = (resources.files("tzdata") / "zoneinfo/iso3166.tab").read_text(encoding="utf-8")
    return frozenset(line[:2] for line in listed.splitlines() if not line.startswith("#"))
