"""The rows of a CSV file as people make them: any of three delimiters, quoted line breaks, a header, and bad rows."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from heliograph.domain.errors import MalformedError

DELIMITERS = ",;\t"
FIELD_LIMIT = 131_072  # characters: the csv module's own default


class Problem(NamedTuple):
    """Why a row or a field of it was refused; never quotes it."""

    row: int
    column: str
    reason: str


class Row(NamedTuple):
    """A row: its number as spreadsheets count (the header is row 1), and its cells by column; or its problem."""

    number: int
    values: dict[str, str]
    problem: Problem | None = None


def read_rows(lines: Iterable[str]) -> Iterator[Row]:
    """Read a CSV row by row. A row that cannot be read costs only itself.

    Lines keep their ends; text is decoded from UTF-8 with `errors="surrogateescape"`, so that a row in another encoding is
    refused alone. Raises MalformedError when there is no usable header.
    """
    lines = iter(lines)
    first = next(lines, "").removeprefix("\ufeff")
    delimiter = max(DELIMITERS, key=first.count)
    reader = csv.reader(chain([first], lines), delimiter=delimiter)
    header = _header(reader)
    yield from _rows(reader, header)


def header_of(lines: Iterable[str]) -> tuple[str, ...]:
    """The names of the columns; raises MalformedError when there is no usable header."""
    first = next(iter(lines), "").removeprefix("\ufeff")
    return _header(csv.reader([first], delimiter=max(DELIMITERS, key=first.count)))


def _header(reader: Iterator[list[str]]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in next(reader, ()))
    if not any(names):
        raise MalformedError("row 1", "the file has no header: its first row must name the columns")
    for position, name in enumerate(names, start=1):
        if not name:
            raise MalformedError("row 1", f"column {position} has no name")
        if names.index(name) < position - 1:
            raise MalformedError("row 1", f"columns {names.index(name) + 1} and {position} have the same name")
    if not _is_text(names):
        raise MalformedError("row 1", "the file is not UTF-8: save it as CSV UTF-8")
    return names


def _rows(reader: Iterator[list[str]], header: tuple[str, ...]) -> Iterator[Row]:
    number, width = 1, len(header)
    while True:
        number += 1
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield _refused(number, "", f"a field has more than {FIELD_LIMIT:,} characters: is a quote left open?")
            continue
        if not cells:
            continue
        if len(cells) != width:
            yield _refused(number, "", f"the row has {len(cells)} cells, the header has {width}")
        elif not _is_text(cells):
            yield _refused(number, "", "the row is not UTF-8 text")
        else:
            yield Row(number, dict(zip(header, cells, strict=True)))


def _refused(number: int, column: str, reason: str) -> Row:
    return Row(number, {}, Problem(number, column, reason))


def _is_text(cells: Iterable[str]) -> bool:
    """Whether cells are text: no NUL, and nothing that was not UTF-8."""
    text = "".join(cells)
    if "\0" in text:
        return False
    if text.isascii():
        return True
    return not any("\ud800" <= character <= "\udfff" for character in text)
