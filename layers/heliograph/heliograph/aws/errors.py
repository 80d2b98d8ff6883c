"""What AWS's services say when they do not do what they are told, where several of them say the same."""

from __future__ import annotations

from typing import Final

NOT_ALLOWED: Final = frozenset({"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "403"})
THROTTLED: Final = frozenset(
    {
        *("BandwidthLimitExceeded", "KMSThrottling", "KMSThrottlingException", "PriorRequestNotComplete"),
        *("ProvisionedThroughputExceededException", "RequestLimitExceeded", "RequestThrottled"),
        *("RequestThrottledException", "SlowDown", "Throttled", "ThrottledException", "Throttling"),
        *("ThrottlingException", "TooManyRequests", "TooManyRequestsException"),
    }
)
"""The codes by which a service says that it has no time just now: it is asked too often."""


class BusyError(Exception):
    """AWS did not take a part of a batch; try again."""


class QueueError(Exception):
    """SQS did not take some of the messages; try again."""
