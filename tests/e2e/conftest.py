"""One deployed stack for all tests of the whole; each test brings its own people."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from aws.deployed import Stack, deployed
from aws.local_cloud import free_port
from tests_desk import built_stack


@pytest.fixture(scope="session", autouse=True)
def messages_of_the_tests() -> None:
    """Whatever a test deploys, it deploys with the messages of the tests."""
    os.environ["HELIOGRAPH_BUILT"] = str(built_stack())


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The built stack on a local cloud of its own."""
    with deployed(tmp_path_factory.mktemp("stack"), port=free_port()) as stack:
        yield stack
