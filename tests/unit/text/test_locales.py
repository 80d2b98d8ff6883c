"""Rules about languages: which tags are tags, and which translation somebody reads."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.text.locales import canonical, lookup

AVAILABLE = ("en", "de", "pt-BR", "zh-Hant", "ar", "he", "id", "yi")


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("de", "de"),
        ("de-AT", "de"),
        ("de_AT", "de"),
        ("DE-at", "de"),
        ("pt-BR", "pt-BR"),
        ("pt_br", "pt-BR"),
        ("zh-Hant-TW", "zh-Hant"),
        ("zh-Hant-TW-x-private", "zh-Hant"),
        ("ar-u-nu-latn", "ar"),
        ("iw", "he"),
        ("iw_IL", "he"),
        ("in-ID", "id"),
        ("ji", "yi"),
    ],
)
def test_the_best_translation_is_the_tag_or_its_nearest_parent(wanted: str, found: str) -> None:
    assert lookup(wanted, AVAILABLE) == found


@pytest.mark.parametrize("wanted", ["", "fr", "fr-CA", "pt", "pt-PT", "zh", "zh-TW", "*", "not a tag", "-", "_"])
def test_without_a_translation_the_default_is_read(wanted: str) -> None:
    assert lookup(wanted, AVAILABLE) == "en"


@given(st.text(), st.lists(st.sampled_from(AVAILABLE), min_size=1, unique=True))
def test_a_look_up_never_fails_and_always_finds_one_that_there_is(wanted: str, available: list[str]) -> None:
    assert lookup(wanted, available) in available


@pytest.mark.parametrize("wanted", ["de-" * 20_000, "a-" * 30_000, "de" + " " * 60_000])
def test_nobody_has_a_language_of_any_length(wanted: str) -> None:
    assert lookup(wanted, AVAILABLE) == "en"
    with pytest.raises(ValueError, match="BCP-47"):
        canonical(wanted.strip() + "-x" * 40)


@given(st.sampled_from(AVAILABLE), st.sampled_from(["", "-AT", "-x-a", "-Latn-DE-1996"]))
def test_a_more_special_tag_always_finds_its_parent(parent: str, rest: str) -> None:
    assert lookup(parent + rest, AVAILABLE) == parent


@pytest.mark.parametrize(
    ("written", "spelled"),
    [
        ("en_US", "en-US"),
        ("EN-us", "en-US"),
        ("zh_hant_tw", "zh-Hant-TW"),
        ("iw_IL", "he-IL"),
        ("in", "id"),
        ("ji", "yi"),
        ("de-1996", "de-1996"),
        ("es-419", "es-419"),
        ("sr-latn-rs", "sr-Latn-RS"),
        ("en-x-AB", "en-x-ab"),
        (" fr ", "fr"),
    ],
)
def test_a_tag_is_spelled_as_the_standard_does(written: str, spelled: str) -> None:
    assert canonical(written) == spelled


@pytest.mark.parametrize("written", ["", "e", "en-", "en--US", "englishlanguage", "en US", "en-a", "12", "de-ö"])
def test_what_is_not_a_tag_is_refused(written: str) -> None:
    with pytest.raises(ValueError, match="BCP-47"):
        canonical(written)


@given(st.sampled_from(["en", "de-at", "zh_hant_tw", "es-419", "de-1996", "en-x-ab"]))
def test_spelling_twice_is_always_spelling_once(written: str) -> None:
    assert canonical(canonical(written)) == canonical(written)
