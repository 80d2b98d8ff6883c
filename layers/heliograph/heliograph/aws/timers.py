"""Timers: what goes on a queue at a time, one EventBridge schedule each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from types_boto3_scheduler import EventBridgeSchedulerClient

SOONEST = timedelta(minutes=1)
"""A time that has passed meanwhile, when a try comes late, is no time for a schedule."""


class Timer(NamedTuple):
    """What goes on a queue later."""

    name: str
    """The same name is the same timer, and brings the same."""
    queue: str
    """Its name without the stack's."""
    body: bytes
    at: datetime
    """Scheduler is precise to a minute."""


class Timers:
    """The schedule group of the stack."""

    def __init__(
        self,
        client: EventBridgeSchedulerClient,
        *,
        group: str,
        role: str,
        queue_arn: Callable[[str], str],
        dead_letters: str,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._group = group
        self._role = role
        self._queue_arn = queue_arn
        self._dead_letters = dead_letters
        """The name of the queue for what the scheduler cannot bring to its queue."""
        self._now = now

    def start(self, timer: Timer) -> None:
        """Start a timer; one of its name that was started before brings the same."""
        with suppress(self._client.exceptions.ConflictException):
            self._client.create_schedule(**self._schedule(timer))

    def _schedule(self, timer: Timer) -> dict[str, Any]:
        at = max(timer.at, self._now() + SOONEST)
        return {
            "GroupName": self._group,
            "Name": timer.name,
            "ScheduleExpression": f"at({at.astimezone(UTC):%Y-%m-%dT%H:%M:%S})",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": self._target(timer),
        }

    def _target(self, timer: Timer) -> dict[str, Any]:
        return {
            "Arn": self._queue_arn(timer.queue),
            "RoleArn": self._role,
            "Input": timer.body.decode(),
            "DeadLetterConfig": {"Arn": self._queue_arn(self._dead_letters)},
        }
