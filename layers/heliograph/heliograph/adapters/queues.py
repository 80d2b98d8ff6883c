"""The queues: packs of work as JSON, ten to a call and below SQS's limit of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

BATCH_LIMIT = 10  # SendMessageBatch
BYTES_LIMIT = 1_000_000  # SendMessageBatch takes 1 MiB in all; the rest is for the envelope


class QueueError(Exception):
    """SQS did not take some of the messages; try again."""


class Queue:
    """One queue; what is sent is the JSON of a travelling type."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, works: Sequence[msgspec.Struct], *, delay: int = 0) -> None:
        """Send each of them as a message of its own, to be seen after `delay` seconds (at most 900).

        Raises QueueError when SQS refused some.
        """
        bodies = (msgspec.json.encode(work).decode() for work in works)
        for batch in _batches(bodies):
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "MessageBody": body, "DelaySeconds": delay} for number, body in enumerate(batch)
                ],
            )
            if failed := answer.get("Failed"):
                raise QueueError(f"{len(failed)} messages were not taken, the first for {failed[0]['Code']}")

    def park(self, body: str, *, place: str, reason: str) -> None:
        """Put aside a message that cannot be read, with its place and reason."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=body,
            MessageAttributes={
                "place": {"DataType": "String", "StringValue": place},
                "reason": {"DataType": "String", "StringValue": reason},
            },
        )


def _batches(bodies: Iterable[str]) -> Iterator[list[str]]:
    batch: list[str] = []
    size = 0
    for body in bodies:
        length = len(body.encode())
        if batch and (len(batch) == BATCH_LIMIT or size + length > BYTES_LIMIT):
            yield batch
            batch, size = [], 0
        batch.append(body)
        size += length
    if batch:
        yield batch
