"""A run of any size through the real handlers: planned, delivered, recorded, tallied; counted and measured by person.

Up to a million people, all of it happens. Of a larger one, packs that are spread evenly over it do: a function never
sees more than a batch, so what a pack takes can depend on the size of its run only by what others wrote to the same
keys. How much goes to the hottest of them is counted. A small run happens several times, so that its CPU can be told.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import random
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from math import ceil
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple

import msgspec

from benchmarks import asking, events, place, prices, ways, work
from benchmarks.campaigns import PLAN_BATCH, Place, Step, chunks, in_batches, measured, taken_off
from benchmarks.clock import Clock
from benchmarks.delivering import Delivered, Outbox, functions_for
from benchmarks.events import Mail, Told
from benchmarks.measuring import cpu_of
from benchmarks.polling import Arrival
from benchmarks.sending import BareSend
from heliograph.campaigns.segments import PACK_LIMIT
from heliograph.model.runs import Run
from heliograph.runtime import wiring
from scale import waiting
from wiring import streams

WHOLE = 1_000_000
"""People of the largest run that happens as a whole."""
SAMPLE = 50_000
"""People of a larger one that do, and of the small ones together."""
WAITING = 100_000
"""People of the largest run that waits for a minute as a whole."""
ROUND = 50
"""Packs that are planned and delivered before CPU is compared with the yardstick."""
BARE = 20
COUNTED = ("write_units", "read_units", "sqs_requests")
OF_PEOPLE = "recipients"
"""The stand-in knows one address and calls everybody whom SES tells of by a hundred names: its keys tell nothing."""
(TALLIED,) = streams("Tally").values()
STEPS = ("plan", "deliver", "record", "tally")


class Hot(NamedTuple):
    """The key of a table that most units go to."""

    key: str
    share: float
    a_second: float
    """Units, at the rate of the run."""


class Scaled(NamedTuple):
    """What a run took."""

    people: int
    rate: float
    """Mails a second."""
    happened: int
    """People that were counted: of one run, or of several of its size."""
    each: dict[str, float]
    """Calls, units, requests, objects and schedules for each person, and CPU in the yardstick's."""
    waiting: dict[str, float]
    """What it takes beside that if all wait for the same minute; nothing is told of more than `WAITING`."""
    look: dict[str, float]
    """What it takes to ask how the run stands, when it is over."""
    seconds: dict[str, float]
    """Of functions for a person, by step: the stated times of answers, and CPU at the share of a processor."""
    pack_bytes: float
    """Of a person, in the packs as they are queued."""
    events: float
    """That SES tells of a mail until it was clicked."""
    hot: dict[str, Hot]
    memory: tuple[float, float]
    """MB of the process after the first rounds, and after the last one."""
    mails_a_second: float
    """At which it was sent, from the first to the last."""


def packs(people: int, run: Run) -> Iterator[list[str]]:
    """Bodies of the packs of a run, or of some that are spread over it, as many at once as make a round."""
    all_of_them = people // PACK_LIMIT
    some = all_of_them if people <= WHOLE else SAMPLE // PACK_LIMIT
    for start in range(0, some, ROUND):
        numbers = range(start, min(start + ROUND, some))
        first = [number * all_of_them // some * PACK_LIMIT for number in numbers]
        rows = [[f"{work.CUSTOMERS}-{at + one:09d}"] for at in first for one in range(PACK_LIMIT)]
        yield work.packs_of(rows, PACK_LIMIT, run)


class Sent:
    """Runs of a size on their way, one after the other, at a rate (mails a second)."""

    def __init__(self, where: Place, people: int, rate: float) -> None:
        self._where, self._people, self._rate = where, people, rate
        self._rng = random.Random(people)
        self._outbox = Outbox(where.aws, where.clock, (), rate=rate, at_once=functions_for(rate))
        self._coming: list[Arrival[Told]] = []
        self._steps: dict[str, list[Step]] = {step: [] for step in STEPS}
        self._bare, self._yardstick = BareSend(work.batch(BARE)), list[float]()
        self._memory: list[float] = []
        self._hot: dict[str, Hot] = {}
        self._look, self._waiting = dict[str, float](), dict[str, float]()
        self._pack_bytes, self._told, self._lasted = 0, 0, 0.0
        self.happened = 0

    def rounds(self, times: int) -> Iterator[int]:
        """Let so many runs happen; after each round, how many people had their turn."""
        self._where.aws.ask("stream"), self._where.aws.ask("hottest")
        for number in range(times):
            run = work.new_run()
            began = ended = self._where.clock.now().timestamp()
            before, ahead = list[Mail](), chain(packs(self._people, run), [[]])
            self._plan(bodies := next(ahead))
            for following in ahead:
                self._where.clock.set(began)  # a run is planned much faster than it is delivered
                self._plan(following)
                delivered = self._deliver(bodies)
                coming = [*events.prompt(delivered.mails, self._rng)]
                coming += events.late(before, ended, delivered.ended, self._rng)
                self._record(coming, is_last=False)
                self._tally(delivered.ended - ended)
                self._yardstick.append(self._bare())
                bodies, before, ended = following, delivered.mails, delivered.ended
                self._memory.append(held())
                yield self.happened
            self._record([], is_last=True)
            self._tally(0)
            self._lasted += ended - began
            self._where.clock.set(ended)
            if not number:
                self._hot = {table: self._hottest(*one) for table, one in self._where.aws.ask("hottest").items()}
                self._look = self._looked_at(run)

    def _deliver(self, bodies: Sequence[str]) -> Delivered:
        delivered = self._outbox.deliver(PACK_LIMIT * len(bodies))
        step = Step(
            counts=delivered.counts,
            cpu=delivered.cpu,
            waited=delivered.waited,
            invocations=delivered.invocations,
            log_bytes=0,
            mails=len(delivered.mails),
            queued=2 * delivered.invocations,
        )
        self._steps["deliver"].append(step)
        self.happened += len(delivered.mails)
        return delivered

    def _plan(self, bodies: Sequence[str]) -> None:
        self._where.aws.ask("messages")
        self._pack_bytes += sum(map(len, bodies))
        batches = in_batches(bodies, PLAN_BATCH)
        queued = sum(chunks([body]) for body in bodies) + taken_off(batches)
        step = measured(self._where, "plan", batches, mails=PACK_LIMIT * len(bodies), queued=queued)
        self._steps["plan"].append(step)
        self._outbox.add(self._where.aws.ask("messages").get("outbox-email-bulk", []))

    def _record(self, coming: list[Arrival[Told]], *, is_last: bool) -> None:
        """Record what is there."""
        self._coming = sorted(self._coming + coming)
        cut = ways.cut(ways.DEFAULT, self._where.aws.objects, self._coming, self._rng, is_last=is_last)
        self._coming = [*cut.left]
        self._told += cut.told
        self._steps["record"].append(measured(self._where, "record", cut.batches, mails=0, queued=cut.requests))
        shutil.rmtree(self._where.aws.objects / "raw", ignore_errors=True)

    def _tally(self, seconds: float) -> None:
        """Hand what changed within some seconds to the function that keeps sums, as often as its window ends."""
        changes = self._where.aws.ask("stream")
        windows = max(1, seconds // TALLIED["MaximumBatchingWindowInSeconds"])
        size = min(TALLIED["BatchSize"], max(1, ceil(len(changes) / windows)))
        batches = [changes[start : start + size] for start in range(0, len(changes), size)]
        self._where.aws.ask("reset")
        handle, waited = place.handler("tally"), self._where.clock.waited
        cpu = cpu_of(lambda: [handle({"Records": batch}, SimpleNamespace()) for batch in batches], 1)
        step = Step(
            counts=self._where.aws.ask("counts"),
            cpu=cpu,
            waited=self._where.clock.waited - waited,
            invocations=len(batches),
            log_bytes=0,
            mails=0,
        )
        self._steps["tally"].append(step)

    def _looked_at(self, run: Run) -> dict[str, float]:
        whole = msgspec.structs.replace(run, audience=self.happened, ingested=True)
        wiring.runs().keep(whole)
        look = asking.looked_at(self._where.aws, whole)
        return {"read_units": look.read_units, "calls": look.calls}

    def _hottest(self, key: str, most: float, all_units: float) -> Hot:
        share = min(1.0, most / all_units)
        return Hot(key, share, share * all_units / self.happened * self._rate)

    def wait(self) -> None:
        """Let as many people wait for a minute, if they are not too many to happen."""
        if self._people > WAITING:
            return
        self._waiting, hot = waiting.waited(self._where, self._people)
        for table, (key, most, all_units) in hot.items():
            a_second = most / self._people * self._rate
            self._hot[f"if all wait: {table}"] = Hot(key, most / all_units, a_second)

    def told(self) -> Scaled:
        """What it took."""
        steps = [step for each in self._steps.values() for step in each]
        sums = Counter[str](objects=sum(map(_objects, steps)), schedules=sum(map(_schedules, steps)))
        sums["calls"] = sum(sum(step.counts["calls"].values()) for step in steps)
        sums["queue_requests"] = round(sum(step.queued for step in steps))
        for name in COUNTED:
            sums[name] = round(sum(step.counts[name] for step in steps))
        each = {name: number / self.happened for name, number in sums.items()}
        bare = sum(self._yardstick) / len(self._yardstick)
        reacted = events.OPENED + events.CLICKED
        return Scaled(
            people=self._people,
            rate=self._rate,
            happened=self.happened,
            each=each | {"cpu_vs_bare_send": sum(step.cpu for step in steps) / self.happened / bare},
            waiting=self._waiting,
            look=self._look,
            seconds={name: sum(map(seconds, some)) / self.happened for name, some in self._steps.items()},
            pack_bytes=self._pack_bytes / self.happened,
            events=self._told / self.happened + reacted,
            hot={table: hot for table, hot in self._hot.items() if OF_PEOPLE not in table},
            memory=(self._memory[len(self._memory) // 5], self._memory[-1]),
            mails_a_second=self.happened / self._lasted,
        )


def seconds(step: Step) -> float:
    """Of a function: what it waits for answers, and its CPU at the share of a processor that its memory buys."""
    return step.waited + step.cpu * prices.VCPU_MB / prices.MEMORY_MB


def _objects(step: Step) -> int:
    return sum(put["objects"] for put in step.counts["objects_put"].values())


def _schedules(step: Step) -> int:
    return int(step.counts["calls"].get("Scheduler.CreateSchedule", 0))


def held() -> float:
    """MB that this process holds now, without garbage and without what its allocator keeps for later."""
    gc.unfreeze()
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


@contextmanager
def stage() -> Iterator[Place]:
    """Where runs happen, one after the other: a stand-in of AWS and what functions need, once in a process."""
    with tempfile.TemporaryDirectory() as folder:
        aws, logs = place.Aws(Path(folder) / "objects"), place.Logs()
        try:
            os.environ.update(place.environment(aws.port))
            sys.path.insert(0, str(place.compiled_messages(Path(folder))))
            where = Place(aws, logs, Clock())
            with logs.kept(), where.clock.runs():
                yield where
        finally:
            aws.stop()


def main() -> None:
    """A size and a rate: what a run takes, as JSON; what happened so far goes to stderr, a number a line."""
    people, rate = int(sys.argv[1]), float(sys.argv[2])
    with stage() as where:
        for _ in Sent(where, 2 * ROUND * PACK_LIMIT, rate).rounds(1):
            pass  # what imports and connects is not told
        sent = Sent(where, people, rate)
        for happened in sent.rounds(max(1, SAMPLE // people)):
            print(happened, file=sys.stderr, flush=True)
        sent.wait()
        told = sent.told()
    print(json.dumps(told._asdict()))


if __name__ == "__main__":
    main()
