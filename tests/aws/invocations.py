"""How Lambda hands over what is in a queue, and how its process may end."""

from __future__ import annotations

from typing import Any


class Killed(BaseException):
    """The process ended here; no error, so nothing in a function may handle it."""


SENT_MS = 1_795_255_200_000
"""Milliseconds of `builders.NOW`."""


def record(body: str, message_id: str = "m", *, receives: int = 1) -> dict[str, Any]:
    """A message, sent at `builders.NOW` and received so often."""
    return {
        "messageId": message_id,
        "receiptHandle": "r",
        "body": body,
        "attributes": {"ApproximateReceiveCount": str(receives), "SentTimestamp": str(SENT_MS)},
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:000000000000:queue",
        "awsRegion": "eu-west-1",
    }
