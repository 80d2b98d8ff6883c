"""A campaign folder on disk, checked before anything is uploaded: `campaign.toml` and its segment."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from heliograph.campaigns.segments import MANIFEST, read_campaign
from heliograph.model.policy import Policy
from heliograph.text import ids
from heliograph.text.csv import Refused, read_table
from heliograph.text.errors import Code, MalformedError
from heliograph.text.lines import Lines, legible
from heliograph_cli.local.cloud import ROOT

CHUNK = 1 << 17  # bytes
COMPILED = ROOT / "build" / "templates"


@dataclass(frozen=True)
class Folder:
    """A campaign that can be submitted; its name is the folder's."""

    name: str
    message: str
    manifest: Path
    segment: Path


def read_folder(directory: Path) -> Folder:
    """Check a campaign folder; raises MalformedError with the place and reason."""
    directory = directory.resolve()
    if not ids.is_identifier(directory.name):
        raise MalformedError(
            Code.BAD_CAMPAIGN_NAME, directory.name, "a campaign's folder name has 1 to 128 letters, digits, _ or -"
        )
    manifest = directory / MANIFEST
    if not manifest.is_file():
        raise MalformedError(Code.FILE_MISSING, MANIFEST, "is missing from the folder")
    campaign = read_campaign(manifest.read_bytes())
    _check_message(campaign.message)
    segment = directory / campaign.segment
    _check_segment(segment, campaign.encoding)
    return Folder(name=directory.name, message=campaign.message, manifest=manifest, segment=segment)


def catalogue() -> dict[str, Any]:
    """The compiled catalogue; empty when nothing was built here."""
    found = next(COMPILED.rglob("catalogue.json"), None)
    return json.loads(found.read_text(encoding="utf-8")) if found else {}


def policy() -> Policy:
    """The compiled policy; the default one when nothing was built here."""
    return msgspec.convert(catalogue().get("policy", {}), Policy)


def chunks(file: Path) -> Iterator[bytes]:
    """A file's bytes, a chunk at a time."""
    with file.open("rb") as opened:
        while chunk := opened.read(CHUNK):
            yield chunk


def double_opt_in() -> frozenset[str]:
    """The topics to which an opt-in counts only once it is confirmed, as the policy says."""
    return frozenset(catalogue().get("policy", {}).get("double_opt_in", ()))


def _check_message(message: str) -> None:
    known = catalogue().get("messages", {})
    if known and message not in known:
        raise MalformedError(
            Code.CAMPAIGN_MESSAGE_UNKNOWN, f"{MANIFEST}: message", f"is none of {', '.join(sorted(known))}"
        )


def _check_segment(segment: Path, encoding: str) -> None:
    if not segment.is_file():
        raise MalformedError(Code.FILE_MISSING, segment.name, "is missing from the folder")
    try:
        readable, _ = legible(partial(chunks, segment), _has_people, encoding)
    except MalformedError as error:
        raise MalformedError(error.code, f"{segment.name}, {error.position}", error.reason) from error
    if not readable:
        raise MalformedError(Code.NO_ROWS, segment.name, "has no row that can be read")


def _has_people(lines: Lines) -> bool:
    """Whether a file has a row that can be read; all of them are looked at."""
    _, records = read_table(lines, required="recipient_id")
    return sum(not isinstance(cells, Refused) for _, cells in records) > 0
