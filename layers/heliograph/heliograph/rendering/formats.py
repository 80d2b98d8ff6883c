"""Numbers, amounts of money, dates and times as the readers of a language write them.

The rules are those of CLDR. The desk takes them from Babel when the templates are built
(`heliograph_cli.authoring.localising`), so that rendering needs neither Babel nor its data.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Literal

import msgspec

LARGEST = 10**15  # what a double holds to the cent, and more money than there is
NUMBER = re.compile(r"-?[0-9]{1,15}(\.[0-9]{1,10})?")
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
MOMENT = re.compile(DATE.pattern + r"[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?(Z|[+-][0-9]{2}:?[0-9]{2})?")
CURRENCY = re.compile(r"[A-Za-z]{3}")
NO_TIME = "not a time as ISO 8601 writes it, such as 2026-12-24T18:00:00Z"
STYLES = ("full", "long", "medium", "short")
"""How much a date says: `Thursday, December 24, 2026` to `12/24/26`."""


class NumberFormat(msgspec.Struct, frozen=True, kw_only=True):
    """How a kind of number is written."""

    positive: tuple[str, str]
    """What stands before and after it; `¤` is the currency."""
    negative: tuple[str, str]
    groups: tuple[int, int]
    """Digits in the last group and in those before it."""
    least: int
    """Digits before the decimals, at least."""
    decimals: tuple[int, int]
    """The fewest and the most."""
    scale: int = 0
    """Powers of ten that it is multiplied by: 2 for per cent."""


class Digits(msgspec.Struct, frozen=True, tag="digits"):
    """A part of a moment in digits."""

    of: Literal["year", "month", "day", "hour", "hour12", "minute"]
    width: int


class Name(msgspec.Struct, frozen=True, tag="name"):
    """A part of a moment in words; months begin with January, weekdays with Monday."""

    of: Literal["month", "weekday"]
    names: tuple[str, ...]


class Period(msgspec.Struct, frozen=True, tag="period"):
    """A part of the day, such as PM: from which minute on, and its name."""

    starts: tuple[int, ...]
    names: tuple[str, ...]


Piece = str | Digits | Name | Period
Pattern = tuple[Piece, ...]


class Formats(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one language."""

    digits: str
    """Its ten digits; empty: 0 to 9."""
    decimal: str
    group: str
    number: NumberFormat
    percent: NumberFormat
    currency: NumberFormat
    symbols: dict[str, str]
    """Currency -> its symbol, where it has one in this language."""
    currency_decimals: dict[str, int]
    """Currency -> its decimals, where they are not two."""
    dates: dict[str, Pattern]
    """Style -> how a date is written."""
    time: Pattern
    joined: dict[str, str]
    """Style -> how a date `{1}` and a time `{0}` are put together."""


def number(formats: Formats, value: object) -> str:
    """`1,234.5`: a number, as much of it as the language shows."""
    return _number(formats, formats.number, value, formats.number.decimals)


def percent(formats: Formats, value: object) -> str:
    """`25%` of 0.25."""
    return _number(formats, formats.percent, value, formats.percent.decimals)


def currency(formats: Formats, value: object, code: object) -> str:
    """`€12.50`: an amount with the symbol and the decimals of its currency, an ISO 4217 code."""
    if not isinstance(code, str) or not CURRENCY.fullmatch(code):
        raise ValueError("not the code of a currency, such as EUR")
    code = code.upper()
    decimals = formats.currency_decimals.get(code, 2)
    return _number(formats, formats.currency, value, (decimals, decimals)).replace("¤", formats.symbols.get(code, code))


def day(formats: Formats, value: object, zone: tzinfo, style: str = "medium") -> str:
    """`Dec 24, 2026`: the date of a moment in a zone; a date without a time is the same everywhere."""
    if style not in STYLES:
        raise ValueError("not a style of dates")
    return _written(formats, formats.dates[style], _moment(value, zone))


def clock(formats: Formats, value: object, zone: tzinfo) -> str:
    """`6:00 PM`: the time of a moment in a zone, to the minute."""
    return _written(formats, formats.time, _with_time(value, zone))


def day_and_clock(formats: Formats, value: object, zone: tzinfo, style: str = "medium") -> str:
    """`Dec 24, 2026, 6:00 PM`: both."""
    time, written = clock(formats, value, zone), day(formats, value, zone, style)
    return formats.joined[style].replace("{0}", time).replace("{1}", written)


def _number(formats: Formats, form: NumberFormat, value: object, decimals: tuple[int, int]) -> str:
    exact = _decimal(value).scaleb(form.scale)
    rounded = abs(exact).quantize(Decimal(1).scaleb(-decimals[1]))  # half to even, as Babel does
    whole, _, fraction = f"{rounded:f}".partition(".")
    fraction = fraction.rstrip("0").ljust(decimals[0], "0")
    text = _grouped(whole.zfill(form.least), form.groups, formats.group) + (formats.decimal + fraction) * bool(fraction)
    before, after = form.negative if exact.is_signed() else form.positive
    return before + _in_digits(formats, text) + after


def _decimal(value: object) -> Decimal:
    """A number of JSON, or one written as text, as exact amounts are."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise ValueError("not a number")
    if isinstance(value, str) and not NUMBER.fullmatch(value):
        raise ValueError("not a number")
    if not isinstance(value, str) and not -LARGEST < value < LARGEST:  # false for nan, too
        raise ValueError("too large a number")
    return Decimal(str(value))


def _grouped(whole: str, groups: tuple[int, int], separator: str) -> str:
    size, parts = groups[0], []
    while len(whole) > size:
        parts.append(whole[-size:])
        whole, size = whole[:-size], groups[1]
    return separator.join([whole, *reversed(parts)])


def _moment(value: object, zone: tzinfo) -> datetime:
    if isinstance(value, str) and DATE.fullmatch(value):
        return _read(value)
    return _with_time(value, zone)


def _with_time(value: object, zone: tzinfo) -> datetime:
    """A moment in a zone; what says no zone is taken as the time on the reader's clock."""
    if not isinstance(value, str) or not MOMENT.fullmatch(value):
        raise ValueError(NO_TIME)
    moment = _read(value)
    try:
        return moment.astimezone(zone) if moment.tzinfo else moment
    except OverflowError as error:  # on the first or the last day of the calendar
        raise ValueError("not a time that there is everywhere") from error


def _read(value: str) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except ValueError:  # its words quote the value
        raise ValueError(NO_TIME) from None


def _written(formats: Formats, pattern: Pattern, moment: datetime) -> str:
    return _in_digits(formats, "".join(_piece(piece, moment) for piece in pattern))


def _piece(piece: Piece, moment: datetime) -> str:
    if isinstance(piece, str):
        return piece
    if isinstance(piece, Period):
        return piece.names[bisect_right(piece.starts, moment.hour * 60 + moment.minute) - 1]
    if isinstance(piece, Name):
        return piece.names[moment.weekday() if piece.of == "weekday" else moment.month - 1]
    value = (moment.hour - 1) % 12 + 1 if piece.of == "hour12" else getattr(moment, piece.of)
    text = f"{value:0{piece.width}d}"
    return text[-2:] if piece.of == "year" and piece.width == 2 else text


def _in_digits(formats: Formats, text: str) -> str:
    if not formats.digits:
        return text
    return text.translate({ord("0") + place: digit for place, digit in enumerate(formats.digits)})
