"""The Firehose of the local cloud collects what SES tells, as Firehose does: many events, one object."""

from __future__ import annotations

import gzip
import json
import re
import uuid
from collections.abc import Callable
from typing import Any

import pytest

from aws.local_cloud import ACCOUNT, REGION, Inbox, LocalCloud
from aws.local_ses import an_address, send

ROLE = f"arn:aws:iam::{ACCOUNT}:role/any"
NAME = re.compile(r"raw/\d{4}/\d\d/\d\d/\d\d/(?P<stream>[\w-]+)-1-\d{4}(-\d\d){5}-[0-9a-f-]{36}(?P<ending>\.gz)?")


class Stream:
    """A stream into a bucket of its own, which tells the inbox of its objects."""

    def __init__(self, cloud: LocalCloud, on_bus: Callable[..., Inbox]) -> None:
        self.name, self.bucket = (f"{kind}-{uuid.uuid4().hex[:12]}" for kind in ("stream", "bucket"))
        self.s3, self.firehose = cloud.client("s3"), cloud.client("firehose")
        self.s3.create_bucket(Bucket=self.bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.s3.put_bucket_notification_configuration(
            Bucket=self.bucket, NotificationConfiguration={"EventBridgeConfiguration": {}}
        )
        self.inbox = on_bus("aws.s3", detail={"bucket": {"name": [self.bucket]}})

    def made(self, *, seconds: int = 1, megabytes: int = 5, compression: str = "GZIP") -> str:
        """Its ARN."""
        destination = {
            "BucketARN": f"arn:aws:s3:::{self.bucket}",
            "RoleARN": ROLE,
            "Prefix": "raw/",
            "CompressionFormat": compression,
            "BufferingHints": {"IntervalInSeconds": seconds, "SizeInMBs": megabytes},
        }
        made = self.firehose.create_delivery_stream(
            DeliveryStreamName=self.name, ExtendedS3DestinationConfiguration=destination
        )
        return str(made["DeliveryStreamARN"])

    def put(self, *records: bytes) -> None:
        self.firehose.put_record_batch(DeliveryStreamName=self.name, Records=[{"Data": each} for each in records])

    def next_object(self) -> tuple[str, bytes]:
        """The key and the content of the next object that the bucket tells of."""
        [told] = self.inbox.take(1)
        key = told["detail"]["object"]["key"]
        return key, self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()


@pytest.fixture
def stream(local_cloud: LocalCloud, on_bus: Callable[..., Inbox]) -> Stream:
    return Stream(local_cloud, on_bus)


def test_events_of_many_mails_become_one_object_of_lines(stream: Stream, ses: Any) -> None:
    """In the shape that SES gives them there: no envelope, `eventType`, a line each."""
    name = f"set-{uuid.uuid4().hex[:8]}"
    ses.create_configuration_set(ConfigurationSetName=name)
    ses.create_configuration_set_event_destination(
        ConfigurationSetName=name,
        EventDestinationName="by-the-minute",
        EventDestination={
            "Enabled": True,
            "MatchingEventTypes": ["SEND", "DELIVERY"],
            "KinesisFirehoseDestination": {"IamRoleArn": ROLE, "DeliveryStreamArn": stream.made(seconds=2)},
        },
    )
    people = [an_address() for _ in range(3)]
    for to in people:
        send(ses, to, ConfigurationSetName=name, EmailTags=[{"Name": "dispatch_id", "Value": "d-1"}])
    key, content = stream.next_object()
    assert (found := NAME.fullmatch(key))
    assert found["stream"] == stream.name
    lines = gzip.decompress(content).split(b"\n")
    assert lines.pop() == b""
    told = [json.loads(line) for line in lines]
    assert sorted((each["eventType"], *each["mail"]["destination"]) for each in told) == sorted(
        (kind, to) for kind in ("Send", "Delivery") for to in people
    )
    assert {tag for each in told for tag in each["mail"]["tags"]["dispatch_id"]} == {"d-1"}


def test_a_full_buffer_is_not_waited_for(stream: Stream) -> None:
    stream.made(seconds=900, megabytes=1)
    stream.put(b"a" * 600_000)
    stream.put(b"b" * 600_000)
    assert len(gzip.decompress(stream.next_object()[1])) == 1_200_000


def test_what_comes_after_an_object_is_in_the_next(stream: Stream) -> None:
    stream.made(compression="UNCOMPRESSED")
    stream.put(b"one")
    key, content = stream.next_object()
    assert content == b"one"
    assert (found := NAME.fullmatch(key))
    assert not found["ending"]
    stream.put(b"two")
    assert stream.next_object()[1] == b"two"
