"""One system for all flow tests; each brings its own people."""

from __future__ import annotations

import sys
import uuid
from collections.abc import Iterator

import pytest

from flow_system import ROOT, System, forget_clients
from heliograph_cli.stack import Stack
from heliograph_cli.target import Target
from local_cloud import REGION, local_cloud

sys.path.insert(0, str(ROOT / "build/templates/python"))


@pytest.fixture(scope="session")
def deployed() -> Iterator[System]:
    """The system without Lambda, on a local cloud of its own."""
    with local_cloud() as cloud:
        forget_clients()
        yield System(cloud, "flow")
        forget_clients()


@pytest.fixture
def system(deployed: System, monkeypatch: pytest.MonkeyPatch) -> System:
    """The system, with the environment of its functions for the length of a test, and with rested providers."""
    for name, value in {**deployed.environment, "HELIOGRAPH_PARKING_QUEUE": ""}.items():
        monkeypatch.setenv(name, value)
    deployed.rest()
    return deployed


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
