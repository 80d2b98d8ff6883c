"""Waiting for a rate in virtual time: real packs, the real limits, the real requeues; queues and Lambda are played.

A queue hands out what is visible in no order, after its delay and up to a second late; a function has few slots, and
takes a moment for each message. A provider refuses what is faster than its rate, and everything while it is paused.
"""

from __future__ import annotations

import heapq
import io
import random
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import redirect_stdout
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from greenlet import greenlet  # type: ignore[import-untyped]  # it has no types

from aws.memory_clocks import ClockTable
from builders import EMAIL, NOW, SMS, a_dispatch, a_message
from heliograph.channels.clocks import RateLimits
from heliograph.channels.rate import LONGEST_DELAY
from heliograph.channels.registry import spec
from heliograph.delivery.sending import work as sending
from heliograph.delivery.turns import work as turns
from heliograph.model.channels import Channel
from heliograph.model.dispatches import Dispatch, DispatchPack, Rendered, Sender
from heliograph.model.outcomes import Accepted, NotSent, Outcome, RecordKey
from heliograph.model.requests import Lane
from heliograph.runtime import wiring
from heliograph.text.ids import derived_id
from search.budget import budget

PACK = 100  # people
A_MOMENT = 0.03  # seconds that a function takes for a message that it requeues
A_CALL = 0.25  # seconds of a provider's call
LIFE = 300.0  # seconds that a function lives
DAY = 86_400.0
MESSAGE = a_message()


class Provider:
    """Takes so many units a second, and a second's worth at once; nothing while it is paused."""

    def __init__(self, rate: float, pause: tuple[float, float] = (0, 0)) -> None:
        self.rate = rate
        self.pause = pause
        self.taken = Counter[str]()
        self.units = 0
        self.refused = Counter[str]()
        self.calls: list[float] = []
        """When it took something."""
        self._spoken_for = -1.0

    def take(self, at: float, batch: Sequence[Rendered]) -> str:
        """Why it refuses a call; empty when it takes it."""
        units = sum(map(sending.units_of, batch))
        start = max(self._spoken_for, at - 1)
        why = ""
        if self.pause[0] <= at < self.pause[1]:
            why = min(spec(batch[0].dispatch.channel).codes.halted)
        elif len(batch) > max(1, self.rate) or start + min(1, units / self.rate) > at + 1:
            why = "TooManyRequestsException"
        if why:
            self.refused[why] += 1
            return why
        self._spoken_for = start + units / self.rate
        self.taken.update(rendered.outcome_key for rendered in batch)
        self.units += units
        self.calls.append(at)
        return ""

    def longest_rest(self) -> float:
        """Seconds between two calls that it took."""
        return max(later - earlier for earlier, later in zip(self.calls, self.calls[1:], strict=False))


class World:
    """Time, the outbox, the function and the provider."""

    def __init__(self, channel: Channel, provider: Provider, *, slots: int, parts: int = 1) -> None:
        self.channel = channel
        self.provider = provider
        self.text = "x" * (160 if parts == 1 else 153 * parts)
        self.slots = [dict[tuple[Channel, str], float]() for _ in range(slots)]
        """What each function that is free has learnt."""
        self.random = random.Random(channel)
        self.time = 0.0
        self.limits = RateLimits(ClockTable(), "runs")  # type: ignore[arg-type]  # as far as rate limits need a client
        self.visible: list[DispatchPack] = []
        self.agenda: list[tuple[float, int, Any]] = []
        self.number = 0
        self.invocations = 0
        self.begun = 0.0

    def now(self) -> datetime:
        """The time as functions see it."""
        return NOW + timedelta(seconds=self.time)

    def sleep(self, seconds: float) -> None:
        """Let others work meanwhile."""
        this = greenlet.getcurrent()
        self.at(self.time + seconds, this)
        assert this.parent
        this.parent.switch()

    def send(self, works: Sequence[DispatchPack], *, delay: int = 0) -> None:
        """The outbox; what is requeued is a new message, which was never received."""
        assert 0 <= delay <= LONGEST_DELAY
        for work in works:
            self.at(self.time + delay + self.random.random(), work)

    def sender(self, channel: Channel) -> Sender:
        """A provider of mails takes fifty a call, but no more than a second's; of texts, one."""
        most = 1 if channel == SMS else min(50, int(self.provider.rate))

        def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
            for start in range(0, len(batch), most):
                some = batch[start : start + most]
                why = self.provider.take(self.time, some)
                self.sleep(A_CALL)
                ids = [rendered.dispatch.dispatch_id for rendered in some]
                yield tuple(
                    NotSent(dispatch_id=each, cause=why) if why else Accepted(dispatch_id=each, provider_message_id="m")
                    for each in ids
                )

        return send

    def at(self, time: float, what: Any) -> None:
        """Do something at a time: show a message, go on with a function, free a slot."""
        self.number += 1
        heapq.heappush(self.agenda, (time, self.number, what))

    def run(self, people: int) -> None:
        """Let time pass until everybody has their message."""
        while len(self.provider.taken) < people:
            if self.visible and self.slots:
                self.begin()
                continue
            self.time, _, what = heapq.heappop(self.agenda)
            if isinstance(what, DispatchPack):
                self.visible.append(what)
            elif isinstance(what, greenlet):
                what.switch()
            else:
                self.slots.append(what)

    def begin(self) -> None:
        """Hand one of the visible messages to the function."""
        place = self.random.randrange(len(self.visible))
        self.visible[place], self.visible[-1] = self.visible[-1], self.visible[place]
        self.invocations += 1
        function = greenlet(self.work)
        function.sizes = self.slots.pop()
        function.switch(self.visible.pop(), self.time)

    def work(self, pack: DispatchPack, begun: float) -> None:
        """What deliver does, without the people and the ledger."""
        turn = turns.turn_of(pack)
        if turn is not None:
            with turns.then_the_rest(turn, receives=1):
                batch = [
                    Rendered(
                        dispatch=each,
                        message=MESSAGE,
                        content={"text": self.text},
                        outcome_key=a_place(pack, each),
                        claimed_at=wiring.now(),
                    )
                    for each in turn.pack.dispatches
                ]
                turns.correct(turn, batch)
                record = RecordKey("run", pack.pack_id, self.channel)
                ends = [*sending.send(record, batch, rate=turn.rate)]
                turns.finish_open_ends(turn.pack, ends, in_doubt=[], waiting={}, is_complete=True)
        assert self.time - begun < LIFE
        self.at(self.time + A_MOMENT, greenlet.getcurrent().sizes)


def a_place(pack: DispatchPack, dispatch: Dispatch) -> str:
    """Where a dispatch of a pack has its record."""
    return f"{pack.pack_id}-{dispatch.slot}"


def wait(world: World, people: int, monkeypatch: pytest.MonkeyPatch, *, planned_in: float = 180.0) -> None:
    """Let a run come into the outbox and wait there, until everybody has their message."""
    edges: dict[str, Callable[..., Any]] = {
        "now": world.now,
        "sleep": world.sleep,
        "rate_limits": lambda: world.limits,
        "sizes": lambda: greenlet.getcurrent().sizes,
        "rate": lambda channel: world.provider.rate,
        "sender": world.sender,
        "outbox": lambda channel, lane: world,
        "records": lambda: SimpleNamespace(keep=lambda *_: None),
    }
    for name, edge in edges.items():
        monkeypatch.setattr(wiring, name, edge)
    everybody = tuple(a_dispatch(world.channel, slot=slot) for slot in range(PACK))
    for number in range(people // PACK):
        pack_id = derived_id(NOW, "pack", str(number))
        pack = DispatchPack(pack_id=pack_id, channel=world.channel, lane=Lane.BULK, run_id="run", dispatches=everybody)
        world.at(planned_in * number * PACK / people, pack)
    with redirect_stdout(io.StringIO()):
        world.run(people)


def told(world: World, people: int) -> str:
    """The simulation in figures."""
    work = world.provider.units / world.provider.rate
    pause = world.provider.pause[1] - world.provider.pause[0]
    return (
        f"{people:,} people in {world.time / 3600:.2f} h, {world.time / (work + pause):.3f} of the ideal, "
        f"idle {1 - work / (world.time - pause):.1%}, longest rest {world.provider.longest_rest():.0f} s, "
        f"{world.invocations / people * PACK:.1f} invocations a pack, refused {dict(world.provider.refused)}"
    )


def the_sum_of(world: World, people: int) -> str:
    """Everybody got one; the figures."""
    figures = told(world, people)
    sys.stdout.write(f"{figures}\n")
    assert (len(world.provider.taken), world.provider.taken.total()) == (people, people), figures
    return figures


CASES = {
    "a_million_mails_at_14_a_second_or_a_tenth_of_them": (EMAIL, 14, budget(100_000), 1, 2),
    "twenty_thousand_mails_at_14_a_second": (EMAIL, 14, 20_000, 1, 2),
    "mails_at_14_a_second_and_five_functions": (EMAIL, 14, 50_000, 1, 5),
    "mails_in_the_sandbox": (EMAIL, 1, 2_000, 1, 5),
    "mails_at_200_a_second": (EMAIL, 200, 100_000, 1, 5),
    "five_thousand_texts_at_1_a_second": (SMS, 1, 5_000, 1, 2),
    "texts_of_three_parts_at_1_a_second": (SMS, 1, 2_000, 3, 5),
    "texts_at_10_a_second": (SMS, 10, 10_000, 2, 2),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_run_takes_a_tenth_longer_than_its_rate_allows_and_nothing_waits_in_vain(
    case: tuple[Channel, float, int, int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    channel, rate, people, parts, slots = case
    world = World(channel, Provider(rate), slots=slots, parts=parts)
    wait(world, people, monkeypatch)
    figures = the_sum_of(world, people)
    assert world.time <= 1.1 * world.provider.units / rate, figures
    assert world.provider.longest_rest() <= 10 * max(1, parts), figures


@pytest.mark.parametrize(("channel", "rate", "people"), [(EMAIL, 14, 20_000), (SMS, 1, 2_000)])
def test_an_account_that_was_paused_for_a_day_sends_again_within_a_minute_and_a_half(
    channel: Channel, rate: float, people: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(channel, Provider(rate, pause=(600, DAY + 600)), slots=2)
    wait(world, people, monkeypatch)
    figures = the_sum_of(world, people)
    first = next(at for at in world.provider.calls if at > 600)
    assert first - (DAY + 600) < 90, figures
    assert world.time - DAY <= 1.1 * world.provider.units / rate + 90, figures
    assert world.provider.refused["ACCOUNT_SENDING_PAUSED"] <= DAY / 60, figures
