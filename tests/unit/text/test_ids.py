"""Ids are derived, sort by time, and fit into the alphabet of provider tags."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.text import ids

TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))


@given(TIMES, st.lists(st.text(), max_size=3))
def test_what_is_derived_from_the_same_is_the_same_identifier(at: datetime, parts: list[str]) -> None:
    derived = ids.derived_id(at, *parts)
    assert derived == ids.derived_id(at, *parts)
    assert len(derived) == 26
    assert ids.is_identifier(ids.dispatch_id(derived, 12))


@given(TIMES, TIMES, st.text(), st.text())
def test_ids_always_sort_by_time(one: datetime, other: datetime, part: str, another: str) -> None:
    if int(one.timestamp() * 1000) < int(other.timestamp() * 1000):
        assert ids.derived_id(one, part) < ids.derived_id(other, another)


@given(st.lists(st.text(), max_size=3), st.lists(st.text(), max_size=3))
def test_what_is_derived_from_something_else_is_another(parts: list[str], others: list[str]) -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    same = "\x1f".join(parts) == "\x1f".join(others)
    assert (ids.derived_id(at, *parts) == ids.derived_id(at, *others)) is same


@pytest.mark.parametrize("text", ["", "a b", "a@b", "ä", "a" * 129, "a\n"])
def test_what_no_provider_would_carry_is_no_identifier(text: str) -> None:
    assert not ids.is_identifier(text)


def test_a_place_names_its_pack_and_slot() -> None:
    pack_id = ids.derived_id(datetime(2026, 11, 21, tzinfo=UTC), "pack")
    assert ids.split_outcome_key(ids.outcome_key(pack_id, 99)) == (pack_id, 99)
    assert ids.split_outcome_key(ids.outcome_key(ids.of_fallbacks(pack_id), 0)) == (ids.of_fallbacks(pack_id), 0)


@given(TIMES, st.lists(st.text(), max_size=2), st.text())
def test_many_ids_of_one_beginning_are_the_same_as_each_derived_alone(
    at: datetime, beginning: list[str], last: str
) -> None:
    assert ids.deriving(at, *beginning)(last) == ids.derived_id(at, *beginning, last)
