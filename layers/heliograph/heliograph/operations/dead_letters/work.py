"""Send dead letters back to where they failed, or delete them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from heliograph.operations.dead_letters.store import (
    BATCH_LIMIT,
    DeadLetters,
    batches,
    letter_of,
    peek,
    show_again,
)
from heliograph.operations.dead_letters.summary import DeadLetter

if TYPE_CHECKING:
    from types_boto3_sqs import SQSClient
    from types_boto3_sqs.type_defs import MessageTypeDef

MOVE_SECONDS = 300  # how long a message stays hidden while others are sent back


class Redriven(NamedTuple):
    """What became of the dead letters of a queue."""

    moved: int
    parked: int
    """Left where they are, because they cannot be read."""
    newer: int
    """Left, because they came in since."""


def redrive(sqs: SQSClient, letters: DeadLetters, *, parked: bool) -> Redriven:
    """Send messages back to their queue, each before it is deleted here: whatever happens, none is lost.

    What is in both for a moment does no harm, because every hop may run twice. What was parked is left, unless asked
    for, and so is what comes in meanwhile, such as what is parked anew.
    """
    if not letters.source_url:
        return Redriven(0, letters.number, 0)
    started = datetime.now(UTC)

    def send_back(message: MessageTypeDef) -> str:
        stays = _stays(letter_of(message, letters.queue), started, parked=parked)
        if not stays:
            _move(sqs, letters, message)
        return stays or "moved"

    done: Counter[str] = _each(sqs, letters, send_back, done="moved")
    return Redriven(done["moved"], done["parked"], done["newer"])


def send_back(sqs: SQSClient, letters: DeadLetters, ids: Collection[str]) -> set[str]:
    """Send these messages back to their queue, parked ones as well; the ids of those that were there and could be."""
    if not letters.source_url:
        return set()
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
            for batch in batches(sqs, letters.url, seconds=MOVE_SECONDS):
                results.update(lanes.map(note, batch))
                if enough is not None and results[done] >= enough:
                    break
    finally:
        show_again(sqs, letters.url, left)
    return results


def _stays(letter: DeadLetter, started: datetime, *, parked: bool) -> str:
    """Why a message is left where it is; empty when it goes."""
    if letter.sent_at > started:
        return "newer"
    return "parked" if letter.is_parked and not parked else ""
