"""The bill: its lines add up, and what a stack costs by itself is read from its templates."""

from __future__ import annotations

import json
from typing import Any

import pytest

from benchmarks import standing, tallying
from benchmarks.bills import Line, summed, usd
from benchmarks.polling import Arrival
from benchmarks.prices import ALARM, READ_UNIT, WRITE_UNIT


def test_lines_of_the_same_thing_are_one_and_the_sum_stays() -> None:
    lines = [
        Line("tally", "write units", 3, WRITE_UNIT),
        Line("record", "write units", 5, WRITE_UNIT),
        Line("tally", "write units", 4, WRITE_UNIT),
        Line("tally", "read units", 0, READ_UNIT),
    ]
    found = summed(lines)
    assert [(line.part, line.quantity) for line in found] == [("tally", 7), ("record", 5)]
    assert usd(found) == pytest.approx(usd(lines)) == pytest.approx(12 * 0.625e-6)


def test_every_alarm_and_poller_of_a_new_stack_is_paid_for() -> None:
    alarms = next(line for line in standing.there() if line.price is ALARM)
    named = [name for name, each in standing.resources().items() if each["Type"] == "AWS::CloudWatch::Alarm"]
    assert alarms.quantity == len(named) >= 60
    assert {"AgeTally", "Haltedemail"} <= set(named)
    mapped = {
        (name, event["Properties"]["BatchSize"])
        for name, each in standing.resources().items()
        for event in each.get("Properties", {}).get("Events", {}).values()
        if event["Type"] == "SQS"
    }
    assert {"Record", "Plan", "Deliveremail"} <= {name for name, _ in mapped}
    assert standing.pollers() >= len(mapped)


def change(part: str, number: int, *, name: str = "MODIFY") -> dict[str, Any]:
    return {"eventName": name, "dynamodb": {"Keys": {"part": {"S": part}, "item": {"S": f"{number}"}}}}


def heard(*changes: tuple[float, dict[str, Any]]) -> list[Arrival[bytes]]:
    return [Arrival(at, json.dumps([one]).encode()) for at, one in changes]


def test_only_changes_of_records_reach_the_sums() -> None:
    some = heard((0, change("run#3", 1)), (0, change("sum#run", 2)), (0, change("run#3", 3, name="REMOVE")))
    (batch,) = tallying.cut(some)
    assert batch.contents == [change("run#3", 1)]


def test_each_shard_of_the_stream_has_batches_of_its_own_no_larger_or_older_than_the_template_says() -> None:
    number, window = 4_000, tallying.MAPPING["MaximumBatchingWindowInSeconds"]
    some = heard(*((at / 1_000, change(f"run#{at % 16}", at)) for at in range(number)))
    batches = [*tallying.cut(some)]
    assert sum(len(batch.contents) for batch in batches) == number
    assert max(len(batch.contents) for batch in batches) <= tallying.MAPPING["BatchSize"]
    shards = [{one["dynamodb"]["Keys"]["part"]["S"] for one in batch.contents} for batch in batches]
    assert len({frozenset(shard) for shard in shards}) == tallying.SHARDS
    sparse = [*tallying.cut(heard(*((at * (window + 1), change("run#3", at)) for at in range(5))))]
    assert [len(batch.contents) for batch in sparse] == [1] * 5
