"""Rules about numbers, amounts, dates and times in the languages of the readers, checked against Babel itself."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from babel import Locale
from hypothesis import given
from hypothesis import strategies as st

from babel_formats import LOCALES, differences
from heliograph.rendering import formats
from heliograph.rendering.formats import STYLES, Formats
from heliograph_cli.authoring import localising

BERLIN = ZoneInfo("Europe/Berlin")
EVE = "2026-12-24T17:05:00Z"


def rules(tag: str) -> Formats:
    """As the functions read them: through JSON."""
    return msgspec.json.decode(msgspec.json.encode(localising.formats(tag)), type=Formats)


@pytest.mark.parametrize("tag", LOCALES)
def test_everything_is_written_as_babel_writes_it(tag: str) -> None:
    assert differences(tag, rules(tag)) == []


@given(
    st.sampled_from(LOCALES),
    st.integers(-(10**15) + 1, 10**15 - 1) | st.floats(-1e15, 1e15, exclude_min=True, exclude_max=True),
)
def test_every_number_is_written_as_babel_writes_it(tag: str, value: float) -> None:
    assert differences(tag, localising.formats(tag), numbers=[value], moments=[]) == []


@given(st.sampled_from(LOCALES), st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30)))
def test_every_moment_is_written_as_babel_writes_it(tag: str, moment: datetime) -> None:
    assert (
        differences(
            tag,
            localising.formats(tag),
            numbers=[],
            moments=[moment.replace(second=0, microsecond=0, tzinfo=UTC).isoformat()],
        )
        == []
    )


@pytest.mark.parametrize(
    ("tag", "amount", "date", "time", "share"),
    [
        ("en", "€1,234.50", "Dec 24, 2026", "6:05\u202fPM", "25%"),
        ("de", "1.234,50\xa0€", "24.12.2026", "18:05", "25\xa0%"),
        ("ar-EG", "\u200f١٬٢٣٤٫٥٠\xa0€", "٢٤\u200f/١٢\u200f/٢٠٢٦", "٦:٠٥ م", "٢٥٪\u061c"),
        ("hi", "€1,234.50", "24 दिस॰ 2026", "6:05 pm", "25%"),
        ("mr", "€१,२३४.५०", "२४ डिसें, २०२६", "६:०५ PM", "२५%"),
        ("ja", "€1,234.50", "2026/12/24", "18:05", "25%"),
    ],
)
def test_each_language_has_its_own_digits_signs_and_orders(
    tag: str, amount: str, date: str, time: str, share: str
) -> None:
    found = rules(tag)
    assert formats.currency(found, "1234.5", "eur") == amount
    assert formats.day(found, EVE, BERLIN) == date
    assert formats.clock(found, EVE, BERLIN) == time
    assert formats.percent(found, 0.25) == share


def test_a_minus_is_that_of_the_language() -> None:
    assert formats.number(rules("sv"), -5) == "−5"


@pytest.mark.parametrize(
    ("code", "written"), [("JPY", "¥1,234"), ("KWD", "KWD1,234.500"), ("USD", "$1,234.50"), ("xxz", "XXZ1,234.50")]
)
def test_an_amount_has_the_decimals_of_its_currency(code: str, written: str) -> None:
    assert formats.currency(rules("en"), 1234.5, code) == written


@pytest.mark.parametrize(
    ("value", "zone", "written"),
    [
        ("2026-12-24T23:30:00Z", "UTC", "Dec 24, 2026, 11:30 PM"),
        ("2026-12-24T23:30:00Z", "Europe/Berlin", "Dec 25, 2026, 12:30 AM"),
        ("2026-12-24T23:30:00+01:00", "America/New_York", "Dec 24, 2026, 5:30 PM"),
        ("2026-12-24T23:30", "Europe/Berlin", "Dec 24, 2026, 11:30 PM"),
        ("2026-12-24 23:30:59.5", "Europe/Berlin", "Dec 24, 2026, 11:30 PM"),
    ],
)
def test_a_time_with_an_offset_is_written_as_the_clocks_of_the_reader_show_it(
    value: str, zone: str, written: str
) -> None:
    assert formats.day_and_clock(rules("en"), value, ZoneInfo(zone)).replace("\u202f", " ") == written


@pytest.mark.parametrize("zone", ["Pacific/Kiritimati", "Pacific/Niue"])
def test_a_date_without_a_time_is_the_same_everywhere(zone: str) -> None:
    assert formats.day(rules("en"), "2026-12-24", ZoneInfo(zone), "full") == "Thursday, December 24, 2026"


NO_NUMBERS: list[object] = [
    None, True, [], {}, "", "12,50", "1e5", "٣", "1" * 16, "0." + "1" * 11, 10**15, 1e16, float("inf"), float("nan"),
    b"1", object(), pytest.param(10**5000, id="a number of 5,000 digits"),
]  # fmt: skip
NO_MOMENTS: list[object] = [
    None, 0, 1766592000, True, [], {}, "", "soon", "24.12.2026", "2026-13-01", "2026-02-30", "2026-12-24T25:00",
    "2026-12-24T18:00:00 Europe/Berlin", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-12-24" * 9,
]  # fmt: skip


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_number_is_refused(value: object) -> None:
    for write in (formats.number, formats.percent):
        with pytest.raises(ValueError, match="number"):
            write(rules("en"), value)
    with pytest.raises(ValueError, match="number"):
        formats.currency(rules("en"), value, "EUR")


@pytest.mark.parametrize("code", [None, 1, "", "EURO", "E1R", "eu", [], "ЕUR"])
def test_what_is_no_currency_is_refused(code: object) -> None:
    with pytest.raises(ValueError, match="currency"):
        formats.currency(rules("en"), 1, code)


@pytest.mark.parametrize("value", NO_MOMENTS)
def test_what_is_no_moment_is_refused(value: object) -> None:
    for style in STYLES:
        with pytest.raises(ValueError, match=r"."):
            formats.day_and_clock(rules("en"), value, BERLIN, style)


def test_a_date_without_a_time_has_no_time() -> None:
    with pytest.raises(ValueError, match="ISO 8601"):
        formats.clock(rules("en"), "2026-12-24", BERLIN)


def test_the_zeros_are_those_of_every_numbering_system_that_a_language_of_babel_uses() -> None:
    used = {Locale.parse(tag, sep="-").default_numbering_system for tag in LOCALES}
    assert used == {"latn", *localising.ZEROS}
