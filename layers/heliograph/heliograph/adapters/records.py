"""The records of packs in the table `runs`: what plan decided, and the facts of what came of every dispatch."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from heliograph.adapters.dynamodb import Item, expiry, get_items, plain, text
from heliograph.domain.facts import Fact
from heliograph.domain.figures import Delivered, Planned
from heliograph.domain.model import Channel, Value

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SHARDS = 16
"""Partitions over which a run's records are spread, so that a run of a million writes to no hot key."""

SlotFacts = Mapping[int, Mapping[str, str]]
"""Slot -> kind -> `fact_value`."""


class Place(Value, frozen=True, kw_only=True):
    """The record of a pack on a channel."""

    run_id: str
    pack_id: str
    channel: Channel

    def key(self) -> Item:
        """Its key in the table."""
        return {"part": text(part_of(self.run_id, self.pack_id)), "item": text(f"{self.pack_id}-{self.channel}")}


def part_of(run_id: str, pack_id: str) -> str:
    """The partition of a pack: one of the run's shards; without a run the pack's own."""
    return f"{run_id}#{zlib.crc32(pack_id.encode()) % SHARDS}" if run_id else pack_id


class Records:
    """The pack records in the table `runs`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def keep_plan(self, run_id: str, pack_id: str, planned: Planned, at: datetime) -> None:
        """Keep what plan decided for a pack."""
        counts = {
            **{f"dispatched#{name}": count for name, count in planned.dispatched.items()},
            **{f"suppressed#{name}": count for name, count in planned.suppressed.items()},
            "people": planned.people,
            "deferred": planned.deferred,
        }
        self._client.put_item(
            TableName=self._table,
            Item={
                "part": text(part_of(run_id, pack_id)),
                "item": text(pack_id),
                "again": {"BOOL": planned.again},
                "expires_at": expiry(at),
                **{name: {"N": str(count)} for name, count in counts.items()},
            },
        )

    def keep(self, place: Place, slots: SlotFacts, at: datetime) -> None:
        """Add facts; a fact that is there already stays as it is."""
        facts = [(f"{kind}#{slot}", value) for slot, kinds in slots.items() for kind, value in kinds.items()]
        names = {f"#f{i}": name for i, (name, _) in enumerate(facts)}
        values = {f":f{i}": text(value) for i, (_, value) in enumerate(facts)}
        sets = ", ".join(f"#f{i} = if_not_exists(#f{i}, :f{i})" for i in range(len(facts)))
        self._client.update_item(
            TableName=self._table,
            Key=place.key(),
            UpdateExpression=f"SET expires_at = :expires, {sets}",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={":expires": expiry(at), **values},
        )

    def claim_again(self, place: Place, slots: list[int]) -> bool:
        """Take the `retry` facts of slots away, all or none; False when somebody else did."""
        names = {f"#f{i}": f"{Fact.RETRY}#{slot}" for i, slot in enumerate(slots)}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=place.key(),
                UpdateExpression="REMOVE " + ", ".join(names),
                ConditionExpression=" AND ".join(f"attribute_exists({name})" for name in names),
                ExpressionAttributeNames=names,
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def read(self, places: list[Place]) -> dict[tuple[str, Channel], dict[int, dict[str, str]]]:
        """The facts of packs: (pack id, channel) -> slot -> kind -> value."""
        keys = [place.key() for place in dict.fromkeys(places)]
        items = get_items(self._client, self._table, keys, consistent=True)
        found = {item["item"]["S"]: _facts(item) for item in items}
        return {(p.pack_id, p.channel): found.get(f"{p.pack_id}-{p.channel}", {}) for p in places}

    def of_run(self, run_id: str) -> Iterator[Planned | Delivered]:
        """Every record of a run: what was planned, and each channel's facts."""
        for shard in range(SHARDS):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="part = :part",
                ExpressionAttributeValues={":part": text(f"{run_id}#{shard}")},
                ConsistentRead=True,
            )
            for page in pages:
                yield from map(_record, page["Items"])


def _record(item: Mapping[str, Any]) -> Planned | Delivered:
    _, _, channel = item["item"]["S"].partition("-")
    if channel:
        return Delivered(channel=Channel(channel), slots=_facts(item))
    values = plain(item)
    return Planned(
        people=values["people"],
        again=values["again"],
        deferred=values["deferred"],
        dispatched=_with_prefix("dispatched#", values),
        suppressed=_with_prefix("suppressed#", values),
    )


def _with_prefix(prefix: str, values: Mapping[str, Any]) -> dict[str, int]:
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def _facts(item: Mapping[str, Any]) -> dict[int, dict[str, str]]:
    slots: dict[int, dict[str, str]] = {}
    for name, value in item.items():
        kind, mark, slot = name.partition("#")
        if mark:
            slots.setdefault(int(slot), {})[kind] = value["S"]
    return slots
