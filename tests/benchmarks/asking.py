"""What it takes to look at a run: `status` of runs of two sizes, and what follows from them for a million people."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec

from benchmarks import events, place, ways, work
from benchmarks.campaigns import in_batches
from benchmarks.clock import Clock
from benchmarks.events import Mail, Told
from benchmarks.measuring import Figure, cpu_of
from benchmarks.polling import Arrival
from heliograph.model.dispatches import DispatchPack
from heliograph.model.requests import RequestPack
from heliograph.model.runs import Run
from heliograph.runtime import wiring

KEYS = ("status_read_units_at_1m",)
SIZES = (8, 40)
"""Packs of the two runs."""
MILLION = 1_000_000
BATCH = 1_000
ASKED = 3


class Look(NamedTuple):
    """What one look at a run took."""

    people: int
    read_units: float
    calls: int
    cpu: float


def figures(aws: place.Aws, logs: place.Logs) -> Iterator[Figure]:
    """Read units of a look at a run of a million people: on from two smaller runs in a straight line."""
    with logs.kept(), Clock().runs(answers_take_time=False):
        small, large = (looked_at(aws, packs) for packs in SIZES)
    each = (large.read_units - small.read_units) / (large.people - small.people)
    at_a_million = large.read_units + each * (MILLION - large.people)
    notes: dict[str, float | int | str] = {
        f"at {look.people:,} people": f"{look.read_units:g} units, {look.calls} calls, {1000 * look.cpu:.1f} ms of CPU"
        for look in (small, large)
    }
    yield Figure(KEYS[0], "campaign status, read units", at_a_million, [at_a_million], notes)


def looked_at(aws: place.Aws, packs: int) -> Look:
    """Ask for the status of a run of which everything is known."""
    run = finished_run(aws, packs)
    question = {"action": "status", "run_id": run.run_id}
    handle, seconds = place.handler("report"), []
    for _ in range(ASKED):
        aws.ask("reset")
        seconds.append(cpu_of(lambda: _answered(handle, question), 1))
    counts = aws.ask("counts")
    return Look(100 * packs, counts["read_units"], sum(counts["calls"].values()), statistics.median(seconds))


def _answered(handle: Any, question: dict[str, Any]) -> None:
    answer = handle(question, SimpleNamespace())
    assert "accepted" in str(answer), answer


def finished_run(aws: place.Aws, packs: int) -> Run:
    """A run that everybody got, and that was opened and clicked."""
    bodies = work.packs(packs)
    run_id = msgspec.json.decode(bodies[0], type=RequestPack).run_id
    run = Run(
        run_id=run_id,
        campaign="bench",
        message="bench_sale",
        started_at=wiring.now(),
        audience=100 * packs,
        ingested=True,
    )
    wiring.runs().keep(run)
    aws.ask("messages")
    place.run("plan", bodies, 5)
    queued = aws.ask("messages")["outbox-email-bulk"]
    place.run("deliver", queued, 1)
    sent = [mail for body in queued for mail in mails_of(body)]
    place.run_batches("record", in_batches([ways.on_the_bus(each) for each in everything(sent)], BATCH))
    return run


def mails_of(body: str) -> Iterator[Mail]:
    """The mails of a pack in the outbox."""
    pack = msgspec.json.decode(body, type=DispatchPack)
    now = wiring.now().timestamp()
    yield from (Mail(now, pack.run_id, pack.pack_id, each.slot) for each in pack.dispatches)


def everything(mails: Sequence[Mail]) -> list[Arrival[Told]]:
    """All that is ever told of mails."""
    rng = random.Random(3)
    told = [*events.prompt(mails, rng), *events.late(mails, 0, 1, rng)]
    reacted = [Told(kind, mail) for mail in mails for kind in reactions(rng)]
    return told + [Arrival(each.mail.at, each) for each in reacted]


def reactions(rng: random.Random) -> Sequence[str]:
    """What somebody does with a mail."""
    draw = rng.random()
    return ("Open", "Click") if draw < events.CLICKED else ("Open",) if draw < events.OPENED else ()
