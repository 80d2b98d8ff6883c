"""The one way of reading and writing CSV."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.text.csv import FIELD_LIMIT, Row, guarded, read_rows
from heliograph.text.errors import MalformedError

CELL = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)


def rows(text: str) -> list[Row]:
    return list(read_rows(io.StringIO(text, newline="")))


def test_rows_are_counted_as_a_spreadsheet_counts_them() -> None:
    assert [row.number for row in rows("id\na\n\nb\n")] == [2, 4]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_read_from_the_header(delimiter: str) -> None:
    assert rows(f"id{delimiter}name\na{delimiter}Ana\n")[0].values == {"id": "a", "name": "Ana"}


def test_a_delimiter_in_a_quoted_name_does_not_count() -> None:
    assert rows('"a,b,c";d\n1;2\n')[0].values == {"a,b,c": "1", "d": "2"}


def test_a_byte_order_mark_is_no_part_of_the_first_name() -> None:
    assert rows("\ufeffid\r\na\r\n")[0].values == {"id": "a"}


def test_quoted_line_breaks_stay_in_the_cell() -> None:
    assert rows('id,note\r\na,"one\r\ntwo"\r\n')[0].values["note"] == "one\r\ntwo"


@pytest.mark.parametrize(
    "bad", ["a,b,c", "a", 'a,"b"c', "a,\0", "a,\udcff", f"a,{'x' * (FIELD_LIMIT + 1)}"], ids=range(6)
)
def test_a_bad_row_costs_only_itself(bad: str) -> None:
    good, refused, after = rows(f"id,name\n1,Ana\n{bad}\n2,Bo\n")
    assert refused.refused
    assert not refused.values
    assert [good.values["id"], after.values["id"]] == ["1", "2"]


def test_a_quote_that_is_never_closed_is_a_problem_and_not_a_silent_merge() -> None:
    with pytest.raises(MalformedError, match="row 2: a quote that opens here"):
        rows('id,name\n0,Al\n1,"Ana\n2,Bo\n'.replace("0,Al\n", ""))


@pytest.mark.parametrize("header", ["", "\n", "a,a\n", "a,,b\n", '"a\n', "\udcff\udcfei\0d\n"], ids=range(6))
def test_a_header_is_required_and_its_names_are_unique(header: str) -> None:
    with pytest.raises(MalformedError, match="row 1"):
        rows(header)


@given(CELL)
def test_no_written_cell_is_ever_a_formula(cell: str) -> None:
    assert not guarded(cell).startswith(("=", "+", "-", "@"))


@given(st.lists(st.tuples(CELL, CELL), max_size=5), st.sampled_from(",;\t"))
def test_what_is_written_guarded_is_always_read_back(cells: list[tuple[str, str]], delimiter: str) -> None:
    file = io.StringIO(newline="")
    writer = csv.writer(file, delimiter=delimiter, quoting=csv.QUOTE_ALL)
    writer.writerow(["first", guarded("=second")])
    writer.writerows([guarded(cell) for cell in pair] for pair in cells)
    assert [(row.values["first"], row.values["=second"]) for row in rows(file.getvalue())] == cells
