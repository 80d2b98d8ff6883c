"""AWS in memory: what it keeps, the time, and calls that end before or after AWS has done them."""

from __future__ import annotations

import importlib
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import NamedTuple

import msgspec

from aws.invocations import Killed, record
from aws.memory_clocks import ClockTable
from aws.memory_minutes import MinuteTable
from builders import NOW
from heliograph.aws.errors import BusyError
from heliograph.model.decisions import Reservation
from heliograph.model.ledger import LedgerEntry
from heliograph.model.outcomes import RecordKey, SlotFacts
from heliograph.model.packs import Planned
from heliograph.model.people import Recipient
from heliograph.model.requests import RequestPack
from heliograph.model.runs import Run
from heliograph.planning.store import Account
from heliograph.recording.store import shard_of
from heliograph.tallying import work as tallying
from heliograph.tallying.store import Shard
from heliograph.tallying.sums import Change, Row, Sums

VERBS = {"REQUESTS": "plan", "OUTBOX": "deliver", "ENGAGEMENT": "record", "SETTLE": "settle"}


class Fate(NamedTuple):
    """What happens to an invocation: at which edge of its calls (before the first, after it, before the second, …)."""

    edge: int
    error: type[BaseException]


class Waiting(msgspec.Struct):
    """A message in a queue."""

    body: str
    visible_at: datetime
    receives: int = 0


class World:
    """What AWS keeps, and the time."""

    def __init__(self) -> None:
        self.now = NOW
        self.fate: Fate | None = None
        self.busy = False
        """Whether DynamoDB leaves every second decision of a batch undecided."""
        self.people: dict[str, Recipient] = {}
        self.runs: dict[str, Run] = {}
        self.ledger: dict[str, LedgerEntry] = {}
        self.accounts: dict[str, Account] = {}
        self.reserved: dict[str, Reservation] = {}
        """Every reservation that ever was, by dispatch id."""
        self.objects: dict[str, bytes] = {}
        self.plans: dict[tuple[str, str], Planned] = {}
        self.facts: defaultdict[RecordKey, SlotFacts] = defaultdict(dict)
        self.queues: defaultdict[str, list[Waiting]] = defaultdict(list)
        self.schedules: dict[str, tuple[RequestPack, datetime]] = {}
        self.clocks = ClockTable()
        self.rows: defaultdict[Shard, Row] = defaultdict(Row)
        self.stream: defaultdict[Shard, list[Change]] = defaultdict(list)
        """What changed in the records of runs, and was not acknowledged yet."""
        self._changes = 0
        self.minutes = MinuteTable(self.call)
        self._edges = 0

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around every call: it may end before AWS has done it, or after."""
        self._pass()
        yield
        self._pass()

    def _pass(self) -> None:
        if self.fate and (self._edges == self.fate.edge or (self._edges > self.fate.edge and self._is_dead())):
            self._edges += 1
            raise self.fate.error
        self._edges += 1

    def _is_dead(self) -> bool:
        return self.fate is not None and not issubclass(self.fate.error, Exception)

    def put(self, queue: str, work: msgspec.Struct, *, delay: int = 0) -> None:
        """Put work into a queue."""
        body = msgspec.json.encode(work).decode()
        self.queues[queue].append(Waiting(body, self.now + timedelta(seconds=delay)))

    def changed(self, run_id: str, pack_id: str, sums: Sums) -> None:
        """Tell the stream of a change."""
        self._changes += 1
        if run_id:
            self.stream[Shard(run_id, shard_of(pack_id))].append(Change(self._changes, sums))

    def tally(self, most: int, *, fate: Fate | None = None, is_kept: bool = False) -> None:
        """Hand so many of each shard's changes to the function; they come again if it failed, or once more for nothing.

        What comes again may come in other company: with more or with less.
        """
        self.fate, self._edges = fate, 0
        batch = {shard: some[:most] for shard, some in self.stream.items() if some}
        try:
            tallying.count(batch)
        except (Killed, BusyError):
            is_kept = True
        self.fate = None
        for shard, some in batch.items():
            del self.stream[shard][: 0 if is_kept else len(some)]

    def visible(self) -> list[tuple[str, Waiting]]:
        """Every message that a function may get now."""
        return [(queue, one) for queue, some in self.queues.items() for one in some if one.visible_at <= self.now]

    def invoke(self, queue: str, message: Waiting, *, fate: Fate | None = None, is_kept: bool = False) -> bool:
        """Hand a message to its function; it leaves the queue unless it failed, or is to be delivered once more."""
        self.fate, self._edges = fate, 0
        message.receives += 0 if is_kept else 1  # SQS's count is approximate: a duplicate may look like the first
        app = importlib.import_module(f"functions.{VERBS[queue.partition('_')[0]]}.app")
        try:
            answer = app.handler(
                {"Records": [record(message.body, receives=max(1, message.receives))]}, SimpleNamespace()
            )
            is_done = not answer["batchItemFailures"]
        except (Killed, BusyError):
            is_done = False
        self.fate = None
        if is_done and not is_kept:
            self.queues[queue].remove(message)
        return is_done

    def tick(self, *, fate: Fate | None = None) -> bool:
        """Let the minute come: what waits by itself or with others is put back; whether nothing ended it early."""
        for name in [name for name, (_, until) in self.schedules.items() if until <= self.now]:
            self.put("REQUESTS_PRIORITY", self.schedules.pop(name)[0])
        self.minutes.skip_empty_minutes(self.now)
        self.fate, self._edges = fate, 0
        try:
            importlib.import_module("functions.tick.app").handler({}, SimpleNamespace())
            return True
        except (Killed, BusyError):
            return False
        finally:
            self.fate = None
