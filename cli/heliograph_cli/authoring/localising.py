"""Take from Babel how a language writes numbers, amounts, dates and times, for `heliograph.rendering.formats`."""

import re
from datetime import time
from functools import lru_cache
from typing import cast

from babel import Locale
from babel.core import get_global
from babel.dates import DateTimeFormat, tokenize_pattern
from babel.numbers import (
    NumberPattern,
    get_decimal_symbol,
    get_group_symbol,
    get_minus_sign_symbol,
    get_plus_sign_symbol,
    parse_pattern,
)

from heliograph.rendering.formats import STYLES, Digits, Formats, Name, NumberFormat, Pattern, Period, Piece

ZEROS = {
    "adlm": "\U0001e950", "arab": "\u0660", "arabext": "\u06f0", "beng": "\u09e6", "cakm": "\U00011136",
    "deva": "\u0966", "hmnp": "\U0001e140", "mtei": "\uabf0", "mymr": "\u1040", "nkoo": "\u07c0",
    "olck": "\u1c50", "tibt": "\u0f20",
}  # fmt: skip
"""The zeros of CLDR's numbering systems; the other digits follow. Babel knows their names and separators only."""
WIDTHS = {3: "abbreviated", 4: "wide", 5: "narrow"}
CONTEXTS = {"M": "format", "L": "stand-alone", "E": "format", "c": "stand-alone"}
FIELDS = {"y": "year", "M": "month", "L": "month", "d": "day", "H": "hour", "h": "hour12", "m": "minute"}
MINUTES = 24 * 60


@lru_cache
def formats(tag: str) -> Formats:
    """The rules of a language, by its tag."""
    locale = Locale.parse(tag, sep="-")
    system = locale.default_numbering_system
    fractions = get_global("currency_fractions")
    zero = ZEROS.get(system, "")
    return Formats(
        digits="".join(chr(ord(zero) + place) for place in range(10)) if zero else "",
        decimal=get_decimal_symbol(locale, numbering_system="default"),
        group=get_group_symbol(locale, numbering_system="default"),
        number=_number(locale, locale.decimal_formats[None]),
        percent=_number(locale, locale.percent_formats[None]),
        currency=_number(locale, locale.currency_formats["standard"]),
        symbols={code: symbol for code, symbol in locale.currency_symbols.items() if symbol != code},
        currency_decimals={code: of[0] for code, of in fractions.items() if of[0] != 2},
        dates={style: _pattern(locale, locale.date_formats[style].pattern) for style in STYLES},
        time=_pattern(locale, locale.time_formats["short"].pattern),
        joined={style: str(locale.datetime_formats[style]).replace("'", "") for style in STYLES},
    )


class Localised(dict[str, Formats]):
    """The rules of every language, each taken from Babel when it is first asked for."""

    def __missing__(self, tag: str) -> Formats:
        return formats(tag)


def _number(locale: Locale, pattern: NumberPattern | str) -> NumberFormat:
    parsed = parse_pattern(pattern)
    positive, negative = zip(parsed.prefix, parsed.suffix, strict=True)
    return NumberFormat(
        positive=_signs(locale, positive),
        negative=_signs(locale, negative),
        groups=parsed.grouping,
        least=parsed.int_prec[0],
        decimals=parsed.frac_prec,
        scale=parsed.scale,
    )


def _signs(locale: Locale, around: tuple[str, str]) -> tuple[str, str]:
    """What stands around a number, with the signs of the language: Babel leaves those of the pattern."""
    symbols = locale.number_symbols[locale.default_numbering_system]
    signs = {
        "-": get_minus_sign_symbol(locale, numbering_system="default"),
        "+": get_plus_sign_symbol(locale, numbering_system="default"),
        "%": symbols.get("percentSign", "%"),
    }
    before, after = ("".join(signs.get(character, character) for character in _unquoted(text)) for text in around)
    return before, after


def _unquoted(text: str) -> str:
    return re.sub(r"'([^']*)'", lambda quoted: quoted[1] or "'", text)


def _pattern(locale: Locale, pattern: str) -> Pattern:
    return tuple(
        _field(locale, *cast("tuple[str, int]", value)) if kind == "field" else str(value)
        for kind, value in tokenize_pattern(pattern)
    )


def _field(locale: Locale, field: str, width: int) -> Piece:
    """A field of a date pattern of CLDR, as in https://unicode.org/reports/tr35/tr35-dates.html."""
    if field in "ML" and width > 2:
        months = locale.months[CONTEXTS[field]][WIDTHS[width]]
        return Name("month", tuple(months[month] for month in range(1, 13)))
    if field in "Ec":
        days = locale.days[CONTEXTS[field]][WIDTHS[max(width, 3)]]
        return Name("weekday", tuple(days[day] for day in range(7)))
    if field == "G":
        return str(locale.eras[WIDTHS[max(width, 3)]][1])  # every date that Python knows is of our era
    if field in "aB":
        return _period(locale, field, width)
    return Digits(FIELDS[field], width)  # type: ignore[arg-type]  # the names of Digits.of


def _period(locale: Locale, field: str, width: int) -> Period:
    names = [DateTimeFormat(time(*divmod(minute, 60)), locale)[field * width] for minute in range(MINUTES)]
    starts = [minute for minute in range(MINUTES) if minute == 0 or names[minute] != names[minute - 1]]
    return Period(tuple(starts), tuple(names[start] for start in starts))
