"""Deferrals: one EventBridge schedule for a pack of requests that are planned again at the same time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec

from heliograph.domain.model import RequestPack

if TYPE_CHECKING:
    from types_boto3_scheduler import EventBridgeSchedulerClient


class Schedules:
    """The schedule group of the stack."""

    def __init__(self, client: EventBridgeSchedulerClient, *, group: str, role: str, queues: dict[str, str]) -> None:
        self._client = client
        self._group = group
        self._role = role
        self._queues = queues
        """Lane -> ARN of its requests queue."""

    def defer(self, pack: RequestPack, until: datetime) -> None:
        """Have the pack planned again; Scheduler is precise to a minute. The same pack twice is the same schedule."""
        try:
            self._client.create_schedule(
                GroupName=self._group,
                Name=pack.pack_id,
                ScheduleExpression=f"at({until.astimezone(UTC):%Y-%m-%dT%H:%M:%S})",
                ScheduleExpressionTimezone="UTC",
                FlexibleTimeWindow={"Mode": "OFF"},
                ActionAfterCompletion="DELETE",
                Target={
                    "Arn": self._queues[pack.lane],
                    "RoleArn": self._role,
                    "Input": msgspec.json.encode(pack).decode(),
                },
            )
        except self._client.exceptions.ConflictException:
            return  # made by an earlier try
