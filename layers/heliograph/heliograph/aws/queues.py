"""The queues: packs of work as JSON, ten to a call and below SQS's limit of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import msgspec

from heliograph.aws.errors import QueueError
from heliograph.text.bodies import MESSAGE_LIMIT, body
from heliograph.text.errors import Code, MalformedError

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient

BATCH_LIMIT = 10  # SendMessageBatch


def url_of(arn: str) -> str:
    """The URL of a queue. botocore calls the endpoint of its own region, whatever the host is."""
    _, _, _, region, account, name = arn.split(":")
    return f"https://sqs.{region}.amazonaws.com/{account}/{name}"


class Queue:
    """One queue; what is sent is the JSON of a travelling type."""

    def __init__(self, client: SQSClient, url: str) -> None:
        self._client = client
        self._url = url

    def send(self, works: Sequence[msgspec.Struct], *, delay: int = 0) -> None:
        """Send each of them as a message of its own, to be seen after `delay` seconds (at most 900).

        Raises QueueError when SQS refused some, and MalformedError for what no message can carry.
        """
        self.send_bodies(map(body, works), delay=delay)

    def send_bodies(self, bodies: Iterable[bytes], *, delay: int = 0) -> None:
        """The same with work that is JSON already (`bodies.body`)."""
        for batch in _batches(bodies):
            answer = self._client.send_message_batch(
                QueueUrl=self._url,
                Entries=[
                    {"Id": str(number), "MessageBody": text.decode(), "DelaySeconds": delay}
                    for number, text in enumerate(batch)
                ],
            )
            if failed := answer.get("Failed"):
                raise QueueError(f"{len(failed)} messages were not taken, the first for {failed[0]['Code']}")

    def park(self, body: str, error: MalformedError) -> None:
        """Put aside a message that cannot be read, with the code, the position and the reason."""
        self._client.send_message(
            QueueUrl=self._url,
            MessageBody=body,
            MessageAttributes={
                "code": {"DataType": "String", "StringValue": error.code},
                "position": {"DataType": "String", "StringValue": error.position},
                "reason": {"DataType": "String", "StringValue": error.reason},
            },
        )


def _batches(bodies: Iterable[bytes]) -> Iterator[list[bytes]]:
    batch: list[bytes] = []
    size = 0
    for text in bodies:
        if len(text) > MESSAGE_LIMIT:
            raise MalformedError(
                Code.CARRIES_TOO_MUCH, "message", f"takes {len(text)} bytes; a queue carries {MESSAGE_LIMIT}"
            )
        if batch and (len(batch) == BATCH_LIMIT or size + len(text) > MESSAGE_LIMIT):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch
