"""The ways of SES's events that the bill rests on: nothing is lost or told twice, and all of it is paid for."""

from __future__ import annotations

import gzip
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks import ways
from benchmarks.campaigns import of_packs_of_their_own, shares
from benchmarks.events import Mail, Told
from benchmarks.polling import Arrival
from benchmarks.ways import BILLED, BY_THE_MINUTE, HINTS, ONE_BY_ONE, Coming
from builders import NOW
from heliograph.text import ids

KINDS = ("Send", "Delivery", "Bounce", "Open", "Click")
START = NOW.timestamp()
MOMENTS = st.lists(st.tuples(st.floats(0, 200), st.sampled_from(KINDS)), min_size=1, max_size=40)


def told(moments: Iterable[tuple[float, str]]) -> list[Arrival[Told]]:
    run_id = ids.derived_id(NOW, "run")
    pack_id = ids.derived_id(NOW, run_id, "pack")
    return [
        Arrival(START + at, Told(kind, Mail(START, run_id, pack_id, slot % 100)))
        for slot, (at, kind) in enumerate(sorted(moments))
    ]


def name_of(event: dict[str, Any]) -> tuple[str, str]:
    return event["eventType"], event["mail"]["tags"]["dispatch_id"][0]


def names(arrivals: Iterable[Arrival[Told]]) -> Counter[tuple[str, str]]:
    return Counter((each.content.kind, ways.tags_of(each.content.mail)["dispatch_id"]) for each in arrivals)


def in_objects(folder: Path, coming: Sequence[Coming]) -> Counter[tuple[str, str]]:
    keys = [json.loads(each.bodies[0])["detail"]["object"]["key"] for each in coming if each.raw]
    lines = [line for key in keys for line in gzip.decompress((folder / key).read_bytes()).splitlines()]
    return Counter(name_of(json.loads(line)) for line in lines)


@settings(max_examples=40)
@given(moments=MOMENTS, is_last=st.booleans())
def test_by_the_minute_every_event_is_in_one_object_and_bounces_come_ahead_as_well(
    moments: list[tuple[float, str]], is_last: bool
) -> None:
    arrivals = told(moments)
    with TemporaryDirectory() as folder:
        cut = ways.cut(BY_THE_MINUTE, Path(folder), arrivals, random.Random(1), is_last=is_last)
        collected = in_objects(Path(folder), cut.each)
    assert collected + names(cut.left) == names(arrivals)
    assert cut.told == collected.total()
    ahead = [json.loads(body)["ahead"] for each in cut.each if not each.raw for body in each.bodies]
    assert sorted(map(name_of, ahead)) == sorted(name for name in collected if name[0] == "Bounce")
    assert sum(each.on_the_bus for each in cut.each) == len(ahead)
    assert sum(each.collected for each in cut.each) == BILLED * cut.told
    assert not is_last or not cut.left


@settings(max_examples=40)
@given(moments=MOMENTS)
def test_one_by_one_every_event_is_a_message_that_is_put_received_and_deleted(moments: list[tuple[float, str]]) -> None:
    arrivals = told(moments)
    cut = ways.cut(ONE_BY_ONE, Path("unused"), arrivals, random.Random(1), is_last=True)
    bodies = [json.loads(body) for batch in cut.batches for body in batch]
    assert Counter(name_of(body["detail"]) for body in bodies) == names(arrivals)
    assert cut.told == len(arrivals) == sum(each.on_the_bus for each in cut.each)
    assert 1.2 * len(arrivals) <= cut.requests <= 3 * len(arrivals)


@settings(max_examples=60)
@given(moments=st.lists(st.floats(0, 1_000), min_size=1, max_size=200), size=st.integers(1, HINTS.size))
def test_no_object_is_collected_for_longer_or_to_more_than_the_template_says(moments: list[float], size: int) -> None:
    arrivals = [Arrival(at, at) for at in moments]
    found = [*ways.minutes(arrivals, lambda _: size)]
    assert [each for some in found for each in some] == sorted(arrivals)
    for some, following in zip(found, [*found[1:], None], strict=True):
        assert some[-1].at - some[0].at < HINTS.seconds
        assert size * (len(some) - 1) < HINTS.size
        if following and size * len(some) < HINTS.size:
            assert following[0].at >= some[0].at + HINTS.seconds


@pytest.mark.parametrize(("size", "after"), [(1, HINTS.seconds), (HINTS.size, 5.0)])
def test_an_object_comes_when_its_time_is_over_or_when_it_is_full(
    size: int, after: float, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(ways, "HINTS", HINTS._replace(size=2_000 if size > 1 else HINTS.size))
    cut = ways.cut(BY_THE_MINUTE, tmp_path, told([(0, "Send"), (5, "Send")]), random.Random(1), is_last=True)
    assert [each.at - START for each in cut.each] == [after]


def test_late_events_are_each_of_a_pack_of_their_own() -> None:
    late = told((number, "Delivery") for number in range(30))
    held_up = [each.content.mail._replace(slot=slot) for slot, each in zip((3, 17), late, strict=False)]
    found = [*of_packs_of_their_own(late, held_up, datetime.now(UTC))]
    assert len({each.content.mail.pack_id for _, each in found} - {held_up[0].pack_id}) == 30
    assert {each.content.mail.slot for _, each in found} == {3, 17}
    assert [each.at for _, each in found] == [each.at for each in late]


@settings(max_examples=60)
@given(sizes=st.lists(st.integers(0, 50), min_size=1, max_size=60), number=st.integers(1, 7))
def test_what_comes_is_shared_among_rounds_and_nothing_is_lost(sizes: list[int], number: int) -> None:
    coming = [Coming(float(at), [], size) for at, size in enumerate(sizes)]
    if not any(sizes):
        return
    found = shares(coming, number)
    assert len(found) <= number
    assert all(sum(each.told for each in some) for some in found)
    assert sum(each.told for some in found for each in some) == sum(sizes)
