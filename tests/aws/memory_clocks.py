"""A table of DynamoDB in memory, as far as rate limits need one: numbers, ADD, SET, conditions as written."""

from __future__ import annotations

import re
from functools import cache
from types import CodeType
from typing import Any

from botocore.exceptions import ClientError

MISSING = re.compile(r"attribute_not_exists\((\w+)\)")
NAME = re.compile(r"(?<![:'\w])([a-z]\w*_ms|a_thousand)(?!\w|')")


class NotMetError(ClientError):
    """What DynamoDB raises when a condition is not met."""


class ClockTable:
    """The calls of `RateLimits`, one after the other."""

    class exceptions:  # noqa: N801 - as botocore spells it
        """What the client may raise."""

        ConditionalCheckFailedException = NotMetError

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, int]] = {}
        self.calls = 0

    def update_item(self, **asked: Any) -> dict[str, Any]:
        """Do what an UpdateItem asks for, if its condition is met."""
        self.calls += 1
        key = asked["Key"]["part"]["S"], asked["Key"]["item"]["S"]
        item = self.items.get(key, {})
        values = {name[1:]: int(value["N"]) for name, value in asked["ExpressionAttributeValues"].items()}
        condition = asked.get("ConditionExpression", "")
        if condition and not eval(_compiled(condition), {"item": item, "value": values}):
            answer: Any = {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": _spelled(item)}
            raise NotMetError(answer, "UpdateItem")
        before = dict(item)
        verb, name, place = re.findall(r"(ADD|SET) (\w+) =? ?:(\w+)", asked["UpdateExpression"])[0]
        item[name] = values[place] + (item.get(name, 0) if verb == "ADD" else 0)
        self.items[key] = item
        return {"Attributes": _spelled(before if asked.get("ReturnValues") == "ALL_OLD" else item)}


def _spelled(item: dict[str, int]) -> dict[str, Any]:
    return {name: {"N": str(value)} for name, value in item.items()}


@cache
def _compiled(condition: str) -> CodeType:
    """A condition as an expression of Python."""
    python = MISSING.sub(r"'\1' not in item", condition).replace(" AND ", " and ").replace(" OR ", " or ")
    python = NAME.sub(r"item['\1']", re.sub(r"(?<![<>])=", "==", python))
    return compile(re.sub(r":(\w+)", r"value['\1']", python), "condition", "eval")
