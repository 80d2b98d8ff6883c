"""Scheduled: one EventBridge schedule for a pack of requests that are planned again at the same time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from heliograph.model.requests import RequestPack
from heliograph.planning.packing import rest_of
from heliograph.text.bodies import INPUT_LIMIT, body

if TYPE_CHECKING:
    from types_boto3_scheduler import EventBridgeSchedulerClient

SOONEST = timedelta(minutes=1)
"""A time that has passed meanwhile, when a try comes late, is no time for a schedule."""


class Schedules:
    """The schedule group of the stack."""

    def __init__(
        self,
        client: EventBridgeSchedulerClient,
        *,
        group: str,
        role: str,
        queues: dict[str, str],
        dead_letters: str,
        now: Callable[[], datetime],
    ) -> None:
        self._client = client
        self._group = group
        self._role = role
        self._queues = queues
        """Lane -> ARN of its requests queue."""
        self._dead_letters = dead_letters
        """ARN of the queue for what the scheduler cannot bring to its requests queue."""
        self._now = now

    def defer(self, pack: RequestPack, until: datetime) -> None:
        """Have the pack planned again; Scheduler is precise to a minute.

        The same pack twice is the same schedule, which takes what an earlier try did not bring.
        """
        schedule = self._schedule(pack, max(until, self._now() + SOONEST))
        try:
            self._client.create_schedule(**schedule)
        except self._client.exceptions.ConflictException:
            self._complete(pack, until, schedule)

    def _complete(self, pack: RequestPack, until: datetime, schedule: dict[str, Any]) -> None:
        """Add the requests that the schedule of an earlier try lacks, behind those that it has, if there is room."""
        named = {"GroupName": self._group, "Name": pack.pack_id}
        try:
            made = self._client.get_schedule(**named)["Target"]["Input"]
        except self._client.exceptions.ResourceNotFoundException:
            self._client.create_schedule(**schedule)  # the earlier one has just had its time
            return
        earlier = msgspec.json.decode(made, type=RequestPack)
        known = {(request.request_id, request.step) for request in earlier.requests}
        missing = tuple(each for each in pack.requests if (each.request_id, each.step) not in known)
        completed = body(msgspec.structs.replace(earlier, requests=(*earlier.requests, *missing)))
        if missing and len(completed) > INPUT_LIMIT:
            self.defer(rest_of(pack, missing), until)
        elif missing:
            target = {**schedule["Target"], "Input": completed.decode()}
            self._client.update_schedule(**{**schedule, "Target": target})

    def _schedule(self, pack: RequestPack, at: datetime) -> dict[str, Any]:
        return {
            "GroupName": self._group,
            "Name": pack.pack_id,
            "ScheduleExpression": f"at({at.astimezone(UTC):%Y-%m-%dT%H:%M:%S})",
            "ScheduleExpressionTimezone": "UTC",
            "FlexibleTimeWindow": {"Mode": "OFF"},
            "ActionAfterCompletion": "DELETE",
            "Target": {
                "Arn": self._queues[pack.lane],
                "RoleArn": self._role,
                "Input": body(pack).decode(),
                "DeadLetterConfig": {"Arn": self._dead_letters},
            },
        }
