"""How a function takes messages from its queue: decoded, one failing alone, the unreadable parked with its reason."""

from __future__ import annotations

import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from heliograph.aws.errors import THROTTLED, BusyError
from heliograph.channels.rate import delay
from heliograph.runtime import wiring
from heliograph.runtime.observe import count_retried, logger
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import unquoted

T = TypeVar("T")
SqsRecord = dict[str, Any]
"""A message as Lambda hands it over."""
Handler = Callable[[Any, Any], dict[str, Any]]


def queue_handler(kind: type[T]) -> Callable[[Callable[[T], None]], Handler]:
    """Make a handler of SQS batches of a function that takes one decoded message: see `counting_handler`."""
    return lambda handle: counting_handler(kind)(lambda work, _: handle(work))


def counting_handler(kind: type[T]) -> Callable[[Callable[[T, int], None]], Handler]:
    """Make a handler of SQS batches of a function that takes one decoded message and how often it was received.

    An exception means "try again" for that message alone. A message that cannot be read (MalformedError) is parked at
    once in the dead letters of the queue, where it raises the alarm, with its position and reason.
    """
    decoder = msgspec.json.Decoder(kind)

    def decorate(handle: Callable[[T, int], None]) -> Handler:
        def take(record: SqsRecord) -> None:
            with parking(record["body"]):
                handle(decoded(decoder, record["body"]), receives(record))

        def handler(event: Any, context: Any) -> dict[str, Any]:
            wiring.begin(context)
            return _answer([record for record in event["Records"] if not _is_taken(take, record)])

        return handler

    return decorate


@contextmanager
def parking(body: str) -> Iterator[None]:
    """Around everything that reads a message: what cannot be read is parked, with its position and reason."""
    try:
        yield
    except MalformedError as error:
        logger.warning("A message was parked", extra=refusal(error))
        wiring.parking().park(body, error)


def refusal(error: MalformedError) -> dict[str, str]:
    """Why something was parked, as it is logged."""
    return {"code": error.code, "position": error.position, "reason": error.reason}


def _is_taken(take: Callable[[SqsRecord], None], record: SqsRecord) -> bool:
    try:
        take(record)
    except Exception as error:  # noqa: BLE001 - the one place for it: what failed fails alone, and comes again soon
        log_failure(error)
        see_again(record)
        return False
    return True


def log_failure(error: Exception) -> None:
    """Say what went wrong, where and with which error. Its text is not logged: AWS's may hold personal data."""
    ours = [frame for frame in traceback.extract_tb(error.__traceback__) if "heliograph" in frame.filename]
    logger.error(
        "A message failed and will be tried again",
        extra={
            "error": type(error).__name__,
            "code": code_of(error),
            "operation": getattr(error, "operation_name", ""),
            "at": " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(ours)),
        },
    )


class Part(NamedTuple, Generic[T]):
    """Something out of a message of a batch."""

    message_id: str
    content: T


class Batch:
    """The messages of an SQS batch that are worked off together, and those of them that failed: each fails alone."""

    def __init__(self, records: list[SqsRecord]) -> None:
        self._records = {record["messageId"]: record for record in records}
        self._failed: set[str] = set()

    def body(self, message_id: str) -> str:
        """The text of a message."""
        return str(self._records[message_id]["body"])

    def receives(self, message_id: str) -> int:
        """How often SQS has handed a message over, this time included; approximately."""
        return receives(self._records[message_id])

    def read(self, read: Callable[[str, datetime], Iterable[T]]) -> list[Part[T]]:
        """What is in the messages, by their text and when they were sent; one that cannot be read is parked."""
        found: list[Part[T]] = []

        def take(records: Sequence[SqsRecord]) -> None:
            for record in records:
                with parking(record["body"]):
                    some = read(record["body"], sent_at(record))
                    found.extend(Part(record["messageId"], each) for each in some)

        for message_id, record in self._records.items():
            self.work(take, [Part(message_id, record)])
        return found

    def work(self, work: Callable[[Sequence[T]], None], parts: Sequence[Part[T]]) -> None:
        """Do a piece of work on some parts at once; if that fails, on each alone: what fails then comes again alone.

        It may be done twice. A service that has no time is not asked for each of them.
        """
        try:
            work([part.content for part in parts])
        except Exception as error:  # noqa: BLE001 - the other place for it, see `_is_taken`
            if len(parts) == 1 or not may_be_the_fault_of_one(error):
                log_failure(error)
                self._failed |= {part.message_id for part in parts}
            else:
                for part in parts:
                    self.work(work, [part])

    def leave(self, parts: Iterable[Part[T]]) -> None:
        """Do nothing about some parts: they come again."""
        self._failed |= {part.message_id for part in parts}

    def taken(self, parts: Iterable[Part[T]]) -> list[Part[T]]:
        """The parts of messages that have not failed yet."""
        return [part for part in parts if part.message_id not in self._failed]

    def failed(self, parts: Iterable[Part[T]]) -> list[Part[T]]:
        """The parts of messages that have failed."""
        return [part for part in parts if part.message_id in self._failed]

    def answer(self) -> dict[str, Any]:
        """What SQS is told: the messages that come again, soon."""
        failed = [record for message_id, record in self._records.items() if message_id in self._failed]
        for record in failed:
            see_again(record)
        return _answer(failed)


def batch_handler(handle: Callable[[Batch], None]) -> Handler:
    """Make a handler of SQS batches of a function that works them off as a whole, and may do so twice."""

    def handler(event: Any, context: Any) -> dict[str, Any]:
        wiring.begin(context)
        batch = Batch(event["Records"])
        handle(batch)
        return batch.answer()

    return handler


def _answer(failed: Sequence[SqsRecord]) -> dict[str, Any]:
    count_retried(map(receives, failed))
    return {"batchItemFailures": [{"itemIdentifier": record["messageId"]} for record in failed]}


def code_of(error: Exception) -> str:
    """AWS's code for an error; empty for one that AWS did not answer."""
    match getattr(error, "response", None):
        case {"Error": {"Code": str(code)}}:
            return code
    return ""


def may_be_the_fault_of_one(error: Exception) -> bool:
    """Whether one of many may have caused an error, so that the others might go through without it."""
    match getattr(error, "response", None):
        case {"ResponseMetadata": {"HTTPStatusCode": int(status)}} if status >= 500:
            return False
    return code_of(error) not in THROTTLED and not isinstance(error, BotoCoreError | BusyError)


def receives(record: SqsRecord) -> int:
    """How often SQS has handed the message over, this time included; approximately."""
    return int(record["attributes"]["ApproximateReceiveCount"])


def sent_at(record: SqsRecord) -> datetime:
    """When SQS was handed the message."""
    return datetime.fromtimestamp(int(record["attributes"]["SentTimestamp"]) / 1_000, UTC)


def see_again(record: SqsRecord) -> None:
    """Let a message that failed come back sooner than its queue would give it back; without this, it does so later."""
    with suppress(ClientError, BotoCoreError):
        seconds = delay(receives(record), record["receiptHandle"])
        wiring.see_again(record["eventSourceARN"], record["receiptHandle"], seconds)


def decoded(decoder: msgspec.json.Decoder[T], body: str) -> T:
    """What a message holds; raises MalformedError when it cannot be read."""
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        raise MalformedError(Code.UNREADABLE_TEXT, "body", unquoted(error)) from None
    except RecursionError:
        raise MalformedError(Code.UNREADABLE_TEXT, "body", "is nested too deeply") from None
