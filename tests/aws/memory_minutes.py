"""A table of DynamoDB in memory, as far as waiting for a minute needs one, and as strict and as forgetful as AWS's."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any

from aws.memory_clocks import NotMetError

PAGE = 3
"""Items: small, so that every test turns pages."""
ITEM_BYTES = 400 * 1024
CALL_ITEMS = {"read": 100, "write": 25}

Item = dict[str, Any]
Key = tuple[str, str]


class MinuteTable:
    """The calls of `Minutes`, one after the other, each inside of what `call` makes of it."""

    class exceptions:  # noqa: N801 - as botocore spells it
        """What the client may raise."""

        ConditionalCheckFailedException = NotMetError

    def __init__(self, call: Callable[[], AbstractContextManager[None]]) -> None:
        self.items: defaultdict[str, dict[str, Item]] = defaultdict(dict)
        """By partition and name."""
        self.throttled = 0
        """How many writes of batches are throttled: each takes one item, as little as DynamoDB ever does."""
        self._call = call

    def batch_write_item(self, RequestItems: Any) -> dict[str, Any]:  # noqa: N803 - as botocore spells it
        """Put and delete whatever was there."""
        ((table, asked),) = RequestItems.items()
        assert 0 < len(asked) <= CALL_ITEMS["write"]
        keys = [
            _key(each["PutRequest"]["Item"] if "PutRequest" in each else each["DeleteRequest"]["Key"]) for each in asked
        ]
        assert len(set(keys)) == len(keys), "DynamoDB refuses a batch with an item twice"
        taken = len(asked)
        if self.throttled:
            self.throttled, taken = self.throttled - 1, 1
        with self._call():
            for key, each in zip(keys[:taken], asked[:taken], strict=True):
                if "PutRequest" in each:
                    self._put(each["PutRequest"]["Item"])
                else:
                    self.items[key[0]].pop(key[1], None)
        return {"UnprocessedItems": {table: asked[taken:]} if asked[taken:] else {}}

    def batch_get_item(self, RequestItems: Any) -> dict[str, Any]:  # noqa: N803 - as botocore spells it
        """What is there of these."""
        ((table, asked),) = RequestItems.items()
        assert 0 < len(asked["Keys"]) <= CALL_ITEMS["read"]
        assert asked["ConsistentRead"]
        with self._call():
            found = [item for key in asked["Keys"] if (item := self._get(key))]
        return {"Responses": {table: found}}

    def put_item(self, TableName: str, Item: Item, ConditionExpression: str = "") -> None:  # noqa: N803 - botocore's
        """Put an item, perhaps only where none is."""
        assert ConditionExpression in ("", "attribute_not_exists(part)")
        with self._call():
            if ConditionExpression and self._get(Item):
                raise NotMetError({"Error": {"Code": "ConditionalCheckFailedException"}}, "PutItem")
            self._put(Item)

    def get_item(self, **asked: Any) -> dict[str, Any]:
        """An item."""
        assert asked["ConsistentRead"]
        with self._call():
            item = self._get(asked["Key"])
        return {"Item": item} if item else {}

    def query(self, **asked: Any) -> dict[str, Any]:
        """The first page of a partition."""
        return next(self.paginate(**asked))

    def get_paginator(self, _: str) -> MinuteTable:
        """Of queries."""
        return self

    def paginate(self, **asked: Any) -> Iterator[dict[str, Any]]:
        """A partition page by page: each is read when it is asked for."""
        assert asked["ConsistentRead"]
        values = asked["ExpressionAttributeValues"]
        part, beginning = values[":part"]["S"], values.get(":late", {"S": ""})["S"]
        last: str | None = ""
        while last is not None:
            with self._call():
                rest = [name for name in sorted(self.items[part]) if name > last and name.startswith(beginning)]
                page, last = rest[:PAGE], (rest[PAGE - 1] if len(rest) > PAGE else None)
                items = [self.items[part][name] for name in page]
            yield {"Items": items}

    def _put(self, item: Item) -> None:
        assert sum(len(str(value)) for value in item.values()) <= ITEM_BYTES
        part, name = _key(item)
        self.items[part][name] = item

    def _get(self, key: Item) -> Item | None:
        part, name = _key(key)
        return self.items[part].get(name)

    def skip_empty_minutes(self, now: datetime) -> None:
        """Let the ticks have come that found nothing, up to the one that finds something, or to the last one."""
        last = datetime.fromisoformat(self.items["due"]["tick"]["minute"]["S"])
        kept = (
            datetime.fromisoformat(part.split("#")[1]) for part, items in self.items.items() if "#" in part and items
        )
        first = min((minute for minute in kept if minute > last), default=now)
        self.items["due"]["tick"] |= {"minute": {"S": (min(first, now) - timedelta(minutes=1)).isoformat()}}


def _key(item: Item) -> Key:
    return item["part"]["S"], item["item"]["S"]
