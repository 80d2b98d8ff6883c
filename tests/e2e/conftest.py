"""One deployed stack for all tests of the whole; each test brings its own people."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from deployed import Stack, deployed


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The built stack on a local cloud of its own."""
    with deployed(tmp_path_factory.mktemp("stack"), port=_free_port()) as stack:
        yield stack


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
