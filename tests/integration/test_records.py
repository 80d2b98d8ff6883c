"""What came of a pack, in a table: what many write at once is read as if one had written it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from aws.local_cloud import LocalCloud, table_of
from builders import EMAIL, NOW, PACK_ID
from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import Happened, RecordKey, SlotFacts
from heliograph.model.packs import Delivered, Planned
from heliograph.recording.facts import Fact
from heliograph.recording.store import Records
from heliograph.tallying.sums import sums_of, total

WRITERS = 8
RECORD = RecordKey(PACK_ID[::-1], PACK_ID, EMAIL)
RECEIPT = "0100019aa5f3c2d1-7f1c0a52-4b0e-4c6e-9a57-1d2e3f4051{:02x}-000000"


@pytest.fixture(scope="module")
def table(local_cloud: LocalCloud) -> Iterator[str]:
    """A table with the key of `runs`."""
    with table_of(local_cloud, "runs", partition="part", sort="item") as name:
        yield name


def facts_of(slot: int) -> dict[str, Happened]:
    """What comes of a mail: taken, delivered in one of a few seconds, opened, and what is said of it with words."""
    moment = NOW + timedelta(seconds=slot % 5)
    return {
        Fact.ACCEPTED.value: Happened(NOW, RECEIPT.format(slot)),
        EngagementKind.DELIVERED.value: Happened(moment),
        EngagementKind.OPENED.value: Happened(moment, "bot ünsichtbar"),
        Fact.SKIPPED.value: Happened(NOW, "missing_variable", "data.order_id"),
    }


def test_facts_that_many_writers_add_at_once_are_all_read(local_cloud: LocalCloud, table: str) -> None:
    slots: SlotFacts = {slot: facts_of(slot) for slot in range(100)}
    kept = [Records(local_cloud.client("dynamodb"), table) for _ in range(WRITERS)]

    def write(number: int) -> None:
        for start in (number * 7 % 100, number * 31 % 100):
            some = {slot: slots[slot] for slot in [*range(start, 100), *range(start)]}
            kept[number].keep(RECORD, some, NOW)

    with ThreadPoolExecutor(WRITERS) as writers:
        list(writers.map(write, range(WRITERS)))
    records = kept[0]
    assert records.read([RECORD]) == {RECORD: slots}
    assert records.accepted([RECORD]) == {RECORD: set(range(100))}
    planned = Planned(people=100, again=False, dispatched={"email": 100}, skipped={}, scheduled=0)
    packs = {(RECORD.run_id, PACK_ID), (RECORD.run_id, f"{PACK_ID}2")}
    assert records.planned(packs) == set()
    records.keep_plans({(RECORD.run_id, PACK_ID): planned}, NOW)
    assert records.planned(packs) == {(RECORD.run_id, PACK_ID)}
    whole: list[Planned | Delivered] = [planned, Delivered(channel=EMAIL, slots=slots)]
    assert total(map(sums_of, records.of_run(RECORD.run_id))) == total(map(sums_of, whole))
