"""What is kept of a run's sums costs as little to look at for a hundred million people as for a thousand."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws.null_dynamodb import READ_UNIT, WRITE_UNIT, item_size
from builders import NOW
from functions.tally.app import handler
from heliograph.aws.errors import BusyError
from heliograph.campaigns.runs_store import Runs
from heliograph.model.engagement import EngagementKind
from heliograph.model.runs import Run
from heliograph.recording.store import SHARDS, part_of
from heliograph.reporting import work as reports
from heliograph.runtime import wiring
from heliograph.tallying import work
from heliograph.tallying.store import KeptSums, Shard, changes
from heliograph.tallying.sums import WINDOW, Change, Count, Fence, Of, Row, Sums, counted
from heliograph.text.ids import derived_id

RUN_ID, PACK = derived_id(NOW, "run"), derived_id(NOW, "pack")
COLUMNS = ("part", "item", "sums", "seen", "fence", "stream_at", "version", "expires_at")
NUMBER = 4_421_584_500_000_000_017_450_439_091
"""As long as DynamoDB's are."""
STREAM, RESTORED = (f"arn:aws:dynamodb:eu-west-1:1:table/runs/stream/2026-11-{day}T09:00:00.000" for day in (24, 25))


class Table:
    """The items of a table, and what reading and writing them costs in units."""

    def __init__(self) -> None:
        self.items: dict[tuple[str, str], dict[str, Any]] = {}
        self.read_units = 0.0
        self.dearest_write = 0
        self.refusing = ""
        """The error that a statement of a batch comes to."""

    def batch_execute_statement(self, Statements: Sequence[Mapping[str, Any]]) -> dict[str, Any]:  # noqa: N803
        """Insert or update rows of sums, each only if it is as it was read."""
        return {"Responses": [self._execute(**each) for each in Statements]}

    def _execute(self, Statement: str, Parameters: list[dict[str, str]]) -> dict[str, Any]:  # noqa: N803
        if self.refusing:
            return {"Error": {"Code": self.refusing}}
        if Statement.startswith("INSERT"):
            item, before = dict(zip(COLUMNS, Parameters, strict=True)), None
        else:
            *kept, part, name, before = Parameters
            item = dict(zip(COLUMNS, [part, name, *kept], strict=True))
        key = item["part"]["S"], item["item"]["S"]
        if self.items.get(key, {}).get("version") != before:
            return {"Error": {"Code": "ConditionalCheckFailed" if before else "DuplicateItem"}}
        self.items[key] = item
        self.dearest_write = max(self.dearest_write, ceil(item_size(item) / WRITE_UNIT))
        return {}

    def put_item(self, Item: dict[str, Any], **_: Any) -> None:  # noqa: N803
        """Write an item."""
        self.items[Item["part"]["S"], Item["item"]["S"]] = Item

    def query(self, **asked: Any) -> dict[str, Any]:
        """The items of a partition: a unit for 4 KB of them together, half of one if they may be old."""
        (part,) = asked["ExpressionAttributeValues"].values()
        found = [item for key, item in self.items.items() if key[0] == part["S"]]
        self._read(sum(map(item_size, found)), is_consistent=asked.get("ConsistentRead", False))
        return {"Items": found}

    def get_item(self, Key: dict[str, Any], **asked: Any) -> dict[str, Any]:  # noqa: N803
        """An item."""
        item = self.items[Key["part"]["S"], Key["item"]["S"]]
        self._read(item_size(item), is_consistent=asked.get("ConsistentRead", False))
        return {"Item": item}

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803
        """Items by their keys."""
        ((name, asked),) = RequestItems.items()
        keys = [(key["part"]["S"], key["item"]["S"]) for key in asked["Keys"]]
        return {"Responses": {name: [self.items[key] for key in keys if key in self.items]}}

    def update_item(self, **_: Any) -> None:
        """That the run is complete."""

    def _read(self, size: int, *, is_consistent: bool) -> None:
        self.read_units += max(1, ceil(size / READ_UNIT)) * (1 if is_consistent else 0.5)


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> Table:
    made: Any = Table()
    sums, runs = KeptSums(made, "runs"), Runs(made, "runs")
    monkeypatch.setattr(wiring, "sums", lambda: sums)
    monkeypatch.setattr(wiring, "runs", lambda: runs)
    monkeypatch.setattr(wiring, "now", lambda: NOW)
    return made  # type: ignore[no-any-return]  # a table for us, a client for them


def a_shard_of(people: int) -> Sums:
    """The sums of one of the shards of a run in which everything has happened that can."""
    each = people // SHARDS
    reasons = ("not_consented", "suppressed", "capped", "quiet_hours", "no_address", "missing_variable")
    sums = Sums({Count(Of.PEOPLE): each, Count(Of.MISSING, "data.order_id"): each // 100})
    sums.update({Count(Of.STANDING, name): each // 5 for name in ("accepted", "skipped", "scheduled", "failed")})
    sums.update({Count(Of.SKIPPED, reason): each // 50 for reason in reasons})
    sums.update({Count(Of.FAILED, code): each // 90 for code in ("rejected", "in_doubt")})
    sums.update({Count(Of.ACCEPTED, channel, via): each // 9 for channel in ("email", "sms") for via in (True, False)})
    sums.update({Count(Of.ENGAGEMENT, kind): each // 7 for kind in EngagementKind})
    return sums


def a_run_of(people: int, table: Table) -> None:
    """A run whose sums have been counted from many changes."""
    run = Run(run_id=RUN_ID, campaign="news", message="news", started_at=NOW, audience=people, ingested=True)
    wiring.runs().keep(run)
    for shard in range(SHARDS):
        row = counted(Row(), [Change(NUMBER + each, Sums({Count(Of.PEOPLE): 1})) for each in range(2 * WINDOW)])
        wiring.sums().write({Shard(RUN_ID, shard): row._replace(sums=a_shard_of(people), seen=row.seen[-WINDOW:])}, NOW)


@pytest.mark.parametrize("people", [1_000, 1_000_000, 100_000_000])
def test_a_status_costs_less_than_ten_read_units_however_many_people_a_run_has(table: Table, people: int) -> None:
    a_run_of(people, table)
    table.read_units = 0
    found = reports.status(RUN_ID)
    assert (found.audience, sum(found.counts.values())) == (people, people)
    assert found.counts["accepted"] == SHARDS * (people // SHARDS // 5)
    assert 0 < table.read_units < 10


def test_a_change_is_one_write_unit_in_a_run_of_a_hundred_million(table: Table) -> None:
    for shard in range(SHARDS):
        of_one = {Shard(RUN_ID, shard): [Change(NUMBER, Sums({Count(Of.STANDING, "accepted"): 6_250_000}))]}
        for later in range(2 * WINDOW):
            work.count({key: [each._replace(number=NUMBER + later) for each in some] for key, some in of_one.items()})
    assert table.dearest_write == 1


@given(
    st.dictionaries(
        st.builds(Count, st.sampled_from(Of), st.from_regex(r"([a-z_.#: ]*[a-z])?", fullmatch=True), st.booleans()),
        st.integers(-9, 10**9),
    ),
    st.lists(st.integers(0, 10**40 - 1), max_size=WINDOW),
)
def test_a_row_that_is_kept_is_the_row_that_is_read(sums: dict[Count, int], seen: list[int]) -> None:
    made: Any = Table()
    kept, shard = KeptSums(made, "runs"), Shard(RUN_ID, 7)
    row = Row(0, Sums(sums), tuple(sorted(seen)), 17, Fence(4, "fence"), "2026-11-24T09:00:00.000")
    assert kept.write({shard: row}, NOW) == set()
    assert kept.rows([shard]) == {shard: row._replace(version=1)}
    assert kept.rows_of_run(RUN_ID)[shard] == row._replace(version=1)


def test_who_writes_a_row_that_somebody_else_has_written_reads_it_again(
    table: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    shard, mine = Shard(RUN_ID, 0), Change(5, Sums({Count(Of.PEOPLE): 2}))
    write, others = wiring.sums().write, [Change(4, Sums({Count(Of.PEOPLE): 1}))]

    def write_after_others(rows: Mapping[Shard, Row], at: Any) -> set[Shard]:
        if others:
            write({shard: counted(Row(), [others.pop()])}, at)
        return write(rows, at)

    monkeypatch.setattr(wiring.sums(), "write", write_after_others)
    work.count({shard: [mine]})
    assert wiring.sums().of_run(RUN_ID) == {Count(Of.PEOPLE): 3}


def test_what_dynamodb_does_not_take_comes_again(table: Table) -> None:
    table.refusing = "ThrottlingError"
    with pytest.raises(BusyError):
        work.count({Shard(RUN_ID, 0): [Change(5, Sums({Count(Of.PEOPLE): 2}))]})


def a_change(
    part: str, item: str, *, name: str = "INSERT", number: int = 1, stream: str = STREAM, **images: Any
) -> dict[str, Any]:
    """A record of the stream, as Lambda hands it over."""
    keys = {"part": {"S": part}, "item": {"S": item}}
    told = {kind: {**keys, **image} for kind, image in images.items()}
    record = {"Keys": keys, "SequenceNumber": str(number), **told}
    return {"eventName": name, "eventSourceARN": stream, "dynamodb": record}


PLAN = {
    **{name: {"N": str(many)} for name, many in {"people": 3, "scheduled": 1, "dispatched#email": 2}.items()},
    "again": {"BOOL": False},
}


def test_what_was_planned_for_a_pack_counts_by_the_stream(table: Table) -> None:
    event = {"Records": [a_change(part_of(RUN_ID, PACK), PACK, NewImage=PLAN)]}
    for _ in range(2):
        handler(json.loads(json.dumps(event)), None)
    assert +wiring.sums().of_run(RUN_ID) == {Count(Of.PEOPLE): 3, Count(Of.STANDING, "scheduled"): 1}


@pytest.mark.parametrize(
    "told",
    [
        pytest.param(a_change(part_of(RUN_ID, PACK), PACK, name="REMOVE", OldImage=PLAN), id="what expires"),
        pytest.param(a_change("runs", RUN_ID, NewImage={}), id="the list of runs"),
        pytest.param(a_change("rate#email", "clock", NewImage={}), id="a clock"),
        pytest.param(a_change(f"sum#{RUN_ID}", "3", NewImage={}), id="the sums themselves"),
        pytest.param(a_change(PACK, PACK, NewImage=PLAN), id="a pack of no run"),
        pytest.param(a_change("due#2026-11-24T09:00#3", PACK, NewImage={}), id="what waits for its minute"),
    ],
)
def test_nothing_else_in_the_table_changes_a_sum(told: dict[str, Any]) -> None:
    assert changes([told]) == ({}, [])


def opened(number: int, *, stream: str = STREAM) -> dict[str, Any]:
    """Somebody has opened a mail of shard 3."""
    image = {"oa": {"S": "t4x2k9"}, "expires_at": {"N": "1"}}
    pack = derived_id(NOW, stream, str(number))
    return a_change(f"{RUN_ID}#3", f"{pack}-email-l", number=number, stream=stream, NewImage=image)


OPENED = Count(Of.ENGAGEMENT, "opened")


def uncounted(capsys: pytest.CaptureFixture[str]) -> int:
    """Of which the alarm `uncounted` hears."""
    told = map(json.loads, capsys.readouterr().out.splitlines())
    return sum(each["uncounted"] for each in told if each.get("channel") == "none")


def test_a_restored_table_begins_its_numbers_anew_and_all_of_them_count(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its rows came with it, and remember greater numbers of the stream that it had."""
    before = [opened(10**9 + each) for each in range(20)]
    after = [opened(1 + each, stream=RESTORED) for each in range(20)]
    for batch in (before, after[:7], after[:7], after[5:]):
        handler({"Records": batch}, None)
    assert (wiring.sums().of_run(RUN_ID)[OPENED], uncounted(capsys)) == (40, 0)
    handler({"Records": before}, None)
    assert (wiring.sums().of_run(RUN_ID)[OPENED], uncounted(capsys)) == (40, 20)


def test_a_stream_that_falls_behind_another_of_its_shard_is_counted_or_heard(
    table: Table, capsys: pytest.CaptureFixture[str]
) -> None:
    for side in (0, 1):
        for number in range(40):
            handler({"Records": [opened(2 * number + side)]}, None)
    lost = uncounted(capsys)
    assert 0 < lost < 40
    assert wiring.sums().of_run(RUN_ID)[OPENED] + lost == 80


@pytest.mark.parametrize(
    "image",
    [
        {"accepted#0": {"S": "x"}},
        {"a.t4x2k9.0": {"L": [{"S": ""}]}},
        {"s.t4x2k9": {"S": "x"}},
        {"f0": {"L": []}},
        {"f0": {"N": "7"}},
    ],
    ids=str,
)
def test_an_item_that_cannot_be_read_stops_nothing_else_and_is_heard(
    table: Table,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    image: dict[str, Any],
) -> None:
    bad = a_change(part_of(RUN_ID, PACK), f"{PACK}-email", number=7, NewImage=image)
    handler({"Records": [opened(6), bad, opened(8)]}, None)
    assert wiring.sums().of_run(RUN_ID)[OPENED] == 2
    (said,) = caplog.records
    assert (said.message, vars(said)["item"]) == ("Changes were not counted", f"{PACK}-email")
    assert uncounted(capsys) == 1
