"""Erase a person from a stack: their item and their page; and say what stays, and why."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from heliograph.aws.tables import chunks, text
from heliograph.channels.registry import CHANNELS
from heliograph.model.people import ConsentState, consent_key
from heliograph.model.policy import Purpose
from heliograph.people.items import ANSWER, consent_of, is_consent
from heliograph_cli import target as targets
from heliograph_cli.stack import Stack

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

AT_ONCE = 100  # attributes in one update: an expression has 4 KB
REFUSALS = [f"{ANSWER}#{consent_key(purpose, channel)}" for purpose in Purpose for channel in CHANNELS]
"""What providers and replies may refuse at any moment."""

STAYS = (
    "the ledger's decisions, by id only, for 400 days: the proof of what was sent and why",
    "what was consented to and refused, by id only: the proof that somebody else may have to ask for",
    "the lake's events, by id only: the figures of runs",
    "refused topics, by id only, so that they are respected if the person is imported again",
    "SES's suppression list, so that an address that bounced or complained is not written to again",
    "campaign files and imports that you uploaded, and backups: see docs/erasure.md",
)
"""What is not erased, and why."""


class Erased(NamedTuple):
    """What became of a person."""

    recipient_id: str
    refusals: list[str]
    """Topics and purposes by channel that stay refused."""
    pages: int
    """Versions of the timeline page that were deleted."""


def erase_person(stack: Stack, recipient_id: str) -> Erased | None:
    """Erase somebody; None when nobody is known by the id. Safe to repeat."""
    pages = _delete_pages(stack, recipient_id)
    refusals = erase(targets.dynamodb(stack.target), stack.recipients_table, recipient_id)
    return None if refusals is None else Erased(recipient_id, refusals, pages)


def _delete_pages(stack: Stack, recipient_id: str) -> int:
    """The page is kept in versions, as everything in the bucket: each of them goes."""
    s3, key, deleted = targets.s3(stack.target), f"reports/timeline/{recipient_id}.html", 0
    for page in s3.get_paginator("list_object_versions").paginate(Bucket=stack.bucket, Prefix=key):
        for each in [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]:
            if each["Key"] == key:
                s3.delete_object(Bucket=stack.bucket, Key=key, VersionId=each["VersionId"])
                deleted += 1
    return deleted


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
        names = {f"#{place}": name for place, name in enumerate(some)}
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
    names = {f"#{place}": name for place, name in enumerate(REFUSALS)}
    with suppress(client.exceptions.ConditionalCheckFailedException):  # somebody has just refused: that stays
        client.delete_item(
            TableName=table,
            Key=key,
            ConditionExpression=" AND ".join(f"attribute_not_exists({name})" for name in names),
            ExpressionAttributeNames=names,
        )
