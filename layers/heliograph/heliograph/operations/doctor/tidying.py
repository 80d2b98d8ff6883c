"""Remove what the doctor made: people, the campaign's folder, pages, and what it left at providers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from heliograph.aws.bucket import Bucket
from heliograph.aws.errors import BusyError
from heliograph.channels import registry
from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, note, well
from heliograph.operations.doctor.trials import Trial
from heliograph.people.store import Recipients


def tidy_up(
    recipients: Recipients, bucket: Bucket, deployment: Deployment, planned: Sequence[Trial], *, campaign: str
) -> Iterator[Finding]:
    """The decisions about these people stay in the ledger until they expire, and so does the run."""
    names = [each.person for each in planned]
    pages = [f"reports/timeline/{name}.html" for name in names]
    steps: dict[str, Callable[[], None]] = {
        "people": lambda: _forget(recipients, names),
        "the campaign's folder": lambda: bucket.delete(list(bucket.list_keys(f"campaigns/{campaign}/"))),
        "pages": lambda: bucket.delete(pages),
    }
    for doctor in filter(None, map(registry.doctor, deployment.channels)):
        steps |= {what: partial(remove, deployment, planned) for what, remove in doctor.leftovers.items()}
    left = 0
    for what, remove in steps.items():
        try:
            remove()
        except (BotoCoreError, ClientError, BusyError) as error:
            left += 1
            code = error.response["Error"].get("Code") if isinstance(error, ClientError) else type(error).__name__
            yield note(
                "clean up", f"{what} could not be removed: {code}", f"They are named {campaign}…: remove them by hand."
            )
    if not left:
        yield well("clean up", f"{len(names)} people, the campaign's folder and pages are removed")


def _forget(recipients: Recipients, names: Sequence[str]) -> None:
    """Every item that is kept under these people's ids."""
    client, table = recipients.client, recipients.table
    keys = [each["AttributeName"] for each in client.describe_table(TableName=table)["Table"]["KeySchema"]]
    for name in names:
        arguments: dict[str, Any] = {"TableName": table, "KeyConditionExpression": "recipient_id = :id"}
        found = client.query(**arguments, ExpressionAttributeValues={":id": {"S": name}})["Items"]
        for item in found:
            client.delete_item(TableName=table, Key={key: item[key] for key in keys})
