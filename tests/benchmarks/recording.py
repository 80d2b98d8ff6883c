"""What a recorded event takes, cut as pollers cut, against one `update_item`; and the functions that record."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

from benchmarks import events, place, work
from benchmarks.events import Mail, Told
from benchmarks.measuring import Figure, cpu_of, ratio
from benchmarks.polling import Arrival, Batch, polled
from heliograph.text import ids
from wiring import mappings

KEYS = ("record_event_cpu_vs_update_item",)
PACKS = 10
RATE = 200.0
"""Mails a second at which the figures are taken that depend on it."""
UPDATES = 60

QUEUE = mappings("Record")["Engagement"]
BATCH: int = QUEUE["BatchSize"]
WINDOW: float = QUEUE.get("MaximumBatchingWindowInSeconds", 0)


def tags_of(mail: Mail) -> dict[str, str]:
    """The tags of a mail."""
    request_id = f"{mail.pack_id[:-2]}{mail.slot:02d}"
    return {
        "dispatch_id": ids.dispatch_id(request_id, 0),
        "recipient_id": f"customer-{mail.slot:07d}",
        "outcome_key": ids.outcome_key(mail.pack_id, mail.slot),
        "message": "bench_sale",
        "run_id": mail.run_id,
    }


def body(arrival: Arrival[Told]) -> str:
    """An event as it lies in the queue."""
    told = arrival.content
    return work.ses_event(told.kind, tags_of(told.mail), datetime.fromtimestamp(arrival.at, UTC))


def batches(arrivals: Iterable[Arrival[Told]], rng: random.Random) -> list[Batch[str]]:
    """What the function `record` gets at once, and when."""
    bodies = (Arrival(each.at, body(each)) for each in sorted(arrivals))
    return list(polled(bodies, size=BATCH, window=WINDOW, rng=rng))


def sent(packs: int, rate: float) -> list[Mail]:
    """Mails of packs that have not been before, sent at a rate by calls of fifty."""
    run = work.new_run()
    start = run.started_at.timestamp()
    found = []
    for number in range(packs):
        pack_id = ids.derived_id(run.started_at, run.run_id, str(number))
        for slot in range(100):
            found.append(Mail(start + (100 * number + slot // 50 * 50) / rate, run.run_id, pack_id, slot))
    return found


def figures(aws: place.Aws, logs: place.Logs, *, rounds: int) -> Iterator[Figure]:
    """The figure of recording."""
    client, rng = place.stock_client("dynamodb"), random.Random(1)

    def update(number: int) -> Any:
        return client.update_item(
            TableName="heliograph-runs",
            Key={"part": {"S": f"yardstick#{number}"}, "item": {"S": "yardstick"}},
            UpdateExpression="SET #fact = if_not_exists(#fact, :at)",
            ExpressionAttributeNames={"#fact": "delivered#17"},
            ExpressionAttributeValues={":at": {"S": "1763720000000"}},
        )

    def yardstick() -> float:
        return cpu_of(lambda: [update(number) for number in range(UPDATES)], UPDATES)

    def ours() -> float:
        found = [batch.contents for batch in batches(events.prompt(sent(PACKS, RATE), rng), rng)]
        with logs.kept():
            return cpu_of(lambda: place.run_batches("record", found), sum(map(len, found)))

    what = f"an event recorded, as polled at {RATE:g} mails/s"
    yield ratio(KEYS[0], what, yardstick, ours, rounds=rounds)
