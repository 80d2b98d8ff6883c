"""The records of packs in the table `runs`: what plan decided, and the facts of what came of every dispatch."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import TYPE_CHECKING, Any

from heliograph.aws.tables import Item, chunks, expiry, get_items, plain, text
from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import Happened, RecordKey, SlotFacts
from heliograph.model.packs import Delivered, Planned
from heliograph.recording.facts import Fact
from heliograph.text.ids import is_of_fallbacks

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

FACTS_LIMIT = 100
"""In one update: an expression may have 4 KB and 300 functions (DynamoDB's limits); a fact takes 34 bytes and one."""
SHARDS = 16
"""Partitions over which a run's records are spread, so that a run of a million writes to no hot key."""


def part_of(run_id: str, pack_id: str) -> str:
    """The partition of a pack: one of the run's shards; without a run the pack's own."""
    return f"{run_id}#{zlib.crc32(pack_id.encode()) % SHARDS}" if run_id else pack_id


WITH_MORE = frozenset({Fact.ACCEPTED.value, Fact.SKIPPED.value, Fact.SCHEDULED.value})
"""Facts that may say what they are about."""
LATER = frozenset(
    {EngagementKind.OPENED, EngagementKind.CLICKED, EngagementKind.COMPLAINED, EngagementKind.UNSUBSCRIBED}
)
"""What people do, one by one and for days: in a small item of its own, because an update costs by the whole item."""


def _key(record: RecordKey, suffix: str = "") -> Item:
    return {
        "part": text(part_of(record.run_id, record.pack_id)),
        "item": text(f"{record.pack_id}-{record.channel}{suffix}"),
    }


class Records:
    """The pack records in the table `runs`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def keep_plan(self, run_id: str, pack_id: str, planned: Planned, at: datetime) -> None:
        """Keep what plan decided for a pack."""
        self._client.put_item(
            TableName=self._table,
            Item={
                "part": text(part_of(run_id, pack_id)),
                "item": text(pack_id),
                "again": {"BOOL": planned.again},
                "expires_at": expiry(at),
                **{name: {"N": str(count)} for name, count in _counts(planned).items()},
            },
        )

    def keep(self, record: RecordKey, slots: SlotFacts, at: datetime) -> None:
        """Add facts; a fact that is there already stays as it is."""
        facts = [(kind, slot, value) for slot, kinds in slots.items() for kind, value in kinds.items()]
        self._add(_key(record), [fact for fact in facts if fact[0] not in LATER], at)
        self._add(_key(record, "-later"), [fact for fact in facts if fact[0] in LATER], at)

    def _add(self, key: Item, facts: list[tuple[str, int, Happened]], at: datetime) -> None:
        for some in chunks(facts, FACTS_LIMIT):
            names = {f"#f{i}": f"{kind}#{slot}" for i, (kind, slot, _) in enumerate(some)}
            values = {f":f{i}": text(spelled(kind, fact)) for i, (kind, _, fact) in enumerate(some)}
            sets = ", ".join(f"#f{i} = if_not_exists(#f{i}, :f{i})" for i in range(len(some)))
            self._client.update_item(
                TableName=self._table,
                Key=key,
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

    def settle(self, record: RecordKey, slot: int, facts: Mapping[str, Happened]) -> None:
        """Add the facts that settle a slot, unless somebody else has settled it."""
        names = {f"#{kind}": f"{kind}#{slot}" for kind in facts}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(record),
                UpdateExpression="SET " + ", ".join(f"#{kind} = :{kind}" for kind in facts),
                ConditionExpression=f"attribute_not_exists(#{Fact.SETTLED})",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={f":{kind}": text(spelled(kind, fact)) for kind, fact in facts.items()},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def read(self, records: Iterable[RecordKey]) -> dict[RecordKey, SlotFacts]:
        """The facts of packs; those of which nothing is known yet have none."""
        found: dict[RecordKey, SlotFacts] = {record: {} for record in records}
        keys = [(record, _key(record, suffix)) for record in found for suffix in ("", "-later")]
        owners = {(key["part"]["S"], key["item"]["S"]): record for record, key in keys}
        for item in get_items(self._client, self._table, [key for _, key in keys], consistent=True):
            _add_facts(found[owners[item["part"]["S"], item["item"]["S"]]], item)
        return found

    def of_run(self, run_id: str) -> Iterator[Planned | Delivered]:
        """Every record of a run: what was planned, and each channel's facts."""
        for shard in range(SHARDS):
            pages = self._client.get_paginator("query").paginate(
                TableName=self._table,
                KeyConditionExpression="part = :part",
                ExpressionAttributeValues={":part": text(f"{run_id}#{shard}")},
                ConsistentRead=True,
            )
            items = (item for page in pages for item in page["Items"])
            for name, together in groupby(items, key=lambda item: item["item"]["S"].removesuffix("-later")):
                yield _record(name, together)


def _record(name: str, items: Iterable[Mapping[str, Any]]) -> Planned | Delivered:
    """A pack's plan, or the facts of its dispatches on a channel from the one or two items that hold them."""
    pack_id, _, channel = name.partition("-")
    if channel:
        slots: SlotFacts = {}
        for item in items:
            _add_facts(slots, item)
        return Delivered(channel=Channel(channel), slots=slots, via_fallback=is_of_fallbacks(pack_id))
    (values,) = map(plain, items)
    return _planned(values, via_fallback=is_of_fallbacks(pack_id))


def _counts(planned: Planned) -> dict[str, int]:
    return {
        **{f"dispatched#{name}": count for name, count in planned.dispatched.items()},
        **{f"skipped#{name}": count for name, count in planned.skipped.items()},
        "people": planned.people,
        "scheduled": planned.scheduled,
    }


def _planned(values: Mapping[str, Any], *, via_fallback: bool) -> Planned:
    return Planned(
        people=values["people"],
        again=values["again"],
        scheduled=values["scheduled"],
        via_fallback=via_fallback,
        dispatched=_with_prefix("dispatched#", values),
        skipped=_with_prefix("skipped#", values),
    )


def _with_prefix(prefix: str, values: Mapping[str, Any]) -> dict[str, int]:
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def _add_facts(slots: SlotFacts, item: Mapping[str, Any]) -> None:
    for name, value in item.items():
        kind, mark, slot = name.partition("#")
        if mark:
            slots.setdefault(int(slot), {})[kind] = fact_of(kind, value["S"])


def spelled(kind: str, fact: Happened) -> str:
    """`<epoch milliseconds> <detail>`; in it `<provider>:<id>` of what was accepted, `<reason> <variable>` else."""
    ends = (fact.about, fact.detail) if kind == Fact.ACCEPTED else (fact.detail, fact.about)
    detail = _mark(kind).join(filter(None, ends))
    return f"{int(fact.at.timestamp() * 1000)} {detail}".rstrip()


def fact_of(kind: str, kept: str) -> Happened:
    """A fact as it was before it was spelled."""
    millis, _, detail = kept.partition(" ")
    at = datetime.fromtimestamp(int(millis) / 1000, tz=UTC)
    first, mark, last = detail.partition(_mark(kind)) if kind in WITH_MORE else (detail, "", "")
    if not mark:
        return Happened(at, detail)
    return Happened(at, last, first) if kind == Fact.ACCEPTED else Happened(at, first, last)


def _mark(kind: str) -> str:
    return ":" if kind == Fact.ACCEPTED else " "
