"""Conditions of policies hold on the local cloud as on AWS, where they are about the items of a table."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from botocore.exceptions import ClientError

from aws.local_cloud import ACCOUNT, REGION, LocalCloud

OTHERS = {"ForAllValues:StringNotLike": {"dynamodb:LeadingKeys": ["runs", "hour#*"]}}
ACTIONS = [f"dynamodb:{each}" for each in ("PutItem", "UpdateItem", "BatchGetItem", "BatchWriteItem")]


@pytest.fixture
def table(local_cloud: LocalCloud) -> str:
    name = f"table-{uuid.uuid4().hex}"
    local_cloud.client("dynamodb").create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": each, "AttributeType": "S"} for each in ("part", "item")],
        KeySchema=[{"AttributeName": "part", "KeyType": "HASH"}, {"AttributeName": "item", "KeyType": "RANGE"}],
    )
    return name


def somebody(cloud: LocalCloud, table: str) -> Any:
    """DynamoDB for somebody who may use the items that are nobody else's."""
    name, iam = f"user-{uuid.uuid4().hex}", cloud.client("iam")
    iam.create_user(UserName=name)
    on = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{table}"
    may = {"Effect": "Allow", "Action": ACTIONS, "Resource": on, "Condition": OTHERS}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName=name, PolicyName="own", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return cloud.client_of(key["AccessKeyId"], key["SecretAccessKey"], "dynamodb")


def tried(client: Any, table: str, part: str) -> set[str]:
    """What became of each way to use an item of a partition."""
    key = {"part": {"S": part}, "item": {"S": "1"}}
    tries = (
        lambda: client.put_item(TableName=table, Item=key),
        lambda: client.update_item(TableName=table, Key=key),
        lambda: client.batch_write_item(
            RequestItems={
                table: [{"PutRequest": {"Item": key}}, {"DeleteRequest": {"Key": {**key, "item": {"S": "2"}}}}]
            }
        ),
        lambda: client.batch_get_item(RequestItems={table: {"Keys": [{**key, "part": {"S": "own"}}, key]}}),
    )
    return {_attempt(each) for each in tries}


def _attempt(call: Any) -> str:
    try:
        call()
    except ClientError as refused:
        return str(refused.response["Error"]["Code"])
    return "done"


@pytest.mark.parametrize(
    ("part", "became"),
    [("01ABC", "done"), ("01ABC#7", "done"), ("runs", "AccessDeniedException"), ("hour#x", "AccessDeniedException")],
)
def test_a_condition_on_partition_keys_is_asked_for_the_keys_that_a_call_names(
    local_cloud: LocalCloud, table: str, part: str, became: str
) -> None:
    assert tried(somebody(local_cloud, table), table, part) == {became}
