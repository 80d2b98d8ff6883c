"""The rate limit of a channel, shared by all who send on it: clocks in DynamoDB that run ahead with every message."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from heliograph.aws.tables import Item, number, text
from heliograph.channels.rate import LEAD
from heliograph.model.channels import Channel
from heliograph.model.requests import Lane

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

BURST = 1_000  # milliseconds of the rate that may be taken at once after a rest
LINES = {Lane.BULK: "line_ms", Lane.PRIORITY: "single_ms"}
SOONEST = 2_000
"""Milliseconds from now of the first turn in a line: the way back takes a second."""
RACES = 5
"""Times that the end of a line is read anew because somebody else has just joined it."""
RATE_FOR = timedelta(minutes=5)
"""How long a provider's word on its rate is believed."""
RATE_AGAIN = timedelta(seconds=5)
"""After how long it is asked again when it did not say."""


class Turn(NamedTuple):
    """When a pack is sent: after so many seconds, or not before its turn in the line, if it got one."""

    wait: float | None
    at: datetime | None = None


class RateLimits:
    """Two clocks for each channel (generic cell rate algorithms) in an item of the table `runs`, in milliseconds.

    `until_ms` is the time up to which the rate is spoken for by those who send, `line_ms` the one up to which turns
    are given to packs that come back for theirs, `single_ms` the same for single messages that were refused.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._lagging = set[Channel]()
        """Channels whose clock was behind when it was last asked here: less is sent than their rate allows."""

    def ask(
        self,
        channel: Channel,
        units: int,
        *,
        rate: float,
        patience: float,
        horizon: timedelta,
        now: datetime,
        in_line: bool = False,
    ) -> Turn:
        """Speak for some units (messages, parts) at a rate (units a second): now, or for a turn in the line.

        Who has had a turn (`in_line`) need not stand behind those who wait.
        """
        moment, cost = _milliseconds(now), round(1_000 * units / rate)
        conditions, values = ["(attribute_not_exists(halt_ms) OR halt_ms < :now)"], {":now": moment}
        if not in_line:
            conditions.append("(attribute_not_exists(line_ms) OR line_ms < :soon)")
            values[":soon"] = moment + round(1_000 * LEAD)
        if channel in self._lagging and self._set_out(channel, cost, moment, conditions, values):
            return Turn(0)
        latest = moment + round(1_000 * patience)
        try:
            until = self._move(
                channel,
                "ADD until_ms :cost",
                [*conditions, "(attribute_not_exists(until_ms) OR until_ms < :latest)"],
                {**values, ":cost": cost, ":latest": latest},
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            return Turn(None, self.line_up(channel, units, rate=rate, horizon=horizon, now=now, seen=_seen(error)))
        if until - cost < moment - BURST:
            self._lagging.add(channel)
            self._catch_up(channel, until, moment - BURST + cost)
        return Turn(max(0, until - cost - moment) / 1_000)

    def _set_out(
        self, channel: Channel, cost: int, moment: int, conditions: Sequence[str], values: Mapping[str, int]
    ) -> bool:
        """Speak for units of a clock that is behind, and set it to now less the burst; False when it is not behind.

        One call in the place of two, as long as less is sent than the rate allows.
        """
        behind = moment - BURST
        try:
            self._move(
                channel,
                "SET until_ms = :until",
                [*conditions, "until_ms < :behind"],
                {**values, ":until": behind + cost, ":behind": behind},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            self._lagging.discard(channel)
            return False
        return True

    def _move(self, channel: Channel, update: str, conditions: Sequence[str], values: Mapping[str, int]) -> int:
        """Move the clock of those who send; what it says then."""
        answer = self._client.update_item(
            TableName=self._table,
            Key=_key(channel),
            UpdateExpression=update,
            ConditionExpression=" AND ".join(conditions),
            ExpressionAttributeValues={name: number(value) for name, value in values.items()},
            ReturnValues="UPDATED_NEW",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
        return int(answer["Attributes"]["until_ms"]["N"])

    def line_up(
        self,
        channel: Channel,
        units: int,
        *,
        rate: float,
        horizon: timedelta,
        now: datetime,
        lane: Lane = Lane.BULK,
        seen: Mapping[str, int] | None = None,
    ) -> datetime | None:
        """Speak for the next free turn in a line; None when the line is longer than the horizon, or everybody joins.

        `seen` are the clocks as somebody has just read them.
        """
        moment, cost, line = _milliseconds(now), round(1_000 * units / rate), LINES[lane]
        clocks = seen or {}
        for _ in range(RACES):
            spoken_for = clocks.get("until_ms", 0) if lane is Lane.BULK else 0
            start = max(clocks.get(line, 0), spoken_for, clocks.get("halt_ms", 0), moment + SOONEST)
            if start - moment > horizon.total_seconds() * 1_000:
                return None
            is_as_seen = f"{line} = :seen" if line in clocks else f"attribute_not_exists({line})"
            values = {":end": start + cost} | ({":seen": clocks[line]} if line in clocks else {})
            try:
                self._client.update_item(
                    TableName=self._table,
                    Key=_key(channel),
                    UpdateExpression=f"SET {line} = :end",
                    ConditionExpression=is_as_seen,
                    ExpressionAttributeValues={name: number(value) for name, value in values.items()},
                    ReturnValuesOnConditionCheckFailure="ALL_OLD",
                )
            except self._client.exceptions.ConditionalCheckFailedException as error:
                clocks = _seen(error)
                continue
            return now + timedelta(milliseconds=start - moment)
        return None

    def correct(self, channel: Channel, units: int, *, rate: float) -> None:
        """Speak for more units than were thought at first, or for fewer."""
        self._client.update_item(
            TableName=self._table,
            Key=_key(channel),
            UpdateExpression="ADD until_ms :cost",
            ExpressionAttributeValues={":cost": number(round(1_000 * units / rate))},
        )

    def halt(self, channel: Channel, until: datetime) -> None:
        """Let nobody send on a channel for a while: its account is paused or exhausted."""
        self._client.update_item(
            TableName=self._table,
            Key=_key(channel),
            UpdateExpression="SET halt_ms = :until",
            ExpressionAttributeValues={":until": number(_milliseconds(until))},
        )

    def rate(self, channel: Channel, *, ask: Callable[[], float | None], now: datetime) -> float | None:
        """The rate that a provider grants this account, asked by one for all: it takes such a question once a second.

        None when it has never said; what it said last holds as long as it does not answer.
        """
        moment = _milliseconds(now)
        try:
            before = self._client.update_item(
                TableName=self._table,
                Key=_key(channel, "rate"),
                UpdateExpression="SET asked_ms = :now",
                ConditionExpression=(
                    "attribute_not_exists(asked_ms) OR asked_ms < :long_ago"
                    " OR (attribute_not_exists(a_thousand) AND asked_ms < :again)"
                ),
                ExpressionAttributeValues={
                    ":now": number(moment),
                    ":long_ago": number(moment - _in_milliseconds(RATE_FOR)),
                    ":again": number(moment - _in_milliseconds(RATE_AGAIN)),
                },
                ReturnValues="ALL_OLD",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ).get("Attributes", {})
        except self._client.exceptions.ConditionalCheckFailedException as error:
            return _rate(cast("dict[str, Any]", error.response).get("Item", {}))
        said = ask()
        if said is None:
            return _rate(before)
        self._client.update_item(
            TableName=self._table,
            Key=_key(channel, "rate"),
            UpdateExpression="SET a_thousand = :rate",
            ExpressionAttributeValues={":rate": number(round(1_000 * said))},
        )
        return said

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


def _key(channel: Channel, item: str = "clock") -> Item:
    return {"part": text(f"rate#{channel}"), "item": text(item)}


def _seen(error: Any) -> dict[str, int]:
    """The clocks as a refused update has found them."""
    return {name: int(value["N"]) for name, value in error.response.get("Item", {}).items() if "N" in value}


def _rate(item: Mapping[str, Any]) -> float | None:
    return int(item["a_thousand"]["N"]) / 1_000 if "a_thousand" in item else None


def _milliseconds(at: datetime) -> int:
    return int(at.timestamp() * 1_000)


def _in_milliseconds(span: timedelta) -> int:
    return int(span.total_seconds() * 1_000)
