"""Tick, every minute: who waited for this minute is planned now."""

from __future__ import annotations

from typing import Any

from heliograph.runtime import wiring
from heliograph.scheduling.work import hand_on_what_is_due


def handler(_: Any, context: Any) -> None:
    """Hand on what is due; what fails is tried again in a minute."""
    wiring.begin(context)
    hand_on_what_is_due()
