"""Importing people from a file: all of it is looked at, then good rows are saved in parallel, others listed."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Protocol

from heliograph.campaigns.spool import RejectedRows
from heliograph.model.policy import Policy
from heliograph.people.changes import RecipientChange, from_row
from heliograph.people.importing.columns import Doubt, doubts
from heliograph.people.importing.lanes import Lane, Save
from heliograph.text.csv import Refused, Row, read_rows, read_table
from heliograph.text.errors import Code, MalformedError
from heliograph.text.limits import PROOF
from heliograph.text.lines import Lines, Source, file_chunks, legible

LANES = 8
REJECTED = ".rejected.csv"


class Rejects(Protocol):
    """Where refused rows go."""

    def add(self, refused: Refused) -> None:
        """Take one."""
        ...


@dataclass(frozen=True)
class Terms:
    """How a file is read."""

    name: str
    """The source of consents of which the file does not say where they were given."""
    policy: Policy
    at: datetime
    region: str = ""
    """The country of phone numbers without country code; empty: the policy's."""
    encoding: str = ""
    allow: bool = False
    """Whether columns that nearly are known ones are taken as attributes."""


@dataclass(frozen=True)
class Checked:
    """A file that can be read to its end."""

    columns: list[str]
    encoding: str
    doubts: list[Doubt]


@dataclass
class Counts:
    """What an import came to."""

    rows: int = 0
    saved: int = 0
    refused_rows: int = 0
    refused_fields: int = 0


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
    allowed: list[str] = field(default_factory=list)
    """Columns that nearly are known ones, and were taken as attributes."""


def checked(source: Source, terms: Terms) -> Checked:
    """Look at all of a file before anybody is saved; raises MalformedError for one that is refused whole."""
    columns, encoding = legible(source, _columns, terms.encoding)
    found = doubts(columns, terms.policy.topics)
    if found and not terms.allow:
        named = "; ".join(f"{doubt.column} {doubt.reason}" for doubt in found)
        raise MalformedError(
            Code.DOUBTFUL_COLUMN,
            "row 1",
            f"{named}. Rename it, or keep such columns as attributes with --allow (in the bucket: allow = true)",
        )
    return Checked(columns, encoding, found)


def import_people(source: Source, file: Checked, terms: Terms, save: Save, rejects: Rejects) -> Counts:
    """Save the people of a file in the memory of a few packs; refused rows and fields are listed, the rest is saved."""
    counts, policy = Counts(), terms.policy
    read_one = partial(
        from_row,
        region=terms.region or policy.default_region,
        double_opt_in=policy.double_opt_in,
        source=f"import:{terms.name}"[:PROOF],
        at=terms.at,
    )
    with ExitStack() as closing:
        lanes = [Lane(save, closing.enter_context(ThreadPoolExecutor(1))) for _ in range(LANES)]
        for row in read_rows(Lines(source(), file.encoding), required="recipient_id"):
            counts.rows += 1
            for change in _change(row, file.columns, counts, rejects, read_one):
                lanes[zlib.crc32(change.recipient_id.encode()) % LANES].add(change)
                counts.saved += 1
        for lane in lanes:
            lane.flush()
        for lane in lanes:
            lane.wait()
    return counts


def import_file(path: Path, save: Save, terms: Terms, *, advance: Callable[[int], None]) -> Summary:
    """Import a CSV file in the memory of a few packs; `advance` is told how many bytes were read so far.

    Raises MalformedError when the file is refused whole; then nobody was saved.
    """
    rejected = path.with_name(path.name + REJECTED)
    rejected.unlink(missing_ok=True)
    file = checked(partial(file_chunks, path), terms)
    with rejected.open("w+b") as listed:
        rejects = RejectedRows(listed, file.columns)
        counts = import_people(partial(_counted, path, advance), file, terms, save, rejects)
    if not rejects.count:
        rejected.unlink()
    return Summary(
        file=str(path),
        rows=counts.rows,
        saved=counts.saved,
        refused_rows=counts.refused_rows,
        refused_fields=counts.refused_fields,
        rejected=str(rejected) if rejects.count else "",
        allowed=[doubt.column for doubt in file.doubts],
    )


def _counted(path: Path, advance: Callable[[int], None]) -> Iterator[bytes]:
    position = 0
    for chunk in file_chunks(path):
        position += len(chunk)
        yield chunk
        advance(position)


def _columns(lines: Lines) -> list[str]:
    """The columns of a file, all of which can be read."""
    columns, blocks = read_table(lines, required="recipient_id")
    for _ in blocks:
        pass
    return columns


def _change(
    row: Row,
    columns: list[str],
    counts: Counts,
    rejects: Rejects,
    read_one: Callable[[Mapping[str, str]], RecipientChange],
) -> Iterator[RecipientChange]:
    """What a row says about a person; nothing when all of it is refused."""
    cells = [row.values.get(name, "") for name in columns]
    if row.refused:
        counts.refused_rows += 1
        rejects.add(row.refused)
        return
    try:
        change = read_one(row.values)
    except MalformedError as error:
        counts.refused_rows += 1
        rejects.add(Refused(row.number, error.position, error.reason, cells))
        return
    if change.problems:
        counts.refused_fields += len(change.problems)
        columns_of_them = " ".join(problem.column for problem in change.problems)
        reasons = "; ".join(f"{problem.column}: {problem.reason}" for problem in change.problems)
        rejects.add(Refused(row.number, columns_of_them, reasons, cells))
    yield change
