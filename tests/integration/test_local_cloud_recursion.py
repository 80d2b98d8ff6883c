"""A function that comes back to itself through a queue is stopped, unless it says that it may."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from aws.local_cloud import Inbox, LocalCloud
from aws.local_ses import refusal
from aws.local_stack import Stack

ROUNDS = 16  # that run; Lambda stops the next
FAR = 40  # rounds
CODE = f"""
import boto3, json, os

def handler(event, context):
    sqs = boto3.client("sqs")
    for record in event["Records"]:
        number = json.loads(record["body"])["round"]
        to = os.environ["QUEUE"] if number < {FAR} else os.environ["INBOX"]
        sqs.send_message(QueueUrl=to, MessageBody=json.dumps({{"round": number + 1}}))
"""


@pytest.fixture
def stack(local_cloud: LocalCloud) -> Iterator[Stack]:
    found = Stack(local_cloud)
    yield found
    found.client.delete_stack(StackName=found.name)


def looping(inbox: Inbox, **how: Any) -> str:
    """A function that sends each message on to its own queue; what it cannot do goes to the inbox at once."""
    redrive = {"deadLetterTargetArn": inbox.arn, "maxReceiveCount": 1}
    names = {"QUEUE": {"Ref": "Queue"}, "INBOX": inbox.url}
    send = {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}
    source = {"Queue": {"Fn::GetAtt": "Queue.Arn"}, "BatchSize": 1}
    function = {
        "InlineCode": CODE,
        "Handler": "index.handler",
        "Runtime": "python3.11",
        "Environment": {"Variables": names},
        "Policies": [{"Version": "2012-10-17", "Statement": [send]}],
        "Events": {"Queue": {"Type": "SQS", "Properties": source}},
        **how,
    }
    queue = {"VisibilityTimeout": 1, "RedrivePolicy": redrive}
    resources = {
        "Function": {"Type": "AWS::Serverless::Function", "Properties": function},
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": queue},
    }
    outputs = {name: {"Value": {"Ref": name}} for name in resources}
    return json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": resources, "Outputs": outputs})


def start(cloud: LocalCloud, queue: str) -> None:
    cloud.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps({"round": 1}))


def test_a_loop_through_a_queue_is_stopped_after_sixteen_rounds_and_its_message_is_parked(
    local_cloud: LocalCloud, stack: Stack, inbox: Inbox
) -> None:
    outputs = stack.deploy(looping(inbox))
    start(local_cloud, outputs["Queue"])
    assert inbox.take(1) == [{"round": ROUNDS + 1}]
    client = local_cloud.client("lambda")
    assert client.get_function_recursion_config(FunctionName=outputs["Function"])["RecursiveLoop"] == "Terminate"


def test_a_loop_that_is_allowed_goes_on(local_cloud: LocalCloud, stack: Stack, inbox: Inbox) -> None:
    outputs = stack.deploy(looping(inbox, RecursiveLoop="Allow"))
    start(local_cloud, outputs["Queue"])
    assert inbox.take(1) == [{"round": FAR + 1}]
    client = local_cloud.client("lambda")
    assert client.get_function_recursion_config(FunctionName=outputs["Function"])["RecursiveLoop"] == "Allow"


@pytest.mark.parametrize(
    ("right", "operation", "asked"),
    [
        ("lambda:GetFunctionRecursionConfig", "get_function_recursion_config", {"FunctionName": "none"}),
        (
            "lambda:GetLayerVersion",
            "get_layer_version_by_arn",
            {"Arn": "arn:aws:lambda:eu-west-1:000000000000:layer:no:1"},
        ),
    ],
)
def test_looking_at_a_function_needs_the_rights_that_aws_asks_for(
    local_cloud: LocalCloud, right: str, operation: str, asked: dict[str, str]
) -> None:
    iam, name = local_cloud.client("iam"), f"user-{uuid.uuid4().hex}"
    iam.create_user(UserName=name)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    look = getattr(local_cloud.client_of(key["AccessKeyId"], key["SecretAccessKey"], "lambda"), operation)
    assert refusal(look, **asked)["Error"]["Code"] == "AccessDeniedException"
    may = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": right, "Resource": "*"}]}
    iam.put_user_policy(UserName=name, PolicyName="looks", PolicyDocument=json.dumps(may))
    assert refusal(look, **asked)["Error"]["Code"] == "ResourceNotFoundException"
