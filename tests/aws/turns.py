"""Functions at work at the same time, whose calls take turns, and which may be killed between any two."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from aws.invocations import Killed
from aws.memory_minutes import MinuteTable
from builders import NOW, a_request
from heliograph.aws.errors import BusyError
from heliograph.model.requests import Lane, RequestPack
from heliograph.planning.packing import Due
from heliograph.runtime import wiring
from heliograph.scheduling.joining import JoinedPack
from heliograph.scheduling.store import Minutes
from heliograph.text import ids

MINUTE = NOW + timedelta(minutes=10)
"""For this one everybody waits."""
RUNS = ("run-a", "run-b")
LARGE, SMALL = 70, 6
"""People of one origin: of two large ones, no pack takes all."""


class Actor:
    """A function at work in a thread of its own, which waits for its turn before and after every call."""

    def __init__(self, act: Callable[[], None], killed_at: int | None) -> None:
        self._act = act
        self._left = killed_at
        self._turn, self._done = threading.Semaphore(0), threading.Semaphore(0)
        self.is_over = self.has_ended_well = False
        self.thread = threading.Thread(target=self._run, daemon=True)

    def step(self) -> None:
        """Let it go on to its next call, or to its end."""
        if not self.thread.ident:
            self.thread.start()
        else:
            self._turn.release()
        self._done.acquire()

    def pause(self) -> None:
        """Wait for another turn, or be killed."""
        self._done.release()
        self._turn.acquire()
        if self._left is not None:
            self._left -= 1
            if self._left < 0:
                raise Killed

    def _run(self) -> None:
        try:
            self._act()
            self.has_ended_well = True
        except (Killed, BusyError):
            pass
        finally:
            self.is_over = True
            self._done.release()


class Stack:
    """What waits, what was sent, and the time."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.now = NOW
        self.actors: list[Actor] = []
        self.packs: defaultdict[str, set[bytes]] = defaultdict(set)
        self.table = MinuteTable(self.call)
        store = Minutes(self.table, "runs")  # type: ignore[arg-type]  # as far as minutes need a client
        patch.setattr(wiring, "now", lambda: self.now)
        patch.setattr(wiring, "minutes", lambda: store)
        patch.setattr(wiring, "requests", lambda _: SimpleNamespace(send=self.send))
        patch.setattr(wiring, "time_left", lambda: 60.0)
        patch.setattr(time, "sleep", lambda _: None)
        store.advance(NOW)

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around every call: others may have their turn before and after it."""
        self._pause()
        yield
        self._pause()

    def _pause(self) -> None:
        for actor in self.actors:
            if actor.thread is threading.current_thread():
                actor.pause()

    def send(self, packs: Sequence[JoinedPack]) -> None:
        """Take packs, as SQS does."""
        with self.call():
            for pack in packs:
                self.packs[pack.pack_id].add(ids_in(pack))

    def sent(self) -> list[str]:
        """Whose requests were sent, pack by pack; a pack that was sent twice was the same."""
        assert all(len(contents) == 1 for contents in self.packs.values())
        return [person_in(line) for (content,) in self.packs.values() for line in content.split(b"\n")]

    def at_once(self, actors: list[Actor], whose: Any) -> None:
        """Let them work, one call at a time, until all are over."""
        self.actors = actors
        while left := [actor for actor in actors if not actor.is_over]:
            whose.choice(left).step()
        for actor in actors:
            actor.thread.join()
        self.actors = []


def ids_in(pack: JoinedPack) -> bytes:
    """Who is in which slot of a pack."""
    return b"\n".join(bytes(request) for request in pack.requests)


def due(origin: int, leaves_out: set[int]) -> Due:
    """What a try schedules for an origin; the others were not decided on when it began."""
    size = LARGE if origin < 2 else SMALL
    pack_id = ids.derived_id(MINUTE, "origin", str(origin))
    run = RUNS[origin % 2]
    requests = tuple(
        a_request(f"p-{origin}-{number}", request_id=f"r-{origin}-{number}", run_id=run, step=1)
        for number in range(size)
        if number not in leaves_out
    )
    return Due(RequestPack(pack_id=pack_id, lane=Lane.BULK, run_id=run, requests=requests), MINUTE)


def person_in(line: bytes) -> str:
    """Whose request it is."""
    return line.split(b'"recipient_id":"')[1].split(b'"')[0].decode()
