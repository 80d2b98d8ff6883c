"""Where the benchmarks happen: the null AWS, the environment of the functions, the compiled messages, the handlers."""

from __future__ import annotations

import http.client
import importlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import botocore.session

ROOT = Path(__file__).parents[2]
DESK = Path(__file__).parent / "desk"
TABLES = ("recipients", "ledger", "runs")


class Aws:
    """The null AWS of this run, in its own process."""

    def __init__(self, folder: Path) -> None:
        self.objects = folder
        command = [sys.executable, "-m", "aws.null", str(folder)]
        environ = {**os.environ, "PYTHONPATH": str(ROOT / "tests")}
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ)
        assert self._process.stdout is not None
        self.port = int(self._process.stdout.readline())
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port)

    def ask(self, what: str) -> Any:
        """`counts`, `reset` (counts), `messages` (takes what was queued), `discard` (keep none from now on)."""
        return json.loads(self._asked(what))

    def heard(self) -> bytes:
        """What the stream of `runs` told since this was asked before, as JSON; at first nothing."""
        return self._asked("stream")

    def _asked(self, what: str) -> bytes:
        self._connection.request("GET", f"/_null/{what}")
        return self._connection.getresponse().read()

    def stop(self) -> None:
        """End the process."""
        self._connection.close()
        self._process.terminate()
        self._process.wait(10)


class Logs:
    """What the handlers write to their logs: kept in a file, so that its bytes can be counted."""

    def __init__(self) -> None:
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
        self._real = os.dup(1)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Standard output goes into the file."""
        sys.stdout.flush()
        os.dup2(self._file.fileno(), 1)
        try:
            yield
        finally:
            sys.stdout.flush()
            os.dup2(self._real, 1)

    def size(self) -> int:
        """Bytes that were written so far."""
        sys.stdout.flush()
        return os.fstat(self._file.fileno()).st_size


def environment(port: int) -> dict[str, str]:
    """The environment of every function, with all of AWS at a port of this machine."""
    url = f"http://127.0.0.1:{port}"
    ours = {
        "STACK": "heliograph",
        **{f"{table.upper()}_TABLE": f"heliograph-{table}" for table in TABLES},
        "QUEUES": "arn:aws:sqs:us-east-1:000000000000:",
        "PARKING_QUEUE": "parking",
        "BUCKET": "heliograph-bucket",
        "SCHEDULE_ROLE": "arn:aws:iam::000000000000:role/schedules",
        "EMAIL_SENDER": "Alder Lane <hello@alderlane.example.com>",
        "EMAIL_CONFIGURATION_SET": "heliograph",
        "UNSUBSCRIBE_URL": "https://alderlane.example.com/unsubscribe",
        "UNSUBSCRIBE_MAILTO": "unsubscribe@alderlane.example.com",
        "SIGNING_SECRET": "heliograph-signing",
        "ENGAGEMENT": "firehose",
        "ENGAGEMENT_SECONDS": "60",
        "SETTLE_AFTER": "900",
        "SMS_PER_SECOND": "1000",
        "SMS_PROVIDER": "end-user-messaging",
        "SMS_FAILOVER": "none",
        "SMS_ORIGINATION_IDENTITY": "",
        "SMS_CONFIGURATION_SET": "heliograph",
        "CHANNELS": "email,sms,push",
        "PUSH_PROVIDER": "pinpoint",
        "PUSH_APPLICATION": "0123456789abcdef0123456789abcdef",
        "PUSH_PLATFORM_APPLICATIONS": "{}",
    }
    of_lambda = {
        "AWS_ENDPOINT_URL": url,
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "AWS_SESSION_TOKEN": "x" * 400,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_LAMBDA_FUNCTION_NAME": "heliograph",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
    }
    return of_lambda | {f"HELIOGRAPH_{name}": value for name, value in ours.items()}


def compiled_messages(folder: Path) -> Path:
    """Compile the benchmarks' policy and messages, in the looks of `tests/desk/`; the folder to import them from."""
    from heliograph_cli.authoring.build import build  # heavy, and ingesting measures the memory of a process

    shutil.copytree(ROOT / "tests/desk", folder / "desk", ignore=shutil.ignore_patterns("messages", "policy.toml"))
    shutil.copytree(DESK, folder / "desk", dirs_exist_ok=True)
    build(folder / "desk", folder / "build/templates")
    return messages(folder)


def messages(folder: Path) -> Path:
    """Where compiled messages are imported from."""
    return folder / "build/templates/python"


def stock_client(service: str) -> Any:
    """A client as botocore makes it out of the box: the yardsticks'. The layer's own is trimmed."""
    session = botocore.session.get_session()
    session.set_config_variable("data_path", str(Path(sysconfig.get_path("purelib"), "botocore/data")))
    return session.create_client(service)


def sample(message: str) -> dict[str, Any]:
    """The sample data of a message of the benchmarks."""
    found: dict[str, Any] = json.loads((DESK / "messages" / message / "sample.json").read_text())
    return found


def handler(verb: str) -> Any:
    """The handler of a function."""
    return importlib.import_module(f"functions.{verb}.app").handler


def sqs_event(bodies: Sequence[str]) -> dict[str, Any]:
    """What Lambda hands to a function for messages of a queue."""
    attributes = {"ApproximateReceiveCount": "1", "SentTimestamp": "1763720000000", "SenderId": "A"}
    return {
        "Records": [
            {
                "messageId": f"{number:08d}-0000-4000-8000-000000000000",
                "receiptHandle": "r" * 200,
                "body": body,
                "attributes": attributes,
                "messageAttributes": {},
                "md5OfBody": "0" * 32,
                "eventSource": "aws:sqs",
                "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:queue",
                "awsRegion": "us-east-1",
            }
            for number, body in enumerate(bodies)
        ]
    }


def run(verb: str, bodies: Sequence[str], batch: int) -> None:
    """Hand messages to a function, so many at once as its queue does."""
    run_batches(verb, [bodies[start : start + batch] for start in range(0, len(bodies), batch)])


def run_batches(verb: str, batches: Sequence[Sequence[str]]) -> None:
    """Hand batches of messages to a function; nothing may fail."""
    handle = handler(verb)
    for batch in batches:
        answer = handle(sqs_event(batch), SimpleNamespace())
        assert answer == {"batchItemFailures": []}, f"{verb} failed: see the logs"
