"""DynamoDB of the null AWS: everybody is known and had two messages, what is written to `runs` is kept, units count.

Decisions are taken in and forgotten, so that every claim is the first. Records and the clocks of rate limits are kept
as they are written, with their conditions: an update costs by the whole item, and a clock answers how late it is.
"""

from __future__ import annotations

import base64
import re
import time
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from math import ceil
from typing import Any

import msgspec

from aws.expressions import Item, holds, updated
from aws.heavy import Heavy, Hottest

WRITE_UNIT = 1_024  # bytes
READ_UNIT = 4_096
PAGE = 1_048_576
"""Bytes that a Query reads at once."""
KEYS = {"recipients": ("recipient_id",), "ledger": ("recipient_id", "dispatch_id"), "runs": ("part", "item")}

FIRST_CHANGE = 4_421_584_500_000_000_000_000_000_000
"""As long as the numbers of DynamoDB's streams are."""
STREAM = "arn:aws:dynamodb:eu-west-1:000000000000:table/heliograph-runs/stream/2026-11-24T12:00:00.000"

CONSENT = {"M": {"state": {"S": "opted_in"}, "at": {"S": "2026-03-14T09:26:53.000000+00:00"}, "source": {"S": "form"}}}
PERSON: dict[str, Any] = {
    "email": {"S": "amara.okafor@example.com"},
    "phone": {"S": "+4930901820"},
    "locale": {"S": "en"},
    "timezone": {"S": "Europe/Berlin"},
    "known": {"BOOL": True},
    "consent#offers/email": CONSENT,
    "consent#offers/sms": CONSENT,
    "consent#capped_offers/email": CONSENT,
    "attribute#first_name": {"S": "Amara"},
    "attribute#last_name": {"S": "Okafor"},
    "attribute#country": {"S": "DE"},
    "attribute#loyalty": {"S": "gold"},
}
STRANGERS = "stranger"
"""What the ids of people begin with who consented to nothing."""
PUNCTUAL = "punctual"
"""What the ids of people begin with who prefer a time: `punctual-0780-…` prefers 13:00, the minute 780 of the day."""
DISPATCHES = ("01KAJ8ZQG0AMARA0000000000A-0", "01KAPD3M80AMARA0000000000B-0")


def size_of(value: dict[str, Any]) -> int:
    """Bytes of an attribute value, as DynamoDB counts them."""
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return len(inner.encode())
        case "N":
            return len(inner.strip("-0.")) // 2 + 2
        case "M":
            return 3 + sum(1 + len(name.encode()) + size_of(one) for name, one in inner.items())
        case "L":
            return 3 + sum(1 + size_of(one) for one in inner)
        case "SS":
            return sum(len(one.encode()) for one in inner)
        case "NS":
            return sum(size_of({"N": one}) for one in inner)
        case "B":
            return len(inner if isinstance(inner, bytes) else base64.b64decode(inner))
        case _:
            return 1


def item_size(item: dict[str, Any]) -> int:
    """Bytes of an item: names and values."""
    return sum(len(name.encode()) + size_of(value) for name, value in item.items())


@cache
def _names_size(statement: str) -> int:
    """The names of an INSERT, or of an UPDATE: those that it sets, and its key."""
    names = re.findall(r"'([^']+)':", statement) or re.findall(r"(\w+)=\?", statement)
    return sum(len(name.encode()) for name in set(names))


def account() -> dict[str, Any]:
    """The reservations of a person who got two messages of a capped topic in the last days."""
    days = [time.time() - ago * 86_400 for ago in (1, 2)]
    entries = [f"{int(1000 * moment):011x}{dispatch}" for moment, dispatch in zip(days, DISPATCHES, strict=True)]
    line = " ".join(["email promotional capped_offers", *entries])
    return {"reserved": {"S": line}, "version": {"N": "2"}, "expires_at": {"N": "1798000000"}}


class ConditionError(Exception):
    """A condition was not met; `item` is what was there."""

    def __init__(self, item: Item) -> None:
        super().__init__("ConditionalCheckFailedException")
        self.item = item


class NullDynamoDB:
    """Answers and units."""

    def __init__(self) -> None:
        self.items: defaultdict[tuple[str, str], dict[str, Item]] = defaultdict(dict)
        """By table and partition, and in it by sort key."""
        self.stream: list[dict[str, Any]] | None = None
        """What changed in the table `runs`, as Lambda hands it over; none until it is asked for."""
        self._told = 0
        self.stored: defaultdict[str, dict[str, int]] = defaultdict(lambda: {"items": 0, "bytes": 0})
        self.heavy: defaultdict[str, Heavy] = defaultdict(Heavy)
        self.reset()
        self._person = msgspec.json.encode(PERSON)[1:]
        self._stranger = msgspec.json.encode({name: PERSON[name] for name in PERSON if "consent" not in name})[1:]
        self._account = msgspec.json.encode(account())[1:]
        self._person_size = item_size(PERSON) + 30

    def reset(self) -> None:
        """Count from nothing; what is held stays."""
        self.write_units = 0
        self.read_units = 0.0
        self.writes: dict[str, dict[str, int]] = {}

    def forget_people(self) -> None:
        """Everybody is again as if nothing had been written about them: bounces have consequences."""
        for partition in [each for each in self.items if "recipients" in each[0]]:
            del self.items[partition]

    def copy(self, part: str, name: str, to_part: str, to_name: str) -> None:
        """The items of a partition of `runs` whose names begin so are there once more, as if they had always been."""
        table = "heliograph-runs"
        for sort, item in list(self.items[table, part].items()):
            if sort.startswith(name):
                key = {"part": {"S": to_part}, "item": {"S": to_name + sort.removeprefix(name)}}
                self.items[table, to_part][key["item"]["S"]] = item | key

    def hottest(self) -> dict[str, Hottest]:
        """The key of each table that most units went to, read and written, since this was asked before."""
        heavy, self.heavy = self.heavy, defaultdict(Heavy)
        return {name: each.hottest() for name, each in heavy.items()}

    def answer(self, operation: str, body: bytes) -> Any:
        """What DynamoDB says to a call; raises ConditionError."""
        asked = msgspec.json.decode(body)
        match operation:
            case "BatchGetItem":
                return self._read(asked["RequestItems"])
            case "BatchExecuteStatement":
                for one in asked["Statements"]:
                    if _table(one).endswith("-runs"):
                        self._keep_row(one)
                        continue
                    size = _names_size(one["Statement"]) + sum(map(size_of, one["Parameters"]))
                    self._wrote(_table(one), _partition_of(one), size)
                return {"Responses": [{"TableName": "ledger"}] * len(asked["Statements"])}
            case "BatchWriteItem":
                for table, requests in asked["RequestItems"].items():
                    for request in requests:
                        self._put_or_delete(table, request)
                return {"UnprocessedItems": {}}
            case "PutItem" | "UpdateItem" | "DeleteItem":
                return self._change(operation, asked)
            case "GetItem":
                found = self._held(asked["TableName"], asked["Key"])
                place = self._place(asked["TableName"], asked["Key"])[0]
                self._count_read(place, item_size(found or {}), consistent=asked.get("ConsistentRead", False))
                return {"Item": found} if found else {}
            case "Query":
                return self._query(asked)
            case _:
                self.read_units += 0.5
                return {}

    def _held(self, table: str, key: Item) -> Item | None:
        """What is there under a key; who was never written to is a person as all are."""
        partition, sort = self._place(table, key)
        found = self.items[partition].get(sort)
        if found or "recipients" not in table or partition[1].startswith(STRANGERS):
            return found
        return {**key, **PERSON}

    def _place(self, table: str, item: Item) -> tuple[tuple[str, str], str]:
        keys = KEYS[table.rpartition("-")[2]]
        values = [str(*item[key].values()) for key in keys]
        return (table, values[0]), values[1] if len(keys) > 1 else ""

    def _change(self, operation: str, asked: dict[str, Any]) -> dict[str, Any]:
        """One write, under its condition; what is answered is what was asked for."""
        table, key = asked["TableName"], asked.get("Key") or asked["Item"]
        before = self._held(table, key)
        names, values = asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {})
        condition = asked.get("ConditionExpression")
        if condition and not holds(condition, before or {}, names, values):
            self._wrote(table, self._place(table, key)[0][1], item_size(before or {}))
            raise ConditionError((before or {}) if "ReturnValuesOnConditionCheckFailure" in asked else {})
        after: Item | None = asked.get("Item")
        if operation == "UpdateItem":
            after = updated(asked["UpdateExpression"], before or dict(key), names, values)
        self._keep(table, key, before, after)
        match asked.get("ReturnValues"):
            case "ALL_OLD" | "UPDATED_OLD":
                return {"Attributes": before or {}}
            case "ALL_NEW" | "UPDATED_NEW":
                return {"Attributes": after or {}}
        return {}

    def _put_or_delete(self, table: str, request: dict[str, Any]) -> None:
        item: Item | None = request.get("PutRequest", {}).get("Item")
        key = item or request["DeleteRequest"]["Key"]
        self._keep(table, key, self._held(table, key), item)

    def _keep(self, table: str, key: Item, before: Item | None, after: Item | None) -> None:
        """An item takes the place of another; a write costs by the larger of both."""
        old, new = item_size(before or {}), item_size(after or {})
        partition, sort = self._place(table, key)
        self._wrote(table, partition[1], max(old, new))
        was_there = sort in self.items[partition]
        if after is None:
            self.items[partition].pop(sort, None)
        else:
            self.items[partition][sort] = after
        if self.stream is not None and table.endswith("-runs") and after is not None:
            self.stream.append(self._change_of(table, before if was_there else None, after))
        self.stored[table]["items"] += (after is not None) - was_there
        self.stored[table]["bytes"] += new - (old if was_there else 0)

    def _keep_row(self, statement: dict[str, Any]) -> None:
        """A row of sums is kept whole; nobody else writes it meanwhile."""
        names = re.findall(r"'(\w+)'", statement["Statement"]) or re.findall(r"(\w+)=\?", statement["Statement"])
        item = dict(list(zip(names, statement["Parameters"], strict=True))[: len(set(names))])
        self._keep(_table(statement), item, self._held(_table(statement), item), item)

    def _change_of(self, table: str, before: Item | None, after: Item) -> dict[str, Any]:
        self._told += 1
        images = {"NewImage": after} | ({"OldImage": before} if before else {})
        keys = {name: after[name] for name in KEYS[table.rpartition("-")[2]]}
        told = {"Keys": keys, "SequenceNumber": str(FIRST_CHANGE + self._told), **images}
        return {"eventName": "MODIFY" if before else "INSERT", "dynamodb": told, "eventSourceARN": STREAM}

    def take_stream(self) -> list[dict[str, Any]]:
        """What changed since it was asked for last."""
        told, self.stream = self.stream or [], []
        return told

    def _wrote(self, table: str, partition: str, size: int) -> None:
        units = max(1, ceil(size / WRITE_UNIT))
        self.write_units += units
        self.heavy[f"{table} written"].add(partition, units)
        seen = self.writes.setdefault(table, {"writes": 0, "units": 0, "bytes": 0})
        for name, more in (("writes", 1), ("units", units), ("bytes", size)):
            seen[name] += more

    def _count_read(self, place: tuple[str, str], size: int, *, consistent: bool) -> None:
        units = max(1, ceil(size / READ_UNIT)) * (1 if consistent else 0.5)
        self.read_units += units
        self.heavy[f"{place[0]} read"].add(place[1], units)

    def _read(self, tables: dict[str, Any]) -> bytes:
        responses = []
        for table, wanted in tables.items():
            items = []
            for key in wanted["Keys"]:
                rest, size = self._rest(table, key)
                place = self._place(table, key)[0]
                self._count_read(place, size, consistent=wanted.get("ConsistentRead", False))
                if rest:
                    items.append(msgspec.json.encode(key)[:-1] + b"," + rest)
            responses.append(b'"%s":[%s]' % (table.encode(), b",".join(items)))
        return b'{"Responses":{%s},"UnprocessedKeys":{}}' % b",".join(responses)

    def _rest(self, table: str, key: Item) -> tuple[bytes, int]:
        """What an item holds beside its key, nothing if there is none; and its size."""
        if found := self.items[self._place(table, key)[0]].get(self._place(table, key)[1]):
            return msgspec.json.encode({name: found[name] for name in found if name not in key})[1:], item_size(found)
        if "recipients" in table:
            return self._of_person(key["recipient_id"]["S"]), self._person_size
        return (self._account, 1) if key.get("dispatch_id") == {"S": "reservations"} else (b"", 1)

    def _of_person(self, recipient_id: str) -> bytes:
        if recipient_id.startswith(PUNCTUAL):
            hour, minute = divmod(int(recipient_id.split("-")[1]), 60)
            return b'"preferred_time":{"S":"%02d:%02d"},%b' % (hour, minute, self._person)
        return self._stranger if recipient_id.startswith(STRANGERS) else self._person

    def _query(self, asked: dict[str, Any]) -> dict[str, Any]:
        """A page of a partition; by an address, one person has it."""
        if "IndexName" in asked:
            self._count_read((asked["TableName"], asked["IndexName"]), 1, consistent=False)
            return {"Items": [{"recipient_id": {"S": "customer-0000000"}}], "Count": 1}
        names, values = asked.get("ExpressionAttributeNames", {}), asked["ExpressionAttributeValues"]
        (table, partition), keys = (asked["TableName"], ""), KEYS[asked["TableName"].rpartition("-")[2]]
        found = re.match(r"\s*([#\w]+)\s*=\s*(:\w+)", asked["KeyConditionExpression"])
        assert found, "a Query names its partition first"
        partition = str(*values[found[2]].values())
        ordered = sorted(self.items[table, partition].items(), reverse=not asked.get("ScanIndexForward", True))
        start = asked.get("ExclusiveStartKey")
        after = [item for sort, item in ordered if not start or _is_after(sort, start[keys[-1]]["S"], asked)]
        wanted = (item for item in after if holds(asked["KeyConditionExpression"], item, names, values))
        page, size, is_whole = _page(wanted, asked.get("Limit"))
        self._count_read((table, partition), size, consistent=asked.get("ConsistentRead", False))
        last = {} if is_whole else {"LastEvaluatedKey": {key: page[-1][key] for key in keys}}
        return {"Items": page, "Count": len(page), **last}


def _is_after(sort: str, start: str, asked: dict[str, Any]) -> bool:
    return sort > start if asked.get("ScanIndexForward", True) else sort < start


def _page(items: Iterator[Item], limit: int | None) -> tuple[list[Item], int, bool]:
    """As many items as a page holds, their bytes, and whether they are all."""
    page: list[Item] = []
    size = 0
    for item in items:
        page.append(item)
        size += item_size(item)
        if size > PAGE or len(page) == limit:
            return page, size, next(items, None) is None
    return page, size, True


def _table(statement: dict[str, Any]) -> str:
    found = re.search(r'"([^"]+)"', statement["Statement"])
    return found[1] if found else ""


def _partition_of(statement: dict[str, Any]) -> str:
    """The person that an INSERT or UPDATE is of: the parameter that stands where their name does."""
    before, _, _ = statement["Statement"].partition("recipient_id")
    ((_, value),) = statement["Parameters"][before.count("?")].items()
    return str(value)
