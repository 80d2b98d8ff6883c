"""One system for all flow tests; each brings its own people."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.httpsession import URLLib3Session
from click.testing import CliRunner, Result

from aws.fake import FakeAws, service_of
from aws.flow_system import System, running
from aws.local_cloud import REGION
from functions.report.app import handler
from heliograph_cli.main import cli
from heliograph_cli.stack import Stack
from heliograph_cli.target import Target
from tests_desk import compiled

sys.path.insert(0, str(compiled()))


@pytest.fixture(scope="session")
def deployed() -> Iterator[System]:
    """The system without Lambda, on a local cloud of its own."""
    with running("flow") as system:
        yield system


@pytest.fixture
def system(deployed: System, monkeypatch: pytest.MonkeyPatch) -> System:
    """The system, with the environment of its functions for the length of a test, and with rested providers."""
    for name, value in {**deployed.environment, "HELIOGRAPH_PARKING_QUEUE": ""}.items():
        monkeypatch.setenv(name, value)
    deployed.rest()
    deployed.forget_changes()
    return deployed


@pytest.fixture
def heliograph(system: System, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """A command on the system, which asks the real handler of the report function in this process."""

    def report(question: Any) -> Any:
        system.tally()
        return handler(question, None)

    asked = FakeAws(report, outputs=outputs_of(stack))
    asked.stacks.add(system.name)
    send = URLLib3Session.send

    def answered(http: URLLib3Session, request: AWSPreparedRequest) -> AWSResponse:
        return asked.send(request) if service_of(request) in ("lambda", "cloudformation") else send(http, request)

    monkeypatch.setattr(URLLib3Session, "send", answered)
    where = ("--endpoint-url", system.cloud.endpoint, "--stack", system.name, "--region", REGION)

    def run(*words: str, say: str = "") -> Result:
        return CliRunner().invoke(cli, [*words, *where], catch_exceptions=False, input=say)

    return run


def outputs_of(stack: Stack) -> dict[str, str]:
    """The outputs of the stack, had it been deployed whole."""
    return {
        "BusName": stack.bus,
        "BucketName": stack.bucket,
        "RecipientsTable": stack.recipients_table,
        "LedgerTable": stack.ledger_table,
        "RunsTable": stack.runs_table,
        "ReportFunction": f"{stack.target.stack}-report",
    }


@pytest.fixture
def person() -> str:
    """The id of somebody who is in no other test."""
    return f"p-{uuid.uuid4().hex[:12]}"


@pytest.fixture
def stack(system: System) -> Stack:
    """The system as the command line sees it."""
    return Stack(
        target=Target(system.name, REGION, system.cloud.endpoint),
        bus=system.bus,
        bucket=system.bucket,
        recipients_table=system.recipients_table,
        ledger_table=system.environment["HELIOGRAPH_LEDGER_TABLE"],
        runs_table=system.environment["HELIOGRAPH_RUNS_TABLE"],
        report_function="",
        parameters={},
    )
