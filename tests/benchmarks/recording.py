"""What a recorded event takes, cut as pollers cut, against one `update_item`; and the functions that record."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

from benchmarks import events, place, ways, work
from benchmarks.events import Mail
from benchmarks.measuring import Figure, cpu_of, ratio
from heliograph.text import ids

KEYS = ("record_event_cpu_vs_update_item",)
PACKS = 10
RATE = 200.0
"""Mails a second at which the figures are taken that depend on it."""
UPDATES = 60


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
        told = [*events.prompt(sent(PACKS, RATE), rng)]
        found = ways.cut(ways.DEFAULT, aws.objects, told, rng, is_last=True)
        with logs.kept():
            return cpu_of(lambda: place.run_batches("record", found.batches), found.told)

    what = f"an event recorded, as it comes at {RATE:g} mails/s"
    yield ratio(KEYS[0], what, yardstick, ours, rounds=rounds)
