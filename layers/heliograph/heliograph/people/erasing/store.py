"""What goes of a person's item, and what of it stays."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from heliograph.aws.tables import chunks, text
from heliograph.channels.registry import CHANNELS
from heliograph.model.people import ConsentState, consent_key
from heliograph.model.policy import Purpose
from heliograph.people.items_store import ANSWER, consent_of, is_consent

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

AT_ONCE = 100  # attributes in one update: an expression has 4 KB
REFUSALS = [f"{ANSWER}#{consent_key(purpose, channel)}" for purpose in Purpose for channel in CHANNELS]
"""What providers and replies may refuse at any moment."""


def erase(client: DynamoDBClient, table: str, recipient_id: str) -> list[str] | None:
    """Remove a person's item; the keys of the refusals that are left of it, or None when there was no item.

    A refusal that comes in meanwhile stays, too: attributes are removed by name, never the item over it.
    """
    key = {"recipient_id": text(recipient_id)}
    item = client.get_item(TableName=table, Key=key, ConsistentRead=True).get("Item")
    if item is None:
        return None
    kept = [name for name, value in item.items() if is_consent(name) and _is_refusal(value)]
    for some in chunks(sorted(item.keys() - {*kept, "recipient_id"}), AT_ONCE):
        names = {f"#{number}": name for number, name in enumerate(some)}
        client.update_item(
            TableName=table,
            Key=key,
            UpdateExpression=f"REMOVE {', '.join(names)}",
            ExpressionAttributeNames=names,
        )
    if not kept:
        _delete(client, table, key)
    return [name.partition("#")[2] for name in kept]


def _is_refusal(value: Any) -> bool:
    return consent_of(value).state is ConsentState.OPTED_OUT


def _delete(client: DynamoDBClient, table: str, key: Any) -> None:
    names = {f"#{number}": name for number, name in enumerate(REFUSALS)}
    with suppress(client.exceptions.ConditionalCheckFailedException):  # somebody has just refused: that stays
        client.delete_item(
            TableName=table,
            Key=key,
            ConditionExpression=" AND ".join(f"attribute_not_exists({name})" for name in names),
            ExpressionAttributeNames=names,
        )
