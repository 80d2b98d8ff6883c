"""One deployed stack and one browser for all tests of the whole; each test brings its own people.

Two workers share the files: the longest begins first, and those that need the same stack follow each other.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

from aws.deployed import Stack, deployed
from aws.local_cloud import free_port
from browser import CHROMIUM, QUIET
from tests_desk import built_stack

ORDER = ("test_under_faults", "test_demo", "test_deployed_stack", "test_doctor", "test_priority")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The order in which files are handed out to workers (`--dist=loadfile`)."""
    items.sort(key=lambda item: ORDER.index(item.path.stem) if item.path.stem in ORDER else len(ORDER))


@pytest.fixture(scope="session", autouse=True)
def messages_of_the_tests() -> None:
    """Whatever a test deploys, it deploys with the messages of the tests."""
    os.environ["HELIOGRAPH_BUILT"] = str(built_stack())


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The built stack on a local cloud of its own."""
    with deployed(tmp_path_factory.mktemp("stack"), port=free_port()) as stack:
        yield stack


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """A browser; each test opens pages of its own."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()
