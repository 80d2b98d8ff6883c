"""A run from its requests to what became of every mail, as it goes at a rate: counted and measured by function."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from benchmarks import events, place, polling, prices, ways, work
from benchmarks.clock import Clock
from benchmarks.delivering import Delivered, Outbox, functions_for
from benchmarks.events import Mail, Told
from benchmarks.measuring import cpu_of
from benchmarks.polling import Arrival
from benchmarks.ways import Cut
from wiring import mappings

PACKS, SECONDS, SOME_MAILS = 20, 70, 5_000
"""Packs of a round; more where they are sent in less than what is collected at once: a minute, or so many mails."""
TOLD = 2
"""Events of each mail, before it is opened: `Send`, and `Delivery` or `Bounce`."""
EVENT_BYTES = 2_400
"""Of an event in an object, about."""
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
    mails: float
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
    cut: Cut
    """The events that were recorded."""


class Place(NamedTuple):
    """Where it is measured."""

    aws: place.Aws
    logs: place.Logs
    clock: Clock


def measured(where: Place, verb: str, batches: Sequence[Sequence[str]], *, mails: float, queued: float) -> Step:
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

    def __init__(self, where: Place, *, rate: float, rounds: int, way: str) -> None:
        self.rate, self.rounds = rate, rounds
        self._where, self._way, self._rng = where, way, random.Random(1)
        self._packs = max(PACKS, round(rate * min(SECONDS, SOME_MAILS / rate) / 100))
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
            record, cut = self._record(coming, until=delivered.ended)
            if number and cut.told:
                yield self._round(plan, delivered, log_bytes, record, cut)
            before = delivered.mails
            self.mails += before
        self._record([], until=float("inf"))

    def _plan(self, bodies: Sequence[str]) -> tuple[Step, list[str]]:
        """What planning takes, and what is in the outbox then."""
        self._where.aws.ask("messages")
        batches = in_batches(bodies, PLAN_BATCH)
        put = sum(chunks([body]) for body in bodies)
        step = measured(self._where, "plan", batches, mails=100 * len(bodies), queued=put + taken_off(batches))
        return step, self._where.aws.ask("messages")["outbox-email-bulk"]

    def _record(self, coming: list[Arrival[Told]], *, until: float) -> tuple[Step, Cut]:
        """Record what comes until a time; the rest comes later. A mail is told of twice."""
        self._coming = sorted(self._coming + coming)
        now = [each for each in self._coming if each.at <= until]
        cut = ways.cut(self._way, self._where.aws.objects, now, self._rng, is_last=until == float("inf"))
        self._coming = [*cut.left, *self._coming[len(now) :]]
        return measured(self._where, "record", cut.batches, mails=cut.told / TOLD, queued=cut.requests), cut

    @staticmethod
    def _round(plan: Step, delivered: Delivered, log_bytes: int, record: Step, cut: Cut) -> Round:
        deliver = Step(
            counts=delivered.counts,
            cpu=delivered.cpu,
            waited=delivered.waited,
            invocations=delivered.invocations,
            log_bytes=log_bytes + prices.LOG_LINES_OF_LAMBDA * delivered.invocations,
            mails=len(delivered.mails),
            queued=2 * delivered.invocations,  # received and deleted one by one
        )
        return Round(plan, deliver, delivered.slept, delivered.put_backs, record, cut)


def engaged(where: Place, mails: Sequence[Mail], rate: float, way: str) -> tuple[Step, Cut]:
    """What it takes to record the opens and clicks of packs of a run of a million.

    They come as many at once as those of the whole run, and those at once are of different packs, as there. Where
    that are more than there are packs here, they come in several parts.
    """
    rng = random.Random(2)
    told, packs = [*_opens_and_clicks(mails, rng)], len({mail.pack_id for mail in mails})
    sizes = _sizes(events.engagement(RUN, rate, rng), rng, way)
    every = len(sizes) * len(told) / sum(sizes)
    chosen = [sizes[int((number + 0.5) * len(sizes) / every)] for number in range(round(every))]
    parts = [part for size in chosen for part in _parts(size, packs)]
    cuts = []
    for size in parts:
        some, told = told[:size], told[size:]
        cuts += [ways.at_once(way, where.aws.objects, some, rng)] if some else []
    cut = ways.joined(cuts)
    mails_of_them = cut.told / (events.OPENED + events.CLICKED)
    return measured(where, "record", cut.batches, mails=mails_of_them, queued=cut.requests), cut


def _sizes(arrivals: Sequence[Arrival[int]], rng: random.Random, way: str) -> list[int]:
    """How many opens and clicks of a run come at once, from the fewest to the most."""
    if way == ways.ONE_BY_ONE:
        found = polling.polled(arrivals, size=ways.BATCH, window=ways.WINDOW, rng=rng)
        return sorted(len(batch.contents) for batch in found)
    return sorted(map(len, ways.minutes(arrivals, lambda _: EVENT_BYTES)))


def _parts(size: int, most: int) -> list[int]:
    return [most] * (size // most) + ([size % most] if size % most else [])


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
