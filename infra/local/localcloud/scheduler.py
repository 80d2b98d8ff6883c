"""Make schedules fire on time."""

from __future__ import annotations

from ministack.services import scheduler

TICK = 0.5  # seconds; ministack looks every 10


def install() -> None:
    """Look at the schedules more often."""
    scheduler._SCHEDULE_TICK_INTERVAL = TICK
