"""What every test stands on."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def stack_of_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    """A function counts for its stack."""
    monkeypatch.setenv("HELIOGRAPH_STACK", "heliograph")
