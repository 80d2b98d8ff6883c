"""A campaign folder on disk, checked before anything is uploaded: `campaign.toml` and its segment."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from heliograph.campaigns.segments import MANIFEST, read_campaign
from heliograph.text import ids
from heliograph.text.csv import Refused, read_table
from heliograph.text.errors import Code, MalformedError
from heliograph.text.lines import Lines, file_chunks, legible


@dataclass(frozen=True)
class Folder:
    """A campaign that can be submitted; its name is the folder's."""

    name: str
    message: str
    manifest: Path
    segment: Path


def read_folder(directory: Path, *, messages: Collection[str] = ()) -> Folder:
    """Check a campaign folder, of these messages if they are known; raises MalformedError with position and reason."""
    directory = directory.resolve()
    if not ids.is_identifier(directory.name):
        raise MalformedError(
            Code.BAD_CAMPAIGN_NAME, directory.name, "a campaign's folder name has 1 to 128 letters, digits, _ or -"
        )
    manifest = directory / MANIFEST
    if not manifest.is_file():
        raise MalformedError(Code.FILE_MISSING, MANIFEST, "is missing from the folder")
    campaign = read_campaign(manifest.read_bytes())
    if messages and campaign.message not in messages:
        raise MalformedError(
            Code.CAMPAIGN_MESSAGE_UNKNOWN, f"{MANIFEST}: message", f"is none of {', '.join(sorted(messages))}"
        )
    segment = directory / campaign.segment
    _check_segment(segment, campaign.encoding)
    return Folder(name=directory.name, message=campaign.message, manifest=manifest, segment=segment)


def _check_segment(segment: Path, encoding: str) -> None:
    if not segment.is_file():
        raise MalformedError(Code.FILE_MISSING, segment.name, "is missing from the folder")
    try:
        readable, _ = legible(partial(file_chunks, segment), _has_people, encoding)
    except MalformedError as error:
        raise MalformedError(error.code, f"{segment.name}, {error.position}", error.reason) from error
    if not readable:
        raise MalformedError(Code.NO_ROWS, segment.name, "has no row that can be read")


def _has_people(lines: Lines) -> bool:
    """Whether a file has a row that can be read; all of them are looked at."""
    table = read_table(lines, required="recipient_id")
    return sum(not isinstance(cells, Refused) for _, cells in table.records()) > 0
