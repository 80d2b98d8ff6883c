"""The runs in the table `runs`: one item a run, in one list, newest last."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from heliograph.aws.tables import Item, expiry, iso, number, plain, text
from heliograph.model.runs import Run

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

LIST = "runs"


class Runs:
    """The runs, as ingest keeps them."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def keep(self, run: Run) -> None:
        """Keep what is known of a run; `audience` and `rejected` are final once it is `ingested`."""
        self._client.put_item(
            TableName=self._table,
            Item={
                **_key(run.run_id),
                "campaign": text(run.campaign),
                "message": text(run.message),
                "version": text(run.version),
                "started_at": text(iso(run.started_at)),
                "audience": number(run.audience),
                "rejected": number(run.rejected),
                "reached": number(run.reached),
                "ingested": {"BOOL": run.ingested},
                "problem": text(run.problem),
                "replaced": {"BOOL": run.replaced},
                "uploads": number(run.uploads),
                "reference": text(run.reference),
                "expires_at": expiry(run.started_at),
            },
        )

    def complete(self, run_id: str) -> None:
        """Remember that everybody in a run has an outcome."""
        self._client.update_item(
            TableName=self._table,
            Key=_key(run_id),
            UpdateExpression="SET #complete = :yes",
            ConditionExpression="attribute_exists(part)",
            ExpressionAttributeNames={"#complete": "complete"},
            ExpressionAttributeValues={":yes": {"BOOL": True}},
        )

    def get(self, run_id: str) -> Run | None:
        """A run by its id."""
        item = self._client.get_item(TableName=self._table, Key=_key(run_id), ConsistentRead=True).get("Item")
        return _run(item) if item else None

    def latest(self, limit: int = 100) -> list[Run]:
        """The runs, newest first."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="part = :list",
            ExpressionAttributeValues={":list": text(LIST)},
            ScanIndexForward=False,
            Limit=limit,
        )
        return [_run(item) for item in answer["Items"]]


def _key(run_id: str) -> Item:
    return {"part": text(LIST), "item": text(run_id)}


def _run(item: Mapping[str, Any]) -> Run:
    values = plain(item)
    return Run(
        run_id=values["item"],
        campaign=values["campaign"],
        message=values["message"],
        version=values["version"],
        started_at=datetime.fromisoformat(values["started_at"]),
        audience=values["audience"],
        rejected=values["rejected"],
        ingested=values["ingested"],
        problem=values["problem"],
        complete=values.get("complete", False),
        reached=values.get("reached", 0),
        replaced=values.get("replaced", False),
        uploads=values.get("uploads", 1),
        reference=values.get("reference", ""),
    )
