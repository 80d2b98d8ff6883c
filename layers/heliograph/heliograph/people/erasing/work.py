"""Erase a person: their item and their page; and say what stays, and why."""

from __future__ import annotations

from typing import NamedTuple

from heliograph.aws.bucket import Bucket
from heliograph.people.erasing.store import erase
from heliograph.people.store import Recipients

STAYS = (
    "the ledger's decisions, by id only, for 400 days: the proof of what was sent and why",
    "what was consented to and refused, by id only: the proof that somebody else may have to ask for",
    "the lake's events, by id only: the figures of runs",
    "refused topics, by id only, so that they are respected if the person is imported again",
    "SES's suppression list, so that an address that bounced or complained is not written to again",
    "campaign files and imports that you uploaded, and backups: see docs/erasure.md",
)
"""What is not erased, and why."""


class Erased(NamedTuple):
    """What became of a person."""

    recipient_id: str
    refusals: list[str]
    """Topics and purposes by channel that stay refused."""
    pages: int
    """Versions of the timeline page that were deleted."""


def erase_person(recipients: Recipients, bucket: Bucket, recipient_id: str) -> Erased | None:
    """Erase somebody; None when nobody is known by the id. Safe to repeat."""
    pages = bucket.delete_versions(f"reports/timeline/{recipient_id}.html")
    refusals = erase(recipients.client, recipients.table, recipient_id)
    return None if refusals is None else Erased(recipient_id, refusals, pages)
