"""What it takes to keep the sums of runs: the stream of the table `runs`, cut as Lambda cuts it, through `tally`.

Lambda reads each shard of a stream by itself and fills one batch after the other, until it is full or its window ends;
to read is free (DynamoDB's price page, general knowledge).
"""

from __future__ import annotations

import json
import random
import zlib
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

from benchmarks import place
from benchmarks.campaigns import Heard, Place, Step, stepped
from benchmarks.polling import Arrival, Batch, polled
from wiring import streams

SHARDS = 4
"""A table on demand begins with four partitions: it takes 4,000 writes a second, and a partition 1,000 (DynamoDB
guide). Each is a shard of its stream; larger tables have more, and as many more batches."""
MAPPING = streams("Tally")["Records"]
FILTERS = [json.loads(each["Pattern"]) for each in MAPPING["FilterCriteria"]["Filters"]]

Change = dict[str, Any]


def tallied(where: Place, heard: Heard, *, mails: float) -> Step:
    """Hand what the stream told to the function that keeps sums."""
    batches = sorted(cut(heard), key=lambda batch: batch.at)
    handle = place.handler("tally")

    def call(batch: Batch[Change]) -> None:
        where.clock.set(batch.at)
        handle({"Records": batch.contents}, SimpleNamespace())

    return stepped(where, [partial(call, batch) for batch in batches], mails=mails, queued=0)


def cut(heard: Heard) -> Iterator[Batch[Change]]:
    """The batches of each shard."""
    changes = [Arrival(each.at, one) for each in heard for one in json.loads(each.content) if is_wanted(one)]
    for number in range(SHARDS):
        some = [each for each in sorted(changes, key=lambda each: each.at) if _shard(each.content) == number]
        yield from polled(
            some,
            size=MAPPING["BatchSize"],
            window=MAPPING["MaximumBatchingWindowInSeconds"],
            rng=random.Random(1),
            pollers=1,
        )


def is_wanted(change: Change) -> bool:
    """Whether the template's filter lets a change pass: by its kind, and by how its partition ends."""
    part = change["dynamodb"]["Keys"]["part"]["S"]
    return any(
        change["eventName"] in wanted["eventName"]
        and any(part.endswith(each["suffix"]) for each in wanted["dynamodb"]["Keys"]["part"]["S"])
        for wanted in FILTERS
    )


def _shard(change: Change) -> int:
    """Where DynamoDB keeps an item is by a hash of its partition key, which is not ours to know."""
    return zlib.crc32(change["dynamodb"]["Keys"]["part"]["S"].encode()) % SHARDS
