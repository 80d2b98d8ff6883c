"""Ingest a campaign folder: a run, its people as packed send requests, and the rows that were refused."""

from __future__ import annotations

from heliograph.campaigns.segments import Uploaded
from heliograph.campaigns.work import ingest
from heliograph.runtime.handlers import queue_handler


@queue_handler(Uploaded)
def handler(uploaded: Uploaded) -> None:
    """Start the run of a manifest that was uploaded, or go on with it."""
    ingest(uploaded)
