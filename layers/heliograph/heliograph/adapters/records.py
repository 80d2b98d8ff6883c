"""The records of packs in the table `runs`: what plan decided, and the facts of what came of every dispatch."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from heliograph.adapters.dynamodb import Item, expiry, get_items, plain, text
from heliograph.domain.facts import Fact
from heliograph.domain.figures import Delivered, Planned
from heliograph.domain.model import Channel, RecordKey, SlotFacts

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SHARDS = 16
"""Partitions over which a run's records are spread, so that a run of a million writes to no hot key."""


def part_of(run_id: str, pack_id: str) -> str:
    """The partition of a pack: one of the run's shards; without a run the pack's own."""
    return f"{run_id}#{zlib.crc32(pack_id.encode()) % SHARDS}" if run_id else pack_id


def _key(record: RecordKey) -> Item:
    return {
        "part": text(part_of(record.run_id, record.pack_id)),
        "item": text(f"{record.pack_id}-{record.channel}"),
    }


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

    def keep(self, record: RecordKey, slots: SlotFacts, at: datetime) -> None:
        """Add facts; a fact that is there already stays as it is."""
        facts = [(f"{kind}#{slot}", value) for slot, kinds in slots.items() for kind, value in kinds.items()]
        names = {f"#f{i}": name for i, (name, _) in enumerate(facts)}
        values = {f":f{i}": text(value) for i, (_, value) in enumerate(facts)}
        sets = ", ".join(f"#f{i} = if_not_exists(#f{i}, :f{i})" for i in range(len(facts)))
        self._client.update_item(
            TableName=self._table,
            Key=_key(record),
            UpdateExpression=f"SET expires_at = :expires, {sets}",
            ExpressionAttributeNames=names,
            ExpressionAttributeValues={":expires": expiry(at), **values},
        )

    def claim_again(self, record: RecordKey, slots: Iterable[int]) -> None:
        """Take the `retry` facts of slots away, all or none; when somebody else did, DynamoDB's error says so."""
        names = {f"#f{slot}": f"{Fact.RETRY}#{slot}" for slot in slots}
        self._client.update_item(
            TableName=self._table,
            Key=_key(record),
            UpdateExpression="REMOVE " + ", ".join(names),
            ConditionExpression=" AND ".join(f"attribute_exists({name})" for name in names),
            ExpressionAttributeNames=names,
        )

    def settle(self, record: RecordKey, slot: int, facts: Mapping[str, str]) -> None:
        """Add the facts that settle a slot, unless somebody else has settled it."""
        names = {f"#{kind}": f"{kind}#{slot}" for kind in facts}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(record),
                UpdateExpression="SET " + ", ".join(f"#{kind} = :{kind}" for kind in facts),
                ConditionExpression=f"attribute_not_exists(#{Fact.SETTLED})",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={f":{kind}": text(value) for kind, value in facts.items()},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def read(self, records: Iterable[RecordKey]) -> dict[RecordKey, SlotFacts]:
        """The facts of packs; those of which nothing is known yet have none."""
        wanted = {(key["part"]["S"], key["item"]["S"]): record for record in records for key in [_key(record)]}
        keys = [{"part": text(part), "item": text(item)} for part, item in wanted]
        items = get_items(self._client, self._table, keys, consistent=True)
        found = {wanted[item["part"]["S"], item["item"]["S"]]: _facts(item) for item in items}
        return {record: found.get(record, {}) for record in wanted.values()}

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


def _facts(item: Mapping[str, Any]) -> SlotFacts:
    slots: SlotFacts = {}
    for name, value in item.items():
        kind, mark, slot = name.partition("#")
        if mark:
            slots.setdefault(int(slot), {})[kind] = value["S"]
    return slots
