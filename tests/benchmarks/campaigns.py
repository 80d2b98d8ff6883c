"""A run from its requests to what became of every mail, as it goes at a rate: counted and measured by function."""

from __future__ import annotations

import gc
import random
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from benchmarks import events, place, prices, ways, work
from benchmarks.clock import Clock
from benchmarks.delivering import Delivered, Outbox, functions_for
from benchmarks.events import Mail, Told
from benchmarks.polling import Arrival
from benchmarks.ways import Coming
from heliograph.recording.store import part_of
from heliograph.text import ids
from wiring import mappings

PACKS = 20
"""Packs of a round, at least: whatever is sent while more than one object of Firehose's is collected."""
LONGER = 1.15
EVENT_BYTES = 1_700
"""Of an event in an object, about."""
TOLD = 2
"""Events of each mail, before it is opened: `Send`, and `Delivery` or `Bounce`."""
PATTERNS = 5
"""Packs whose records are those of all packs that were sent long ago; they are the first, so all is known of them."""
RECEIVE = 10  # DeleteMessageBatch
CHUNK = 65_536  # bytes: SQS bills each as a request
ASKED_ANEW = 3_600.0
"""Seconds after which every function asks SES anew how much the account may send."""
PLAN_BATCH: int = mappings("Plan")["Bulk"]["BatchSize"]

T = TypeVar("T")
Heard = list[Arrival[bytes]]
"""What the stream of the table `runs` told after a call of a function, and when."""


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


class Sent(NamedTuple):
    """Some packs that were planned and delivered."""

    plan: Step
    deliver: Step
    slept: float
    """Seconds in which functions waited for the rate."""
    requeues: int
    mails: list[Mail]
    started: float
    ended: float
    heard: tuple[Heard, Heard]
    """Of the stream, from plan and from deliver."""


class Recorded(NamedTuple):
    """Events that were recorded."""

    record: Step
    coming: list[Coming]
    heard: Heard


class Place(NamedTuple):
    """Where it is measured."""

    aws: place.Aws
    logs: place.Logs
    clock: Clock


def stepped(
    where: Place, calls: Sequence[Callable[[], object]], *, mails: float, queued: float, heard: Heard | None = None
) -> Step:
    """Call a function some times; what the stream tells is not the function's work."""
    where.aws.ask("reset")
    if heard is not None:
        where.aws.heard()
    logged, waited, cpu = where.logs.size(), where.clock.waited, 0.0
    gc.collect()
    gc.freeze()  # what this process holds besides, a function does not
    for call in calls:
        begun = time.process_time()
        call()
        cpu += time.process_time() - begun
        if heard is not None:
            heard.append(Arrival(where.clock.now().timestamp(), where.aws.heard()))
    return Step(
        counts=where.aws.ask("counts"),
        cpu=cpu,
        waited=where.clock.waited - waited,
        invocations=len(calls),
        log_bytes=where.logs.size() - logged + prices.LOG_LINES_OF_LAMBDA * len(calls),
        mails=mails,
        queued=queued,
    )


def measured(
    where: Place,
    verb: str,
    batches: Sequence[Sequence[str]],
    *,
    mails: float,
    queued: float,
    times: Sequence[float] = (),
    heard: Heard | None = None,
) -> Step:
    """Run a function on batches of messages, at times if they are given."""

    def call(number: int) -> None:
        if times:
            where.clock.set(times[number])
        place.run_batches(verb, [batches[number]])

    calls = [partial(call, number) for number in range(len(batches))]
    return stepped(where, calls, mails=mails, queued=queued, heard=heard)


def in_batches(bodies: Sequence[T], size: int) -> list[Sequence[T]]:
    """Messages as a queue hands them to a function that is behind."""
    return [bodies[start : start + size] for start in range(0, len(bodies), size)]


def taken_off(batches: Sequence[Sequence[str]]) -> int:
    """SQS requests to receive and delete messages of a queue that is full; each 64 KB of them counts."""
    groups = [group for batch in batches for group in in_batches(batch, RECEIVE)]
    return sum(chunks(group) + 1 for group in groups)


def chunks(bodies: Sequence[str]) -> int:
    """The requests that SQS bills for bodies in a call."""
    return max(1, -(-sum(map(len, bodies)) // CHUNK))


def show(progress: str) -> None:
    """Tell whoever waits for a bill how far it is."""
    print(progress, file=sys.stderr, flush=True)


class Campaign:
    """A run of whole rounds at a rate; the first one fills the pipes and is not given."""

    def __init__(self, where: Place, *, rate: float, rounds: int, way: str) -> None:
        self.rate, self.rounds = rate, rounds
        self._where, self._way, self._rng = where, way, random.Random(1)
        collected = min(rate * ways.HINTS.seconds, ways.HINTS.size / EVENT_BYTES / TOLD)
        self._packs = max(PACKS, round(LONGER * collected / 100))
        where.clock.pass_by(ASKED_ANEW)
        self._filling, *self.sent = self._send()
        self.mails = [mail for each in (self._filling, *self.sent) for mail in each.mails]

    def _send(self) -> list[Sent]:
        """Plan everything, deliver round by round."""
        bodies = in_batches(work.packs(self._packs * (self.rounds + 1)), self._packs)
        plans = [self._plan(some) for some in bodies]
        outbox = Outbox(
            self._where.aws,
            self._where.clock,
            [body for _, _, queued in plans for body in queued],
            rate=self.rate,
            at_once=functions_for(self.rate),
        )
        found = []
        for number, (plan, heard, _) in enumerate(plans):
            started, logged, later = self._where.clock.now().timestamp(), self._where.logs.size(), Heard()
            delivered = outbox.deliver(100 * self._packs, later)
            show(f"{self._way}, {self.rate:g} mails/s: sent {number} of {self.rounds} rounds")
            found.append(
                Sent(
                    plan=plan,
                    deliver=_deliver_step(delivered, self._where.logs.size() - logged),
                    slept=delivered.slept,
                    requeues=delivered.requeues,
                    mails=delivered.mails,
                    started=started,
                    ended=delivered.ended,
                    heard=(heard, later),
                )
            )
        return found

    def _plan(self, bodies: Sequence[str]) -> tuple[Step, Heard, list[str]]:
        """What planning takes, and what is in the outbox then."""
        self._where.aws.ask("messages")
        batches, heard = in_batches(bodies, PLAN_BATCH), Heard()
        queued = sum(chunks([body]) for body in bodies) + taken_off(batches)
        step = measured(self._where, "plan", batches, mails=100 * len(bodies), queued=queued, heard=heard)
        return step, heard, self._where.aws.ask("messages")["outbox-email-bulk"]

    def recorded(self) -> list[Recorded]:
        """What is told of all mails is recorded as it comes; but for the first, round by round."""
        told = [*events.prompt(self.mails, self._rng)]
        meanwhile = events.late(self.mails, self._filling.started, self.sent[-1].ended, self._rng)
        late = [*of_packs_of_their_own(meanwhile, _held_up(told, self.mails), self._where.clock.now())]
        told += [each for _, each in late]
        cut = ways.cut(self._way, self._where.aws.objects, sorted(told), self._rng, is_last=False)
        first = next(number for number, each in enumerate(cut.each) if each.at > self._filling.ended)
        self._record(cut.each[:first])
        for like, each in late:
            self._let_be_full(each.content.mail, like)
        return [self._record(some) for some in shares(cut.each[first:], self.rounds)]

    def _let_be_full(self, mail: Mail, like: str) -> None:
        """Let there be the records of a mail's pack, as those of another pack are."""
        named = [part_of(mail.run_id, like), like, part_of(mail.run_id, mail.pack_id), mail.pack_id]
        self._where.aws.ask("copy/" + "/".join(quote(name, safe="") for name in named))

    def _record(self, coming: list[Coming]) -> Recorded:
        heard = Heard()
        step = measured(
            self._where,
            "record",
            [each.bodies for each in coming],
            mails=sum(each.told for each in coming) / TOLD,
            queued=sum(each.requests for each in coming),
            times=[each.at for each in coming],
            heard=heard,
        )
        return Recorded(step, coming, heard)


def _deliver_step(delivered: Delivered, log_bytes: int) -> Step:
    return Step(
        counts=delivered.counts,
        cpu=delivered.cpu,
        waited=delivered.waited,
        invocations=delivered.invocations,
        log_bytes=log_bytes + prices.LOG_LINES_OF_LAMBDA * delivered.invocations,
        mails=len(delivered.mails),
        queued=2 * delivered.invocations,  # received and deleted one by one
    )


def _held_up(told: Sequence[Arrival[Told]], mails: Sequence[Mail]) -> list[Mail]:
    """The mails of the first packs of which nothing but `Send` was told so far."""
    known = {each.content.mail for each in told if each.content.kind != "Send"}
    return [mail for mail in mails[: 100 * PATTERNS] if mail not in known]


def of_packs_of_their_own(
    late: Iterable[Arrival[Told]], held_up: Sequence[Mail], at: datetime
) -> Iterator[tuple[str, Arrival[Told]]]:
    """Late events, each of a pack of its own that was sent long ago; and the pack that its pack is like.

    Of the packs that were sent in the hours before, hardly two have a late delivery in the same minute.
    """
    for number, each in enumerate(late):
        mail = held_up[number % len(held_up)]
        pack_id = ids.derived_id(at, mail.run_id, mail.pack_id, str(number))
        yield mail.pack_id, Arrival(each.at, each.content._replace(mail=mail._replace(pack_id=pack_id)))


def shares(coming: Sequence[Coming], number: int) -> list[list[Coming]]:
    """What comes in so many parts, one after the other, with about as many events in each; no part is empty."""
    found: list[list[Coming]] = [[] for _ in range(number)]
    all_of_them, before = sum(each.told for each in coming), 0
    for each in coming:
        found[min(number - 1, number * before // all_of_them)].append(each)
        before += each.told
    return [some for some in found if any(each.told for each in some)]
