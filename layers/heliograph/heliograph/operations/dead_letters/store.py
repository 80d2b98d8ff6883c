"""The dead-letter queues of a stack: how many messages they have, and what they are, without taking them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final, NamedTuple

from heliograph.operations.dead_letters.summary import DeadLetter

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.literals import QueueAttributeNameType
    from types_boto3_sqs.type_defs import MessageTypeDef

SUFFIX = "-dead-letters"
OURS = re.compile(
    r"events|segments|imports|settle|engagement|raw|schedules|tally|"
    r"requests-(bulk|priority)|outbox-[a-z]+-(bulk|priority)"
)
"""The queues of a stack; a stack `heliograph-test` beside `heliograph` has names that begin the same."""
NUMBERS: Final[tuple[QueueAttributeNameType, ...]] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
SOURCES = {"schedules": "requests-bulk", "tally": ""}
"""Where dead letters are sent back to that come from no queue: what was scheduled is planned again, and what changed in
the records is told by no second stream."""
BATCH_LIMIT = 10  # ReceiveMessage, ChangeMessageVisibilityBatch
WAIT_SECONDS = 1  # long polling asks all of SQS's servers, so that "none" means none
LOOK_SECONDS = 30  # how long a message that is looked at stays hidden if this process dies


class Work(NamedTuple):
    """How much is in a queue; approximately, as SQS counts."""

    waiting: int
    in_flight: int
    delayed: int


class DeadLetters(NamedTuple):
    """A queue's dead letters, and the queue's own work."""

    queue: str
    """The queue whose dead letters these are, without the stack's name: `events`."""
    url: str
    source_url: str
    """Where they are sent back to; empty when nowhere."""
    number: int
    work: Work


def queues(sqs: SQSClient, stack: str) -> list[DeadLetters]:
    """The dead-letter queues of a stack, by name, and how many messages they have."""
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=f"{stack}-")
    urls = {url.rpartition("/")[2]: url for page in pages for url in page.get("QueueUrls", ())}
    names = {name: name.removeprefix(f"{stack}-").removesuffix(SUFFIX) for name in sorted(urls)}
    ours = {name: queue for name, queue in names.items() if name.endswith(SUFFIX) and OURS.fullmatch(queue)}

    def counted(name: str) -> DeadLetters:
        source_queue = SOURCES.get(ours[name], ours[name])
        url, source = urls[name], urls[f"{stack}-{source_queue}"] if source_queue else ""
        work = Work(0, 0, 0) if ours[name] in SOURCES else _work(sqs, source)
        return DeadLetters(ours[name], url, source, sum(_work(sqs, url)), work)

    with ThreadPoolExecutor(BATCH_LIMIT) as lanes:
        return list(lanes.map(counted, ours))


def peek(sqs: SQSClient, letters: DeadLetters, limit: int) -> list[DeadLetter]:
    """Look at some messages, and make them visible again at once; their receive counts go up."""
    taken: list[MessageTypeDef] = []
    try:
        for batch in batches(sqs, letters.url, seconds=LOOK_SECONDS):
            taken += batch
            if len(taken) >= limit:
                break
    finally:
        show_again(sqs, letters.url, [message["ReceiptHandle"] for message in taken])
    return [letter_of(message, letters.queue) for message in islice(taken, limit)]


def batches(sqs: SQSClient, url: str, *, seconds: int) -> Iterator[list[MessageTypeDef]]:
    """Messages, hidden from others for so many seconds, until there are no new ones."""
    seen: set[str] = set()
    while True:
        answer = sqs.receive_message(
            QueueUrl=url,
            MaxNumberOfMessages=BATCH_LIMIT,
            VisibilityTimeout=seconds,
            WaitTimeSeconds=WAIT_SECONDS,
            MessageSystemAttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        new = [message for message in answer.get("Messages", ()) if message["MessageId"] not in seen]
        if not new:
            return
        seen.update(message["MessageId"] for message in new)
        yield new


def show_again(sqs: SQSClient, url: str, receipts: Sequence[str]) -> None:
    """Let others see messages again at once."""
    for start in range(0, len(receipts), BATCH_LIMIT):
        some = receipts[start : start + BATCH_LIMIT]
        sqs.change_message_visibility_batch(
            QueueUrl=url,
            Entries=[
                {"Id": str(number), "ReceiptHandle": receipt, "VisibilityTimeout": 0}
                for number, receipt in enumerate(some)
            ],
        )


def _work(sqs: SQSClient, url: str) -> Work:
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(NUMBERS))["Attributes"]
    return Work(*(int(answer[name]) for name in NUMBERS))


def letter_of(message: MessageTypeDef, queue: str) -> DeadLetter:
    """A message as a dead letter of a queue."""
    told = message.get("Attributes", {})
    added = {name: value.get("StringValue", "") for name, value in message.get("MessageAttributes", {}).items()}
    return DeadLetter(
        message_id=message["MessageId"],
        queue=queue,
        body=message["Body"],
        receives=int(told["ApproximateReceiveCount"]),
        sent_at=datetime.fromtimestamp(int(told["SentTimestamp"]) / 1000, UTC),
        code=added.get("code", ""),
        position=added.get("position", ""),
        reason=added.get("reason", ""),
        failed="DeadLetterQueueSourceArn" in told,
        undelivered=added.get("ERROR_CODE", ""),
    )
