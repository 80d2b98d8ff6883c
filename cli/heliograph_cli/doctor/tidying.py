"""Remove what the doctor made: people, the campaign's folder, pages, and addresses that SES may have listed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from heliograph_cli import target as targets
from heliograph_cli.doctor.findings import Finding, note, well
from heliograph_cli.doctor.trials import Trial
from heliograph_cli.stack import Stack

DELETE_LIMIT = 1000  # DeleteObjects
GONE = {"NotFoundException", "ResourceNotFoundException", "NoSuchKey"}


def tidy_up(stack: Stack, planned: Sequence[Trial], *, campaign: str) -> Iterator[Finding]:
    """The decisions about these people stay in the ledger until they expire, and so does the run."""
    names = [each.person for each in planned]
    addresses = [str(each.profile["email"]) for each in planned if "email" in each.profile]
    pages = [f"reports/timeline/{name}.html" for name in names]
    steps: dict[str, Callable[[], None]] = {
        "people": lambda: _forget(stack, names),
        "the campaign's folder": lambda: _delete(stack, _keys(stack, f"campaigns/{campaign}/")),
        "pages": lambda: _delete(stack, pages),
        "suppressed addresses": lambda: _unlist(stack, addresses),
    }
    left = 0
    for what, remove in steps.items():
        try:
            remove()
        except (BotoCoreError, ClientError) as error:
            left += 1
            code = error.response["Error"].get("Code") if isinstance(error, ClientError) else type(error).__name__
            yield note(
                "clean up", f"{what} could not be removed: {code}", f"They are named {campaign}…: remove them by hand."
            )
    if not left:
        yield well("clean up", f"{len(names)} people, the campaign's folder and pages are removed")


def _forget(stack: Stack, names: Sequence[str]) -> None:
    """Every item that is kept under these people's ids."""
    client, table = targets.client(stack.target, "dynamodb"), stack.recipients_table
    keys = [each["AttributeName"] for each in client.describe_table(TableName=table)["Table"]["KeySchema"]]
    for name in names:
        asked: dict[str, Any] = {"TableName": table, "KeyConditionExpression": "recipient_id = :id"}
        found = client.query(**asked, ExpressionAttributeValues={":id": {"S": name}})["Items"]
        for item in found:
            client.delete_item(TableName=table, Key={key: item[key] for key in keys})


def _keys(stack: Stack, prefix: str) -> list[str]:
    found = targets.s3(stack.target).list_objects_v2(Bucket=stack.bucket, Prefix=prefix, MaxKeys=DELETE_LIMIT)
    return [each["Key"] for each in found.get("Contents", [])]


def _delete(stack: Stack, keys: Sequence[str]) -> None:
    for key in keys:
        targets.s3(stack.target).delete_object(Bucket=stack.bucket, Key=key)


def _unlist(stack: Stack, addresses: Sequence[str]) -> None:
    """SES does not list its simulator's addresses by itself; somebody may have."""
    client = targets.client(stack.target, "sesv2")
    for address in addresses:
        try:
            client.delete_suppressed_destination(EmailAddress=address)
        except ClientError as error:
            if error.response["Error"].get("Code") not in GONE:
                raise
