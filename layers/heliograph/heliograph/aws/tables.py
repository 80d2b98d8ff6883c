"""How items travel to and from DynamoDB: attribute values, batches, and the errors inside of batch answers."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from heliograph.aws.errors import BusyError

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

Item = dict[str, Any]
"""An item in DynamoDB's own JSON: name -> {"S": …} and so on."""

T = TypeVar("T")

GET_LIMIT = 100  # BatchGetItem
WRITE_LIMIT = 25  # BatchWriteItem
TRIES = 6
FIRST_PAUSE = 0.05  # seconds; all pauses together take 3
STATEMENT_LIMIT = 25  # BatchExecuteStatement
RETENTION = timedelta(days=400)
"""How long decisions and what came of them are kept: a year, and a month to look at it."""


def chunks(things: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The things in groups of at most `size`, in their order."""
    return (things[start : start + size] for start in range(0, len(things), size))


def text(value: str) -> dict[str, str]:
    """A string attribute."""
    return {"S": value}


def number(value: int) -> dict[str, str]:
    """A number attribute."""
    return {"N": str(value)}


def expiry(at: datetime) -> dict[str, str]:
    """The TTL of something that happened at a time: epoch seconds."""
    return number(int((at + RETENTION).timestamp()))


def iso(at: datetime) -> str:
    """A time as it is kept: ISO 8601 in UTC, to the millisecond."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """An item as plain values, for flat items of strings, numbers and booleans."""
    return {name: _plain_value(value) for name, value in item.items()}


def _plain_value(value: Mapping[str, Any]) -> Any:
    ((kind, inner),) = value.items()
    match kind:
        case "N":
            return int(inner)
        case "M":
            return plain(inner)
        case "L":
            return [_plain_value(one) for one in inner]
        case _:
            return inner


def get_items(
    client: DynamoDBClient, table: str, keys: Sequence[Item], *, consistent: bool = False
) -> Iterator[Mapping[str, Any]]:
    """Read items by their keys, 100 in a call; keys without an item yield nothing. Raises BusyError under pressure."""
    for some in chunks(keys, GET_LIMIT):
        wanted: Any = {table: {"Keys": list(some), "ConsistentRead": consistent}}
        for attempt in range(TRIES):
            answer = client.batch_get_item(RequestItems=wanted)
            yield from answer["Responses"].get(table, ())
            wanted = answer.get("UnprocessedKeys")
            if not wanted:
                break
            time.sleep(FIRST_PAUSE * 2**attempt)
        else:
            raise BusyError(f"{table}: keys were left unread")


def write_items(client: DynamoDBClient, table: str, *, put: Sequence[Item] = (), delete: Sequence[Item] = ()) -> None:
    """Put items and delete others by their keys, 25 in a call, whatever was there. Raises BusyError under pressure."""
    wanted = [{"PutRequest": {"Item": item}} for item in put] + [{"DeleteRequest": {"Key": key}} for key in delete]
    for some in chunks(wanted, WRITE_LIMIT):
        left: Any = {table: list(some)}
        for attempt in range(TRIES):
            left = client.batch_write_item(RequestItems=left).get("UnprocessedItems")
            if not left:
                break
            time.sleep(FIRST_PAUSE * 2**attempt)
        else:
            raise BusyError(f"{table}: items were left unwritten")
