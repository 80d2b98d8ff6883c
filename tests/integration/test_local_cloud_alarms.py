"""Alarms of the local cloud look at their own dimensions and periods, and tell their topic."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from aws.local_cloud import Inbox, LocalCloud


@pytest.fixture
def queues(local_cloud: LocalCloud) -> Iterator[tuple[str, str]]:
    """The names of two queues."""
    sqs = local_cloud.client("sqs")
    names = (f"dead-letters-{uuid.uuid4().hex}", f"dead-letters-{uuid.uuid4().hex}")
    urls = [sqs.create_queue(QueueName=name)["QueueUrl"] for name in names]
    yield names
    for url in urls:
        sqs.delete_queue(QueueUrl=url)


def an_alarm(cloud: LocalCloud, topic: str, queue: str, **how: Any) -> str:
    """An alarm on what is visible in a queue, as infra/alarms.yaml has them for dead letters."""
    name = f"{queue}-alarm"
    cloud.client("cloudwatch").put_metric_alarm(
        **{
            "AlarmName": name,
            "Namespace": "AWS/SQS",
            "MetricName": "ApproximateNumberOfMessagesVisible",
            "Dimensions": [{"Name": "QueueName", "Value": queue}],
            "Statistic": "Maximum",
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 0,
            "Period": 60,
            "EvaluationPeriods": 1,
            "TreatMissingData": "notBreaching",
            "AlarmActions": [topic],
            **how,
        }
    )
    return name


def state(cloud: LocalCloud, name: str) -> str:
    [alarm] = cloud.client("cloudwatch").describe_alarms(AlarmNames=[name])["MetricAlarms"]
    return str(alarm["StateValue"])


def test_a_message_in_a_queue_raises_the_alarm_of_that_queue_alone(
    local_cloud: LocalCloud, topic: str, inbox: Inbox, queues: tuple[str, str]
) -> None:
    watched, other = (an_alarm(local_cloud, topic, name) for name in queues)
    sqs = local_cloud.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=queues[0])["QueueUrl"], MessageBody="a message")
    [told] = inbox.take(1)
    assert (told["AlarmName"], told["NewStateValue"]) == (watched, "ALARM")
    assert (state(local_cloud, watched), state(local_cloud, other)) == ("ALARM", "OK")


def test_what_fails_is_left_out_of_the_age_of_its_queue(
    local_cloud: LocalCloud, topic: str, inbox: Inbox, queues: tuple[str, str]
) -> None:
    """As SQS does from the third receive on; what nobody took has an age."""
    sqs = local_cloud.client("sqs")
    failing, waiting = (sqs.get_queue_url(QueueName=name)["QueueUrl"] for name in queues)
    for url in (failing, waiting):
        sqs.send_message(QueueUrl=url, MessageBody="a message")
    for _ in range(3):
        assert sqs.receive_message(QueueUrl=failing, VisibilityTimeout=0, WaitTimeSeconds=5)["Messages"]
    alarms = [an_alarm(local_cloud, topic, name, MetricName="ApproximateAgeOfOldestMessage") for name in queues]
    assert [each["AlarmName"] for each in inbox.take(1)] == [alarms[1]]
    assert state(local_cloud, alarms[0]) == "OK"


def test_an_alarm_over_three_periods_waits_for_all_three(
    local_cloud: LocalCloud, topic: str, inbox: Inbox, queues: tuple[str, str]
) -> None:
    at_once = an_alarm(local_cloud, topic, queues[0])
    patient = f"{queues[0]}-patient"
    an_alarm(local_cloud, topic, queues[0], AlarmName=patient, EvaluationPeriods=3)
    sqs = local_cloud.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=queues[0])["QueueUrl"], MessageBody="a message")
    assert [each["AlarmName"] for each in inbox.take(1)] == [at_once]
    assert state(local_cloud, patient) == "OK"


def test_an_alarm_without_data_says_so_unless_it_is_told_what_that_means(
    local_cloud: LocalCloud, topic: str, queues: tuple[str, str]
) -> None:
    name = an_alarm(local_cloud, topic, queues[0], TreatMissingData="missing")
    assert state(local_cloud, name) == "INSUFFICIENT_DATA"
