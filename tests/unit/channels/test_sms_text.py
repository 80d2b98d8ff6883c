"""Rules about the encoding, length and parts of text messages."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.channels.sms.parts import (
    BASIC,
    EXTENSION,
    LIMITS,
    SPELLED_OTHERWISE,
    WIDTHS,
    Encoding,
    economical,
    measure,
)

PHARMACY = (
    "Su receta(s) estan listas para ser recogidas en XXXXXXXX XXXXXXXX. Si tiene alguna pregunta, favor contactar "
    "la farmacia al 999-999-9999. ¡Gracias!"
)
VECTORS = [
    ("a" * 160, Encoding.GSM_7, 160, 1),
    ("a" * 161, Encoding.GSM_7, 161, 2),
    ("a" * 306, Encoding.GSM_7, 306, 2),
    ("a" * 307, Encoding.GSM_7, 307, 3),
    ("€" * 80, Encoding.GSM_7, 160, 1),
    ("€" * 81, Encoding.GSM_7, 162, 2),
    ("a" * 152 + "€" + "a" * 10, Encoding.GSM_7, 164, 2),
    ("a" * 152 + "€" + "a" * 152, Encoding.GSM_7, 306, 3),
    ("é" * 160, Encoding.GSM_7, 160, 1),
    ("ê" * 70, Encoding.UCS_2, 70, 1),
    ("ê" * 71, Encoding.UCS_2, 71, 2),
    ("{" * 69 + "Ŵ", Encoding.UCS_2, 70, 1),
    ("{" * 70 + "Ŵ", Encoding.UCS_2, 71, 2),
    ("😀" * 35, Encoding.UCS_2, 70, 1),
    ("😀" * 36, Encoding.UCS_2, 72, 2),
    ("😀" * 67, Encoding.UCS_2, 134, 3),
    ("I’ll", Encoding.UCS_2, 4, 1),
    ("this is a " + "]" * 74 + "😘", Encoding.UCS_2, 86, 2),
    (PHARMACY, Encoding.GSM_7, 147, 1),
    ("", Encoding.GSM_7, 0, 1),
]


@pytest.mark.parametrize(("text", "encoding", "units", "parts"), VECTORS)
def test_a_text_is_measured_as_networks_do(text: str, encoding: Encoding, units: int, parts: int) -> None:
    measured = measure(text)
    assert (measured.encoding, measured.units, measured.parts) == (encoding, units, parts)


def test_the_characters_that_make_a_text_longer_are_named_once_and_in_order() -> None:
    assert measure("I’ll say “yes” – I’ll").offenders == ("’", "“", "”", "–")


def test_a_text_within_gsm_7_has_no_offenders() -> None:
    assert measure("Größe {10} €").offenders == ()


def test_lower_case_c_with_cedilla_is_not_in_the_alphabet_and_the_capital_is() -> None:
    assert measure("Çç").offenders == ("ç",)


def test_the_alphabet_is_whole() -> None:
    assert (len(BASIC), len(EXTENSION)) == (127, 10)  # the 128th is the escape


@given(st.text(alphabet=sorted(BASIC | EXTENSION)))
def test_a_text_of_the_alphabet_is_always_gsm_7(text: str) -> None:
    assert measure(text).encoding is Encoding.GSM_7


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_ucs_2_units_are_always_those_of_utf_16(text: str) -> None:
    measured = measure(text)
    if measured.encoding is Encoding.UCS_2:
        assert measured.units == len(text.encode("utf-16-be")) // 2


@given(st.text(alphabet="a€{ê😀", max_size=700))
def test_the_parts_always_have_room_for_the_text_and_one_fewer_never_would(text: str) -> None:
    measured = measure(text)
    alone, each = LIMITS[measured.encoding]
    if measured.parts == 1:
        assert measured.units <= alone
    else:
        assert measured.units <= measured.parts * each
        assert measured.units > max(alone, (measured.parts - 1) * (each - 1))


@given(st.text(alphabet="a€{ê😀", max_size=400), st.text(alphabet="a€{ê😀", max_size=400))
def test_a_longer_text_never_takes_fewer_parts(text: str, more: str) -> None:
    assert measure(text + more).parts >= measure(text).parts


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("I’ll say “yes” – or „no“…", 'I\'ll say "yes" - or "no"...'),
        ("10 000 €", "10 000 €"),
        ("« garçon »", '" garcon "'),
        ("soft­hy​phen﻿", "softhyphen"),
        ("one two	three", "one\ntwo three"),
        ("It’s the 1ʹst", "It’s the 1ʹst"),
        ("Přijďte „zítra“", "Přijďte „zítra“"),
        ("plain", "plain"),
    ],
)
def test_quotes_dashes_and_spaces_are_those_of_gsm_7_unless_the_text_needs_ucs_2_anyway(
    written: str, sent: str
) -> None:
    assert economical(written) == sent


def test_one_typographic_quote_no_longer_makes_two_parts_five() -> None:
    text = f"It’s {'a' * 295}"
    assert (measure(text).parts, measure(economical(text)).parts) == (5, 2)


@given(st.text(alphabet=sorted(BASIC | EXTENSION | {chr(each) for each in SPELLED_OTHERWISE} | set("êя😀"))))
def test_what_is_sent_never_takes_more_parts_than_what_is_written(text: str) -> None:
    sent = economical(text)
    assert measure(sent).parts <= measure(text).parts
    assert economical(sent) == sent


def test_what_is_in_the_alphabet_is_never_spelled_otherwise() -> None:
    assert not {chr(each) for each in SPELLED_OTHERWISE} & WIDTHS.keys()
