"""Import people from a file that was put into the bucket."""

from __future__ import annotations

from heliograph.campaigns.segments import Uploaded
from heliograph.people.uploads.work import take
from heliograph.runtime.handlers import queue_handler


@queue_handler(Uploaded)
def handler(uploaded: Uploaded) -> None:
    """Save the people of a file, and say beside it what came of that."""
    take(uploaded)
