"""Import people from a file that was put into the bucket."""

from __future__ import annotations

from heliograph.domain.segments import Uploaded
from heliograph.runtime.handlers import queue_handler
from heliograph.runtime.uploaded_imports import take


@queue_handler(Uploaded)
def handler(uploaded: Uploaded, receives: int) -> None:
    """Save the people of a file, and say beside it what came of that."""
    take(uploaded)
