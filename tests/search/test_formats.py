"""Numbers, amounts, dates and times in every language that Babel knows, and hostile values in every filter."""

from __future__ import annotations

from functools import partial
from random import Random
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from babel import localedata

from babel_formats import differences
from heliograph.rendering import formats
from heliograph_cli.authoring import localising
from search.budget import budget

if TYPE_CHECKING:
    from search.conftest import Tally

HOSTILE_INPUTS = budget(20_000)
LETTERS = "0123456789-+.,:TZ eE٣\u200f\x00"
ODD: list[Any] = [
    None, True, False, 0, -0.0, 10**14, 10**15, 10**5000, 1e308, float("inf"), float("nan"), 5e-324, [], {}, (), b"1",
    object(), "", "1" * 100_000, "2026-12-24", "2026-12-24T24:00", "0000-00-00", "9999-12-31T23:59:59-14:00", "NaN",
]  # fmt: skip
ZONES = [ZoneInfo(name) for name in ("UTC", "Pacific/Kiritimati", "Pacific/Niue", "Africa/Monrovia")]


def test_formats_of_every_language(tally: Tally) -> None:
    moments = ["2026-12-24T18:05:00Z", "2026-06-01T00:30:00+05:30"]
    for identifier in localedata.locale_identifiers():
        tag = identifier.replace("_", "-")
        tally.inputs += 1
        tally.lost += map(str, differences(tag, localising.formats(tag), numbers=[0, "-1234567.895"], moments=moments))


REASONS = {
    "not a number",
    "too large a number",
    "not the code of a currency, such as EUR",
    "not a style of dates",
    "not a time as ISO 8601 writes it, such as 2026-12-24T18:00:00Z",
    "not a time that there is everywhere",
}


def hostile(random: Random) -> Any:
    if random.random() < 0.3:
        return random.choice(ODD)
    text = random.choice(["1234.5", "2026-12-24T18:05:00+01:00", "EUR", "long"])
    letters = list(text)
    for _ in range(random.randint(1, 3)):
        letters[random.randrange(len(letters))] = random.choice(LETTERS) * random.randint(0, 2)
    return "".join(letters)


def test_hostile_values_in_filters(tally: Tally) -> None:
    random, written = Random(7), 0
    rules = [localising.formats(tag) for tag in ("en", "ar-EG", "hi", "zh-Hant-TW")]
    for _ in range(HOSTILE_INPUTS):
        tally.inputs += 1
        chosen, zone = random.choice(rules), random.choice(ZONES)
        value, other = hostile(random), random.choice(["EUR", "long", hostile(random)])
        writers = [
            partial(formats.number, chosen, value),
            partial(formats.percent, chosen, value),
            partial(formats.currency, chosen, value, other),
            partial(formats.day_and_clock, chosen, value, zone, other),
            partial(formats.day, chosen, value, zone),
        ]
        for write in writers:
            try:
                if len(write()) > 100:
                    tally.harmed.append(f"a long text: {type(value)}")
                written += 1
            except ValueError as refused:
                if str(refused) not in REASONS:
                    tally.harmed.append(f"a reason quotes data: {refused}")
            except Exception as unhandled:  # noqa: BLE001  (that is what is searched for)
                tally.unhandled.append(f"{unhandled!r}: {type(value)} {type(other)}")
    assert written > HOSTILE_INPUTS / 10
