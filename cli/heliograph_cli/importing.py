"""Import recipients from a file: good rows are saved in parallel, what is refused is listed beside the file."""

from __future__ import annotations

import csv
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from io import TextIOWrapper
from pathlib import Path
from typing import IO

from heliograph.domain.errors import MalformedError
from heliograph.domain.recipients import PROOF_LIMIT, RecipientChange, from_row
from heliograph.domain.rows import Row, guarded, read_rows

LANES = 8
PACK = 25  # people saved in one call
REJECTED = ".rejected.csv"

Save = Callable[[list[RecipientChange]], object]
Refuse = Callable[[int, str, str], None]


@dataclass(frozen=True)
class Summary:
    """What an import came to."""

    file: str
    rows: int
    saved: int
    refused_rows: int
    refused_fields: int
    rejected: str
    """The file that lists what was refused; empty when nothing was."""


@dataclass
class Rejects:
    """The list of what was refused, written as it grows; no file when nothing is."""

    path: Path
    closing: ExitStack
    rows: int = 0
    fields: int = 0
    _file: IO[str] | None = None

    def add(self, number: int, column: str, reason: str) -> None:
        """Refuse a field, or with no column a whole row."""
        if self._file is None:
            self._file = self.closing.enter_context(self.path.open("w", encoding="utf-8", newline=""))
            csv.writer(self._file).writerow(["row", "column", "reason"])
        csv.writer(self._file).writerow([number, guarded(column), guarded(reason)])


@dataclass
class Lane:
    """Saves packs one after the other, so that two rows about one person keep their order."""

    save: Save
    worker: ThreadPoolExecutor
    pack: dict[str, RecipientChange] = field(default_factory=dict)
    busy: Future[object] | None = None

    def add(self, change: RecipientChange) -> None:
        """Take a person; at most one pack waits while another is being saved."""
        if change.recipient_id in self.pack or len(self.pack) == PACK:
            self.flush()
        self.pack[change.recipient_id] = change

    def flush(self) -> None:
        """Hand the pack over; raises what went wrong with the one before."""
        self.wait()
        if self.pack:
            self.busy = self.worker.submit(self.save, list(self.pack.values()))
        self.pack = {}

    def wait(self) -> None:
        """Until nothing is being saved."""
        if self.busy is not None:
            self.busy.result()
        self.busy = None


def import_file(
    path: Path,
    save: Save,
    *,
    region: str,
    double_opt_in: Collection[str],
    at: datetime,
    advance: Callable[[int], None],
) -> Summary:
    """Import a CSV file in the memory of a few packs; `advance` is told how many bytes were read so far.

    Raises MalformedError when the header cannot be read or names no `recipient_id`.
    """
    rejected = path.with_name(path.name + REJECTED)
    rejected.unlink(missing_ok=True)
    read = saved = 0
    with ExitStack() as closing:
        rejects = Rejects(rejected, closing)
        read_one = partial(
            from_row, region=region, double_opt_in=double_opt_in, source=f"import:{path.name}"[:PROOF_LIMIT], at=at
        )
        file = closing.enter_context(path.open("rb"))
        lanes = [Lane(save, closing.enter_context(ThreadPoolExecutor(1))) for _ in range(LANES)]
        text = TextIOWrapper(file, encoding="utf-8", errors="surrogateescape", newline="")
        for row in read_rows(text, required="recipient_id"):
            read += 1
            for change in _change(row, rejects, read_one):
                lanes[zlib.crc32(change.recipient_id.encode()) % LANES].add(change)
                saved += 1
            advance(file.tell())
        _finish(lanes)
    kept = str(rejected) if rejected.exists() else ""
    return Summary(str(path), read, saved, rejects.rows, rejects.fields, kept)


def _change(
    row: Row, rejects: Rejects, read_one: Callable[[Mapping[str, str]], RecipientChange]
) -> Iterator[RecipientChange]:
    """What a row says about a person; nothing when all of it is refused."""
    try:
        if row.problem:
            raise MalformedError("", row.problem)
        change = read_one(row.values)
    except MalformedError as error:
        rejects.rows += 1
        rejects.add(row.number, error.place, error.reason)
        return
    for problem in change.problems:
        column, _, reason = problem.partition(": ")
        rejects.fields += 1
        rejects.add(row.number, column, reason)
    yield change


def _finish(lanes: list[Lane]) -> None:
    for lane in lanes:
        lane.flush()
    for lane in lanes:
        lane.wait()
