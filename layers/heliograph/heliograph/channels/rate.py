"""How fast a provider may be asked, and what its refusals mean for when it is asked again."""

from __future__ import annotations

import zlib
from datetime import datetime, timedelta

from heliograph.aws.errors import THROTTLED
from heliograph.channels.spec import Codes
from heliograph.model.outcomes import NotSent

UNREACHABLE = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"})
"""So botocore says that no connection came about (`errors.BEFORE_SENDING`)."""
BUSY = THROTTLED | UNREACHABLE
"""The causes that mean "not now" whichever provider it is."""

STOPPED = "stopped"
"""Not handed over, because the account had halted or the function had no time left."""

FIRST_DELAY = 2  # seconds
LONGEST_DELAY = 900  # seconds: SQS DelaySeconds
HALT = 60  # seconds for which nobody asks a provider that has halted
BULK_SHARE = 0.95
"""How much of a provider's rate runs may take: the rest is left to single messages."""
SLICE = 10.0
"""Seconds of the rate that one try takes at most; a larger pack goes on when its turn comes again."""
PATIENCE = SLICE
"""Seconds that a pack may wait inside the function for its turn: no shorter than a slice, so that nobody waits in vain
for the next one while the channel rests."""
LEAD = 1.0
"""Seconds before its turn at which a pack is tried again: SQS and Lambda need a moment."""
AGEING = 10
"""Seconds by which the line is longer for a pack with each try in vain: who waits longest comes first."""
OLDEST = 60
"""Tries after which a pack grows no older."""


def passes_by_itself(cause: str, codes: Codes) -> bool:
    """Whether a refusal ends without anybody doing anything here; all others end in the dead letters."""
    return cause == STOPPED or cause in BUSY or cause in codes.busy or cause in codes.halted or cause in codes.exhausted


def waits_until(unsent: NotSent, codes: Codes, now: datetime) -> datetime | None:
    """Until when a message waits alone, as only its destination is refused; None: in the line, with others."""
    if unsent.until is None and unsent.cause in codes.exhausted:
        return now + codes.exhausted[unsent.cause]
    return unsent.until


def delay(tries: int, name: str) -> int:
    """Seconds until something that failed is tried again: doubled each time, and spread by its name."""
    longest = min(LONGEST_DELAY, FIRST_DELAY << min(tries, 10))
    return longest - _spread(f"{name}{tries}", longest // 4 + 1)


def horizon(tries: int) -> timedelta:
    """How far ahead a pack may speak for a turn in the line; beyond it, it asks again within that time.

    So the channel never rests while somebody waits: whoever got no turn saw the line taken for longer than they stay
    away. It is no further than what SQS can delay, so that little is lost when packs with a turn never come.
    """
    return timedelta(seconds=LONGEST_DELAY + AGEING * min(tries, OLDEST))


def seconds_until(at: datetime, now: datetime) -> int:
    """For how long a pack is requeued that has a turn: no longer than SQS takes; then it is requeued again."""
    return max(0, min(LONGEST_DELAY, round((at - now).total_seconds() - LEAD)))


def seconds_without(pack_id: str, tries: int) -> int:
    """For how long a pack is requeued for which the line was too long: spread over the last third of what SQS takes."""
    return LONGEST_DELAY - _spread(f"{pack_id}{tries}", LONGEST_DELAY // 3)


def _spread(name: str, width: int) -> int:
    return zlib.crc32(name.encode(errors="surrogatepass")) % width
