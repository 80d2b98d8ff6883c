"""Numbers and lengths of time as people read them."""

from __future__ import annotations

import pytest

from heliograph.text.quantities import about, counted, people, span


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (counted(0, "queue"), "0 queues"),
        (counted(1, "queue"), "1 queue"),
        (counted(1_200, "queue"), "1,200 queues"),
        (counted(2, "row was", "rows were"), "2 rows were"),
        (people(1), "1 person"),
        (people(2), "2 people"),
        (span(604_800), "7 days"),
        (span(86_400), "1 day"),
        (span(5_400), "90 minutes"),
        (span(1), "1 second"),
        (about(43_200), "12 h"),
        (about(7_500), "2 h 5 min"),
        (about(2_430), "40 min 30 s"),
        (about(0.2), "0 s"),
    ],
)
def test_a_number_has_the_form_of_its_noun(text: str, expected: str) -> None:
    assert text == expected
