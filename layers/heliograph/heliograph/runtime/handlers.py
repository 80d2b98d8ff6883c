"""How a function takes messages from its queue: decoded, one failing alone, the unreadable parked with its reason."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from contextlib import ExitStack, suppress
from typing import Any, TypeVar

import msgspec
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord
from botocore.exceptions import BotoCoreError, ClientError

from heliograph.domain.errors import MalformedError
from heliograph.domain.pace import delay
from heliograph.runtime import deps
from heliograph.runtime.observe import logger

T = TypeVar("T")


class Processor(BatchProcessor):
    """Powertools' processor, which also says what went wrong (where and which error), and lets it be tried again soon.

    The text of an error is not logged: AWS's may hold what we sent, and with it personal data.
    """

    def failure_handler(self, record: Any, exception: Any) -> Any:
        """Log a message that failed, and let it come back sooner than its queue would give it back."""
        error = exception[1]
        ours = [frame for frame in traceback.extract_tb(exception[2]) if "heliograph" in frame.filename]
        logger.error(
            "A message failed and will be tried again",
            extra={
                "error": type(error).__name__,
                "code": getattr(error, "response", {}).get("Error", {}).get("Code", ""),
                "operation": getattr(error, "operation_name", ""),
                "at": " < ".join(f"{frame.name}:{frame.lineno}" for frame in reversed(ours)),
            },
        )
        receives = int(record.attributes.approximate_receive_count)
        see_again(record.event_source_arn, record.receipt_handle, receives)
        return super().failure_handler(record, exception)


Handler = Callable[[Any, Any], dict[str, Any]]


def queue_handler(kind: type[T]) -> Callable[[Callable[[T, int], None]], Handler]:
    """Make a handler of SQS batches of a function that takes one decoded message and how often it was received.

    An exception means "try again" for that message alone. A message that cannot be read (MalformedError) is parked at
    once in the dead letters of the queue, where it raises the alarm, with its place and reason.
    """
    decoder = msgspec.json.Decoder(kind)

    def decorate(handle: Callable[[T, int], None]) -> Handler:
        def record_handler(record: SQSRecord) -> None:
            try:
                handle(_decoded(decoder, record.body), int(record.attributes.approximate_receive_count))
            except MalformedError as error:
                logger.warning("A message was parked", extra={"place": error.place, "reason": error.reason})
                deps.parking().park(record.body, place=error.place, reason=error.reason)

        def handler(event: Any, context: Any) -> dict[str, Any]:
            processor = Processor(EventType.SQS, raise_on_entire_batch_failure=False)
            return dict(process_partial_response(event, record_handler, processor, context))

        return handler

    return decorate


def batch_handler(handle: Callable[[list[str]], None]) -> Handler:
    """Make a handler of SQS batches of a function that takes all bodies as a whole, and may take them twice.

    Any exception means "try again" for the whole batch, soon.
    """

    def handler(event: Any, context: Any) -> dict[str, Any]:
        records = event["Records"]
        with ExitStack() as on_failure:
            for record in records:
                receives = int(record["attributes"]["ApproximateReceiveCount"])
                on_failure.callback(see_again, record["eventSourceARN"], record["receiptHandle"], receives)
            handle([record["body"] for record in records])
            on_failure.pop_all()
        return {"batchItemFailures": []}

    return handler


def see_again(queue_arn: str, receipt_handle: str, receives: int) -> None:
    """Let a message that failed come back sooner than its queue would give it back; without this, it does so later."""
    with suppress(ClientError, BotoCoreError):
        deps.see_again(queue_arn, receipt_handle, delay(receives, receipt_handle))


def _decoded(decoder: msgspec.json.Decoder[T], body: str) -> T:
    try:
        return decoder.decode(body)
    except msgspec.DecodeError as error:
        raise MalformedError("body", str(error)) from None
