"""The pace of a channel, shared by everybody who sends on it: a clock in DynamoDB that runs ahead with every letter."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from heliograph.adapters.dynamodb import Item, number, text
from heliograph.domain.model import Channel

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

BURST = 1_000  # milliseconds of the rate that may be taken at once after a rest


class Pace:
    """A token bucket for each channel (the generic cell rate algorithm) in the table `runs`.

    The item's `until` is the time, in epoch milliseconds, up to which the rate is spoken for.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def take(self, channel: Channel, letters: int, *, rate: float, patience: float, now: datetime) -> float | None:
        """Speak for some letters at a rate (letters a second): seconds to wait before sending them.

        None, and nothing is spoken for, when that would be longer than `patience` seconds, or sending is on hold.
        """
        moment, cost = _milliseconds(now), round(1_000 * letters / rate)
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key=_key(channel),
                UpdateExpression="ADD until_ms :cost",
                ConditionExpression=(
                    "(attribute_not_exists(until_ms) OR until_ms < :latest)"
                    " AND (attribute_not_exists(hold_ms) OR hold_ms < :now)"
                ),
                ExpressionAttributeValues={
                    ":cost": number(cost),
                    ":latest": number(moment + round(1_000 * patience)),
                    ":now": number(moment),
                },
                ReturnValues="UPDATED_NEW",
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        until = int(answer["Attributes"]["until_ms"]["N"])
        if until - cost < moment - BURST:
            self._catch_up(channel, until, moment - BURST + cost)
        return max(0, until - cost - moment) / 1_000

    def hold(self, channel: Channel, until: datetime) -> None:
        """Let nobody send on a channel for a while: its account is paused or exhausted."""
        self._client.update_item(
            TableName=self._table,
            Key=_key(channel),
            UpdateExpression="SET hold_ms = :until",
            ExpressionAttributeValues={":until": number(_milliseconds(until))},
        )

    def _catch_up(self, channel: Channel, seen: int, until: int) -> None:
        """After a rest the clock is behind: set it to now, less the burst, unless somebody else moved it."""
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(channel),
                UpdateExpression="SET until_ms = :until",
                ConditionExpression="until_ms = :seen",
                ExpressionAttributeValues={":until": number(until), ":seen": number(seen)},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return  # then theirs is the later one


def _key(channel: Channel) -> Item:
    return {"part": text(f"pace#{channel}"), "item": text("clock")}


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000)
