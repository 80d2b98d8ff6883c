"""The settings of a function: its environment variables, read when they are first needed."""

from __future__ import annotations

import os


class MissingSettingError(Exception):
    """An environment variable is not set; the template should set it."""


def setting(name: str) -> str:
    """The value of `HELIOGRAPH_<name>`; raises MissingSettingError, naming the variable, when there is none."""
    value = os.environ.get(f"HELIOGRAPH_{name}")
    if value is None:
        raise MissingSettingError(f"HELIOGRAPH_{name} is not set: see docs/architecture.md, and template.yaml")
    return value
