"""Recording what providers report, against one `update_item`."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from benchmarks import place, work
from benchmarks.measuring import Figure, cpu_of, ratio
from heliograph.text import ids
from wiring import TEMPLATE, mappings

KEYS = ("record_event_cpu_vs_update_item",)
EVENTS = 1_000
UPDATES = 60
FEEDBACK = ("Send", "Delivery")
"""What SES reports of every mail, within seconds."""

BATCH: int = mappings("Record")["Engagement"]["BatchSize"]
CONCURRENCY = mappings("Deliveremail")["Bulk"]["ScalingConfig"]["MaximumConcurrency"]["Ref"]
AT_ONCE: int = TEMPLATE["Parameters"][CONCURRENCY]["Default"]
"""Packs that are being sent at the same time: their events come mixed."""


def tags_of(pack_id: str, run_id: str, slot: int) -> dict[str, str]:
    """The tags of a mail."""
    request_id = f"{pack_id[:-2]}{slot:02d}"
    return {
        "dispatch_id": ids.dispatch_id(request_id, 0),
        "recipient_id": f"customer-{slot:07d}",
        "outcome_key": ids.outcome_key(pack_id, slot),
        "message": "bench_sale",
        "run_id": run_id,
    }


def feedback(packs: list[tuple[str, str]]) -> list[list[str]]:
    """The events of packs (run and pack ids) in batches, as the queue hands them out: mixed among neighbours."""
    rng, now = random.Random(1), datetime.now(UTC)
    window = AT_ONCE + BATCH // 200
    batches: list[list[str]] = []
    for start in range(0, len(packs), window):
        some = packs[start : start + window]
        events = [
            work.ses_event(kind, tags_of(pack_id, run_id, slot), now)
            for run_id, pack_id in some
            for slot in range(100)
            for kind in FEEDBACK
        ]
        rng.shuffle(events)
        batches += [events[place_ : place_ + BATCH] for place_ in range(0, len(events), BATCH)]
    return batches


def new_packs(number: int) -> list[tuple[str, str]]:
    """Run and pack ids that have not been before."""
    run = work.new_run()
    return [(run.run_id, ids.derived_id(run.started_at, run.run_id, str(each))) for each in range(number)]


def figures(aws: place.Aws, logs: place.Logs, *, rounds: int) -> Iterator[Figure]:
    """The figure of recording."""
    client = place.stock_client("dynamodb")

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
        batches = feedback(new_packs(EVENTS // 200))
        with logs.kept():
            return cpu_of(lambda: place.run_batches("record", batches), sum(map(len, batches)))

    what = f"an event recorded, {BATCH} a batch"
    yield ratio(KEYS[0], what, yardstick, ours, rounds=rounds, notes={"batch": BATCH})
