"""What a million emails cost beyond SES's own price: counted, not guessed, and multiplied by dated prices."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import chain
from typing import Any, NamedTuple

import msgspec

from benchmarks import place, prices, recording, sending, work
from benchmarks.measuring import Figure, cpu_of
from benchmarks.prices import MILLION, Price
from heliograph.aws.tables import RETENTION
from heliograph.model.dispatches import DispatchPack

KEYS = ("usd_per_million_emails_beyond_ses",)
OPENED, CLICKED = 0.30, 0.05
RECEIVE = 10  # ReceiveMessage: what Lambda's poller takes at once
INPUTS_KEPT = RETENTION.days / 30  # months
CHUNK = 65_536  # bytes: SQS bills each as a request


class Line(NamedTuple):
    """A line of the bill of a million emails."""

    what: str
    quantity: float
    price: Price

    @property
    def usd(self) -> float:
        """Dollars."""
        return self.quantity * self.price.usd


class Step(NamedTuple):
    """What a function did for a number of mails: counted by the null AWS and measured here."""

    counts: dict[str, Any]
    seconds: float
    invocations: int
    log_bytes: int

    def gb_seconds(self) -> float:
        """Memory times time: the CPU at the share of a processor that the memory buys, and the waiting."""
        calls: dict[str, float] = self.counts["calls"]
        waiting = sum(number * prices.WAITING.get(name.partition(".")[0], 0) for name, number in calls.items())
        return (self.seconds * prices.VCPU_MB + waiting * prices.MEMORY_MB) / 1024


def measured(aws: place.Aws, logs: place.Logs, verb: str, batches: list[list[str]]) -> Step:
    """Run a function on batches of messages."""
    aws.ask("reset")
    logged = logs.size()
    with logs.kept():
        seconds = cpu_of(lambda: place.run_batches(verb, batches), 1)
    written = logs.size() - logged + prices.LOG_LINES_OF_LAMBDA * len(batches)
    return Step(aws.ask("counts"), seconds, len(batches), written)


def in_batches(bodies: list[str], size: int) -> list[list[str]]:
    """Messages as a queue hands them to a function."""
    return [bodies[start : start + size] for start in range(0, len(bodies), size)]


def taken_off(batches: list[list[str]]) -> int:
    """SQS requests to receive and delete messages: Lambda's poller takes ten at once, and each 64 KB counts."""
    groups = [group for batch in batches for group in in_batches(batch, RECEIVE)]
    return sum(max(1, -(-sum(map(len, group)) // CHUNK)) + 1 for group in groups)


def opens_and_clicks(packs: list[tuple[str, str]]) -> list[list[str]]:
    """They come one by one over days: no two of a batch are of the same pack."""
    rng, now = random.Random(2), datetime.now(UTC)
    wanted = ["Open"] * round(100 * OPENED) + ["Click"] * round(100 * CLICKED)
    slots = {pack: rng.sample(range(100), len(wanted)) for pack in packs}
    return [
        [work.ses_event(kind, recording.tags_of(pack, run, slots[run, pack][number]), now) for run, pack in packs]
        for number, kind in enumerate(wanted)
    ]


def steps(aws: place.Aws, logs: place.Logs) -> tuple[dict[str, Step], dict[str, int], int]:
    """Each function's part, the SQS requests beside those that functions make, and the number of mails."""
    pipeline = sending.Pipeline(aws, logs)
    requests = in_batches(work.packs(40), pipeline.plan_batch)
    aws.ask("messages")
    found = {"plan": measured(aws, logs, "plan", requests)}
    bodies = aws.ask("messages")["outbox-email-bulk"]
    dispatches = in_batches(bodies, pipeline.deliver_batch)
    found["deliver"] = measured(aws, logs, "deliver", dispatches)
    sent = [msgspec.json.decode(body, type=DispatchPack) for body in bodies]
    packs = [(pack.run_id, pack.pack_id) for pack in sent]
    feedback, later = recording.feedback(packs), opens_and_clicks(packs)
    found["record: sent, delivered"] = measured(aws, logs, "record", feedback)
    found["record: opened, clicked"] = _in_full_batches(measured(aws, logs, "record", later), len(packs))
    request_bodies = [body for batch in requests for body in batch]
    queued = {
        "requests": sum(-(-len(body) // CHUNK) for body in request_bodies) + taken_off(requests),
        "outbox": taken_off(dispatches),
        "engagement, put by EventBridge": sum(map(len, feedback)) + sum(map(len, later)),
        "engagement, taken": taken_off(feedback) + taken_off(in_batches(list(chain(*later)), recording.BATCH)),
    }
    return found, queued, sum(len(pack.dispatches) for pack in sent)


def _in_full_batches(step: Step, size: int) -> Step:
    """The share of what each invocation costs once (S3, invocation, log) that is left in a batch of the queue's size.

    Each of the invocations here had as many events as there are packs, so that all were of different packs.
    """
    share = size / recording.BATCH
    calls = {name: n * share if name.startswith("S3.") else n for name, n in step.counts["calls"].items()}
    counts = step.counts | {"calls": calls}
    return Step(counts, step.seconds, round(step.invocations * share), round(step.log_bytes * share))


def bill(found: dict[str, Step], queued: dict[str, int], mails: int) -> Iterator[Line]:
    """The lines, for a million mails."""
    each = MILLION / mails
    for name, step in found.items():
        counts = step.counts
        puts = counts["calls"].get("S3.PutObject", 0)
        yield Line(f"{name}: DynamoDB write units", counts["write_units"] * each, prices.WRITE_UNIT)
        yield Line(f"{name}: DynamoDB read units", counts["read_units"] * each, prices.READ_UNIT)
        yield Line(f"{name}: SQS requests", counts["sqs_requests"] * each, prices.SQS_REQUEST)
        yield Line(f"{name}: S3 objects", puts * each, prices.S3_PUT)
        if name == "plan":
            kept = counts["bytes"].get("S3.PutObject", 0) / 1e9 * INPUTS_KEPT
            yield Line("plan: S3 GB-months of inputs", kept * each, prices.S3_GB_MONTH)
        yield Line(f"{name}: Lambda GB-seconds", step.gb_seconds() * each, prices.GB_SECOND)
        yield Line(f"{name}: Lambda invocations", step.invocations * each, prices.INVOCATION)
        yield Line(f"{name}: log GB", step.log_bytes * each / 1e9, prices.LOG_GB)
    for name, number in queued.items():
        yield Line(f"queue {name}: SQS requests", number * each, prices.SQS_REQUEST)


def figures(aws: place.Aws, logs: place.Logs) -> Iterator[Figure]:
    """The sum; its lines are its notes."""
    found, queued, mails = steps(aws, logs)
    lines = [line for line in bill(found, queued, mails) if line.quantity]
    total = sum(line.usd for line in lines)
    notes = {line.what: f"{line.quantity:>12,.6g} x {line.price.source} = ${line.usd:.4f}" for line in lines}
    yield Figure(KEYS[0], f"opened {OPENED:.0%}, clicked {CLICKED:.0%}", total, [total], {**notes})


def printed(figure: Figure) -> Iterator[str]:
    """The calculation, line by line."""
    yield f"What a million emails cost beyond SES's own price: ${figure.value:.2f}"
    yield from (f"  {what:46} {said}" for what, said in figure.notes.items())
