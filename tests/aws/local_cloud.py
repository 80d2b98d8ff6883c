"""Start and stop a local cloud on a free port, in a directory of its own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import boto3
from botocore.config import Config

from heliograph_cli.waiting import until_still

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".local/cloud/bin/python"
REGION = "eu-west-1"
ACCOUNT = "000000000000"
PATIENCE = 60.0  # seconds in which nothing moves
TICK = 0.02  # seconds
SILENCE = 60  # seconds in which a server sends no byte of its answer
STOP_LIMIT = 20  # seconds, then it is killed


class LocalCloud:
    """A running local cloud: AWS clients for it, and what it would have sent."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.endpoint = f"http://127.0.0.1:{port}"
        self._clients: dict[str, Any] = {}

    def client(self, service: str) -> Any:
        """A boto3 client of an account's root, made once; its calls are not retried."""
        return self._clients.get(service) or self._clients.setdefault(service, self.client_of("test", "test", service))

    def client_of(self, key: str, secret: str, service: str, token: str | None = None) -> Any:
        """A boto3 client of anybody."""
        return boto3.client(
            service,  # type: ignore[call-overload]  # the name is the test's choice
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            aws_session_token=token,
            config=Config(retries={"total_max_attempts": 1}),
        )

    def outbox(
        self, *, channel: str = "", to: str = "", tag: str = "", limit: int | None = None, words: bool = True
    ) -> list[dict[str, Any]]:
        """What was sent, newest first; `tag` is `name:value`; without its words it comes quickly."""
        query = {"channel": channel, "to": to, "tag": tag} | ({} if limit is None else {"limit": str(limit)})
        query |= {} if words else {"words": "no"}
        found: list[dict[str, Any]] = self.get("outbox.json?" + urlencode(query))
        return found

    def engage(self, provider_message_id: str, kind: str, link: str | None = None) -> None:
        """Open, click, bounce or complain about a message, so that its provider reports it."""
        wanted = {"provider_message_id": provider_message_id, "kind": kind} | ({"link": link} if link else {})
        self.post("engage", wanted)

    def faults(self, wanted: Mapping[str, Any]) -> None:
        """Let providers fail, in place of how they failed before: `{"ses": {"throttle": 0.05}}`; nothing is none."""
        self.post("faults", wanted)

    def get(self, path: str) -> Any:
        """An answer below `/_heliograph/`."""
        return self._fetch(Request(f"{self.endpoint}/_heliograph/{path}"))

    def post(self, path: str, content: Any, headers: Mapping[str, str] | None = None) -> Any:
        """Post JSON below `/_heliograph/`."""
        sent = {"Content-Type": "application/json", **(headers or {})}
        body = json.dumps(content).encode()
        return self._fetch(Request(f"{self.endpoint}/_heliograph/{path}", body, sent))

    def _fetch(self, request: Request) -> Any:
        with urlopen(request, timeout=SILENCE) as response:
            return json.load(response)


class Inbox:
    """A queue that gets events, by rule or by topic."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.sqs = cloud.client("sqs")
        name = f"inbox-{uuid.uuid4().hex}"
        self.arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
        anybody = {"Effect": "Allow", "Principal": "*", "Action": "sqs:SendMessage", "Resource": self.arn}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [anybody]})
        self.url = self.sqs.create_queue(QueueName=name, Attributes={"Policy": policy})["QueueUrl"]

    def take(self, number: int) -> list[Any]:
        """The next `number` events, in the order in which they came. Raises AssertionError when no more come."""
        found: list[Any] = []

        def look() -> tuple[int, bool]:
            answer = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10)
            found.extend(_read(message["Body"]) for message in answer.get("Messages", []))
            return len(found), len(found) >= number

        until_still(look, patience=PATIENCE, most=TICK)
        assert len(found) == number, f"{len(found)} events came instead of {number}"
        return found


def _read(body: str) -> Any:
    return json.loads(body) if body.startswith(("{", "[")) else body


@contextmanager
def local_cloud(**environment: str) -> Iterator[LocalCloud]:
    """A local cloud that lives as long as the block; functions that it runs see `environment`, too."""
    directory = Path(tempfile.mkdtemp(prefix="heliograph-test-"))
    cloud = LocalCloud(free_port())
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(
            [str(PYTHON), "-m", "localcloud"], env=_environment(cloud, directory) | environment, stdout=log, stderr=log
        )
        try:
            await_answer(f"{cloud.endpoint}/_heliograph/health", process, directory / "log")
            yield cloud
        finally:
            stop(process)
            shutil.rmtree(directory, ignore_errors=True)


def _environment(cloud: LocalCloud, directory: Path) -> dict[str, str]:
    own = {"GATEWAY_PORT": str(cloud.port), "TMPDIR": str(directory), "PYTHONPATH": str(ROOT / "infra/local")}
    here = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "PYTHON"))}
    return here | own | {"MINISTACK_REGION": REGION, "PYTHONDONTWRITEBYTECODE": "1"}


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_answer(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until a server that was just started answers; raises RuntimeError with its log when it does not."""

    def look() -> tuple[tuple[bool, int], bool]:
        answers = _answers(url)
        return (answers, log.stat().st_size), answers or process.poll() is not None

    answers, _ = until_still(look, patience=PATIENCE, most=TICK)
    if not answers:
        raise RuntimeError(f"It did not start:\n{log.read_text()}")


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=SILENCE):
            return True
    except (URLError, ConnectionError):
        return False


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process that was started here."""
    process.terminate()
    try:
        process.wait(STOP_LIMIT)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def table_of(cloud: LocalCloud, name: str, *, partition: str, sort: str) -> Iterator[str]:
    """A table of its own with the keys of one of ours; its name."""
    client, unique = cloud.client("dynamodb"), f"{name}-{uuid.uuid4().hex}"
    keys = {partition: "HASH", sort: "RANGE"}
    client.create_table(
        TableName=unique,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys.items()],
    )
    yield unique
    client.delete_table(TableName=unique)
