"""How many people a message may reach in an hour, however many processes there are."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any

import pytest

from aws.local_cloud import LocalCloud, table_of
from builders import NOW
from heliograph.approvals.store import HourlyQuotas

PROCESSES = 20


class Calls:
    """A client of DynamoDB that counts its updates."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.exceptions = client.exceptions
        self.updates = 0

    def update_item(self, **asked: Any) -> Any:
        self.updates += 1
        return self._client.update_item(**asked)


@pytest.fixture(scope="module")
def table(local_cloud: LocalCloud) -> Iterator[str]:
    """A table with the key of `runs`."""
    with table_of(local_cloud, "runs", partition="part", sort="item") as name:
        yield name


@pytest.fixture
def message() -> str:
    """A message of no other test."""
    return f"m-{uuid.uuid4().hex}"


def taken(local_cloud: LocalCloud, table: str, message: str) -> dict[str, Any]:
    """What all processes together have reserved of this hour."""
    key = {"part": {"S": f"hour#{message}"}, "item": {"S": f"{NOW:%Y-%m-%dT%H}"}}
    item: dict[str, Any] = local_cloud.client("dynamodb").get_item(TableName=table, Key=key)["Item"]
    return item


@pytest.mark.parametrize(("most", "people"), [(1, 1), (19, 1), (200, 1), (200, 7), (60, 60)])
def test_never_more_than_the_limit_are_let_through_however_many_processes_ask(
    local_cloud: LocalCloud, table: str, message: str, most: int, people: int
) -> None:
    processes = [HourlyQuotas(local_cloud.client("dynamodb"), table) for _ in range(PROCESSES)]
    together = Barrier(PROCESSES)

    def let_through(process: HourlyQuotas) -> int:
        together.wait()
        tries = range(2 * most // people // PROCESSES + 2)
        return sum(people for _ in tries if process.take(message, people, most=most, now=NOW))

    with ThreadPoolExecutor(PROCESSES) as threads:
        through = sum(threads.map(let_through, processes))
    assert 0 < through <= most
    assert through <= int(taken(local_cloud, table, message)["taken"]["N"]) <= most


def test_one_process_alone_lets_exactly_the_limit_through(local_cloud: LocalCloud, table: str, message: str) -> None:
    calls = Calls(local_cloud.client("dynamodb"))
    process = HourlyQuotas(calls, table)  # type: ignore[arg-type]  # all of a client that it needs
    answers = [process.take(message, 1, most=1_000, now=NOW) for _ in range(1_200)]
    assert answers == [True] * 1_000 + [False] * 200
    assert calls.updates <= 150


def test_an_event_that_is_too_large_for_what_is_left_takes_nothing_from_smaller_ones(
    local_cloud: LocalCloud, table: str, message: str
) -> None:
    process = HourlyQuotas(local_cloud.client("dynamodb"), table)
    wanted = [(8, True), (3, False), (2, True), (1, False)]
    assert [process.take(message, people, most=10, now=NOW) for people, _ in wanted] == [yes for _, yes in wanted]


def test_a_new_hour_begins_anew_and_an_old_one_is_forgotten(local_cloud: LocalCloud, table: str, message: str) -> None:
    process = HourlyQuotas(local_cloud.client("dynamodb"), table)
    hours = [NOW, NOW + timedelta(minutes=59), NOW + timedelta(hours=1)]
    assert [process.take(message, 5, most=5, now=hour) for hour in hours] == [True, False, True]
    assert int(taken(local_cloud, table, message)["expires_at"]["N"]) == int((NOW + timedelta(days=2)).timestamp())


def test_a_limit_that_was_lowered_since_lets_nobody_through(local_cloud: LocalCloud, table: str, message: str) -> None:
    client = local_cloud.client("dynamodb")
    assert HourlyQuotas(client, table).take(message, 50, most=100, now=NOW)
    assert not HourlyQuotas(client, table).take(message, 1, most=10, now=NOW)
