"""Runs: the executions of campaigns."""

from __future__ import annotations

from datetime import datetime

from heliograph.model.values import Value


class Run(Value, frozen=True, kw_only=True):
    """One execution of a campaign."""

    run_id: str
    campaign: str
    message: str
    started_at: datetime
    version: str = ""
    audience: int = 0
    """People that are written to: known before the first of them is queued; final once `ingested`."""
    rejected: int = 0
    """Rows that could not be read."""
    reached: int = 0
    """People of the segment whom earlier runs of the campaign had reached: they are no part of the audience."""
    ingested: bool = False
    problem: str = ""
    """Why the run could not start."""
    replaced: bool = False
    """Whether a newer upload of its folder came before anybody was written to."""
    uploads: int = 1
    """How often its folder was uploaded with the same content."""
    reference: str = ""
    """What its manifest says to find it by."""
    complete: bool = False
    """Whether everybody was seen to have an outcome: such a run need not be counted again to be listed."""
