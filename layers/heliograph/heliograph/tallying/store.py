"""The kept sums of runs in the table `runs`, a row for each shard of a run, and the stream of what changes there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from heliograph.aws.errors import BusyError
from heliograph.aws.tables import STATEMENT_LIMIT, Item, chunks, expiry, get_items, number, text
from heliograph.recording.store import FENCE, SHARDS, part_of_shard, told_by
from heliograph.tallying.sums import Change, Count, Fence, Of, Row, Sums, difference, sums_of, total
from heliograph.text.ids import is_derived

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

PART = "sum#"
VIA_FALLBACK = "fallback "
LOST = frozenset({"ConditionalCheckFailed", "DuplicateItem"})
"""PartiQL's codes for a row that somebody else has written since it was read."""


class Shard(NamedTuple):
    """One of a run's shards."""

    run_id: str
    number: int


class Unread(NamedTuple):
    """An item whose change could not be read, and the name of the error."""

    part: str
    item: str
    error: str


class Told(NamedTuple):
    """What records of the stream tell."""

    changes: dict[Shard, list[Change]]
    unread: list[Unread]
    """Another program wrote them, or a newer version: they would stop all that follows them in the stream."""


class KeptSums:
    """The rows of sums: all of a run in one partition, which is read at once."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._insert = (
            f"INSERT INTO \"{table}\" VALUE {{'part': ?, 'item': ?, 'sums': ?, 'seen': ?, 'fence': ?, "
            "'stream_at': ?, 'version': ?, 'expires_at': ?}"
        )
        self._update = (
            f'UPDATE "{table}" SET sums=? SET seen=? SET fence=? SET stream_at=? '  # noqa: S608  the name of our table
            "SET version=? SET expires_at=? WHERE part=? AND item=? AND version=?"
        )

    def of_run(self, run_id: str, *, consistent: bool = True) -> Sums:
        """The sums of a run."""
        return total(row.sums for row in self.rows_of_run(run_id, consistent=consistent).values())

    def rows_of_run(self, run_id: str, *, consistent: bool = True) -> dict[Shard, Row]:
        """The rows of a run; one of which nothing is known yet is empty."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="part = :part",
            ExpressionAttributeValues={":part": text(f"{PART}{run_id}")},
            ConsistentRead=consistent,
        )
        found = {Shard(run_id, each): Row() for each in range(SHARDS)}
        return found | {_shard(item): _row(item) for item in answer["Items"]}

    def rows(self, shards: Iterable[Shard]) -> dict[Shard, Row]:
        """The rows of some shards, of any runs."""
        found = {shard: Row() for shard in shards}
        keys = [_key(shard) for shard in found]
        items = get_items(self._client, self._table, keys, consistent=True)
        return found | {_shard(item): _row(item) for item in items}

    def write(self, rows: Mapping[Shard, Row], at: datetime) -> set[Shard]:
        """Write rows, each only if it still has the version that was read; the shards of those that have not.

        Raises BusyError when DynamoDB did not take some; all of it may be tried again.
        """
        lost = set[Shard]()
        for some in chunks(list(rows.items()), STATEMENT_LIMIT):
            statements: Any = [self._statement(shard, row, at) for shard, row in some]
            answer = self._client.batch_execute_statement(Statements=statements)
            codes = [each.get("Error", {}).get("Code") for each in answer["Responses"]]
            if set(codes) - LOST - {None}:
                raise BusyError(f"{self._table}: rows were left unwritten")
            lost |= {shard for (shard, _), code in zip(some, codes, strict=True) if code}
        return lost

    def _statement(self, shard: Shard, row: Row, at: datetime) -> dict[str, Any]:
        key = list(_key(shard).values())
        kept = [text(_spelled(row.sums)), text(" ".join(map(str, (row.floor, *row.seen))))]
        kept += [text(f"{row.fence.number} {row.fence.name}"), text(row.stream)]
        kept += [number(row.version + 1), expiry(at)]
        if not row.version:
            return {"Statement": self._insert, "Parameters": [*key, *kept]}
        return {"Statement": self._update, "Parameters": [*kept, *key, number(row.version)]}

    def put_fence(self, shard: Shard, fence: str, at: datetime) -> None:
        """Write a fence behind all that was written into a shard: its row says so when that was counted."""
        part = part_of_shard(shard.run_id, shard.number)
        item = {"part": text(part), "item": text(FENCE), FENCE: text(fence), "expires_at": expiry(at)}
        self._client.put_item(TableName=self._table, Item=item)


def changes(records: Iterable[Mapping[str, Any]]) -> Told:
    """What records of the table's stream change in the sums of runs; what expires changes nothing."""
    found = Told({}, [])
    for record in records:
        keys = record["dynamodb"]["Keys"]
        part, item = keys["part"]["S"], keys["item"]["S"]
        run_id, _, shard = part.rpartition("#")
        if "NewImage" not in record["dynamodb"] or not is_derived(run_id):
            continue
        try:
            change = _change(record)
        except Exception as error:  # noqa: BLE001 - what one item holds must not stop the others
            found.unread.append(Unread(part, item, type(error).__name__))
        else:
            found.changes.setdefault(Shard(run_id, int(shard)), []).append(change)
    return found


def _change(record: Mapping[str, Any]) -> Change:
    told = record["dynamodb"]
    new, old = told["NewImage"], told.get("OldImage")
    return Change(
        number=int(told["SequenceNumber"]),
        sums=difference(sums_of(told_by(new)), sums_of(told_by(old) if old else None)),
        fence=new[FENCE]["S"] if told["Keys"]["item"]["S"] == FENCE else "",
        stream=record["eventSourceARN"].rpartition("/")[2],
    )


def _key(shard: Shard) -> Item:
    return {"part": text(f"{PART}{shard.run_id}"), "item": text(str(shard.number))}


def _shard(item: Mapping[str, Any]) -> Shard:
    return Shard(item["part"]["S"].removeprefix(PART), int(item["item"]["S"]))


def _row(item: Mapping[str, Any]) -> Row:
    floor, *seen = map(int, item["seen"]["S"].split())
    number, _, name = item["fence"]["S"].partition(" ")
    return Row(
        version=int(item["version"]["N"]),
        sums=_read(item["sums"]["S"]),
        seen=tuple(seen),
        floor=floor,
        fence=Fence(int(number), name),
        stream=item["stream_at"]["S"],
    )


def _spelled(sums: Sums) -> str:
    """Sums as JSON: `{"standing accepted": 950, "fallback accepted sms": 12}`."""
    named = {f"{VIA_FALLBACK if via else ''}{of} {name}".rstrip(): many for (of, name, via), many in sums.items()}
    return msgspec.json.encode(named).decode()


def _read(kept: str) -> Sums:
    sums = Sums()
    for name, many in msgspec.json.decode(kept, type=dict[str, int]).items():
        of, _, what = name.removeprefix(VIA_FALLBACK).partition(" ")
        sums[Count(Of(of), what, name.startswith(VIA_FALLBACK))] = many
    return sums
