"""The records of packs in the table `runs`: what plan decided, and the facts of what came of every dispatch."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from heliograph.aws.tables import Item, chunks, expiry, get_items, plain, text, write_items
from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import Happened, RecordKey, SlotFacts
from heliograph.model.packs import Delivered, Planned
from heliograph.recording.facts import Fact, accepted_slots
from heliograph.recording.kept_facts import Attributes, attributes, facts_in, name_of, spelled
from heliograph.text.ids import is_derived, is_of_fallbacks

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

FACTS_LIMIT = 100
"""In one update: an expression may have 4 KB and 300 functions (DynamoDB's limits); a fact takes 34 bytes and one."""
SHARDS = 16
"""Partitions over which a run's records are spread, so that a run of a million writes to no hot key."""
REPORTS = frozenset(
    {
        EngagementKind.SENT,
        EngagementKind.DELAYED,
        EngagementKind.DELIVERED,
        EngagementKind.UNDELIVERED,
        EngagementKind.BOUNCED,
    }
)
SUFFIXES = {kind.value: "-r" if kind in REPORTS else "-l" for kind in EngagementKind}
"""Engagement is kept in small items beside the record, because an update costs by the whole item: what providers report
(`-r`), and what people do later, one by one and for days (`-l`)."""
ITEMS = ("", *sorted(set(SUFFIXES.values())))


def part_of(run_id: str, pack_id: str) -> str:
    """The partition of a pack: one of the run's shards; without a run the pack's own."""
    return part_of_shard(run_id, shard_of(pack_id)) if run_id else pack_id


def shard_of(pack_id: str) -> int:
    """The shard of its run to which a pack belongs."""
    return zlib.crc32(pack_id.encode()) % SHARDS


def part_of_shard(run_id: str, shard: int) -> str:
    """The partition of a run's shard."""
    return f"{run_id}#{shard}"


FENCE = "fence"
"""The item by which a recount learns that what was written before was counted; it sorts behind every pack."""


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

    def keep_plans(self, plans: Mapping[tuple[str, str], Planned], at: datetime) -> None:
        """Keep what plan decided for packs, by their run and pack ids; raises BusyError when some was not taken."""
        write_items(self._client, self._table, put=[_plan(*key, planned, at) for key, planned in plans.items()])

    def planned(self, packs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        """Those of packs, by their run and pack ids, for which a plan is kept."""
        keys = {(part_of(*pack), pack[1]): pack for pack in packs}
        asked = [{"part": text(part), "item": text(item)} for part, item in keys]
        found = get_items(self._client, self._table, asked, consistent=True)
        return {keys[item["part"]["S"], item["item"]["S"]] for item in found}

    def keep(self, record: RecordKey, slots: SlotFacts, at: datetime) -> None:
        """Add facts; a fact that is there already stays as it is."""
        by_item: defaultdict[str, SlotFacts] = defaultdict(dict)
        for slot, kinds in slots.items():
            for kind, fact in kinds.items():
                by_item[SUFFIXES.get(kind, "")].setdefault(slot, {})[kind] = fact
        for suffix, some in by_item.items():
            self._add(_key(record, suffix), attributes(some), at)

    def _add(self, key: Item, added: Attributes, at: datetime) -> None:
        for some in chunks([*added.once.items(), *added.sets.items()], FACTS_LIMIT):
            names = {f"#f{number}": name for number, (name, _) in enumerate(some)}
            values = {f":f{number}": value for number, (_, value) in enumerate(some)}
            once = [f"#f{n} = if_not_exists(#f{n}, :f{n})" for n, (name, _) in enumerate(some) if name in added.once]
            sets = [f"#f{n} :f{n}" for n, (name, _) in enumerate(some) if name in added.sets]
            self._client.update_item(
                TableName=self._table,
                Key=key,
                UpdateExpression=f"SET {', '.join(['expires_at = :expires', *once])}"
                + (f" ADD {', '.join(sets)}" if sets else ""),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={":expires": expiry(at), **values},
            )

    def claim_again(self, record: RecordKey, slots: Iterable[int]) -> None:
        """Take the `retry` facts of slots away, all or none; when somebody else did, DynamoDB's error says so."""
        names = {f"#f{slot}": name_of(Fact.RETRY, slot) for slot in slots}
        self._client.update_item(
            TableName=self._table,
            Key=_key(record),
            UpdateExpression="REMOVE " + ", ".join(names),
            ConditionExpression=" AND ".join(f"attribute_exists({name})" for name in names),
            ExpressionAttributeNames=names,
        )

    def settle(self, record: RecordKey, slot: int, facts: Mapping[str, Happened]) -> None:
        """Add the facts that settle a slot, unless somebody else has settled it."""
        names = {f"#{kind}": name_of(kind, slot) for kind in facts}
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(record),
                UpdateExpression="SET " + ", ".join(f"#{kind} = :{kind}" for kind in facts),
                ConditionExpression=f"attribute_not_exists(#{Fact.SETTLED})",
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={f":{kind}": spelled(fact) for kind, fact in facts.items()},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return

    def read(self, records: Iterable[RecordKey]) -> dict[RecordKey, SlotFacts]:
        """The facts of packs; those of which nothing is known yet have none."""
        found: dict[RecordKey, SlotFacts] = {record: {} for record in records}
        keys = [(record, _key(record, suffix)) for record in found for suffix in ITEMS]
        owners = {(key["part"]["S"], key["item"]["S"]): record for record, key in keys}
        for item in get_items(self._client, self._table, [key for _, key in keys], consistent=True):
            _join(found[owners[item["part"]["S"], item["item"]["S"]]], item)
        return found

    def accepted(self, records: Iterable[RecordKey]) -> dict[RecordKey, set[int]]:
        """The slots that records themselves call accepted, without what was reported since; as they were a moment ago.

        Whoever sees too few of them writes again what is written, which changes nothing.
        """
        found: dict[RecordKey, set[int]] = {record: set() for record in records}
        owners = {_key(record)["item"]["S"]: record for record in found}
        for item in get_items(self._client, self._table, list(map(_key, found))):
            found[owners[item["item"]["S"]]] = accepted_slots(facts_in(item))
        return found

    def of_run(self, run_id: str) -> Iterator[Planned | Delivered]:
        """Every record of a run: what was planned, and each channel's facts, those that came later by themselves."""
        for shard in range(SHARDS):
            yield from self.of_shard(run_id, shard)

    def of_shard(self, run_id: str, shard: int) -> Iterator[Planned | Delivered]:
        """The records of one of a run's shards."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="part = :part",
            ExpressionAttributeValues={":part": text(part_of_shard(run_id, shard))},
            ConsistentRead=True,
        )
        return (found for page in pages for item in page["Items"] if (found := told_by(item)))


def _plan(run_id: str, pack_id: str, planned: Planned, at: datetime) -> Item:
    return {
        "part": text(part_of(run_id, pack_id)),
        "item": text(pack_id),
        "again": {"BOOL": planned.again},
        "expires_at": expiry(at),
        **{name: {"N": str(count)} for name, count in _counts(planned).items()},
    }


def told_by(item: Item) -> Planned | Delivered | None:
    """What one item of the table, in DynamoDB's own JSON, says of a pack of a run; None: it is about something else.

    Whatever a standing follows from is in the one item of a pack and channel that is not `is_later`.
    """
    run_id, in_shard, _ = item["part"]["S"].partition("#")
    if not (in_shard and is_derived(run_id)) or item["item"]["S"] == FENCE:
        return None
    pack_id, _, rest = item["item"]["S"].partition("-")
    channel, is_apart, _ = rest.partition("-")
    via_fallback = is_of_fallbacks(pack_id)
    if not channel:
        return _planned(plain(item), via_fallback=via_fallback)
    return Delivered(channel=Channel(channel), slots=facts_in(item), via_fallback=via_fallback, is_later=bool(is_apart))


def _join(slots: SlotFacts, item: Mapping[str, Any]) -> None:
    """Add the facts of an item; each kind is in one item alone."""
    for slot, facts in facts_in(item).items():
        slots.setdefault(slot, {}).update(facts)


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
