"""The channels of the stack on the local cloud: it keeps those that it has, and none is lost whose outbox has work."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from aws.local_cloud import PATIENCE, REGION, TICK, LocalCloud
from heliograph_cli.failures import Trouble
from heliograph_cli.local.stack import LocalStack, channels, failures
from heliograph_cli.waiting import until_still

OUTBOXES = ("outbox-email-bulk", "outbox-webhook-bulk")


@pytest.fixture
def stack(local_cloud: LocalCloud) -> Iterator[LocalStack]:
    """A stack with mail and webhooks, of nothing but their outboxes."""
    stack = LocalStack(f"trial-{uuid.uuid4().hex[:8]}", REGION, local_cloud.endpoint)
    names = [f"{stack.name}-{outbox}{end}" for outbox in OUTBOXES for end in ("", "-dead-letters")]
    queues = {f"Q{at}": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": name}} for at, name in enumerate(names)}
    created(stack, {"Parameters": {"Channels": {"Type": "String", "Default": "email,webhook"}}, "Resources": queues})
    yield stack
    stack.client("cloudformation").delete_stack(StackName=stack.name)


def created(stack: LocalStack, template: object) -> None:
    """Create the stack of a template, whatever comes of it."""
    client = stack.client("cloudformation")
    client.create_stack(StackName=stack.name, TemplateBody=json.dumps(template))

    def look() -> tuple[str, bool]:
        status = str(client.describe_stacks(StackName=stack.name)["Stacks"][0]["StackStatus"])
        return status, not status.endswith("IN_PROGRESS")

    until_still(look, patience=PATIENCE, most=TICK)


def put(stack: LocalStack, queue: str) -> None:
    sqs = stack.client("sqs")
    sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName=f"{stack.name}-{queue}")["QueueUrl"], MessageBody="{}")


def test_a_stack_keeps_its_channels_where_none_are_asked_for(stack: LocalStack) -> None:
    assert channels(stack, "") == "email,webhook"
    assert channels(stack, "email,sms,webhook") == "email,sms,webhook"


def test_a_new_stack_has_the_channels_of_the_template_unless_others_are_asked_for(local_cloud: LocalCloud) -> None:
    stack = LocalStack(f"trial-{uuid.uuid4().hex[:8]}", REGION, local_cloud.endpoint)
    assert (channels(stack, ""), channels(stack, "sms")) == ("", "sms")


@pytest.mark.parametrize("queue", ["outbox-webhook-bulk", "outbox-webhook-bulk-dead-letters"])
def test_a_channel_whose_outbox_has_work_is_not_taken_out(stack: LocalStack, queue: str) -> None:
    assert channels(stack, "email") == "email"
    put(stack, "outbox-email-bulk")
    assert channels(stack, "email") == "email"
    put(stack, queue)
    with pytest.raises(Trouble, match="Without webhook the stack loses what is in outbox-webhook-bulk") as refused:
        channels(stack, "email")
    assert "outbox-email" not in refused.value.message


def test_what_failed_in_a_deployment_is_told_with_its_reason(local_cloud: LocalCloud) -> None:
    stack = LocalStack(f"trial-{uuid.uuid4().hex[:8]}", REGION, local_cloud.endpoint)
    assert [*failures(stack, datetime.now(UTC))] == []
    url = {"TemplateURL": f"{local_cloud.endpoint}/nowhere-{stack.name}/child.json"}
    created(stack, {"Resources": {"Child": {"Type": "AWS::CloudFormation::Stack", "Properties": url}}})
    (told,) = failures(stack, datetime.now(UTC) - timedelta(minutes=5))
    assert told.startswith("Child: ")
    assert "nowhere" in told
    assert [*failures(stack, datetime.now(UTC) + timedelta(minutes=5))] == []
    stack.client("cloudformation").delete_stack(StackName=stack.name)
