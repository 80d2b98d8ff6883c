"""How a function takes messages from its queue: decoded, one failing alone, the unreadable parked with its reason."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any, TypeVar

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from heliograph.domain.errors import MalformedError
from heliograph.domain.pace import delay
from heliograph.runtime import deps
from heliograph.runtime.observe import logger

T = TypeVar("T")
SqsRecord = dict[str, Any]
"""A message as Lambda hands it over."""
Handler = Callable[[Any, Any], dict[str, Any]]


def queue_handler(kind: type[T]) -> Callable[[Callable[[T, int], None]], Handler]:
    """Make a handler of SQS batches of a function that takes one decoded message and how often it was received.

    An exception means "try again" for that message alone. A message that cannot be read (MalformedError) is parked at
    once in the dead letters of the queue, where it raises the alarm, with its place and reason.
    """
    decoder = msgspec.json.Decoder(kind)

    def decorate(handle: Callable[[T, int], None]) -> Handler:
        def take(record: SqsRecord) -> None:
            try:
                handle(_decoded(decoder, record["body"]), receives(record))
            except MalformedError as error:
                logger.warning("A message was parked", extra={"place": error.place, "reason": error.reason})
                deps.parking().park(record["body"], place=error.place, reason=error.reason)

        def handler(event: Any, context: Any) -> dict[str, Any]:
            failed = [record["messageId"] for record in event["Records"] if not _is_taken(take, record)]
            return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in failed]}

        return handler

    return decorate


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
            "code": getattr(error, "response", {}).get("Error", {}).get("Code", ""),
            "operation": getattr(error, "operation_name", ""),
            "at": " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(ours)),
        },
    )


def batch_handler(handle: Callable[[list[str]], None]) -> Handler:
    """Make a handler of SQS batches of a function that takes all bodies as a whole, and may take them twice.

    Any exception means "try again" for the whole batch, soon.
    """

    def handler(event: Any, context: Any) -> dict[str, Any]:
        records = event["Records"]
        with ExitStack() as on_failure:
            for record in records:
                on_failure.callback(see_again, record)
            handle([record["body"] for record in records])
            on_failure.pop_all()
        return {"batchItemFailures": []}

    return handler


def receives(record: SqsRecord) -> int:
    """How often SQS has handed the message over, this time included; approximately."""
    return int(record["attributes"]["ApproximateReceiveCount"])


def see_again(record: SqsRecord) -> None:
    """Let a message that failed come back sooner than its queue would give it back; without this, it does so later."""
    with suppress(ClientError, BotoCoreError):
        seconds = delay(receives(record), record["receiptHandle"])
        deps.see_again(record["eventSourceARN"], record["receiptHandle"], seconds)


def _decoded(decoder: msgspec.json.Decoder[T], body: str) -> T:
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        raise MalformedError("body", str(error)) from None
