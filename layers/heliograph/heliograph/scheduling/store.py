"""What waits for its minute, in the table `runs`: `due#<minute>#<shard>` its people, `due#<minute>` their packs."""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import msgspec

from heliograph.aws.errors import BusyError
from heliograph.aws.tables import Item, get_items, number, text, write_items
from heliograph.scheduling.joining import Assignment
from heliograph.scheduling.parts import Damaged, Part, origin_of, reading
from heliograph.text import ids
from heliograph.text.errors import MalformedError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

SHARDS: Final = 4
"""Partitions of a minute. A hundred people of a pack take 6 write units, 12 with some data each, and a partition takes
1,000 a second: for a minute for which everybody waits, 33,000 to 66,000 people a second are kept."""
KEPT: Final = timedelta(days=14)
"""How long after its minute it is kept, if nothing hands it on: as long as a queue would (MessageRetentionPeriod)."""
TICK: Final = {"part": text("due"), "item": text("tick")}
"""The item that says up to which minute everything was handed on."""
LATE: Final = "late#"
PACKS: Final = "packs#"
SENT: Final = "sent"


class OvertakenError(BusyError):
    """Another tick is at the same minute, and goes on with it."""


class Late(NamedTuple):
    """A note that something came to a minute when it may have been handed on already."""

    minute: datetime
    item: str

    @property
    def is_of_failure(self) -> bool:
        """Whether a tick left it that could not hand the whole minute on."""
        return self.item == _late(self.minute, "")


class Fixed(NamedTuple):
    """What earlier tries have fixed for a minute."""

    batches: Sequence[tuple[Assignment, ...]]
    """In their order; each is sent at once."""
    sent: int
    """How many of them are, from the first one."""
    left: Sequence[int]
    """Which of their packs are not for all that: the numbers of these packs, counted through all batches."""


class Minutes:
    """The minutes for which people wait."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    # ---- who waits ---------------------------------------------------------------------------------------------

    def keep(self, parts: Iterable[Part]) -> None:
        """Let parts wait; the same part twice is one."""
        write_items(self._client, self._table, put=[_item(part) for part in parts])

    def parts(self, minute: datetime) -> Iterator[Part | Damaged]:
        """Everybody who waits for a minute, a page at a time; parts of one origin follow each other."""
        for shard in range(SHARDS):
            yield from (_part(minute, item) for item in self._query(partition_of(minute, shard)))

    def read(self, minute: datetime, names: Iterable[str]) -> dict[str, Part]:
        """Parts by their names, as far as they are there and can be read."""
        keys = [_key(minute, name) for name in dict.fromkeys(names)]
        found = (_part(minute, item) for item in get_items(self._client, self._table, keys, consistent=True))
        return {part.name: part for part in found if isinstance(part, Part)}

    # ---- their packs -------------------------------------------------------------------------------------------

    def fixed(self, minute: datetime) -> Fixed:
        """The packs that earlier tries have made."""
        batches, sent = [], 0
        left: tuple[int, ...] = ()
        for item in self._query(partition_of(minute)):
            if item["item"]["S"] == SENT:
                sent = int(item["number"]["N"])
                left = msgspec.json.decode(item["left"]["S"], type=tuple[int, ...])
            else:
                batches.append(msgspec.json.decode(item["packs"]["S"], type=tuple[Assignment, ...]))
        return Fixed(batches, sent, left)

    def fix(self, minute: datetime, position: int, packs: Sequence[Assignment]) -> None:
        """Say for ever who is in which pack; raises OvertakenError when another tick has done so just now."""
        item = {
            "part": text(partition_of(minute)),
            "item": text(f"{PACKS}{position:05}"),
            "packs": text(msgspec.json.encode(packs).decode()),
            "expires_at": _expiry(minute),
        }
        try:
            self._client.put_item(TableName=self._table, Item=item, ConditionExpression="attribute_not_exists(part)")
        except self._client.exceptions.ConditionalCheckFailedException:
            raise OvertakenError("another tick makes the packs of this minute") from None

    def mark_sent(self, minute: datetime, batches: int, left: Sequence[int]) -> None:
        """Remember how many batches of packs were sent, and which packs of them were not."""
        item = {
            "part": text(partition_of(minute)),
            "item": text(SENT),
            "number": number(batches),
            "left": text(msgspec.json.encode(left).decode()),
            "expires_at": _expiry(minute),
        }
        self._client.put_item(TableName=self._table, Item=item)

    # ---- what has been handed on -------------------------------------------------------------------------------

    def last(self) -> datetime | None:
        """The minute up to which everything was handed on; None before the first."""
        found = self._client.get_item(TableName=self._table, Key=TICK, ConsistentRead=True).get("Item")
        return datetime.fromisoformat(found["minute"]["S"]) if found else None

    def advance(self, minute: datetime) -> None:
        """Everything up to a minute was handed on."""
        self._client.put_item(TableName=self._table, Item={**TICK, "minute": text(_spelled(minute))})

    def note_late(self, parts: Iterable[Part]) -> None:
        """Have the minutes of parts looked at again: a note for each minute, of a name that no other parts have."""
        names = defaultdict(list)
        for part in parts:
            names[part.minute].append(part.name)
        notes = [_note(minute, ids.derived_id(minute, *some)) for minute, some in names.items()]
        write_items(self._client, self._table, put=notes)

    def note(self, minute: datetime) -> None:
        """Have a minute looked at again that could not be handed on."""
        self._client.put_item(TableName=self._table, Item=_note(minute, ""))

    def late(self) -> list[Late]:
        """The minutes to look at again, at most as many as one page of a query holds."""
        found = self._client.query(
            TableName=self._table,
            KeyConditionExpression="part = :part AND begins_with(#item, :late)",
            ExpressionAttributeNames={"#item": "item"},  # a word of DynamoDB's own
            ExpressionAttributeValues={":part": TICK["part"], ":late": text(LATE)},
            ConsistentRead=True,
        )
        names = [item["item"]["S"] for item in found["Items"]]
        return [Late(datetime.fromisoformat(name.split("#")[1]), name) for name in names]

    def forget(self, notes: Iterable[Late]) -> None:
        """These minutes were looked at again."""
        keys = [{"part": TICK["part"], "item": text(note.item)} for note in notes]
        write_items(self._client, self._table, delete=keys)

    def _query(self, partition: str) -> Iterator[Mapping[str, Any]]:
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="part = :part",
            ExpressionAttributeValues={":part": text(partition)},
            ConsistentRead=True,
        )
        return (item for page in pages for item in page["Items"])


def partition_of(minute: datetime, shard: int | None = None) -> str:
    """The partition of a minute's packs, or of its people in a shard.

    No shard is a number: those of a run's records are, and the stream of their changes is told by it.
    """
    return f"due#{_spelled(minute)}" + ("" if shard is None else f"#{'abcd'[shard]}")


def _spelled(minute: datetime) -> str:
    return minute.astimezone(UTC).isoformat(timespec="minutes")


def _expiry(minute: datetime) -> Item:
    return number(int((minute + KEPT).timestamp()))


def _key(minute: datetime, name: str) -> Item:
    shard = zlib.crc32(origin_of(name).encode()) % SHARDS
    return {"part": text(partition_of(minute, shard)), "item": text(name)}


def _note(minute: datetime, name: str) -> Item:
    return {"part": TICK["part"], "item": text(_late(minute, name)), "expires_at": _expiry(minute)}


def _late(minute: datetime, name: str) -> str:
    return f"{LATE}{_spelled(minute)}#{name}"


def _item(part: Part) -> Item:
    return {
        **_key(part.minute, part.name),
        "run_id": text(part.run_id),
        "message": text(part.message),
        "people": number(part.people),
        "requests": text(part.packed),
        "expires_at": _expiry(part.minute),
    }


def _part(minute: datetime, item: Mapping[str, Any]) -> Part | Damaged:
    name = item["item"]["S"]
    try:
        with reading(name):
            return Part(
                minute=minute,
                name=name,
                run_id=item["run_id"]["S"],
                message=item["message"]["S"],
                people=int(item["people"]["N"]),
                packed=item["requests"]["S"],
            )
    except MalformedError as error:
        return Damaged(name, error)
