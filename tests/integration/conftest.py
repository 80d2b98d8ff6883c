"""The places in which integration tests happen."""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aws.local_cloud import Inbox, LocalCloud
from aws.local_cloud import local_cloud as running_local_cloud
from aws.local_ses import a_configuration_set
from builders import NOW
from heliograph.people.consents.store import ConsentHistory
from heliograph.people.store import Recipients


@pytest.fixture(scope="session")
def local_cloud() -> Iterator[LocalCloud]:
    """One local cloud for all tests; each brings its own names."""
    with running_local_cloud() as cloud:
        yield cloud


@pytest.fixture
def inbox(local_cloud: LocalCloud) -> Inbox:
    """An empty queue."""
    return Inbox(local_cloud)


@pytest.fixture
def on_bus(local_cloud: LocalCloud, inbox: Inbox) -> Iterator[Callable[..., Inbox]]:
    """Sends the events of a source, from a bus, to the inbox."""
    events = local_cloud.client("events")
    rules: list[tuple[str, str]] = []

    def listen(source: str, bus: str = "default", **pattern: Any) -> Inbox:
        rule = f"rule-{uuid.uuid4().hex}"
        events.put_rule(Name=rule, EventBusName=bus, EventPattern=json.dumps({"source": [source], **pattern}))
        events.put_targets(Rule=rule, EventBusName=bus, Targets=[{"Id": "inbox", "Arn": inbox.arn}])
        rules.append((rule, bus))
        return inbox

    yield listen
    for rule, bus in rules:
        events.remove_targets(Rule=rule, EventBusName=bus, Ids=["inbox"])
        events.delete_rule(Name=rule, EventBusName=bus)


@pytest.fixture
def topic(local_cloud: LocalCloud, inbox: Inbox) -> str:
    """A topic whose messages come to the inbox, raw."""
    sns = local_cloud.client("sns")
    arn: str = sns.create_topic(Name=f"topic-{uuid.uuid4().hex}")["TopicArn"]
    raw = {"RawMessageDelivery": "true"}
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=inbox.arn, Attributes=raw)
    return arn


@pytest.fixture
def ses(local_cloud: LocalCloud) -> Any:
    """SES, allowed to send from example.com."""
    client = local_cloud.client("sesv2")
    client.create_email_identity(EmailIdentity="example.com")
    return client


@pytest.fixture
def configuration_set(ses: Any) -> str:
    """A configuration set that reports everything to the default bus."""
    return a_configuration_set(ses)


@pytest.fixture
def people(local_cloud: LocalCloud) -> Recipients:
    """An empty table."""
    return _table(local_cloud.client("dynamodb"), f"recipients-{uuid.uuid4().hex}")


def _table(client: Any, name: str) -> Recipients:
    client.create_table(
        TableName=f"{name}-ledger",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in ("recipient_id", "dispatch_id")],
        KeySchema=[
            {"AttributeName": "recipient_id", "KeyType": "HASH"},
            {"AttributeName": "dispatch_id", "KeyType": "RANGE"},
        ],
    )
    keys = ("recipient_id", "email", "phone")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": "recipient_id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": f"by-{key}",
                "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for key in keys[1:]
        ],
    )
    return Recipients(client, name, ConsentHistory(client, f"{name}-ledger", now=lambda: NOW))
