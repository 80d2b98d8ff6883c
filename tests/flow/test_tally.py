"""The sums of a run are those of its records, wherever the function that keeps them is killed; a recount proves it."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import count
from types import SimpleNamespace

import msgspec
import pytest
from click.testing import Result

from audience import a_crowd, start
from aws.crashes import Edge, start_cold
from aws.flow_system import System
from functions.tally.app import handler
from heliograph.aws.tables import RETENTION
from heliograph.model.channels import Channel
from heliograph.model.outcomes import Happened, RecordKey
from heliograph.recording.store import SHARDS, shard_of
from heliograph.reporting import work as reports
from heliograph.runtime import wiring
from heliograph.tallying.recounting.work import Kept, recount
from heliograph.tallying.store import Shard
from heliograph.tallying.sums import Sums, difference, sums_of, total
from heliograph.text.ids import derived_id

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
COUNTED = {"accepted": 5, "skipped": 3, "scheduled": 0, "failed": 0, "unknown": 0}
Command = Callable[..., Result]


def a_run(system: System, name: str) -> str:
    """A run of eight people to whom everything has happened; its id."""
    crowd = a_crowd(name, mails=3, texts=0)[:-1]
    wiring.recipients().save_many(crowd)
    run_id = start(system, name, crowd)
    system.work()
    return run_id


def of_records(run_id: str) -> Sums:
    return total(map(sums_of, wiring.records().of_run(run_id)))


def damage(run_id: str) -> None:
    """As if nothing of a run had ever been counted."""
    rows = wiring.sums().rows_of_run(run_id)
    wiring.sums().write({shard: row._replace(sums=Sums()) for shard, row in rows.items() if row.version}, NOW)


def test_every_change_counts_once_wherever_the_function_is_killed(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    list(system.changes())
    edge, run_id = Edge(monkeypatch), a_run(system, "killed")
    changes = [each for each in system.changes() if each["dynamodb"]["Keys"]["part"]["S"].startswith(run_id)]
    start_cold()
    with edge.watch() as whole:
        handler({"Records": changes[:1]}, SimpleNamespace())
    assert whole.operations == ["BatchGetItem", "BatchExecuteStatement"]
    for number, end in enumerate(whole.boundaries() * 3):
        with edge.watch(end):
            handler({"Records": changes[: 2 + number]}, SimpleNamespace())
        assert sum(reports.status(run_id).counts.values()) == 8
    handler({"Records": changes}, SimpleNamespace())
    assert difference(wiring.sums().of_run(run_id), of_records(run_id)) == {}
    assert reports.status(run_id).state == "complete"


@pytest.fixture
def stream(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits sees what the stream brings meanwhile."""
    monkeypatch.setattr("heliograph_cli.waiting.time.sleep", lambda seconds: system.tally())


@pytest.mark.usefixtures("stream")
def test_a_recount_says_that_the_kept_sums_are_those_of_the_records(system: System, heliograph: Command) -> None:
    run_id = a_run(system, "recounted")
    told = json.loads(heliograph("campaign", "recount", run_id, "--json").stdout)
    assert (told["equal"], told["differences"], told["moving_shards"]) == (True, [], 0)
    assert reports.status(run_id).counts["accepted"] == 5


@pytest.mark.usefixtures("stream")
def test_a_run_that_was_never_counted_is_told_and_repaired(system: System, heliograph: Command) -> None:
    run_id = a_run(system, "repaired")
    before = system.figures(run_id)
    damage(run_id)
    seen = heliograph("campaign", "recount", run_id, "--json")
    told = {" ".join((each["of"], each["name"])): each for each in json.loads(seen.stdout)["differences"]}
    assert (seen.exit_code, told["standing accepted"]["kept"], told["standing accepted"]["counted"]) == (1, 0, 5)
    assert "standing accepted" in " ".join(heliograph("campaign", "recount", run_id).stdout.split())
    assert heliograph("campaign", "recount", run_id, "--repair").exit_code == 0
    assert heliograph("campaign", "recount", run_id).exit_code == 0
    assert system.figures(run_id) == before


@pytest.mark.usefixtures("stream")
def test_a_run_whose_records_expire_is_not_counted_and_keeps_its_sums(system: System, heliograph: Command) -> None:
    """Its rows live as long as somebody recounts: what is left of its records would be written over them."""
    run_id = a_run(system, "old")
    run = wiring.runs().get(run_id)
    assert run
    wiring.runs().keep(msgspec.structs.replace(run, started_at=datetime.now(UTC) - RETENTION))
    system.tally()
    before = wiring.sums().rows_of_run(run_id)
    told = heliograph("campaign", "recount", run_id, "--repair")
    assert (told.exit_code, "400 days" in told.stderr) == (1, True)
    assert wiring.sums().rows_of_run(run_id) == before


@pytest.mark.usefixtures("stream")
def test_a_recount_of_a_run_that_goes_on_says_what_it_could_not_count(
    system: System, heliograph: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = a_run(system, "busy")
    record, slots = RecordKey(run_id, derived_id(NOW, "late"), Channel("email")), iter(range(1_000))

    def go_on(seconds: float) -> None:
        wiring.records().keep(record, {next(slots): {"accepted": Happened(NOW, "id")}}, NOW)
        system.tally()

    monkeypatch.setattr("heliograph_cli.waiting.time.sleep", go_on)
    told = heliograph("campaign", "recount", run_id, "--repair")
    assert (told.exit_code, "1 shard changed all the time" in told.stderr) == (1, True)
    assert difference(wiring.sums().of_run(run_id), of_records(run_id)) == {}


def test_a_repair_counts_nothing_twice_that_comes_while_it_counts(system: System) -> None:
    """A change is written after the records were read, and brought before or after the row is put right."""
    run_id = a_run(system, "moving")
    damage(run_id)
    record = RecordKey(run_id, derived_id(NOW, "late"), Channel("email"))
    looks, slots = 0, iter(range(100))

    def until(has_come: Callable[[], bool]) -> None:
        nonlocal looks
        looks += 1
        if looks in (1, 2, 4):
            wiring.records().keep(record, {next(slots): {"accepted": Happened(NOW, "id")}}, NOW)
        system.tally()
        assert has_come()

    found = recount(
        Kept(wiring.records(), wiring.sums()), run_id, repair=True, until=until, now=lambda: datetime.now(UTC)
    )
    assert (found.moving, found.wrong, looks) == (0, found.repaired, 6)
    wiring.records().keep(record, {next(slots): {"accepted": Happened(NOW, "id")}}, NOW)
    system.tally()
    assert difference(wiring.sums().of_run(run_id), of_records(run_id)) == {}


def test_what_moves_all_the_time_is_left_and_said(system: System) -> None:
    run_id = a_run(system, "restless")
    system.tally()
    taken = {shard.number for shard, row in wiring.sums().rows_of_run(run_id).items() if row.version}
    packs = (derived_id(NOW, "late", str(number)) for number in count())
    alone = next(pack_id for pack_id in packs if shard_of(pack_id) not in taken)
    record = RecordKey(run_id, alone, Channel("email"))
    slots = iter(range(100))

    def until(has_come: Callable[[], bool]) -> None:
        wiring.records().keep(record, {next(slots): {"accepted": Happened(NOW, "id")}}, NOW)
        system.tally()
        assert has_come()

    damage(run_id)
    found = recount(
        Kept(wiring.records(), wiring.sums()), run_id, repair=True, until=until, now=lambda: datetime.now(UTC)
    )
    assert found.moving == 1
    row = wiring.sums().rows_of_run(run_id)[Shard(run_id, shard_of(record.pack_id))]
    assert set(row.sums.values()) == {10}


def test_a_row_that_changed_since_it_was_read_is_not_put_right(system: System) -> None:
    run_id = a_run(system, "raced")
    stale = wiring.sums().rows_of_run(run_id)
    damage(run_id)
    assert len(wiring.sums().write(stale, NOW)) == len([row for row in stale.values() if row.version]) <= SHARDS
