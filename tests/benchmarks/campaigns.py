"""A run from its requests to what became of every mail, as it goes at a rate: counted and measured by function."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks import events, place, polling, prices, recording, work
from benchmarks.clock import Clock
from benchmarks.delivering import Delivered, Outbox, functions_for
from benchmarks.events import Mail, Told
from benchmarks.measuring import cpu_of
from benchmarks.polling import Arrival
from wiring import mappings

PACKS, SECONDS = 20, 6
"""Packs of a round, or more where that many are sent in less time: the events of most mails come within it."""
RUN = 1_000_000
"""Mails of the run whose opens and clicks are drawn."""
RECEIVE = 10  # DeleteMessageBatch
CHUNK = 65_536  # bytes: SQS bills each as a request
PLAN_BATCH: int = mappings("Plan")["Bulk"]["BatchSize"]


class Step(NamedTuple):
    """What a function did for a number of mails: counted by the null AWS and measured here."""

    counts: dict[str, Any]
    cpu: float
    """Seconds."""
    waited: float
    """Seconds for AWS."""
    invocations: int
    log_bytes: int
    mails: int
    queued: float = 0.0
    """SQS requests to put its messages in, where no function does, to receive and to delete them."""

    def gb_seconds(self) -> float:
        """Memory times time: the CPU at the share of a processor that the memory buys, and the waiting."""
        return (self.cpu * prices.VCPU_MB + self.waited * prices.MEMORY_MB) / 1024


class Round(NamedTuple):
    """Some packs of a run, on their way."""

    plan: Step
    deliver: Step
    slept: float
    """Seconds in which functions waited for the rate."""
    put_backs: int
    record: Step
    events: int
    batches: int


class Place(NamedTuple):
    """Where it is measured."""

    aws: place.Aws
    logs: place.Logs
    clock: Clock


def measured(where: Place, verb: str, batches: Sequence[Sequence[str]], *, mails: int, queued: float) -> Step:
    """Run a function on batches of messages."""
    where.aws.ask("reset")
    logged, waited = where.logs.size(), where.clock.waited
    cpu = cpu_of(lambda: place.run_batches(verb, batches), 1)
    return Step(
        counts=where.aws.ask("counts"),
        cpu=cpu,
        waited=where.clock.waited - waited,
        invocations=len(batches),
        log_bytes=where.logs.size() - logged + prices.LOG_LINES_OF_LAMBDA * len(batches),
        mails=mails,
        queued=queued,
    )


def in_batches(bodies: Sequence[str], size: int) -> list[Sequence[str]]:
    """Messages as a queue hands them to a function that is behind."""
    return [bodies[start : start + size] for start in range(0, len(bodies), size)]


def taken_off(batches: Sequence[Sequence[str]]) -> int:
    """SQS requests to receive and delete messages of a queue that is full; each 64 KB of them counts."""
    groups = [group for batch in batches for group in in_batches(batch, RECEIVE)]
    return sum(chunks(group) + 1 for group in groups)


def chunks(bodies: Sequence[str]) -> int:
    """The requests that SQS bills for bodies in a call."""
    return max(1, -(-sum(map(len, bodies)) // CHUNK))


class Campaign:
    """A run of whole rounds at a rate; the first one fills the pipes and is not given."""

    def __init__(self, where: Place, *, rate: float, rounds: int, seed: int = 1) -> None:
        self.rate, self.rounds = rate, rounds
        self._where, self._rng = where, random.Random(seed)
        self._packs = max(PACKS, round(rate * SECONDS / 100))
        self.mails: list[Mail] = []
        self._coming: list[Arrival[Told]] = []

    def run(self) -> Iterator[Round]:
        """The rounds, one after the other."""
        self._where.clock.pass_by(3_600)  # so that the rate is asked for anew
        bodies = in_batches(work.packs(self._packs * (self.rounds + 1)), self._packs)
        plans = [self._plan(some) for some in bodies]
        outbox = Outbox(
            self._where.aws,
            self._where.clock,
            [body for _, queued in plans for body in queued],
            rate=self.rate,
            at_once=functions_for(self.rate),
        )
        before: list[Mail] = []
        for number, (plan, _) in enumerate(plans):
            started, logged = self._where.clock.now().timestamp(), self._where.logs.size()
            delivered = outbox.deliver(100 * self._packs)
            log_bytes = self._where.logs.size() - logged
            coming = [*events.prompt(delivered.mails, self._rng)]
            if number:
                coming += events.late(before, started, delivered.ended, self._rng)
            record, count = self._record(coming, until=delivered.ended, mails=len(delivered.mails))
            if number:
                yield self._round(plan, delivered, log_bytes, record, count)
            before = delivered.mails
            self.mails += before
        self._record([], until=float("inf"), mails=0)

    def _plan(self, bodies: Sequence[str]) -> tuple[Step, list[str]]:
        """What planning takes, and what is in the outbox then."""
        self._where.aws.ask("messages")
        batches = in_batches(bodies, PLAN_BATCH)
        put = sum(chunks([body]) for body in bodies)
        step = measured(self._where, "plan", batches, mails=100 * len(bodies), queued=put + taken_off(batches))
        return step, self._where.aws.ask("messages")["outbox-email-bulk"]

    def _record(self, coming: list[Arrival[Told]], *, until: float, mails: int) -> tuple[Step, int]:
        """Record what comes until a time, and how many events that are; the rest comes later."""
        self._coming = sorted(self._coming + coming)
        now = [each for each in self._coming if each.at <= until]
        self._coming = self._coming[len(now) :]
        batches = recording.batches(now, self._rng)
        queued = sum(len(each.contents) + each.receives + -(-len(each.contents) // RECEIVE) for each in batches)
        contents = [each.contents for each in batches]
        return measured(self._where, "record", contents, mails=mails, queued=queued), len(now)

    @staticmethod
    def _round(plan: Step, delivered: Delivered, log_bytes: int, record: Step, count: int) -> Round:
        deliver = Step(
            counts=delivered.counts,
            cpu=delivered.cpu,
            waited=delivered.waited,
            invocations=delivered.invocations,
            log_bytes=log_bytes + prices.LOG_LINES_OF_LAMBDA * delivered.invocations,
            mails=len(delivered.mails),
            queued=2 * delivered.invocations,  # received and deleted one by one
        )
        return Round(plan, deliver, delivered.slept, delivered.put_backs, record, count, record.invocations)


def engaged(where: Place, mails: Sequence[Mail], rate: float) -> tuple[Step, float]:
    """What it takes to record the opens and clicks of packs of a run of a million, and how many are in a batch.

    The batches are as large as those of the whole run; the events in each are of different packs, as there.
    """
    rng = random.Random(2)
    batches = [
        *polling.polled(events.engagement(RUN, rate, rng), size=recording.BATCH, window=recording.WINDOW, rng=rng)
    ]
    told = [*_opens_and_clicks(mails, rng)]
    sample: list[list[str]] = []
    receives = 0
    while told:
        batch = rng.choice(batches)
        some, told = told[: len(batch.contents)], told[len(batch.contents) :]
        sample.append([recording.body(each) for each in some])
        receives += batch.receives
    size = sum(len(each.contents) for each in batches) / len(batches)
    queued = sum(map(len, sample)) + receives + len(sample)
    return measured(where, "record", sample, mails=len(mails), queued=queued), size


def _opens_and_clicks(mails: Sequence[Mail], rng: random.Random) -> Iterator[Arrival[Told]]:
    """One of each pack after the other, until all who react have."""
    packs: dict[str, list[Mail]] = {}
    for mail in mails:
        packs.setdefault(mail.pack_id, []).append(mail)
    kinds = ["Open"] * round(100 * events.OPENED) + ["Click"] * round(100 * events.CLICKED)
    some = {pack: rng.sample(of_it, min(len(of_it), len(kinds))) for pack, of_it in packs.items()}
    for number, kind in enumerate(kinds):
        for chosen in some.values():
            if number < len(chosen):
                yield Arrival(chosen[number].at + events.OPEN[0], Told(kind, chosen[number]))
