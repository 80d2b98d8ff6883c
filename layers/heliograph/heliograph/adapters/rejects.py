"""The reject file of a segment: the rows that were refused, with their column and reason."""

from __future__ import annotations

import csv
import io
import tempfile
from types import TracebackType
from typing import IO

from heliograph.domain.segments import Problem


class Rejects:
    """The problems of a segment, in a temporary file (`with` removes it)."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - closed by __exit__
        self._text = io.TextIOWrapper(self._file, encoding="utf-8", newline="", write_through=True)
        self._rows = csv.writer(self._text)
        self._rows.writerow(["row", "column", "reason"])
        self.refused = 0

    def __enter__(self) -> Rejects:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._text.close()

    def refuse(self, problem: Problem) -> None:
        """Write a problem down, and count it."""
        self.refused += 1
        self._rows.writerow(problem)

    def file(self) -> IO[bytes]:
        """The file, from its beginning."""
        self._text.flush()
        self._file.seek(0)
        return self._file
