"""A template of ours deploys to the local cloud, and what it says holds there."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

import pytest

from aws.local_cloud import REGION, Inbox, LocalCloud
from aws.local_stack import ALLOWED, Stack, template


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


def test_the_routes_of_an_http_api_answer(local_cloud: LocalCloud, stack: Stack) -> None:
    api = stack.deploy(template(allowed=[]))["ServerlessHttpApi"]
    with urlopen(f"{local_cloud.endpoint}/_aws/execute-api/{api}/$default/hello/ada") as answer:
        assert set(json.load(answer)) == {"text", "push", "mail"}


def test_a_nested_template_may_be_a_sam_template(local_cloud: LocalCloud, stack: Stack) -> None:
    s3, bucket = local_cloud.client("s3"), f"bucket-{stack.name}"
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    url = {"TemplateURL": f"{local_cloud.endpoint}/{bucket}/child.json"}
    nested = {"Type": "AWS::CloudFormation::Stack", "Properties": url}
    table = f"table-{stack.name}"
    simple = {"Type": "AWS::Serverless::SimpleTable", "Properties": {"TableName": table}}
    child = {"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Table": simple}}
    s3.put_object(Bucket=bucket, Key="child.json", Body=json.dumps(child).encode())
    stack.deploy(template(allowed=[], Child=nested))
    assert local_cloud.client("dynamodb").describe_table(TableName=table)["Table"]["TableStatus"] == "ACTIVE"


def test_a_schedule_fires_within_two_seconds(local_cloud: LocalCloud, inbox: Inbox) -> None:
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
