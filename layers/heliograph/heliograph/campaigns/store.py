"""The uploads of campaign folders, in the table `runs`: one item a campaign, changed by whoever read it last."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import msgspec

from heliograph.aws.tables import Item, expiry, number, text
from heliograph.campaigns.uploads import Uploads

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient


class Campaigns:
    """What was uploaded of each campaign."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def read(self, campaign: str) -> tuple[Uploads, int]:
        """The uploads of a campaign, and their revision: 0 before the first."""
        found = self._client.get_item(TableName=self._table, Key=_key(campaign), ConsistentRead=True).get("Item")
        if not found:
            return Uploads(), 0
        return msgspec.json.decode(found["uploads"]["S"], type=Uploads), int(found["revision"]["N"])

    def write(self, campaign: str, uploads: Uploads, *, revision: int, at: datetime) -> bool:
        """Keep uploads in the place of those of a revision; False when somebody else has changed them meanwhile."""
        try:
            self._client.put_item(
                TableName=self._table,
                Item={
                    **_key(campaign),
                    "revision": number(revision + 1),
                    "uploads": text(msgspec.json.encode(uploads).decode()),
                    "expires_at": expiry(at),
                },
                ConditionExpression="attribute_not_exists(part) OR revision = :read",
                ExpressionAttributeValues={":read": number(revision)},
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return False
        return True


def _key(campaign: str) -> Item:
    return {"part": text(f"campaign#{campaign}"), "item": text("uploads")}
