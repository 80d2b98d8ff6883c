"""What Babel itself writes, in the digits and with the signs of the language, which it leaves to its callers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers

from heliograph.rendering import formats
from heliograph.rendering.formats import STYLES, Formats
from heliograph_cli.authoring.localising import ZEROS

LOCALES = [
    "en", "en-GB", "en-IN", "de", "de-AT", "de-CH", "fr", "fr-CA", "es", "es-MX", "it", "nl", "pt-BR", "pt-PT", "sv",
    "nb", "fi", "da", "pl", "cs", "hu", "ro", "el", "ru", "uk", "bg", "tr", "ar", "ar-EG", "ar-MA", "he", "fa", "ur",
    "hi", "bn", "ne", "mr", "ta", "th", "vi", "id", "ja", "ko", "zh-Hans-CN", "zh-Hant-TW", "ff-Adlm", "ccp", "dz",
    "my", "nqo", "sat", "mni-Mtei", "hnj", "sw", "ka", "eu", "lv", "is", "gsw", "und",
]  # fmt: skip
"""Every numbering system, and the languages that most people read."""
ZONE = ZoneInfo("Asia/Kolkata")
NUMBERS: list[float | str] = [
    0,
    -0.0,
    1,
    -1,
    0.125,
    0.005,
    1e-7,
    "12.50",
    "-3",
    1234.5,
    -9876.54321,
    1234567.891,
    10**15 - 1,
]
MOMENTS = ["2026-12-24T18:05:00Z", "2026-01-01T00:00:00+05:30", "2026-06-30T12:00:00+05:30", "1999-03-07T04:59:00Z"]
CURRENCIES = ["EUR", "USD", "JPY", "KWD", "CHF", "INR", "XAF"]


def differences(
    tag: str, rules: Formats, *, numbers: Iterable[float | str] = NUMBERS, moments: Iterable[str] = MOMENTS
) -> list[tuple[str, str, str]]:
    """Where we write a value otherwise than Babel: what, ours, Babel's."""
    locale = Locale.parse(tag, sep="-")
    pairs = [pair for value in numbers for pair in _numbers(locale, rules, value)]
    pairs += [pair for moment in moments for pair in _moments(locale, rules, moment)]
    return [(what, ours, babel) for what, ours, babel in pairs if ours != babel]


def _numbers(locale: Locale, rules: Formats, value: float | str) -> Iterator[tuple[str, str, str]]:
    number = numbers.format_decimal(value, locale=locale, numbering_system="default")
    yield f"number {value}", formats.number(rules, value), _signed(locale, number)
    percent = numbers.format_percent(value, locale=locale, numbering_system="default")
    yield f"percent {value}", formats.percent(rules, value), _signed(locale, percent)
    for code in CURRENCIES:
        amount = numbers.format_currency(value, code, locale=locale, numbering_system="default")
        yield f"{code} {value}", formats.currency(rules, value, code), _signed(locale, amount)


def _moments(locale: Locale, rules: Formats, value: str) -> Iterator[tuple[str, str, str]]:
    moment = datetime.fromisoformat(value).astimezone(ZONE)
    time = dates.format_time(moment, "short", locale=locale, tzinfo=ZONE)
    yield f"time {value}", formats.clock(rules, value, ZONE), _in_digits(locale, time)
    for style in STYLES:
        date = dates.format_date(moment, style, locale=locale)
        yield f"{style} date {value}", formats.day(rules, value, ZONE, style), _in_digits(locale, date)
        joined = str(locale.datetime_formats[style]).replace("'", "").replace("{0}", time).replace("{1}", date)
        both = formats.day_and_clock(rules, value, ZONE, style)
        yield f"{style} date and time {value}", both, _in_digits(locale, joined)


def _signed(locale: Locale, text: str) -> str:
    percent = locale.number_symbols[locale.default_numbering_system].get("percentSign", "%")
    minus = numbers.get_minus_sign_symbol(locale, numbering_system="default")
    return _in_digits(locale, text.replace("-", minus).replace("%", percent))


def _in_digits(locale: Locale, text: str) -> str:
    zero = ZEROS.get(locale.default_numbering_system, "0")
    return text.translate({ord("0") + digit: chr(ord(zero) + digit) for digit in range(10)})
