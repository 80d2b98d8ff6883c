"""The dead-letter queues of a stack: look at their messages without taking them, and send them back."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
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
    r"events|segments|imports|settle|engagement|schedules|requests-(bulk|priority)|outbox-[a-z]+-(bulk|priority)"
)
"""The queues of a stack; a stack `heliograph-test` beside `heliograph` has names that begin the same."""
NUMBERS: Final[tuple[QueueAttributeNameType, ...]] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
SOURCES = {"schedules": "requests-bulk"}
"""Where dead letters are sent back to that come from no queue: what was put off is planned again."""
BATCH_LIMIT = 10  # ReceiveMessage, ChangeMessageVisibilityBatch
WAIT_SECONDS = 1  # long polling asks all of SQS's servers, so that "none" means none
LOOK_SECONDS = 30  # how long a message that is looked at stays hidden if this process dies
MOVE_SECONDS = 300  # the same, while messages are sent back


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
    number: int
    work: Work


class Redriven(NamedTuple):
    """What became of the dead letters of a queue."""

    moved: int
    parked: int
    """Left where they are, because they cannot be read."""
    newer: int
    """Left, because they came in since."""


def queues(sqs: SQSClient, stack: str) -> list[DeadLetters]:
    """The dead-letter queues of a stack, by name, and how many messages they have."""
    pages = sqs.get_paginator("list_queues").paginate(QueueNamePrefix=f"{stack}-")
    urls = {url.rpartition("/")[2]: url for page in pages for url in page.get("QueueUrls", ())}
    names = {name: name.removeprefix(f"{stack}-").removesuffix(SUFFIX) for name in sorted(urls)}
    ours = {name: queue for name, queue in names.items() if name.endswith(SUFFIX) and OURS.fullmatch(queue)}

    def counted(name: str) -> DeadLetters:
        url, source = urls[name], urls[f"{stack}-{SOURCES.get(ours[name], ours[name])}"]
        work = Work(0, 0, 0) if ours[name] in SOURCES else _work(sqs, source)
        return DeadLetters(ours[name], url, source, sum(_work(sqs, url)), work)

    with ThreadPoolExecutor(BATCH_LIMIT) as lanes:
        return list(lanes.map(counted, ours))


def peek(sqs: SQSClient, letters: DeadLetters, limit: int) -> list[DeadLetter]:
    """Look at some messages, and make them visible again at once; their receive counts go up."""
    taken: list[MessageTypeDef] = []
    try:
        for batch in _batches(sqs, letters.url, seconds=LOOK_SECONDS):
            taken += batch
            if len(taken) >= limit:
                break
    finally:
        _show_again(sqs, letters.url, [message["ReceiptHandle"] for message in taken])
    return [_letter(message, letters.queue) for message in islice(taken, limit)]


def redrive(sqs: SQSClient, letters: DeadLetters, *, parked: bool) -> Redriven:
    """Send messages back to their queue, each before it is deleted here: whatever happens, none is lost.

    What is in both for a moment does no harm, because every hop may run twice. What was parked is left, unless asked
    for, and so is what comes in meanwhile, such as what is parked anew.
    """
    started = datetime.now(UTC)

    def send_back(message: MessageTypeDef) -> str:
        stays = _stays(_letter(message, letters.queue), started, parked=parked)
        if not stays:
            _move(sqs, letters, message)
        return stays or "moved"

    done: Counter[str] = _each(sqs, letters, send_back, done="moved")
    return Redriven(done["moved"], done["parked"], done["newer"])


def send_back(sqs: SQSClient, letters: DeadLetters, ids: Collection[str]) -> set[str]:
    """Send these messages back to their queue, parked ones as well; the ids of those that were there."""
    return _chosen(sqs, letters, ids, lambda message: _move(sqs, letters, message))


def delete(sqs: SQSClient, letters: DeadLetters, ids: Collection[str]) -> set[str]:
    """Delete these messages for good; the ids of those that were there."""
    return _chosen(
        sqs,
        letters,
        ids,
        lambda message: sqs.delete_message(QueueUrl=letters.url, ReceiptHandle=message["ReceiptHandle"]),
    )


def find(sqs: SQSClient, letters: DeadLetters, ids: Collection[str]) -> list[DeadLetter]:
    """Look at these messages, those of them that are there."""
    return [letter for letter in peek(sqs, letters, letters.number) if letter.message_id in ids]


def _move(sqs: SQSClient, letters: DeadLetters, message: MessageTypeDef) -> None:
    sqs.send_message(QueueUrl=letters.source_url, MessageBody=message["Body"])
    sqs.delete_message(QueueUrl=letters.url, ReceiptHandle=message["ReceiptHandle"])


def _chosen(
    sqs: SQSClient, letters: DeadLetters, ids: Collection[str], work: Callable[[MessageTypeDef], object]
) -> set[str]:
    """Work off the messages with these ids. SQS finds none by its id, so all are received until these were seen."""
    done: set[str] = set()

    def work_off(message: MessageTypeDef) -> str:
        if message["MessageId"] not in ids:
            return "other"
        work(message)
        done.add(message["MessageId"])
        return "done"

    _each(sqs, letters, work_off, done="done", enough=len(ids))
    return done


def _each(
    sqs: SQSClient, letters: DeadLetters, work: Callable[[MessageTypeDef], str], *, done: str, enough: int | None = None
) -> Counter[str]:
    """Hand over every message, until enough are done; those that are not done are visible again afterwards."""
    left, results = list[str](), Counter[str]()

    def note(message: MessageTypeDef) -> str:
        result = work(message)
        if result != done:
            left.append(message["ReceiptHandle"])
        return result

    try:
        with ThreadPoolExecutor(BATCH_LIMIT) as lanes:
            for batch in _batches(sqs, letters.url, seconds=MOVE_SECONDS):
                results.update(lanes.map(note, batch))
                if enough is not None and results[done] >= enough:
                    break
    finally:
        _show_again(sqs, letters.url, left)
    return results


def _stays(letter: DeadLetter, started: datetime, *, parked: bool) -> str:
    """Why a message is left where it is; empty when it goes."""
    if letter.sent_at > started:
        return "newer"
    return "parked" if letter.is_parked and not parked else ""


def _batches(sqs: SQSClient, url: str, *, seconds: int) -> Iterator[list[MessageTypeDef]]:
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


def _show_again(sqs: SQSClient, url: str, receipts: Sequence[str]) -> None:
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


def _letter(message: MessageTypeDef, queue: str) -> DeadLetter:
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
