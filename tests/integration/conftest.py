"""The places in which integration tests happen."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_cloud import LocalCloud
from local_cloud import local_cloud as running_local_cloud


@pytest.fixture(scope="session")
def local_cloud() -> Iterator[LocalCloud]:
    """One local cloud for all tests; each brings its own names."""
    with running_local_cloud() as cloud:
        yield cloud
