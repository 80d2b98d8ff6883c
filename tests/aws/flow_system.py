"""The five verbs chained in this process: the real handlers and queues, without Lambda in between."""

from __future__ import annotations

import base64
import importlib
import json
import os
import re
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec

from aws.invocations import record
from aws.local_cloud import ACCOUNT, PATIENCE, REGION, TICK, LocalCloud, local_cloud
from heliograph.aws import clients
from heliograph.aws.tables import write_items
from heliograph.channels.registry import CHANNELS
from heliograph.reporting import work as reports
from heliograph.reporting.figures import RunFigures
from heliograph.runtime import wiring
from heliograph_cli.waiting import until_still

ROOT = Path(__file__).parents[2]
LANES = ("priority", "bulk")
VERBS = {
    "events": "ingest_event",
    "segments": "ingest_segment",
    "imports": "import_recipients",
    "requests-priority": "plan",
    "requests-bulk": "plan",
    **{f"outbox-{channel}-{lane}": "deliver" for channel in CHANNELS for lane in LANES},
    "engagement": "record",
    "raw": "record",
    "settle": "settle",
}
PARKS = {"raw": "engagement"}
"""Queue -> the one in whose dead letters its function parks, if that is another."""
OF_EVENTS = ("events", "segments", "imports")
A_WHILE = timedelta(hours=1)
EVENT_TIME = re.compile(r'("time": ?")\d{4}-\d\d-\d\dT[^"]+')
SENDER = "Heliograph <hello@heliograph.test>"


class System:
    """What `infra/` keeps and carries, deployed under one name, and the handlers to work it off."""

    def __init__(self, cloud: LocalCloud, name: str, *, engagement: str = "eventbridge") -> None:
        self.cloud = cloud
        self.name = name
        self.sqs = cloud.client("sqs")
        self._urls: dict[str, str] = {}
        self._iterator = self._stream = ""
        """Where the stream of the table `runs` was read to."""
        kept = self._deploy("storage", StackName=name, DeletionProtection="false", EmailIdentity="heliograph.test")
        queues = self._deploy("queues", StackName=name, Channels=",".join(CHANNELS))
        bus = self._deploy("bus", StackName=name, Queues=queues["Queues"], Bucket=kept["Bucket"])
        push = self._deploy("channels/pinpoint", StackName=name)
        given = {"Role": self._role(), "AlarmTopic": f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}-alarms"}
        given |= {"SmsProvider": "end-user-messaging", "SmsFailover": "none", "Bucket": kept["Bucket"]}
        given |= {"Engagement": engagement, "EngagementSeconds": "1"}
        given |= {"PushProvider": "pinpoint", "PushApplication": push["Application"]}
        for channel in CHANNELS:
            self._deploy(f"channels/{channel}", StackName=name, Queues=queues["Queues"], **given)
        self._deploy(
            "triggers",
            folder="build",
            BusName=bus["BusName"],
            EventsQueueArn=f"{queues['Queues']}events",
            DeadLettersArn=f"{queues['Queues']}events-dead-letters",
        )
        self.bus, self.bucket = bus["BusName"], kept["BucketName"]
        self.recipients_table = kept["RecipientsTable"]
        self.environment = _environment(cloud, name, kept | queues | {"PushApplication": push["Application"]})
        self.environment["HELIOGRAPH_ENGAGEMENT"] = engagement

    def publish(self, detail_type: str, detail: dict[str, Any], source: str = "shop.test") -> str:
        """Put an event on the bus; its id."""
        answer = self.cloud.client("events").put_events(
            Entries=[
                {
                    "EventBusName": self.bus,
                    "Source": source,
                    "DetailType": detail_type,
                    "Detail": json.dumps(detail),
                }
            ]
        )
        return str(answer["Entries"][0]["EventId"])

    def upload_campaign(self, name: str, manifest: str, segment: bytes) -> None:
        """Lay a campaign folder into the bucket, the manifest last."""
        self.put(f"campaigns/{name}/segment.csv", segment)
        self.put(f"campaigns/{name}/campaign.toml", manifest.encode(), told_to="segments")

    def put(self, key: str, content: bytes, *, told_to: str = "") -> None:
        """Put a file into the bucket, and wait until it has told a queue of that: it does so after it has answered."""
        before = self._waiting(told_to) if told_to else 0
        self.cloud.client("s3").put_object(Bucket=self.bucket, Key=key, Body=content)

        def look() -> tuple[int, bool]:
            now = self._waiting(told_to)
            return now, now > before

        assert not told_to or until_still(look, patience=PATIENCE, most=TICK) > before, f"{key} was never told of"

    def _waiting(self, queue: str) -> int:
        url, names = self.queue_url(queue), ["ApproximateNumberOfMessages"]
        answer = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)
        return int(answer["Attributes"]["ApproximateNumberOfMessages"])

    def work(self, *queues: str) -> None:
        """Hand the queues' messages to their functions until nothing is left in them."""
        worked_off(queues or VERBS, self._work_off, polls=1_000)

    def work_until(self, look: Callable[[], bool], *queues: str) -> None:
        """Work queues off until something is seen: providers report after a moment."""

        def glance() -> tuple[bool, bool]:
            self.work(*queues)
            seen = look()
            return seen, seen

        assert until_still(glance, patience=PATIENCE, most=TICK), "it was never seen"

    def messages(self, queue: str) -> list[dict[str, Any]]:
        """Take messages from a queue without deleting them."""
        answer = self.sqs.receive_message(
            QueueUrl=self.queue_url(queue),
            MaxNumberOfMessages=10,
            MessageAttributeNames=["All"],
            AttributeNames=["All"],
        )
        return list(answer.get("Messages", []))

    def take(self, queue: str, *, at_least: int) -> list[str]:
        """Take the bodies of messages from a queue, until so many have come: providers report after a moment."""
        came: list[str] = []

        def look() -> tuple[int, bool]:
            for message in self.messages(queue):
                self.sqs.delete_message(QueueUrl=self.queue_url(queue), ReceiptHandle=message["ReceiptHandle"])
                came.append(message["Body"])
            return len(came), len(came) >= at_least

        until_still(look, patience=PATIENCE, most=TICK)
        assert len(came) >= at_least, f"{len(came)} messages came to {queue} instead of {at_least}"
        return came

    def queue_url(self, queue: str) -> str:
        """The URL of a queue of this system."""
        if queue not in self._urls:
            self._urls[queue] = str(self.sqs.get_queue_url(QueueName=f"{self.name}-{queue}")["QueueUrl"])
        return self._urls[queue]

    def run(self, verb: str, bodies: list[str], receives: int | Sequence[int] = 1) -> dict[str, Any]:
        """Hand message bodies to a function as SQS would, each received so often; its answer."""
        counts = [receives] * len(bodies) if isinstance(receives, int) else receives
        records = [
            record(body, f"m-{number}", receives=count)
            for number, (body, count) in enumerate(zip(bodies, counts, strict=True))
        ]
        answer: dict[str, Any] = importlib.import_module(f"functions.{verb}.app").handler(
            {"Records": records}, SimpleNamespace()
        )
        return answer

    def rest(self) -> None:
        """Let the providers have sent nothing yet, and nobody wait: their time is that of another test."""
        for channel, item in product(CHANNELS, ("clock", "rate")):
            self.cloud.client("dynamodb").delete_item(
                TableName=self.environment["HELIOGRAPH_RUNS_TABLE"],
                Key={"part": {"S": f"rate#{channel}"}, "item": {"S": item}},
            )
        scheduler = self.cloud.client("scheduler")
        for schedule in scheduler.list_schedules(GroupName=self.name)["Schedules"]:
            scheduler.delete_schedule(GroupName=self.name, Name=schedule["Name"])
        table = self.environment["HELIOGRAPH_RUNS_TABLE"]
        write_items(self.cloud.client("dynamodb"), table, delete=self._keys_of_minutes())

    def minutes(self) -> list[datetime]:
        """The minutes for which people wait that no tick has come to."""
        last = wiring.minutes().last() or datetime.min.replace(tzinfo=UTC)
        found = {
            datetime.fromisoformat(key["part"]["S"].split("#")[1])
            for key in self._keys_of_minutes()
            if "#" in key["part"]["S"]
        }
        noted = {note.minute for note in wiring.minutes().late()}
        return sorted(minute for minute in found if minute > last or minute in noted)

    def tick(self) -> list[datetime]:
        """Let the minutes come for which people wait until now; the minute of each pack that was sent."""
        due = [minute for minute in self.minutes() if minute <= wiring.now()]
        wiring.minutes().advance(min([*due, wiring.now()]) - timedelta(minutes=1))  # as ticks do that find nothing
        importlib.import_module("functions.tick.app").handler({}, SimpleNamespace())
        return [minute for minute in due for batch in wiring.minutes().fixed(minute).batches for _ in batch]

    def _keys_of_minutes(self) -> list[dict[str, Any]]:
        pages = (
            self.cloud.client("dynamodb")
            .get_paginator("scan")
            .paginate(
                TableName=self.environment["HELIOGRAPH_RUNS_TABLE"],
                ProjectionExpression="part, #item",
                ExpressionAttributeNames={"#item": "item"},
                FilterExpression="begins_with(part, :due)",
                ExpressionAttributeValues={":due": {"S": "due"}},
            )
        )
        return [key for page in pages for key in page["Items"]]

    def figures(self, run_id: str) -> RunFigures:
        """A run in figures, as soon as the stream has brought what changed."""
        self.tally()
        return reports.status(run_id)

    def tally(self) -> None:
        """Hand what changed in the records to its function, as unkindly as AWS may: all of it twice, cut anew.

        The changes of one partition keep their order; partitions overtake each other.
        """
        new = list(self.changes())
        for batch in (new[: len(new) // 2], new, sorted(new[len(new) // 3 :], key=_partition)):
            if batch:
                importlib.import_module("functions.tally.app").handler({"Records": batch}, SimpleNamespace())

    def changes(self) -> Iterator[dict[str, Any]]:
        """What the stream tells since it was asked last, in the JSON in which Lambda hands it over."""
        streams = self.cloud.client("dynamodbstreams")
        while records := self._read(streams):
            told = ({**each, "eventSourceARN": self._stream} for each in records)
            yield from (json.loads(json.dumps(each, default=_in_json)) for each in told)

    def forget_changes(self) -> None:
        """Let the stream tell only of what changes from now on."""
        streams = self.cloud.client("dynamodbstreams")
        (stream,) = streams.list_streams(TableName=self.environment["HELIOGRAPH_RUNS_TABLE"])["Streams"]
        self._stream = stream["StreamArn"]
        of = {"StreamArn": self._stream}
        (shard,) = streams.describe_stream(**of)["StreamDescription"]["Shards"]
        asked = streams.get_shard_iterator(**of, ShardId=shard["ShardId"], ShardIteratorType="LATEST")
        self._iterator = asked["ShardIterator"]

    def _read(self, streams: Any) -> list[dict[str, Any]]:
        answer = streams.get_records(ShardIterator=self._iterator)
        self._iterator = answer["NextShardIterator"]
        return list(answer["Records"])

    def _work_off(self, queue: str) -> int:
        messages = self.messages(queue)
        if not messages:
            return 0
        self.park_at(queue)
        bodies = [message["Body"] for message in messages]
        receives = [int(message["Attributes"]["ApproximateReceiveCount"]) for message in messages]
        answer = self.run(VERBS[queue], list(map(just_happened, bodies)) if queue in OF_EVENTS else bodies, receives)
        failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
        self.acknowledge(queue, messages, [f"m-{number}" not in failed for number in range(len(messages))])
        return len(messages)

    def acknowledge(self, queue: str, messages: list[dict[str, Any]], done: list[bool]) -> None:
        """Delete what is done; the rest comes again at once, without the time for which SQS hides a message."""
        url = self.queue_url(queue)
        entries = [{"Id": str(n), "ReceiptHandle": message["ReceiptHandle"]} for n, message in enumerate(messages)]
        finished = [entry for entry, is_done in zip(entries, done, strict=True) if is_done]
        back = [entry | {"VisibilityTimeout": 0} for entry, is_done in zip(entries, done, strict=True) if not is_done]
        if finished:
            assert not self.sqs.delete_message_batch(QueueUrl=url, Entries=finished).get("Failed")
        if back:
            assert not self.sqs.change_message_visibility_batch(QueueUrl=url, Entries=back).get("Failed")

    def park_at(self, queue: str) -> None:
        """Let the function that runs next park in the dead letters of this queue."""
        self.set_environment("HELIOGRAPH_PARKING_QUEUE", f"{PARKS.get(queue, queue)}-dead-letters")

    def set_environment(self, name: str, value: str) -> None:
        """Set an environment variable for the handlers."""
        os.environ[name] = value

    def _role(self) -> str:
        """Of nobody: the channels add their rights to it."""
        made = self.cloud.client("iam").create_role(RoleName=f"{self.name}-deliver", AssumeRolePolicyDocument="{}")
        return str(made["Role"]["RoleName"])

    def _deploy(self, part: str, folder: str = "infra", **parameters: str) -> dict[str, str]:
        cloudformation = self.cloud.client("cloudformation")
        stack = f"{self.name}-{part.replace('/', '-')}"
        cloudformation.create_stack(
            StackName=stack,
            TemplateBody=(ROOT / folder / f"{part}.yaml").read_text(),
            Parameters=[{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
            Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
        )
        described = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        assert described["StackStatus"] == "CREATE_COMPLETE", described
        return {one["OutputKey"]: one["OutputValue"] for one in described.get("Outputs", [])}


@contextmanager
def running(name: str, *, engagement: str = "eventbridge") -> Iterator[System]:
    """A system on a local cloud of its own, as long as the block; no client of another one is known in it."""
    with local_cloud() as cloud:
        forget_clients()
        yield System(cloud, name, engagement=engagement)
        forget_clients()


def worked_off(queues: Iterable[str], work_off: Callable[[str], int], *, polls: int) -> int:
    """Poll each queue until it is empty, and all until one after the other was; how many messages came."""
    waiting = deque(queues)
    came = empty = 0
    for _ in range(polls):
        some = work_off(waiting[0])
        came, empty = came + some, 0 if some else empty + 1
        if empty == len(waiting):
            return came
        if not some:
            waiting.rotate(-1)
    raise AssertionError("the queues never became empty")


def _environment(cloud: LocalCloud, name: str, made: dict[str, str]) -> dict[str, str]:
    """The variables that the templates give to the functions, and those of the account."""
    ours = {
        "STACK": name,
        "QUEUES": made["Queues"],
        "RECIPIENTS_TABLE": made["RecipientsTable"],
        "LEDGER_TABLE": made["LedgerTable"],
        "RUNS_TABLE": made["RunsTable"],
        "BUCKET": made["BucketName"],
        "ENGAGEMENT_SECONDS": "1",
        "SETTLE_AFTER": "900",
        "SMS_PER_SECOND": "1000",
        "SCHEDULE_ROLE": made["ScheduleRole"],
        "EMAIL_SENDER": SENDER,
        "EMAIL_CONFIGURATION_SET": name,
        "UNSUBSCRIBE_URL": "https://heliograph.test/unsubscribe",
        "UNSUBSCRIBE_MAILTO": "unsubscribe@heliograph.test",
        "SIGNING_SECRET": made["SigningSecret"],
        "SMS_PROVIDER": "end-user-messaging",
        "SMS_FAILOVER": "none",
        "SMS_ORIGINATION_IDENTITY": "",
        "SMS_CONFIGURATION_SET": name,
        "CHANNELS": ",".join(CHANNELS),
        "PUSH_PROVIDER": "pinpoint",
        "PUSH_APPLICATION": made["PushApplication"],
    }
    account = {
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_DEFAULT_REGION": REGION,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "POWERTOOLS_METRICS_DISABLED": "true",
        "POWERTOOLS_LOG_LEVEL": "CRITICAL",
    }
    return {**{f"HELIOGRAPH_{name}": value for name, value in ours.items()}, **account}


def _partition(change: dict[str, Any]) -> str:
    return str(change["dynamodb"]["Keys"]["part"]["S"])


def _in_json(value: Any) -> Any:
    """What a client gives and JSON does not have."""
    return base64.b64encode(value).decode() if isinstance(value, bytes) else value.timestamp()


def just_happened(body: str) -> str:
    """An event as if it had happened now, for a test that has a time of its own."""
    now = wiring.now()
    if abs(now - datetime.now(UTC)) < A_WHILE:
        return body
    return EVENT_TIME.sub(rf"\g<1>{now.isoformat()}", body, count=1)


def forget_clients() -> None:
    """Forget every client and adapter that an earlier system has made."""
    cached = [*vars(wiring).values(), *vars(clients).values()]
    for function in cached:
        if callable(getattr(function, "cache_clear", None)):
            function.cache_clear()


def bodies(works: Iterator[msgspec.Struct] | list[msgspec.Struct]) -> list[str]:
    """Work as message bodies."""
    return [msgspec.json.encode(work).decode() for work in works]
