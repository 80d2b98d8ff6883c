"""A template of ours deploys to the local cloud, and what it says holds there."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local_cloud import EVENT_LIMIT, LocalCloud

CODE = """
import boto3, json, os, time

def handler(event, context):
    metric = {"Namespace": "Trial", "Dimensions": [["service"]], "Metrics": [{"Name": "Sent", "Unit": "Count"}]}
    print(json.dumps({"_aws": {"Timestamp": 1, "CloudWatchMetrics": [metric]}, "service": "trial", "Sent": [1, 1]}))
    push = {"Addresses": {"t": {"ChannelType": "GCM"}}, "MessageConfiguration": {"GCMMessage": {"Title": "T"}}}
    mail = {"Simple": {"Subject": {"Data": "S"}, "Body": {"Text": {"Data": "T"}}}}
    tries = {
        "text": lambda: boto3.client("pinpoint-sms-voice-v2").send_text_message(
            DestinationPhoneNumber="+12065550100", MessageBody="T", OriginationIdentity=os.environ["POOL"]),
        "push": lambda: boto3.client("pinpoint").send_messages(ApplicationId=os.environ["APP"], MessageRequest=push),
        "mail": lambda: boto3.client("sesv2").send_email(
            FromEmailAddress="a@shop.example.com", Destination={"ToAddresses": ["b@example.net"]}, Content=mail),
    }
    return {"statusCode": 200, "body": json.dumps({name: attempt(call) for name, call in tries.items()})}

def attempt(call):
    try:
        call()
        return "done"
    except Exception as refused:
        return refused.response["Error"]["Code"]
"""
ALLOWED = [
    {"Action": "mobiletargeting:SendMessages", "Resource": {"Fn::Sub": "${Application.Arn}/messages"}},
    {"Action": "sms-voice:SendTextMessage", "Resource": {"Fn::GetAtt": "Pool.Arn"}},
    {"Action": "ses:SendEmail", "Resource": {"Fn::Sub": "arn:aws:ses:*:${AWS::AccountId}:identity/shop.example.com"}},
]


def template(*, allowed: list[dict[str, Any]], **more: Any) -> str:
    statements = [{"Effect": "Allow", **statement} for statement in allowed]
    function = {
        "InlineCode": CODE,
        "Handler": "index.handler",
        "Runtime": "python3.11",
        "Timeout": 30,
        "ReservedConcurrentExecutions": 3,
        "Environment": {"Variables": {"APP": {"Ref": "Application"}, "POOL": {"Ref": "Pool"}}},
        "Policies": [{"Version": "2012-10-17", "Statement": statements}] if statements else [],
        "Events": {"Hello": {"Type": "HttpApi", "Properties": {"Path": "/hello/{name}", "Method": "get"}}},
    }
    number = {"IsoCountryCode": "US", "MessageType": "TRANSACTIONAL", "NumberType": "SIMULATOR"}
    resources = {
        "Function": {"Type": "AWS::Serverless::Function", "Properties": function},
        "Number": {"Type": "AWS::SMSVOICE::PhoneNumber", "Properties": number},
        "Pool": {"Type": "AWS::SMSVOICE::Pool", "Properties": {"OriginationIdentities": [{"Ref": "Number"}]}},
        "Application": {"Type": "AWS::Pinpoint::App", "Properties": {"Name": "application"}},
        "Gcm": {"Type": "AWS::Pinpoint::GCMChannel", "Properties": {"ApplicationId": {"Ref": "Application"}}},
        "Identity": {"Type": "AWS::SES::EmailIdentity", "Properties": {"EmailIdentity": "shop.example.com"}},
    }
    outputs = {name: {"Value": {"Ref": name}} for name in ("Function", "Application", "Pool", "ServerlessHttpApi")}
    parts = {"Transform": "AWS::Serverless-2016-10-31", "Resources": resources | more, "Outputs": outputs}
    return json.dumps(parts)


class Stack:
    """A deployed template."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.cloud, self.name = cloud, f"trial-{uuid.uuid4().hex[:8]}"
        self.client = cloud.client("cloudformation")

    def deploy(self, body: str) -> dict[str, str]:
        """Create or update; the outputs."""
        change = self.client.update_stack if self.exists() else self.client.create_stack
        change(StackName=self.name, TemplateBody=body, Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"])
        until = time.monotonic() + EVENT_LIMIT
        while self.status().endswith("IN_PROGRESS") and time.monotonic() < until:
            time.sleep(0.05)
        assert self.status() in ("CREATE_COMPLETE", "UPDATE_COMPLETE"), self.found()
        return {output["OutputKey"]: output["OutputValue"] for output in self.found()["Outputs"]}

    def exists(self) -> bool:
        return any(stack["StackName"] == self.name for stack in self.client.describe_stacks()["Stacks"])

    def found(self) -> Any:
        return self.client.describe_stacks(StackName=self.name)["Stacks"][0]

    def status(self) -> str:
        return str(self.found()["StackStatus"])

    def call(self, function: str) -> dict[str, str]:
        answer = self.cloud.client("lambda").invoke(FunctionName=function)
        said: dict[str, str] = json.loads(json.loads(answer["Payload"].read())["body"])
        return said


@pytest.fixture
def stack(local_cloud: LocalCloud) -> Iterator[Stack]:
    found = Stack(local_cloud)
    yield found
    found.client.delete_stack(StackName=found.name)


def test_a_function_may_send_what_its_role_names(stack: Stack) -> None:
    outputs = stack.deploy(template(allowed=ALLOWED))
    assert stack.call(outputs["Function"]) == {"text": "done", "push": "done", "mail": "done"}


def test_a_function_without_permission_is_refused_by_every_provider(stack: Stack) -> None:
    outputs = stack.deploy(template(allowed=[]))
    refused = stack.call(outputs["Function"])
    assert refused == {
        "text": "AccessDeniedException",
        "push": "AccessDeniedException",
        "mail": "AccessDeniedException",
    }


def test_embedded_metrics_reach_cloudwatch(local_cloud: LocalCloud, stack: Stack) -> None:
    stack.call(stack.deploy(template(allowed=[]))["Function"])
    [metric] = local_cloud.client("cloudwatch").list_metrics(Namespace="Trial", MetricName="Sent")["Metrics"]
    assert metric["Dimensions"] == [{"Name": "service", "Value": "trial"}]


def test_an_update_keeps_what_has_a_name(stack: Stack) -> None:
    first = stack.deploy(template(allowed=ALLOWED))
    second = stack.deploy(template(allowed=ALLOWED).replace('"Name": "application"', '"Name": "renamed"'))
    assert second == first


def test_reserved_concurrency_and_time_to_live_of_the_template_hold(local_cloud: LocalCloud, stack: Stack) -> None:
    key = {"AttributeName": "id", "AttributeType": "S"}
    table = {
        "TableName": f"table-{uuid.uuid4().hex}",
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [key],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
    }
    outputs = stack.deploy(template(allowed=[], Table={"Type": "AWS::DynamoDB::Table", "Properties": table}))
    concurrency = local_cloud.client("lambda").get_function_concurrency(FunctionName=outputs["Function"])
    ttl = local_cloud.client("dynamodb").describe_time_to_live(TableName=table["TableName"])
    assert concurrency["ReservedConcurrentExecutions"] == 3
    assert ttl["TimeToLiveDescription"]["AttributeName"] == "expires_at"


def test_alarms_on_formulas_and_on_other_alarms_are_accepted(local_cloud: LocalCloud, stack: Stack) -> None:
    metric = {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "Sum"}
    formula = {"Id": "twice", "Expression": "once * 2"}
    parts = [formula, {"Id": "once", "ReturnData": False, "MetricStat": metric}]
    alarm = {"Metrics": parts, "ComparisonOperator": "GreaterThanThreshold", "EvaluationPeriods": 1, "Threshold": 1}
    both = {"AlarmName": f"both-{stack.name}", "AlarmRule": {"Fn::Sub": 'ALARM("${Alarm}")'}}
    alarms = {
        "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
        "Both": {"Type": "AWS::CloudWatch::CompositeAlarm", "Properties": both},
    }
    stack.deploy(template(allowed=[], **alarms))
    found = local_cloud.client("cloudwatch").describe_alarms(AlarmTypes=["CompositeAlarm", "MetricAlarm"])
    assert both["AlarmName"] in [alarm["AlarmName"] for alarm in found["CompositeAlarms"]]


def test_a_schedule_fires_within_two_seconds(local_cloud: LocalCloud, inbox: Any) -> None:
    at = datetime.now(UTC) + timedelta(seconds=1)
    role = f"arn:aws:iam::000000000000:role/{uuid.uuid4().hex}"
    target = {"Arn": inbox.arn, "RoleArn": role, "Input": '{"due": true}'}
    local_cloud.client("scheduler").create_schedule(
        Name=uuid.uuid4().hex,
        ScheduleExpression=f"at({at:%Y-%m-%dT%H:%M:%S})",
        FlexibleTimeWindow={"Mode": "OFF"},
        Target=target,
    )
    assert inbox.take(1) == [{"due": True}]
    assert datetime.now(UTC) - at < timedelta(seconds=2)
