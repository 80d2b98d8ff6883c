"""Import recipients from a file on disk; what is refused is listed beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from heliograph.campaigns.spool import RejectedRows
from heliograph.people.importing.work import Save, Terms, checked, import_people
from heliograph_cli.campaign_folder import chunks

REJECTED = ".rejected.csv"


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


def import_file(path: Path, save: Save, terms: Terms, *, advance: Callable[[int], None]) -> Summary:
    """Import a CSV file in the memory of a few packs; `advance` is told how many bytes were read so far.

    Raises MalformedError when the file is refused whole; then nobody was saved.
    """
    rejected = path.with_name(path.name + REJECTED)
    rejected.unlink(missing_ok=True)
    file = checked(partial(chunks, path), terms)
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
    for chunk in chunks(path):
        position += len(chunk)
        yield chunk
        advance(position)
