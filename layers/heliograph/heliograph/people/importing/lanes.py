"""Packs of people that are saved one after the other, beside those of other lanes."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from heliograph.people.changes import RecipientChange

PACK = 25  # people saved in one call

Save = Callable[[list[RecipientChange]], object]


@dataclass
class Lane:
    """Saves packs one after the other, so that two rows about one person keep their order."""

    save: Save
    worker: ThreadPoolExecutor
    pack: dict[str, RecipientChange] = field(default_factory=dict)
    busy: Future[object] | None = None

    def add(self, change: RecipientChange) -> None:
        """Take a person; at most one pack waits while another is being saved."""
        if change.recipient_id in self.pack or len(self.pack) == PACK:
            self.flush()
        self.pack[change.recipient_id] = change

    def flush(self) -> None:
        """Hand the pack over; raises what went wrong with the one before."""
        self.wait()
        if self.pack:
            self.busy = self.worker.submit(self.save, list(self.pack.values()))
        self.pack = {}

    def wait(self) -> None:
        """Until nothing is being saved."""
        if self.busy is not None:
            self.busy.result()
        self.busy = None
