"""Tables of a rule: every row has a name in words, and reads like a line of a specification."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest


def table(columns: str, rows: Mapping[str, tuple[Any, ...]]) -> pytest.MarkDecorator:
    """Ask a test once for every row."""
    return pytest.mark.parametrize(columns.split(", "), list(rows.values()), ids=list(rows))
