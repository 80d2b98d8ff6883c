"""How fast a provider may be asked, and what its refusals mean for when it is asked again."""

from __future__ import annotations

import zlib

HALTED = frozenset(
    {
        "AccountSuspendedException",
        "SendingPausedException",
        "ACCOUNT_SUSPENDED",
        "ACCOUNT_SENDING_PAUSED",
        "CONFIGURATION_SET_SENDING_PAUSED",
        "ACCOUNT_DAILY_QUOTA_EXCEEDED",
        "LimitExceededException",
        "MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT",
    }
)
"""The account as a whole does not send: paused, suspended, or its quota or budget is used up."""

BUSY = frozenset(
    {
        "TooManyRequestsException",
        "ThrottlingException",
        "ThrottledException",
        "Throttled",
        "Throttling",
        "ACCOUNT_THROTTLED",
        "TRANSIENT_FAILURE",
        "THROTTLED",
        "TEMPORARY_FAILURE",
        "EndpointConnectionError",
        "ConnectTimeoutError",
        "ProxyConnectionError",
    }
)
"""The provider has no time, or cannot be reached, just now."""

FIRST_DELAY = 2  # seconds
LONGEST_DELAY = 900  # seconds: SQS DelaySeconds
HOLD = 60  # seconds for which nobody asks a provider that has halted
BULK_SHARE = 0.9
"""How much of a provider's rate runs may take: the rest is left to single messages."""


def is_halted(cause: str) -> bool:
    """Whether the account does not send at all."""
    return cause in HALTED


def passes_by_itself(cause: str) -> bool:
    """Whether a refusal ends without anybody doing anything here; all others end in the dead letters."""
    return cause in HALTED or cause in BUSY


def delay(tries: int, pack_id: str) -> int:
    """Seconds until a pack is tried again: doubled each time, and spread so that packs do not come back together."""
    longest = min(LONGEST_DELAY, FIRST_DELAY << min(tries, 10))
    return longest - zlib.crc32(f"{pack_id}{tries}".encode()) % (longest // 4 + 1)
