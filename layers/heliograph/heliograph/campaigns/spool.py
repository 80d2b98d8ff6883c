"""What a segment comes to, on disk until all of it was read: its packs, its people, and the rows that were refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from tempfile import TemporaryFile
from types import TracebackType
from typing import IO, Final

from heliograph.model.requests import RequestPack
from heliograph.text.csv import Refused, rejected_header, rejected_row
from heliograph.text.errors import Code, MalformedError

SIZE: Final = 4  # bytes of the length before each pack
SPOOL_LIMIT: Final = 8 << 30
"""Bytes of packs: the function has 10 GB of disk for them, the people and the refused rows."""


class RejectedRows:
    """A list of refused rows, as it grows."""

    def __init__(self, file: IO[bytes], columns: Sequence[str]) -> None:
        self.count = 0
        self._file = file
        self._columns = columns
        self._text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
        self._rows = csv.writer(self._text)
        self._rows.writerow(rejected_header(columns))

    def add(self, refused: Refused) -> None:
        """Write a row down, and count it."""
        self.count += 1
        self._rows.writerow(rejected_row(self._columns, refused))

    def file(self) -> IO[bytes]:
        """The list, from its beginning."""
        self._text.flush()
        self._file.seek(0)
        return self._file


class Spool:
    """The packs and people of a segment, in temporary files (`with` removes them)."""

    def __init__(self) -> None:
        self._files = ExitStack()
        self._packs = self._file()
        self._people = self._file()
        self._size = 0
        self.people = 0

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Remove the files."""
        self._files.close()

    def rejected(self, columns: Sequence[str]) -> RejectedRows:
        """A new list of refused rows."""
        return RejectedRows(self._file(), columns)

    def add(self, pack: RequestPack, text: bytes) -> None:
        """Keep a pack of a segment's people, as it travels; raises MalformedError when there is no room for it."""
        assert pack.segment is not None
        place = pack.segment.columns.index("recipient_id")
        self._size += SIZE + len(text)
        if self._size > SPOOL_LIMIT:
            raise MalformedError(
                Code.FILE_TOO_LARGE,
                "segment",
                f"takes more than {SPOOL_LIMIT} bytes as packs: make it several campaigns",
            )
        self._packs.write(len(text).to_bytes(SIZE))
        self._packs.write(text)
        self._people.write("\n".join([row[place] for row in pack.segment.rows] + [""]).encode())
        self.people += len(pack.segment.rows)

    def bodies(self) -> Iterator[bytes]:
        """The packs as they travel, in their order."""
        self._packs.seek(0)
        while size := self._packs.read(SIZE):
            yield self._packs.read(int.from_bytes(size))

    def names(self) -> IO[bytes]:
        """The ids of the people, a line each."""
        self._people.seek(0)
        return self._people

    def _file(self) -> IO[bytes]:
        return self._files.enter_context(TemporaryFile())
