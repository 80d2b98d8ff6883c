"""One system for all flow tests; each brings its own people."""

from __future__ import annotations

import os
import sys
import uuid
from collections.abc import Iterator

import pytest

from flow_system import ROOT, System, forget_clients
from local_cloud import local_cloud

sys.path.insert(0, str(ROOT / "build/templates/python"))


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    """The system without Lambda, on a local cloud of its own."""
    with local_cloud() as cloud:
        system = System(cloud, "flow")
        before = dict(os.environ)
        os.environ.update(system.environment)
        forget_clients()
        yield system
        forget_clients()
        os.environ.clear()
        os.environ.update(before)


@pytest.fixture
def person() -> str:
    """The id of somebody who is in no other test."""
    return f"p-{uuid.uuid4().hex[:12]}"
