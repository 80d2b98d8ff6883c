"""The hottest key of millions is found in the memory of a few."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws import heavy


@pytest.fixture(autouse=True, scope="module")
def few() -> object:
    """Room for eight keys."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heavy, "COUNTERS", 8)
        yield


@given(st.lists(st.tuples(st.sampled_from("abcdefghijklmnopqrstuvwxyz"), st.integers(1, 5)), max_size=200))
def test_what_went_to_the_hottest_key_is_known_but_for_an_eighth_of_all(amounts: list[tuple[str, int]]) -> None:
    seen, sums = heavy.Heavy(), Counter[str]()
    for key, amount in amounts:
        seen.add(key, amount)
        sums[key] += amount
    found = seen.hottest()
    assert found.all == sums.total()
    assert found.most <= sums[found.key]
    assert max(sums.values(), default=0) - found.most <= found.all / heavy.COUNTERS
