"""A run as it is delivered: packs wait in the outbox, functions take them, each asks for its turn and waits for it."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator, Sequence
from math import ceil
from typing import Any, NamedTuple

import msgspec

from benchmarks import place, prices
from benchmarks.clock import Clock
from benchmarks.events import Mail
from benchmarks.polling import Arrival
from heliograph.model.dispatches import DispatchPack
from wiring import TEMPLATE, mappings

PACK_SECONDS = 2.5
"""What a function takes for a pack of a hundred, about: two calls of SES, a dozen of DynamoDB, its CPU."""


def at_once(function: str, event: str) -> int:
    """How many of a function the template lets work on a queue at the same time."""
    parameter = mappings(function)[event]["ScalingConfig"]["MaximumConcurrency"]["Ref"]
    return int(TEMPLATE["Parameters"][parameter]["Default"])


class Delivered(NamedTuple):
    """What some packs came to."""

    counts: dict[str, Any]
    cpu: float
    """Seconds."""
    waited: float
    """Seconds for AWS."""
    slept: float
    """Seconds for the rate."""
    invocations: int
    requeues: int
    """Packs, or parts of them, that were requeued for their turn."""
    mails: list[Mail]
    ended: float
    """When the last one was sent (seconds)."""


def functions_for(rate: float) -> int:
    """Functions that send as fast as a rate allows, and one that waits for its turn; no fewer than the template has."""
    return max(at_once("Deliveremail", "Bulk"), ceil(rate / 100 * PACK_SECONDS) + 1)


class Outbox:
    """The outbox of a run, at the account's rate (mails a second)."""

    def __init__(self, aws: place.Aws, clock: Clock, bodies: Sequence[str], *, rate: float, at_once: int) -> None:
        self._aws, self._clock = aws, clock
        aws.ask(f"rate/{rate}")
        start = clock.now().timestamp()
        self._free = [start] * at_once
        self._waiting: list[tuple[float, int, str]] = []
        self._number = 0
        self.add(bodies)

    def add(self, bodies: Sequence[str], *, delay: float = 0) -> None:
        """Packs come in, and are seen after a delay (seconds)."""
        for body in bodies:
            self._number += 1
            heapq.heappush(self._waiting, (self._clock.now().timestamp() + delay, self._number, body))

    def deliver(self, mails: int, heard: list[Arrival[bytes]] | None = None) -> Delivered:
        """Let the functions send at least so many mails; what the stream of their table tells is added to `heard`."""
        self._aws.ask("messages"), self._aws.ask("reset")
        if heard is not None:
            self._aws.heard()
        waited, slept, cpu, invocations, requeues = self._clock.waited, self._clock.slept, 0.0, 0, 0
        sent: list[Mail] = []
        while self._waiting and len(sent) < mails:
            visible, _, body = heapq.heappop(self._waiting)
            self._clock.set(max(visible, heapq.heappop(self._free)))
            cpu += self._invoke(body)
            sent += self._sent(body)
            invocations += 1
            requeues += self._take_back()
            if heard is not None:
                heard.append(Arrival(self._clock.now().timestamp(), self._aws.heard()))
            heapq.heappush(self._free, self._clock.now().timestamp())
        return Delivered(
            counts=self._aws.ask("counts"),
            cpu=cpu,
            waited=self._clock.waited - waited,
            slept=self._clock.slept - slept,
            invocations=invocations,
            requeues=requeues,
            mails=sent,
            ended=max(mail.at for mail in sent),
        )

    def _invoke(self, body: str) -> float:
        """Seconds of CPU; the clock goes on by as much as the function's share of a processor makes of them."""
        begun = time.process_time()
        place.run_batches("deliver", [[body]])
        used = time.process_time() - begun
        self._clock.pass_by(used * prices.VCPU_MB / prices.MEMORY_MB)
        return used

    def _sent(self, body: str) -> Iterator[Mail]:
        """The mails that SES took of a pack, in their order."""
        pack = msgspec.json.decode(body, type=DispatchPack)
        slots = iter(pack.dispatches)
        calls, self._clock.sent = self._clock.sent, []
        for call in calls:
            for _ in range(call.mails):
                yield Mail(call.at.timestamp(), pack.run_id, pack.pack_id, next(slots).slot)

    def _take_back(self) -> int:
        """What was requeued is seen again after its delay."""
        requeued = self._aws.ask("delayed").get("outbox-email-bulk", [])
        for body, delay in requeued:
            self.add([body], delay=delay)
        return len(requeued)
