"""More people than a message expects: kept for approval with an alarm, released once, or dropped; nobody is lost."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result

from audience import a_person
from aws.flow_system import System
from aws.local_cloud import REGION
from heliograph.model.messages import Trigger
from heliograph.operations.dead_letters import store
from heliograph.operations.dead_letters.summary import explain
from heliograph.reporting import work
from heliograph.runtime import wiring
from heliograph.runtime.observe import logger
from heliograph_cli.main import cli
from heliograph_cli.target import Target

MESSAGE = "order_shipped"
ORDER = {"carrier": "DHL", "tracking_url": "https://example.com/t", "lines": [{"name": "Bench", "quantity": 1}]}
TRIGGER = Trigger(
    source="shop.test",
    detail_type="OrdersShipped",
    recipient_id="detail.customer_ids",
    idempotency_key="detail.order_id",
)


class Shop:
    """A producer whose events name customers, and the operator's view of what waits."""

    def __init__(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        self.system = system
        self._monkeypatch = monkeypatch

    def expects(self, **limits: int) -> None:
        """Let the message declare how many people it expects."""
        message = wiring.templates().messages[MESSAGE]
        trigger = msgspec.structs.replace(TRIGGER, **limits)
        replaced: Any = wiring.templates().messages
        self._monkeypatch.setitem(replaced, MESSAGE, msgspec.structs.replace(message, trigger=trigger))

    def begins_the_hour(self, now: datetime) -> None:
        """Let nobody have been reached in this hour: other tests send the same message."""
        key = {"part": {"S": f"hour#{MESSAGE}"}, "item": {"S": f"{now:%Y-%m-%dT%H}"}}
        runs = self.system.environment["HELIOGRAPH_RUNS_TABLE"]
        self.system.cloud.client("dynamodb").delete_item(TableName=runs, Key=key)
        wiring.quotas.cache_clear()

    def customers(self, number: int) -> list[str]:
        """People with a mail address, who are in no other test."""
        people = [f"p-{uuid.uuid4().hex[:12]}" for _ in range(number)]
        wiring.recipients().save_many([a_person(person, email=f"{person}@example.com") for person in people])
        return people

    def event(self, customers: list[Any], **fields: Any) -> dict[str, Any]:
        """A product event as its trigger's rule delivers it."""
        detail = {"customer_ids": customers, "order_id": uuid.uuid4().hex, **ORDER}
        event = {"id": uuid.uuid4().hex, "source": "shop.test", "detail-type": "OrdersShipped", "detail": detail}
        return {"message": MESSAGE, "event": {**event, "time": datetime.now(UTC).isoformat(), **fields}}

    def put(self, *events: dict[str, Any]) -> None:
        """Let events go all their way."""
        for event in events:
            self.system.sqs.send_message(QueueUrl=self.system.queue_url("events"), MessageBody=json.dumps(event))
        self.system.work()

    def mails(self, people: list[str]) -> list[int]:
        """How many mails each has got."""
        log = self.system.cloud.outbox(channel="email", words=False)
        got = Counter(mail["to"] for mail in log)
        return [got[f"{person}@example.com"] for person in people]

    def run(self, *words: str, answering: str | None = None) -> Result:
        """Run `heliograph approvals`."""
        return CliRunner().invoke(cli, ["approvals", *words], input=answering)

    def answer(self, *words: str) -> Any:
        """The JSON answer of `heliograph approvals`."""
        result = self.run(*words, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)


@pytest.fixture
def shop(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    """A shop of which nothing waits yet; functions log as they do on AWS."""
    stack = SimpleNamespace(
        target=Target(system.name, REGION, system.cloud.endpoint),
        bucket=system.bucket,
        ledger_table=system.environment["HELIOGRAPH_LEDGER_TABLE"],
    )
    monkeypatch.setattr("heliograph_cli.commands.approvals.connect", lambda: stack)
    shop = Shop(system, monkeypatch)
    shop.expects()
    level = logger.log_level
    logger.setLevel("INFO")
    yield shop
    logger.setLevel(level)
    if shop.answer("list"):
        shop.answer("drop", MESSAGE, "--yes")


def test_an_event_that_names_too_many_people_waits_whole_and_raises_the_alarm(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    people = shop.customers(50)
    shop.put(shop.event(people))
    assert shop.mails(people) == [0] * 50
    assert shop.system.messages("events") == []
    printed = [json.loads(line) for line in capsys.readouterr().out.splitlines() if '"awaiting_approval"' in line]
    assert [(line["awaiting_approval"], line["channel"]) for line in printed if "_aws" in line] == [(50, "none")]
    (row,) = shop.answer("list")
    assert {name: row[name] for name in ("message", "people", "why", "most")} == {
        "message": MESSAGE,
        "people": 50,
        "why": "most_per_event",
        "most": 1,
    }


def test_what_is_released_is_sent_to_everybody_once_however_often(shop: Shop) -> None:
    people = shop.customers(50)
    event = shop.event(people)
    shop.put(event)
    assert shop.answer("approve", MESSAGE, "--yes") == {"packs": 1, "people": 50, "expired": 0}
    shop.system.work()
    assert shop.mails(people) == [1] * 50
    assert shop.run("approve", MESSAGE, "--yes").exit_code == 1
    shop.put(event)  # as SQS may
    (row,) = shop.answer("list")
    assert shop.answer("approve", row["packs"][0], "--yes") == {"packs": 1, "people": 50, "expired": 0}
    shop.system.work()
    assert shop.mails(people) == [1] * 50


def test_what_is_dropped_is_never_sent_and_the_timeline_says_so(shop: Shop) -> None:
    people = shop.customers(3)
    event = shop.event(people)
    shop.put(event)
    assert shop.answer("drop", MESSAGE, "--yes") == {"packs": 1, "people": 3, "decided_before": 0}
    for person in people:
        (entry,) = work.timeline(person)["entries"]
        assert (entry["outcome"], entry["reason"]) == ("skipped", "dropped")
    shop.put(event)
    assert shop.answer("approve", MESSAGE, "--yes") == {"packs": 1, "people": 3, "expired": 0}
    shop.system.work()
    assert shop.mails(people) == [0] * 3


def test_who_was_sent_to_already_is_not_dropped(shop: Shop) -> None:
    people = shop.customers(2)
    event = shop.event(people)
    shop.put(event)
    shop.answer("approve", MESSAGE, "--yes")
    shop.system.work()
    shop.put(event)
    assert shop.answer("drop", MESSAGE, "--yes") == {"packs": 1, "people": 2, "decided_before": 2}
    timelines = [work.timeline(person)["entries"] for person in people]
    assert [[entry["outcome"] for entry in entries] for entries in timelines] == [["dispatched"], ["dispatched"]]


def test_one_event_with_one_idempotency_key_that_waits_twice_is_dropped_once(shop: Shop) -> None:
    people = shop.customers(2)
    event = shop.event(people)
    again = json.loads(json.dumps(event))
    again["event"] |= {"id": "another", "time": "2026-11-21T10:00:00Z"}
    shop.put(event, again)
    assert shop.answer("drop", MESSAGE, "--yes") == {"packs": 2, "people": 4, "decided_before": 0}
    assert [len(work.timeline(person)["entries"]) for person in people] == [1, 1]


def test_an_event_of_as_many_people_as_expected_goes_to_each_of_them_once(shop: Shop) -> None:
    shop.expects(most_per_event=150)
    people = shop.customers(120)
    shop.put(shop.event([*people, *people[:10]]))
    assert shop.answer("list") == []
    assert shop.mails(people) == [1] * 120


def test_beyond_the_hour_people_wait_for_approval_and_nobody_is_lost(shop: Shop) -> None:
    shop.expects(most_per_hour=5)
    people = shop.customers(8)
    now = datetime.now(UTC).replace(microsecond=0)
    shop.begins_the_hour(now)
    shop.put(*(shop.event([person], time=now.isoformat()) for person in people))
    assert sum(shop.mails(people)) == 5
    (row,) = shop.answer("list")
    assert (row["people"], row["why"], row["most"], len(row["packs"])) == (3, "most_per_hour", 5, 3)
    shop.answer("approve", MESSAGE, "--yes")
    shop.system.work()
    assert shop.mails(people) == [1] * 8


def test_a_bad_name_among_good_ones_is_parked_and_costs_only_itself(shop: Shop) -> None:
    shop.expects(most_per_event=10)
    people = shop.customers(2)
    dead = shop.system.queue_url("events-dead-letters")
    shop.system.sqs.purge_queue(QueueUrl=dead)
    shop.put(shop.event([people[0], "not an id", people[1]]))
    assert shop.mails(people) == [1, 1]
    batch = next(each for each in store.queues(shop.system.sqs, shop.system.name) if each.queue == "events")
    (parked,) = (explain(rendered) for rendered in store.peek(shop.system.sqs, batch, 10))
    assert parked.fault == "bad_recipients"
    assert parked.said.startswith("recipient_id: elements [1] of detail.customer_ids are not 1 to 128 characters")
    shop.system.sqs.purge_queue(QueueUrl=dead)


def test_the_operator_is_asked_before_anything_is_done(shop: Shop) -> None:
    shop.put(shop.event(shop.customers(2)))
    asked = shop.run("approve", MESSAGE, answering="n\n")
    assert asked.exit_code == 1
    assert f"Send 2 messages ({MESSAGE}, 1 pack)?" in asked.output
    assert shop.answer("list")[0]["people"] == 2
    assert "2 requests were dropped." in shop.run("drop", MESSAGE, answering="y\n").output


def test_what_does_not_wait_is_no_and_the_next_step_is_named(shop: Shop) -> None:
    nothing = shop.run("drop", "no_such_message", "--yes")
    assert nothing.exit_code == 1
    assert (
        "Nothing waits for approval under no_such_message. `heliograph approvals list` shows what is." in nothing.output
    )
    assert "Nothing waits for approval." in shop.run("list").output
