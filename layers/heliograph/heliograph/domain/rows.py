"""The one way in which CSV files are read and written: segments, imports, exports.

UTF-8 with or without BOM, `,` `;` or tab, quoted line breaks, CRLF, a header. A row that cannot be read has a problem
and no values; the rest goes on.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from heliograph.domain.errors import MalformedError
from heliograph.domain.model import Value

DELIMITERS = ",;\t"
FIELD_LIMIT = 131_072  # characters; the csv module's own default
QUOTED = re.compile(r'"[^"]*"')
NOT_UTF_8 = re.compile("[\ud800-\udfff]")
"""What is left of wrong bytes when a file is read with `errors="surrogateescape"`."""
FORMULA = re.compile(r"'*[=+\-@]")
GUARDED = re.compile(r"'+[=+\-@]")


class Row(Value, frozen=True, kw_only=True):
    """A row by column name; `problem` says why it could not be read."""

    number: int
    """As a spreadsheet counts: the header is row 1."""
    values: dict[str, str] = {}
    problem: str = ""


class Table(NamedTuple):
    """The columns of a file, and its records by row number: their cells, or why they cannot be read."""

    columns: list[str]
    records: Iterator[tuple[int, list[str] | str]]


def read_rows(lines: Iterable[str], *, required: str = "") -> Iterator[Row]:
    """The rows of a file given by its lines, line ends included.

    Raises MalformedError when there is no header, or when it lacks the required column.
    """
    columns, records = read_table(lines, required=required)
    for number, cells in records:
        if isinstance(cells, str):
            yield Row(number=number, problem=cells)
        else:
            yield Row(number=number, values=dict(zip(columns, cells, strict=True)))


def read_table(lines: Iterable[str], *, required: str = "") -> Table:
    """The same without names at every cell: for files of millions of rows."""
    rest = iter(lines)
    first = next(rest, "").removeprefix("\ufeff")
    records = _records(chain([first], rest), delimiter=_delimiter(first))
    header = _header(next(records, []))
    if required and required not in header:
        raise MalformedError("row 1", f"there is no column {required}")
    return Table(header, _read(header, records))


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: `read_rows` gives the original back."""
    return f"'{cell}" if FORMULA.match(cell) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if GUARDED.match(cell) else cell


def _delimiter(first: str) -> str:
    outside_quotes = QUOTED.sub("", first)
    return max(DELIMITERS, key=outside_quotes.count)


def _records(lines: Iterator[str], *, delimiter: str) -> Iterator[list[str] | csv.Error]:
    """Records and, in the place of those that cannot be read, the reason: reading goes on at the next line."""
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        try:
            yield from reader
        except csv.Error as error:
            yield error
        else:
            return


def _header(record: list[str] | csv.Error) -> list[str]:
    if isinstance(record, csv.Error):
        raise MalformedError("row 1", _said(record))
    names = [_unguarded(name.strip()) for name in record]
    if not any(names):
        raise MalformedError("row 1", "a header is required")
    for column, name in enumerate(names, start=1):
        if not name:
            raise MalformedError(f"row 1, column {column}", "has no name")
        if _is_not_text(name):
            raise MalformedError(f"row 1, column {column}", "is not UTF-8 text")
    doubled = [name for name, times in Counter(names).items() if times > 1]
    if doubled:
        raise MalformedError(f"row 1, column {names.index(doubled[0]) + 1}", "its name stands there twice")
    return names


def _read(header: list[str], records: Iterable[list[str] | csv.Error]) -> Iterator[tuple[int, list[str] | str]]:
    """Records that are not blank. Nearly all have nothing in them to look at cell by cell."""
    columns = len(header)
    for number, record in enumerate(records, start=2):
        if not record:
            continue
        if type(record) is list and len(record) == columns:
            text = "".join(record)
            if text.isascii() and "\0" not in text and "'" not in text:
                yield number, record
                continue
        yield number, _cells(header, record)


def _cells(header: list[str], record: list[str] | csv.Error) -> list[str] | str:
    if isinstance(record, csv.Error):
        return _said(record)
    if len(record) != len(header):
        return f"has {len(record)} cells, the header has {len(header)}"
    for name, cell in zip(header, record, strict=True):
        if _is_not_text(cell):
            return f"column {name} is not UTF-8 text"
    return [_unguarded(cell) for cell in record]


def _is_not_text(cell: str) -> bool:
    return "\0" in cell or NOT_UTF_8.search(cell) is not None


def _said(error: csv.Error) -> str:
    """The csv module's reason in the reader's terms."""
    said = str(error)
    if "field limit" in said:
        return f"a cell is longer than {FIELD_LIMIT} characters (or a quote is never closed)"
    if "unexpected end" in said:
        return "a quote is never closed"
    return "its quotes are not closed where a cell ends"
