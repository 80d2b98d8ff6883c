"""The null DynamoDB of the benchmarks: what it keeps, which conditions it knows, and what a write costs there."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from aws.expressions import Item, holds, updated
from aws.null_dynamodb import ConditionError, NullDynamoDB, item_size

KEY: Item = {"part": {"S": "p"}, "item": {"S": "i"}}
ITEM: Item = {**KEY, "n": {"N": "7"}, "word": {"S": "mouse"}, "some": {"SS": ["a", "b"]}}
VALUES: Item = {
    ":five": {"N": "5"},
    ":nine": {"N": "9"},
    ":text": {"S": "text"},
    ":mou": {"S": "mou"},
    ":set": {"SS": ["b", "c"]},
}


@pytest.mark.parametrize(
    ("expression", "after"),
    [
        ("SET n = :five, w = if_not_exists(w, :text)", {**ITEM, "n": {"N": "5"}, "w": {"S": "text"}}),
        ("SET word = if_not_exists(word, :text)", ITEM),
        ("SET n = n + :five, m = if_not_exists(m, :five) - :nine", {**ITEM, "n": {"N": "12"}, "m": {"N": "-4"}}),
        ("ADD n :five, m :nine, #some :set", {**ITEM, "n": {"N": "12"}, "m": {"N": "9"}, "some": {"SS": [*"abc"]}}),
        ("REMOVE n, some, absent SET word = :text", {**KEY, "word": {"S": "text"}}),
        ("DELETE some :set", {**ITEM, "some": {"SS": ["a"]}}),
    ],
)
def test_an_update_is_made_of_what_was_there_before(expression: str, after: Item) -> None:
    assert updated(expression, ITEM, {"#some": "some"}, VALUES) == after


@pytest.mark.parametrize(
    ("condition", "is_met"),
    [
        ("attribute_exists(n) AND attribute_not_exists(absent)", True),
        ("NOT attribute_exists(n) OR word = :text", False),
        ("n < :five OR (n >= :five AND word <> :text)", True),
        ("n < :five OR n >= :five AND word = :text", False),
        ("n BETWEEN :five AND :nine AND begins_with(word, :mou)", True),
        ("absent < :five", False),
        ("absent <> :five", True),
        ("word > :five", False),
        ("part = :text", False),
    ],
)
def test_a_condition_is_met_as_in_dynamodb(condition: str, is_met: bool) -> None:
    assert holds(condition, ITEM, {}, VALUES) is is_met


def asked(table: NullDynamoDB, operation: str, **more: Any) -> Any:
    said = table.answer(operation, msgspec.json.encode({"TableName": "heliograph-runs", **more}))
    return msgspec.json.decode(said) if isinstance(said, bytes) else said


def test_an_update_costs_by_the_larger_of_what_was_there_and_what_is_there_now() -> None:
    table = NullDynamoDB()
    asked(table, "PutItem", Item={**KEY, "text": {"S": "x" * 3_000}})
    assert table.write_units == 3
    table.reset()
    asked(table, "UpdateItem", Key=KEY, UpdateExpression="ADD n :one", ExpressionAttributeValues={":one": {"N": "1"}})
    assert table.write_units == 3
    table.reset()
    asked(table, "UpdateItem", Key=KEY, UpdateExpression="REMOVE text")
    asked(table, "UpdateItem", Key=KEY, UpdateExpression="REMOVE text")
    assert table.write_units == 3 + 1


def test_a_condition_that_is_not_met_costs_and_tells_what_was_there_if_it_was_asked() -> None:
    table = NullDynamoDB()
    asked(table, "PutItem", Item=ITEM)
    table.reset()
    refused = {"Key": KEY, "UpdateExpression": "REMOVE n", "ConditionExpression": "attribute_not_exists(n)"}
    with pytest.raises(ConditionError) as silent:
        asked(table, "UpdateItem", **refused)
    with pytest.raises(ConditionError) as telling:
        asked(table, "UpdateItem", **refused, ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert (silent.value.item, telling.value.item) == ({}, ITEM)
    assert table.write_units == 2
    assert asked(table, "GetItem", Key=KEY) == {"Item": ITEM}


def test_what_is_stored_is_what_is_there_however_it_came_and_went() -> None:
    table = NullDynamoDB()
    asked(table, "PutItem", Item=ITEM)
    asked(table, "UpdateItem", Key=KEY, UpdateExpression="REMOVE word")
    other = {**KEY, "item": {"S": "other"}}
    asked(table, "BatchWriteItem", RequestItems={"heliograph-runs": [{"PutRequest": {"Item": other}}]})
    left = {name: value for name, value in ITEM.items() if name != "word"}
    assert table.stored["heliograph-runs"] == {"items": 2, "bytes": item_size(left) + item_size(other)}
    asked(table, "DeleteItem", Key=other)
    assert table.stored["heliograph-runs"] == {"items": 1, "bytes": item_size(left)}


@pytest.mark.parametrize("is_forward", [True, False])
def test_a_partition_is_read_page_by_page_and_costs_by_its_bytes(is_forward: bool) -> None:
    table = NullDynamoDB()
    items = [{"part": {"S": "p"}, "item": {"S": f"{n:03d}"}, "text": {"S": "x" * 300_000}} for n in range(9)]
    for item in items:
        asked(table, "PutItem", Item=item)
    asked(table, "PutItem", Item={"part": {"S": "another"}, "item": {"S": "0"}})
    question: dict[str, Any] = {
        "KeyConditionExpression": "part = :part",
        "ExpressionAttributeValues": {":part": {"S": "p"}},
        "ScanIndexForward": is_forward,
        "ConsistentRead": True,
    }
    found: list[Item] = []
    pages = 0
    while True:
        page = asked(table, "Query", **question)
        found += page["Items"]
        pages += 1
        if "LastEvaluatedKey" not in page:
            break
        question["ExclusiveStartKey"] = page["LastEvaluatedKey"]
    assert found == (items if is_forward else items[::-1])
    assert pages == 3
    assert 9 * 300_000 / 4_096 < table.read_units < 9 * 300_100 / 4_096 + 3
