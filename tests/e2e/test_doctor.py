"""`heliograph doctor` on a deployed stack: it finds all well, sends through it, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from aws.deployed import Stack
from aws.local_cloud import Inbox
from heliograph_cli.local.cloud import ROOT

SIMULATED = "simulator.amazonses.com"


@pytest.fixture
def sandbox(stack: Stack) -> Iterator[None]:
    """A new account: SES and SMS are in their sandboxes."""
    stack.cloud.faults({"ses": {"sandbox": True}, "sms": {"sandbox": True}})
    yield
    stack.cloud.faults({})


@pytest.fixture
def operator(stack: Stack, tmp_path: Path) -> dict[str, str]:
    """The environment of somebody who has the rights that the docs name, and no others."""
    iam, name = stack.cloud.client("iam"), f"operator-{uuid.uuid4().hex[:8]}"
    iam.create_user(UserName=name)
    policy = (ROOT / "docs/doctor-policy.json").read_text()
    iam.put_user_policy(UserName=name, PolicyName="doctor", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    credentials = tmp_path / "credentials"
    lines = [f"{name} = {value}" for name, value in (keys | {"region": "eu-west-1"}).items()]
    credentials.write_text("\n".join(["[operator]", *lines]))
    return {"AWS_SHARED_CREDENTIALS_FILE": str(credentials), "AWS_CONFIG_FILE": str(credentials)}


def doctor(stack: Stack, operator: dict[str, str], *words: str) -> tuple[int, dict[str, Any]]:
    """What the doctor says, and how it ends."""
    command = [str(ROOT / ".venv/bin/heliograph"), "doctor", "--json", *words]
    command += ["--endpoint-url", stack.cloud.endpoint, "--profile", "operator", "--region", "eu-west-1"]
    done = subprocess.run(command, env=os.environ | operator, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return done.returncode, answer


def said(answer: dict[str, Any], *states: str) -> list[tuple[str, str]]:
    return [(each["check"], each["says"]) for each in answer["findings"] if each["state"] in states]


def names_of(stack: Stack, table: str) -> set[str]:
    pages = stack.cloud.client("dynamodb").get_paginator("scan").paginate(TableName=stack.outputs[table])
    return {item["recipient_id"]["S"] for page in pages for item in page["Items"]}


def test_all_is_well_in_the_sandbox_and_messages_go_through_the_whole_stack(
    stack: Stack, operator: dict[str, str], sandbox: None
) -> None:
    """The first mail of a new account: the functions' roles allow it, and nobody but simulators gets anything."""
    code, answer = doctor(stack, operator, "--send")
    assert said(answer, "wrong", "unknown") == []
    assert code == 0
    sent = {check for check, _ in said(answer, "well") if check.startswith("send: ")}
    assert sent == {
        *("send: delivered", "send: bounced", "send: complained", "send: campaign"),
        *("send: scheduled", "send: sms", "send: dead device"),
    }
    assert {check for check, _ in said(answer, "note")} == {"email account", "sms account", "alarm topic"}
    mails = [each for each in stack.cloud.outbox() if str(each["tags"].get("recipient_id", "")).startswith("doctor-")]
    assert len(mails) == 7
    assert {str(mail["to"]).rpartition("@")[2] for mail in mails} == {SIMULATED}


def test_nothing_is_left_but_the_run_and_the_decisions(stack: Stack) -> None:
    assert not [name for name in names_of(stack, "RecipientsTable") if name.startswith("doctor-")]
    s3, bucket = stack.cloud.client("s3"), stack.outputs["BucketName"]
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=bucket).get("Contents", [])]
    assert not [key for key in keys if key.startswith(("campaigns/doctor-", "reports/timeline/doctor-"))]
    assert [run for run in stack.ask("runs") if run["campaign"].startswith("doctor-")]
    assert not stack.dead_letters()


def test_a_message_that_is_parked_raises_its_alarm_and_the_doctor_sees_both(
    stack: Stack, operator: dict[str, str]
) -> None:
    inbox, sns = Inbox(stack.cloud), stack.cloud.client("sns")
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=stack.outputs["AlarmTopic"], Protocol="sqs", Endpoint=inbox.arn, Attributes=raw)
    stack.publish("SendRequested", {"recipient_id": "somebody"})
    [told] = inbox.take(1)
    assert (told["AlarmName"], told["NewStateValue"]) == (f"{stack.name}-events-dead-letters", "ALARM")
    code, answer = doctor(stack, operator)
    assert code == 1
    assert said(answer, "wrong") == [("alarms", "events-dead-letters is raised"), ("dead letters", "1 of events")]
    stack.cloud.client("sqs").purge_queue(QueueUrl=stack.queue_url("events-dead-letters"))
