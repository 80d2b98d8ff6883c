"""A campaign folder on disk, checked before anything is uploaded: `campaign.toml` and its segment."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from heliograph.domain import ids
from heliograph.domain.errors import MalformedError
from heliograph.domain.model import Policy
from heliograph.domain.rows import read_rows
from heliograph.domain.segments import MANIFEST, read_campaign
from heliograph_cli.cloud import ROOT

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
        raise MalformedError(directory.name, "a campaign's folder name has 1 to 128 letters, digits, _ or -")
    manifest = directory / MANIFEST
    if not manifest.is_file():
        raise MalformedError(MANIFEST, "is missing from the folder")
    campaign = read_campaign(manifest.read_bytes())
    _check_message(campaign.message)
    segment = directory / campaign.segment
    _check_segment(segment)
    return Folder(name=directory.name, message=campaign.message, manifest=manifest, segment=segment)


def catalogue() -> dict[str, Any]:
    """The compiled catalogue; empty when nothing was built here."""
    found = next(COMPILED.rglob("catalogue.json"), None)
    return json.loads(found.read_text(encoding="utf-8")) if found else {}


def default_country() -> str:
    """The country of phone numbers without a country code, as the policy says."""
    return str(catalogue().get("policy", {}).get("default_region", Policy().default_region))


def double_opt_in() -> frozenset[str]:
    """The topics to which an opt-in counts only once it is confirmed, as the policy says."""
    return frozenset(catalogue().get("policy", {}).get("double_opt_in", ()))


def _check_message(message: str) -> None:
    known = catalogue().get("messages", {})
    if known and message not in known:
        raise MalformedError(f"{MANIFEST}: message", f"is none of {', '.join(sorted(known))}")


def _check_segment(segment: Path) -> None:
    if not segment.is_file():
        raise MalformedError(segment.name, "is missing from the folder")
    with segment.open(encoding="utf-8", errors="surrogateescape", newline="") as lines:
        try:
            readable = any(not row.problem for row in read_rows(lines, required="recipient_id"))
        except MalformedError as error:
            raise MalformedError(f"{segment.name}, {error.place}", error.reason) from error
    if not readable:
        raise MalformedError(segment.name, "has no row that can be read")
