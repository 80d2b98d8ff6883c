"""Kill a function at any of its AWS calls, before or after AWS has done it, and let SQS bring the message again."""

from __future__ import annotations

import threading
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Any, NamedTuple

import pytest
from botocore.client import BaseClient

from aws.flow_system import VERBS, System, worked_off
from aws.invocations import Killed
from heliograph.runtime import wiring


class Moment(StrEnum):
    """When a process ends: AWS has not heard of the call, or has done it and the answer was never seen."""

    BEFORE = "before"
    AFTER = "after"


class Boundary(NamedTuple):
    """A place at which an invocation can end."""

    call: int
    moment: Moment


class Invocation:
    """One run of a function: its AWS calls in their order, and where it ends early."""

    def __init__(self, end: Boundary | None) -> None:
        self.operations: list[str] = []
        self.killed = False
        self._end = end
        self._counting = threading.Lock()

    def make(self, operation: str, call: Callable[[], Any]) -> Any:
        """Make a call of the function, unless it ends here; who is dead makes no more calls."""
        with self._counting:
            number = len(self.operations)
            self.operations.append(operation)
        self._pass(Boundary(number, Moment.BEFORE))
        try:
            return call()
        finally:
            self._pass(Boundary(number, Moment.AFTER))

    def boundaries(self) -> list[Boundary]:
        """Every place at which this invocation could have ended."""
        return [Boundary(call, moment) for call in range(len(self.operations)) for moment in Moment]

    def _pass(self, boundary: Boundary) -> None:
        if self.killed or boundary == self._end:
            self.killed = True
            raise Killed


class Edge:
    """Where every AWS call of every function passes: botocore's one way to make a call."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self._invocation: Invocation | None = None
        real = BaseClient._make_api_call  # type: ignore[attr-defined]  # botocore's own, which its stubs hide

        def make_api_call(client: Any, operation: str, parameters: Any) -> Any:
            if self._invocation is None:
                return real(client, operation, parameters)
            for entry in parameters.get("Entries", ()):
                entry.pop("DelaySeconds", None)  # nobody waits here: the test decides when time has passed
            return self._invocation.make(operation, lambda: real(client, operation, parameters))

        monkeypatch.setattr(BaseClient, "_make_api_call", make_api_call)

    @contextmanager
    def watch(self, end: Boundary | None = None) -> Iterator[Invocation]:
        """Count the calls of this block, which end at a boundary; the block ends quietly when it is killed."""
        self._invocation = invocation = Invocation(end)
        try:
            yield invocation
        except Killed:
            pass
        finally:
            self._invocation = None
        assert invocation.killed == (end in invocation.boundaries()), "something survived its end"


class Tried(NamedTuple):
    """An invocation: of which queue's function, the how manieth try, where it was to end, and what it did."""

    queue: str
    receives: int
    end: Boundary | None
    invocation: Invocation


class Lambda:
    """Hands the queues' messages to the functions as Lambda does; what was killed or failed comes again."""

    def __init__(self, system: System, edge: Edge) -> None:
        self.system = system
        self.edge = edge
        self.ends: dict[str, deque[Boundary | None]] = defaultdict(deque)
        """Where the next invocations of a queue's function end, or None for one that lives; then all live. An end waits
        for an invocation that comes so far."""
        self.tried: list[Tried] = []

    def work(self, *queues: str) -> int:
        """Until nothing is left in the queues; how many messages were received."""
        return worked_off(queues or VERBS, self._work_off, polls=5_000)

    def _work_off(self, queue: str) -> int:
        messages = self.system.messages(queue)
        batches = [messages] if VERBS[queue] == "record" else [[message] for message in messages]
        for batch in filter(None, batches):
            self._invoke(queue, batch)
        return len(messages)

    def _invoke(self, queue: str, batch: list[dict[str, Any]]) -> None:
        end = self.ends[queue][0] if self.ends[queue] else None
        receives = min(int(message["Attributes"]["ApproximateReceiveCount"]) for message in batch)
        self.system.park_at(queue)
        answer: dict[str, Any] = {}
        start_cold()
        with self.edge.watch(end) as invocation:
            answer = self.system.run(VERBS[queue], [message["Body"] for message in batch], receives)
        self.tried.append(Tried(queue, receives, end, invocation))
        if self.ends[queue] and (end is None or invocation.killed):
            self.ends[queue].popleft()
        failed = {failure["itemIdentifier"] for failure in answer.get("batchItemFailures", ())}
        done = [not invocation.killed and f"m-{number}" not in failed for number in range(len(batch))]
        self.system.acknowledge(queue, batch, done)


def start_cold() -> None:
    """Forget what a process has learnt, as a new one after a kill; its clients and templates cost time and no calls."""
    for name, function in vars(wiring).items():
        if name not in ("client", "provider", "templates") and hasattr(function, "cache_clear"):
            function.cache_clear()
