"""Tally: keep the sums of runs by the changes of their records, as the stream of the table tells them.

A batch that failed comes again, whole or in halves; what it had counted already is not counted twice. What cannot be
read is passed over, and said: it would stop every run whose changes come behind it.
"""

from __future__ import annotations

from typing import Any

from heliograph.runtime.observe import count_uncounted
from heliograph.tallying.store import changes
from heliograph.tallying.work import count


def handler(event: Any, context: Any) -> None:
    """Count the changes of a batch of the stream; any exception brings it again."""
    told = changes(event["Records"])
    count(told.changes)
    for each in told.unread:
        count_uncounted(1, error=each.error, part=each.part, item=each.item)
