"""Dead letters: looked at without taking them, and sent back without sending anything twice."""

from __future__ import annotations

import json
import uuid
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from aws.flow_system import System
from aws.local_cloud import REGION
from heliograph.aws.errors import BusyError
from heliograph.channels.registry import CHANNELS
from heliograph.operations.dead_letters import store
from heliograph.operations.dead_letters import work as redriving
from heliograph.operations.dead_letters.store import DeadLetters
from heliograph.operations.dead_letters.summary import Explanation, explain
from heliograph.operations.dead_letters.work import Redriven
from heliograph.reporting import work as reports
from heliograph.runtime import wiring
from heliograph_cli.main import cli
from heliograph_cli.target import Target
from wiring import load, resources, text_of

ORDER = {"carrier": "DHL", "tracking_url": "https://example.com/t", "lines": [{"name": "Bench", "quantity": 1}]}


@pytest.fixture(autouse=True)
def no_dead_letters(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """No dead letters of other tests; and no waiting, because the local cloud has one server to ask."""
    monkeypatch.setattr(store, "WAIT_SECONDS", 0)
    for each in store.queues(system.sqs, system.name):
        if each.number:
            system.sqs.purge_queue(QueueUrl=each.url)


@pytest.fixture
def customers(system: System) -> list[str]:
    """Three people with a mail address, and an order of each on its way to plan."""
    people = [f"p-{uuid.uuid4().hex[:12]}" for _ in range(3)]
    for person in people:
        known = {"recipient_id": person, "email": f"{person}@example.com", "attributes": {"first_name": "Ana"}}
        system.publish("RecipientUpdated", known)
    for person in people:
        wish = {"message": "order_shipped", "recipient_id": person, "data": ORDER | {"order_id": person}}
        system.publish("SendRequested", wish)
    system.work("events")
    return people


def batch(system: System, queue: str) -> DeadLetters:
    return next(each for each in store.queues(system.sqs, system.name) if each.queue == queue)


def told(system: System, queue: str) -> list[Explanation]:
    return [explain(rendered) for rendered in store.peek(system.sqs, batch(system, queue), 100)]


def redrive(system: System, queue: str, *, parked: bool = False) -> Redriven:
    return redriving.redrive(system.sqs, batch(system, queue), parked=parked)


def fail(system: System, queue: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let all work of a queue fail on every try, because the people cannot be read."""

    def busy() -> None:
        raise BusyError("recipients: keys were left unread")

    with monkeypatch.context() as patch:
        patch.setattr(wiring, "recipients", busy)
        system.work(queue)


def put(system: System, url: str, bodies: list[str]) -> None:
    for body in bodies:
        system.sqs.send_message(QueueUrl=url, MessageBody=body)


def mails(system: System, people: list[str]) -> list[int]:
    return [len(system.cloud.outbox(to=f"{person}@example.com")) for person in people]


@pytest.mark.parametrize("queue", ["requests-priority", "outbox-email-priority"])
def test_what_is_sent_back_is_sent_once_however_often(
    system: System, customers: list[str], queue: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if queue.startswith("outbox"):
        system.work("requests-priority")
    fail(system, queue, monkeypatch)
    stuck = batch(system, queue)
    bodies = [rendered.body for rendered in store.peek(system.sqs, stuck, 100)]
    put(system, stuck.url, bodies)  # as a redrive does that dies between sending and deleting
    assert redrive(system, queue) == Redriven(moved=6, parked=0, newer=0)
    system.work()
    put(system, stuck.url, bodies)
    assert redrive(system, queue).moved == 3
    assert redrive(system, queue).moved == 0
    system.work()
    assert mails(system, customers) == [1, 1, 1]
    assert [len(reports.timeline(person)["entries"]) for person in customers] == [1, 1, 1]


def test_work_that_failed_on_every_try_names_its_people_and_is_not_taken_by_looking(
    system: System, customers: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    fail(system, "requests-priority", monkeypatch)
    for _ in range(2):
        found = told(system, "requests-priority")
        assert {each.fault for each in found} == {"requests_failed"}
        assert sorted(person for each in found for person in each.whom["recipient_ids"]) == sorted(customers)
    assert batch(system, "requests-priority").number == 3
    assert redrive(system, "requests-priority").moved == 3
    system.work()


def test_what_cannot_be_read_is_left_unless_asked_for_and_then_comes_back_once(system: System) -> None:
    system.publish("SendRequested", {"recipient_id": "somebody"})
    system.work("events")
    assert redrive(system, "events") == Redriven(moved=0, parked=1, newer=0)
    assert redrive(system, "events", parked=True).moved == 1
    system.work("events")
    assert [each.fault for each in told(system, "events")] == ["malformed_detail"]


def asked(**detail: Any) -> dict[str, Any]:
    event = {"id": "e-1", "source": "shop", "time": "2026-11-21T10:00:00Z", "detail-type": "SendRequested"}
    return {**event, "detail": {"message": "order_shipped", "recipient_id": "somebody", **detail}}


def triggered(message: str, **detail: Any) -> dict[str, Any]:
    return {"message": message, "event": {**asked(), "detail-type": "OrderShipped", "detail": detail}}


@pytest.mark.parametrize(
    ("queue", "body", "fault"),
    [
        ("events", asked(message=3), "malformed_detail"),
        ("events", {**asked(), "time": "yesterday"}, "malformed_event"),
        ("events", triggered("no_such_message"), "unknown_message"),
        ("events", triggered("spring_sale"), "no_trigger"),
        ("events", asked(recipient_id=""), "missing_recipient_id"),
        ("events", asked(recipient_id="not an id"), "bad_recipient_id"),
        ("events", triggered("order_shipped", customer_id="c-1", email={}), "bad_field"),
        ("events", triggered("order_shipped", customer_id=["c-1", "c-2"], email="x@example.com"), "address_of_several"),
        ("events", {**asked(), "detail-type": "Nonsense"}, "unknown_event"),
        ("events", "hello", "unreadable_text"),
        ("requests-bulk", "hello", "unreadable_text"),
        ("requests-priority", {"pack_id": "P"}, "unreadable_text"),
        ("outbox-email-bulk", "[]", "unreadable_text"),
        ("settle", "hello", "unreadable_text"),
        ("segments", "hello", "unreadable_text"),
        ("engagement", {"context": {"dispatch_id": "D-0"}}, "unreadable_provider_event"),
        ("engagement", {"events": 3}, "unreadable_provider_event"),
    ],
)
def test_what_a_function_parks_is_recognised(system: System, queue: str, body: Any, fault: str) -> None:
    put(system, system.queue_url(queue), [body if isinstance(body, str) else json.dumps(body)])
    system.work(queue)
    assert [each.fault for each in told(system, queue)] == [fault]


@pytest.mark.parametrize(
    ("manifest", "content", "fault"),
    [
        ("message = 3", b"recipient_id\nx\n", "bad_manifest"),
        ("message = ", b"recipient_id\nx\n", "bad_manifest"),
        ('message = "nothing"', b"recipient_id\nx\n", "campaign_message_unknown"),
        ('message = "spring_sale"\nsegment = "../x.csv"', b"recipient_id\nx\n", "segment_elsewhere"),
        ('message = "spring_sale"\nsegment = "elsewhere.csv"', b"recipient_id\nx\n", "file_missing"),
        ('message = "spring_sale"', b"", "no_header"),
        ('message = "spring_sale"', b"id\nx\n", "no_column"),
        ('message = "spring_sale"', b"recipient_id,a,a\nx,1,2\n", "bad_header"),
    ],
)
def test_a_campaign_that_cannot_be_read_is_recognised(
    system: System, manifest: str, content: bytes, fault: str
) -> None:
    system.upload_campaign("refused", manifest, content)
    system.work("segments")
    (found,) = told(system, "segments")
    assert (found.fault, found.whom) == (fault, {"campaign": "refused"})


def test_every_queue_with_dead_letters_is_looked_at(system: System) -> None:
    queues = resources(load("infra/queues.yaml", Channels=",".join(CHANNELS)), "AWS::SQS::Queue").values()
    names = [text_of(each["QueueName"]).removeprefix("${StackName}-") for each in queues]
    deployed = {name.removesuffix("-dead-letters") for name in names if name.endswith("-dead-letters")}
    assert {each.queue for each in store.queues(system.sqs, system.name)} == deployed


def test_the_commands_list_explain_and_send_back(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    stack = SimpleNamespace(target=Target(system.name, REGION, system.cloud.endpoint))
    monkeypatch.setattr("heliograph_cli.commands.dead_letters.connect", lambda: stack)
    system.publish("SendRequested", {"recipient_id": "somebody", "data": {"email": "ana@example.com"}})
    system.work("events")

    def answer(*words: str) -> Any:
        result = CliRunner().invoke(cli, ["dead-letters", *words, "--json"], catch_exceptions=False)
        assert "example.com" not in result.output
        return json.loads(result.stdout)

    (row,) = answer("list")
    assert (row["queue"], row["number"], row["parked"]) == ("events", 1, 1)
    assert answer("show", "flow-events-dead-letters")[0]["fault"] == "malformed_detail"
    assert answer("redrive", "events", "--yes") == [{"queue": "events", "moved": 0, "parked": 1, "newer": 0}]
    assert CliRunner().invoke(cli, ["dead-letters", "show", "nothing"]).exit_code == 1


def three_parked(system: System, queue: str = "events") -> dict[str, str]:
    """Three messages that cannot be read, in the dead letters of a queue: their bodies by their ids."""
    url = system.queue_url(f"{queue}-dead-letters")
    bodies = [json.dumps({"nothing": number}) for number in range(3)]
    return {system.sqs.send_message(QueueUrl=url, MessageBody=body)["MessageId"]: body for body in bodies}


def test_one_dead_letter_is_shown_by_its_id(system: System, heliograph: Any) -> None:
    first, *_ = three_parked(system)
    (shown,) = json.loads(heliograph("dead-letters", "show", first, "--json").stdout)
    assert shown["message_id"] == first


def test_one_dead_letter_is_sent_back_and_the_others_stay(system: System, heliograph: Any) -> None:
    batch = three_parked(system)
    _, second, _ = batch
    (row,) = json.loads(heliograph("dead-letters", "redrive", second, "--yes", "--json").stdout)
    assert row == {"message_id": second, "queue": "events"}
    (back,) = system.messages("events")
    assert back["Body"] == batch[second]
    system.sqs.delete_message(QueueUrl=system.queue_url("events"), ReceiptHandle=back["ReceiptHandle"])
    shown = json.loads(heliograph("dead-letters", "show", "--json").stdout)
    assert {each["message_id"] for each in shown} == batch.keys() - {second}


def test_one_dead_letter_is_deleted_for_good_once_somebody_agrees(system: System, heliograph: Any) -> None:
    batch = three_parked(system)
    first, *others = batch
    assert heliograph("dead-letters", "delete", first, say="n\n").exit_code == 1
    result = heliograph("dead-letters", "delete", first, say="y\n")
    assert "Delete for good 1 message?" in result.stderr
    assert "1 message deleted." in result.stdout
    shown = json.loads(heliograph("dead-letters", "show", "--json").stdout)
    assert {each["message_id"] for each in shown} == set(others)
    assert not system.messages("events")


@pytest.mark.parametrize("command", ["show", "redrive", "delete"])
def test_a_dead_letter_that_is_not_there_is_a_no_and_the_others_stay(
    system: System, heliograph: Any, command: str
) -> None:
    batch = three_parked(system)
    words = ("dead-letters", command, str(uuid.uuid4()))
    result = heliograph(*words, *(() if command == "show" else ("--yes",)))
    assert result.exit_code == 1
    assert "There is no dead letter" in result.stderr
    shown = json.loads(heliograph("dead-letters", "show", "--json").stdout)
    assert {each["message_id"] for each in shown} == batch.keys()


def test_queues_and_ids_are_not_named_together_and_a_queue_is_never_deleted(system: System, heliograph: Any) -> None:
    assert heliograph("dead-letters", "redrive", "events", str(uuid.uuid4()), "--yes").exit_code == 2
    assert heliograph("dead-letters", "delete", "events", "--yes").exit_code == 2


def test_status_counts_what_waits_and_what_was_put_aside(system: System, heliograph: Any) -> None:
    three_parked(system)
    told = json.loads(heliograph("status", "--json").stdout)
    assert told["dead_letters"] == {"events": 3}
    assert set(told["queues"]) >= {"events", "segments", "requests-bulk", "outbox-email-priority", "engagement"}
