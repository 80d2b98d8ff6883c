"""The one way in which CSV files are read and written: segments, imports, exports, and lists of what was refused.

`,` `;` or tab, `sep=`, quoted line breaks, any line ends, a header. A row that cannot be read is refused with its
reason and the rest goes on; a quote that swallows rows refuses the file, with the row where it opens.
"""

from __future__ import annotations

import csv
import io
import re
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import NamedTuple, Protocol

import msgspec

from heliograph.model.values import Value
from heliograph.text.errors import Code, MalformedError
from heliograph.text.ids import is_identifier
from heliograph.text.lines import LINE_LIMIT, OVERLONG

DELIMITERS = ",;\t"
FIELD_LIMIT = 131_072  # characters; the csv module's own default
BLOCK = 100  # lines that are looked at together
COLUMN_LIMIT = 500
ROW_LIMIT = 100_000  # bytes of its cells as JSON: a request travels in less than 200,000, with names and data
LONG_ROW = ROW_LIMIT // 6  # characters; JSON spells a control character with six
HEADER_LIMIT = 16_384  # bytes of all names: every pack of rows carries them
QUOTED = re.compile(r'"[^"]*"')
SEPARATOR = re.compile(r'"?sep=([,;\t])"?[\r\n]*', re.IGNORECASE)
"""The first line that Excel writes and reads to name the delimiter; no row of the table."""
NOT_TEXT = re.compile("[\0\ud800-\udfff]")
APART = "\x1f"
"""What stands between cells that are looked at together."""
ODD = ("\n", "\r", "\0", f"{APART}'")
"""What has a row looked at cell by cell: a line break, what is no text, a cell that may be guarded."""
BREAK = re.compile(r"\r\n|\r|\n")
FORMULA = re.compile(r"'*(?:[\t\r\n]|[\s\ufeff\u200b]*[=+\-@＝＋－＠])")
GUARDED = re.compile(r"'+(?:[\t\r\n]|[\s\ufeff\u200b]*[=+\-@＝＋－＠])")

REASONS = ("rejected.row", "rejected.column", "rejected.reason", "rejected.text")
"""The columns that a list of refused rows has beside its own; such a list, mended, is read without them."""


class Refused(NamedTuple):
    """A row that was refused: where and why, and what stood in it."""

    row: int
    """As a spreadsheet counts: the header is row 1."""
    column: str
    reason: str
    """Never quotes what stood there."""
    cells: Sequence[str] = ()
    text: str = ""
    """The line, when it has no cells that fit the columns."""


class Row(Value, frozen=True, kw_only=True):
    """A row by column name, or why it could not be read."""

    number: int
    values: dict[str, str] = {}
    refused: Refused | None = None


Block = tuple[int, list[list[str]] | Refused]
"""The number of a row, and the cells of it and of those that follow; or why it cannot be read."""


class Table(NamedTuple):
    """The columns of a file, and its rows, some at a time: for files of millions of rows."""

    columns: list[str]
    blocks: Iterator[Block]

    def records(self) -> Iterator[tuple[int, list[str] | Refused]]:
        """Row by row."""
        for number, rows in self.blocks:
            if isinstance(rows, Refused):
                yield number, rows
            else:
                yield from enumerate(rows, number)


def read_rows(lines: Iterable[str], *, required: str = "") -> Iterator[Row]:
    """The rows of a file given by its lines, line ends included.

    Raises MalformedError when there is no header, when it lacks the required column, or on the way when a quote
    swallows rows.
    """
    table = read_table(lines, required=required)
    for number, cells in table.records():
        if isinstance(cells, Refused):
            yield Row(number=number, refused=cells)
        else:
            yield Row(number=number, values=dict(zip(table.columns, cells, strict=True)))


def read_table(lines: Iterable[str], *, required: str = "") -> Table:
    """The same without names at every cell."""
    rest = iter(lines)
    delimiter, first = _begin(rest)
    given = _Given(chain([first], rest))
    reader = _reader(given, delimiter)
    header = _header(reader)
    if required and required not in header:
        raise MalformedError(Code.NO_COLUMN, "row 1", f"there is no column {required}")
    key = header.index(required) if required else None
    blocks = _Records(reader, given, delimiter, header, key).read()
    own = [index for index, name in enumerate(header) if name not in REASONS]
    if len(own) == len(header):
        return Table(header, blocks)
    return Table([header[index] for index in own], _without(blocks, own))


def _reader(lines: Iterable[str], delimiter: str) -> CsvReader:
    return csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)


def _begin(lines: Iterator[str]) -> tuple[str, str]:
    """The delimiter, which a line `sep=;` of its own may name, and the line of the header."""
    first = next(lines, "").removeprefix("\ufeff")
    if separator := SEPARATOR.fullmatch(first):
        return separator[1], next(lines, "")
    return _delimiter(first), first


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: `read_rows` gives the original back."""
    return f"'{cell}" if FORMULA.match(cell) else cell


def rejected_header(columns: Iterable[str]) -> list[str]:
    """The header of a list of refused rows of a file with such columns."""
    return [*map(guarded, columns), *REASONS]


def rejected_row(columns: Sequence[str], refused: Refused) -> list[str]:
    """A refused row as it stood, and why: to be mended, and read again."""
    cells = list(refused.cells) if len(refused.cells) == len(columns) else [""] * len(columns)
    told = [str(refused.row), refused.column, refused.reason, refused.text]
    return [guarded(cell) for cell in (*cells, *told)]


def _unguarded(cell: str) -> str:
    return cell[1:] if GUARDED.match(cell) else cell


def _delimiter(first: str) -> str:
    outside_quotes = QUOTED.sub("", first)
    return max(DELIMITERS, key=outside_quotes.count)


def _header(reader: Iterator[list[str]]) -> list[str]:
    try:
        record = next(reader, [])
    except csv.Error as error:
        raise MalformedError(Code.BAD_HEADER, "row 1", _said(error)) from None
    if any("\n" in name or "\r" in name for name in record):
        raise MalformedError(Code.OPEN_QUOTE, "row 1", "a quote that opens here is closed in a later line only")
    names = [_unguarded(name.strip()) for name in record]
    if not any(names):
        raise MalformedError(Code.NO_HEADER, "row 1", "a header is required")
    if len(names) > COLUMN_LIMIT:
        raise MalformedError(Code.BAD_HEADER, "row 1", f"has {len(names)} columns; at most {COLUMN_LIMIT} are read")
    for column, name in enumerate(names, start=1):
        if not name:
            raise MalformedError(Code.BAD_HEADER, f"row 1, column {column}", "has no name")
        if NOT_TEXT.search(name):
            raise MalformedError(Code.BAD_HEADER, f"row 1, column {column}", "has a character that is no text")
    if len("".join(names).encode()) > HEADER_LIMIT:
        raise MalformedError(Code.BAD_HEADER, "row 1", f"the names take more than {HEADER_LIMIT} bytes")
    doubled = [name for name, times in Counter(names).items() if times > 1]
    if doubled:
        raise MalformedError(
            Code.BAD_HEADER, f"row 1, column {names.index(doubled[0]) + 1}", "its name stands there twice"
        )
    return names


class CsvReader(Protocol):
    """What csv.reader makes."""

    @property
    def line_num(self) -> int: ...
    def __iter__(self) -> Iterator[list[str]]: ...
    def __next__(self) -> list[str]: ...


class _Given:
    """The lines of a file, some of them a second time."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self._again: deque[str] = deque()
        self.last = ""
        """The one that was read last, one by one."""

    def __iter__(self) -> _Given:
        return self

    def __next__(self) -> str:
        self.last = self._again.popleft() if self._again else next(self._lines)
        return self.last

    def take(self) -> list[str]:
        """The next lines at once; none at the end."""
        return list(islice(self._lines, BLOCK))

    def give_back(self, lines: list[str]) -> None:
        """Lines that were taken, to be read one by one."""
        self._again.extend(lines)

    @property
    def has_more_again(self) -> bool:
        """Whether there are such."""
        return bool(self._again)


class _Records:
    """The records of a file below its header.

    They are looked at by the hundred. A hundred in which there is anything unusual is read again, row by row.
    """

    def __init__(self, reader: CsvReader, given: _Given, delimiter: str, header: list[str], key: int | None) -> None:
        self._reader = reader
        self._given = given
        self._delimiter = delimiter
        self._header = header
        self._key = key
        self._number = 1
        """Of the row that was read last."""
        self._extra = 0
        """How many lines were read, one by one, beyond one a row."""

    def read(self) -> Iterator[Block]:
        """Those that are not blank."""
        while lines := self._given.take():
            if rows := self._plain(lines):
                yield self._number + 1, rows
                self._number += len(rows)
                self._extra -= len(rows)
            else:
                self._given.give_back(lines)
                yield from self._one_by_one()

    def _plain(self, lines: list[str]) -> list[list[str]]:
        """The rows of some lines; none when there is anything to look at cell by cell."""
        try:
            rows = list(_reader(lines, self._delimiter))
        except csv.Error:
            return []
        if len(rows) != len(lines) or {*map(len, rows)} != {len(self._header)} or max(map(len, lines)) > LONG_ROW:
            return []
        text = APART + APART.join(chain.from_iterable(rows))
        return [] if any(odd in text for odd in ODD) or not (text.isascii() or not NOT_TEXT.search(text)) else rows

    def _one_by_one(self) -> Iterator[Block]:
        """What was given back, and what the last row of it swallows."""
        while self._given.has_more_again:
            try:
                record = next(self._reader, None)
            except csv.Error as error:
                self._number += 1
                yield self._number, self._refused(self._number, error)
                continue
            if record is None:
                return
            self._number += 1
            if record:
                looked_at = self._looked_at(self._number, record)
                yield self._number, looked_at if isinstance(looked_at, Refused) else [looked_at]

    def _looked_at(self, number: int, record: list[str]) -> list[str] | Refused:
        """A record cell by cell: its original cells, or why it cannot be read."""
        self._extra = self._reader.line_num - number
        if any(self._is_swallowed(record, index) for index in range(len(record))):
            raise _swallowing(number)
        if record == [OVERLONG]:
            return Refused(number, "", f"is longer than {LINE_LIMIT} characters")
        if len(record) != len(self._header):
            reason = f"has {len(record)} cells, the header has {len(self._header)}"
            return Refused(number, "", reason, (), self._written(record))
        for name, cell in zip(self._header, record, strict=True):
            if NOT_TEXT.search(cell):
                return Refused(number, name, "has a character that is no text", record)
        if len(msgspec.json.encode(record)) > ROW_LIMIT:
            return Refused(number, "", f"takes more than {ROW_LIMIT} bytes", record)
        return [_unguarded(cell) for cell in record]

    def _is_swallowed(self, record: list[str], index: int) -> bool:
        """Whether there are rows within a cell: lines of as many cells as the header, an identifier among them.

        Prose has a space behind its commas.
        """
        cell = record[index]
        if self._key is None or ("\n" not in cell and "\r" not in cell):
            return False
        _, *lines = BREAK.split(cell)
        behind = len(record) - 1 - index
        for line in lines:
            cells = line.split(self._delimiter)
            key = cells[self._key].strip('"') if self._key < len(cells) else ""
            wanted = len(self._header) - (behind if line is lines[-1] else 0)
            if len(cells) == wanted and is_identifier(key) and not any(each.startswith(" ") for each in cells):
                return True
        return False

    def _refused(self, number: int, error: csv.Error) -> Refused:
        """A line that cannot be read costs one row; a quote that was open over several lines costs the file."""
        lines = self._reader.line_num - (number - 1) - self._extra
        self._extra = self._reader.line_num - number
        if lines > 1:
            raise _swallowing(number)
        return Refused(number, "", _said(error), (), self._last())

    def _written(self, record: list[str]) -> str:
        """A record as one text."""
        text = io.StringIO(newline="")
        csv.writer(text, delimiter=self._delimiter, lineterminator="").writerow(record)
        return text.getvalue()[:FIELD_LIMIT]

    def _last(self) -> str:
        return self._given.last.rstrip("\r\n")[:FIELD_LIMIT]


def _without(blocks: Iterator[Block], own: list[int]) -> Iterator[Block]:
    """Rows without the columns in which an earlier list said why they were refused."""
    for number, rows in blocks:
        if isinstance(rows, Refused):
            yield number, rows._replace(cells=[rows.cells[index] for index in own] if rows.cells else ())
        else:
            yield number, [[cells[index] for index in own] for cells in rows]


def _swallowing(number: int) -> MalformedError:
    return MalformedError(
        Code.OPEN_QUOTE,
        f"row {number}",
        "a quote that opens here is not closed where its cell ends, and swallows the rows below",
    )


def _said(error: csv.Error) -> str:
    """The csv module's reason in the reader's terms."""
    said = str(error)
    if "field limit" in said:
        return f"a cell is longer than {FIELD_LIMIT} characters"
    if "unexpected end" in said:
        return "a quote is never closed"
    return "its quotes are not closed where a cell ends"
