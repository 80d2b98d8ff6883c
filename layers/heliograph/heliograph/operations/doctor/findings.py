"""What a check says: well or not, one sentence on what was seen, and one on what to do next."""

from __future__ import annotations

from enum import StrEnum

import msgspec


class State(StrEnum):
    """How it is."""

    WELL = "well"
    NOTE = "note"
    """It works, with a limit that somebody may not expect, such as a sandbox."""
    WRONG = "wrong"
    UNKNOWN = "unknown"
    """It cannot be told: the rights are missing, the region has no such service, or it did not answer."""


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One line of what the doctor found."""

    check: str
    state: State
    says: str
    mend: str = ""


def well(check: str, says: str) -> Finding:
    """As it should be."""
    return Finding(check=check, state=State.WELL, says=says)


def note(check: str, says: str, mend: str) -> Finding:
    """It works, but."""
    return Finding(check=check, state=State.NOTE, says=says, mend=mend)


def wrong(check: str, says: str, mend: str) -> Finding:
    """It does not work, or will not."""
    return Finding(check=check, state=State.WRONG, says=says, mend=mend)


def unknown(check: str, says: str, mend: str) -> Finding:
    """It cannot be told."""
    return Finding(check=check, state=State.UNKNOWN, says=says, mend=mend)
