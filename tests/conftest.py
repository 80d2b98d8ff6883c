"""What every test stands on."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import pytest
from botocore import session
from hypothesis import settings

settings.register_profile("without a clock", deadline=None)  # a busy machine is no fault
settings.load_profile("without a clock")


@pytest.fixture(autouse=True)
def stack_of_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function counts for its stack."""
    monkeypatch.setenv("HELIOGRAPH_STACK", "heliograph")


@pytest.fixture(scope="session", autouse=True)
def models_of_aws_are_read_once() -> Iterator[None]:
    """A client takes a tenth of a second to make, nine tenths of it to read what its service can do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "create_loader", cache(session.create_loader))
        yield
