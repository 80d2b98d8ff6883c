"""The stack, deployed on a local cloud of its own, as a test uses it."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from aws.local_cloud import PATIENCE, LocalCloud
from heliograph_cli.local import cloud
from heliograph_cli.waiting import until_still

TICK = 0.2  # seconds: each look asks about every queue
Found = TypeVar("Found")


@dataclass
class Stack:
    """A deployed stack: its outputs by name, the cloud that it is on, and where that lives."""

    cloud: LocalCloud
    name: str
    home: Path
    outputs: dict[str, str] = field(default_factory=dict)

    def publish(self, detail_type: str, detail: dict[str, Any], source: str = "test") -> str:
        """Put an event on the stack's bus, as an application does; its id."""
        entry = {"Source": source, "DetailType": detail_type, "Detail": json.dumps(detail)}
        answer = self._events.put_events(Entries=[entry | {"EventBusName": self.outputs["BusName"]}])
        assert answer["FailedEntryCount"] == 0, answer
        event_id: str = answer["Entries"][0]["EventId"]
        return event_id

    def upload(self, key: str, content: str | bytes) -> None:
        """Put a file into the stack's bucket."""
        body = content.encode() if isinstance(content, str) else content
        self.cloud.client("s3").put_object(Bucket=self.outputs["BucketName"], Key=key, Body=body)

    def ask(self, action: str, **question: str) -> Any:
        """The report function's answer."""
        payload = json.dumps({"action": action, **question})
        answer = self._lambda.invoke(FunctionName=self.outputs["ReportFunction"], Payload=payload)
        said = json.load(answer["Payload"])
        assert "FunctionError" not in answer, said
        return said

    def queue_url(self, queue: str) -> str:
        """The URL of a queue of the stack."""
        url: str = self._sqs.get_queue_url(QueueName=f"{self.name}-{queue}")["QueueUrl"]
        return url

    def waiting(self, queue: str) -> int:
        """How much work is in a queue, in hand, or waits there for its time."""
        counts = [f"ApproximateNumberOfMessages{kind}" for kind in ("", "NotVisible", "Delayed")]
        attributes = self._sqs.get_queue_attributes(QueueUrl=self.queue_url(queue), AttributeNames=counts)["Attributes"]
        return sum(int(attributes[count]) for count in counts)

    def come_back_after(self, seconds: int) -> None:
        """Let work that was taken and not finished come back to its queue after so long."""
        for url in self._sqs.list_queues(QueueNamePrefix=f"{self.name}-")["QueueUrls"]:
            self._sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(seconds)})

    def work(self) -> dict[str, int]:
        """How much is in each queue that is not empty, dead letters included."""
        return {queue: count for queue in self._queues if (count := self.waiting(queue))}

    def dead_letters(self) -> dict[str, int]:
        """What was parked, by queue; empty when nothing was."""
        return {queue: count for queue, count in self.work().items() if queue.endswith("-dead-letters")}

    def heliograph(self, *words: str) -> subprocess.CompletedProcess[str]:
        """A command on this stack, as an operator gives it."""
        environment = os.environ | {"HELIOGRAPH_LOCAL": str(self.home)}
        command = [str(cloud.ROOT / ".venv/bin/heliograph"), *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    def eventually(
        self, look: Callable[[], Found], patience: float = PATIENCE, progress: Callable[[], object] = lambda: None
    ) -> Found:
        """What a look shows as soon as it shows anything; fails when nothing on the stack moves any more before.

        Work in the queues moves, and what `progress` tells.
        """

        def glance() -> tuple[tuple[Found, dict[str, int], object], bool]:
            found = look()
            return (found, {} if found else self.work(), progress()), bool(found)

        found, work, _ = until_still(glance, patience=patience, most=TICK)
        assert found, f"not seen, and nothing moved for {patience:.0f} s; work: {work}"
        return found

    @cached_property
    def _queues(self) -> list[str]:
        urls = self._sqs.list_queues(QueueNamePrefix=f"{self.name}-")["QueueUrls"]
        return [url.rsplit("/", 1)[1].removeprefix(f"{self.name}-") for url in urls]

    @cached_property
    def _sqs(self) -> Any:
        return self.cloud.client("sqs")

    @cached_property
    def _events(self) -> Any:
        return self.cloud.client("events")

    @cached_property
    def _lambda(self) -> Any:
        return self.cloud.client("lambda")


@contextmanager
def deployed(directory: Path, *, port: int, name: str = "heliograph", at_once: int = 0) -> Iterator[Stack]:
    """The built stack on a local cloud at a port, as `heliograph up` deploys it, as long as the block.

    `at_once` is how often a function runs for a queue at the same time; 0 leaves that to the local cloud.
    """
    state = directory / "state.json"
    if at_once:
        os.environ["HELIOGRAPH_AT_ONCE"] = str(at_once)
    try:
        running = cloud.up(port=port, directory=directory / "run", state_file=state, stack=name)
        local = LocalCloud(running.port)
        found = local.client("cloudformation").describe_stacks(StackName=name)["Stacks"][0]["Outputs"]
        yield Stack(local, name, directory, {output["OutputKey"]: output["OutputValue"] for output in found})
    finally:
        os.environ.pop("HELIOGRAPH_AT_ONCE", None)
        cloud.down(state_file=state)
