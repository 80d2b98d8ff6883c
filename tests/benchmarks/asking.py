"""What it takes to look at a run: `status` of runs that were sent, and of one whose sums are those of a million."""

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
from heliograph.tallying.sums import Sums
from wiring import streams

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
    """Read units of a look at a run whose every shard has the sums of a shard of a million people."""
    with logs.kept(), Clock().runs(answers_take_time=False):
        runs = [finished_run(aws, packs) for packs in SIZES]
        looks = [looked_at(aws, run) for run in (*runs, of_a_million(runs[-1]))]
    notes: dict[str, float | int | str] = {
        f"at {look.people:,} people": f"{look.read_units:g} units, {look.calls} calls, {1000 * look.cpu:.1f} ms of CPU"
        for look in looks
    }
    units = looks[-1].read_units
    yield Figure(KEYS[0], "campaign status, read units", units, [units], notes)


def of_a_million(run: Run) -> Run:
    """The run as it would be kept, had so many people been sent to: a row for each shard, with as many digits."""
    many, rows = MILLION // run.audience, wiring.sums().rows_of_run(run.run_id)
    written = [row for row in rows.values() if row.version]
    larger = {
        shard: row._replace(
            sums=Sums({count: many * number for count, number in written[at % len(written)].sums.items()})
        )
        for at, (shard, row) in enumerate(rows.items())
    }
    wiring.sums().write(larger, wiring.now())
    whole = msgspec.structs.replace(run, audience=many * run.audience)
    wiring.runs().keep(whole)
    return whole


def looked_at(aws: place.Aws, run: Run) -> Look:
    """Ask for the status of a run of which everything is known."""
    question = {"action": "status", "run_id": run.run_id}
    handle, seconds = place.handler("report"), []
    for _ in range(ASKED):
        aws.ask("reset")
        seconds.append(cpu_of(lambda: _answered(handle, question), 1))
    counts = aws.ask("counts")
    return Look(run.audience, counts["read_units"], sum(counts["calls"].values()), statistics.median(seconds))


def _answered(handle: Any, question: dict[str, Any]) -> None:
    answer = handle(question, SimpleNamespace())
    assert answer["counts"]["accepted"] > 0.9 * answer["audience"], answer


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
    aws.ask("stream")
    place.run("plan", bodies, 5)
    queued = aws.ask("messages")["outbox-email-bulk"]
    place.run("deliver", queued, 1)
    sent = [mail for body in queued for mail in mails_of(body)]
    place.run_batches("record", in_batches([ways.on_the_bus(each) for each in everything(sent)], BATCH))
    tally(aws)
    return run


def tally(aws: place.Aws) -> None:
    """Hand all that changed to the function that keeps the sums, in batches as large as the template lets them be."""
    changes = aws.ask("stream")
    assert changes
    handle = place.handler("tally")
    for some in in_batches(changes, streams("Tally")["Records"]["BatchSize"]):
        handle({"Records": some}, SimpleNamespace())


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
