"""Why somebody did or did not get a message: in full, long after, and before it is sent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

from aws.flow_system import System
from functions.report.app import handler
from heliograph.aws import clients
from heliograph.ledger.kept_entries import spelled
from heliograph.model.decisions import Inputs
from heliograph.model.ledger import LedgerEntry
from heliograph.operations.replay.decisions import Finding, Replayed
from heliograph.operations.replay.work import replay_run
from heliograph.reporting import work
from heliograph.runtime import wiring
from heliograph.text.errors import NotFoundError
from heliograph_cli import adapters
from heliograph_cli.main import cli
from heliograph_cli.stack import Stack

MANIFEST = 'message = "spring_sale"\n[data]\ndiscount = 20\n'
NIGHT_IN_BERLIN = datetime(2027, 3, 3, 22, 30, tzinfo=UTC)
READING = {"BatchGetItem", "GetItem", "GetObject", "HeadObject", "Query"}


@pytest.fixture
def calls(system: System) -> Iterator[list[str]]:
    """The operations that functions call meanwhile, on every service."""
    made: list[str] = []

    def note(model: Any, **_: Any) -> None:
        made.append(model.name)

    for service in ("dynamodb", "s3", "sqs", "scheduler"):
        clients.client(service).meta.events.register("before-call", note, unique_id="calls")
    yield made
    for service in ("dynamodb", "s3", "sqs", "scheduler"):
        clients.client(service).meta.events.unregister("before-call", note, unique_id="calls")


def known(system: System, person: str, **fields: object) -> None:
    system.publish("RecipientUpdated", {"recipient_id": person, "attributes": {"first_name": "Ana"}, **fields})
    system.work("events")


def a_fan(system: System, person: str, **fields: object) -> None:
    """Somebody who wants offers by email."""
    known(system, person, **{"email": f"{person}@example.com", "consents": {"offers/email": "opted_in"}, **fields})


def send(system: System, person: str, message: str = "spring_sale", *queues: str) -> None:
    system.publish("SendRequested", {"message": message, "recipient_id": person, "data": {"discount": 20}})
    system.work(*queues)


def submitted(system: System, campaign: str, people: list[str], *queues: str) -> str:
    rows = "".join(f"{person}\n" for person in people)
    system.upload_campaign(campaign, MANIFEST, f"recipient_id\n{rows}".encode())
    system.work(*queues)
    return str(next(run["run_id"] for run in work.runs() if run["campaign"] == campaign))


def outcome(told: dict[str, Any]) -> tuple[str, Any, Any]:
    return str(told["outcome"]), told["channel"], told["reason"]


def is_made_again(told: dict[str, Any]) -> bool:
    return bool(told["replayed"] and told["genuine"])


def replayed(stack: Stack, run_id: str) -> Replayed:
    return replay_run(adapters.bucket(stack), adapters.ledger(stack), run_id, progress=lambda _: None)


def tamper(system: System, stack: Stack, entry: LedgerEntry, **fields: Any) -> None:
    """Have the ledger say something else of a decision."""
    system.cloud.client("dynamodb").update_item(
        TableName=stack.ledger_table,
        Key={"recipient_id": {"S": entry.recipient_id}, "dispatch_id": {"S": entry.dispatch_id}},
        UpdateExpression="SET decision = :decision",
        ExpressionAttributeValues={":decision": {"S": spelled(msgspec.structs.replace(entry, **fields))}},
    )


def objects(system: System) -> set[str]:
    pages = system.cloud.client("s3").get_paginator("list_objects_v2").paginate(Bucket=system.bucket)
    return {each["Key"] for page in pages for each in page.get("Contents", ())}


def items(system: System) -> dict[str, list[str]]:
    """Everything in every table."""
    dynamodb = system.cloud.client("dynamodb")
    tables = [system.environment[f"HELIOGRAPH_{name}_TABLE"] for name in ("RECIPIENTS", "LEDGER", "RUNS")]
    return {
        table: sorted(
            json.dumps(item, sort_keys=True, default=str)
            for page in dynamodb.get_paginator("scan").paginate(TableName=table)
            for item in page["Items"]
        )
        for table in tables
    }


def asked_for(system: System, person: str, **names: str) -> str:
    detail = {"message": "spring_sale", "recipient_id": person, "data": {"discount": 20}, **names}
    event_id = system.publish("SendRequested", detail)
    system.work("events", "requests-bulk")
    return event_id


def test_what_was_asked_for_is_found_by_what_its_asker_calls_it(system: System, person: str) -> None:
    a_fan(system, person)
    order = f"A-{person}"
    first = asked_for(system, person, reference=order, idempotency_key=f"{order}-sale")
    asked_for(system, person, reference=order)
    system.work()
    told = work.named(order)
    assert [each["recipient_id"] for each in told["requests"]] == [person, person]
    outcomes = {each["outcome"] for request in told["requests"] for each in request["entries"]}
    assert outcomes <= {"dispatched", "scheduled", "skipped"}
    (by_key,) = work.named(f"{order}-sale")["requests"]
    assert by_key["entries"][0]["event_id"] == first
    assert work.why(person, name=first)["reference"] == order
    assert {entry["reference"] for entry in work.timeline(person)["entries"]} == {order}


def test_what_was_requested_is_found_before_anything_is_decided(system: System, person: str) -> None:
    detail = {"message": "spring_sale", "recipient_id": person, "reference": f"A-{person}"}
    system.publish("SendRequested", detail)
    system.work("events")
    (request,) = work.named(f"A-{person}")["requests"]
    assert (request["recipient_id"], request["entries"]) == (person, [])
    system.work()


def test_a_name_that_nobody_gave_is_not_found(system: System, person: str) -> None:
    with pytest.raises(NotFoundError):
        work.named(f"nothing-{person}")


def test_what_was_sent_can_be_explained_and_is_decided_again_the_same(system: System, person: str) -> None:
    a_fan(system, person, timezone="Asia/Kathmandu", preferred_channels=["push", "email"])
    send(system, person)
    told = work.why(person)
    assert outcome(told) == ("dispatched", "email", None)
    assert told["zone"] == {"name": "Asia/Kathmandu", "source": "profile"}
    assert {"channel": "email", "order": "preference", "fallback": 0} in told["order"]
    assert [(cap["limit"], cap["used"]) for cap in told["caps"]] == [(3, 0), (1, 0)]
    assert is_made_again(told)
    assert (told["version"], told["policy"]) == (told["inputs"].version, told["inputs"].policy)
    assert {each["result"] for each in told["rules"] if each["channel"] == "email"} == {"passed"}


def test_an_explanation_holds_no_address_and_no_attribute(system: System, person: str) -> None:
    a_fan(system, person, phone="+4915123456789")
    send(system, person)
    told = json.dumps(work.plain(work.why(person)))
    assert not [secret for secret in ("@example.com", "4915123456789", "Ana") if secret in told]


def test_a_capped_person_is_told_the_next_time(system: System, person: str) -> None:
    a_fan(system, person)
    for _ in range(4):
        send(system, person)
    told = work.why(person)
    assert told["reason"] == "capped"
    first = min(each["decided_at"] for each in work.timeline(person)["entries"])
    next_time = datetime.fromisoformat(told["next_time"])
    assert abs(next_time - first - timedelta(days=7)) < timedelta(minutes=1)
    assert (told["caps"][0]["used"], told["caps"][0]["free_at"]) == (3, next_time)
    assert is_made_again(told)


def test_a_scheduled_decision_tells_until_when_and_which_hours(
    system: System, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(system, person, phone="+4915123456789", timezone="Europe/Berlin", consents={"offers/sms": "opted_in"})
    night = datetime.now(UTC).replace(hour=22, minute=30) + timedelta(days=1)
    monkeypatch.setattr(wiring, "now", lambda: night)
    send(system, person)
    told = work.why(person)
    assert outcome(told) == ("scheduled", "sms", "quiet_hours")
    assert told["until"] == told["next_time"] > night.isoformat()
    assert "quiet at night" in told["hours"]
    assert is_made_again(told)


def test_what_delivery_skipped_tells_that_it_was_asked_again(system: System, person: str) -> None:
    a_fan(system, person)
    send(system, person, "spring_sale", "events", "requests-bulk", "requests-priority")
    known(system, person, consents={"offers/email": "opted_out"})
    system.work()
    told = work.why(person)
    assert outcome(told) == ("skipped", "email", "not_consented")
    assert told["at_delivery"]
    assert told["inputs"].consents["offers/email"] == "opted_in"
    assert is_made_again(told)


def test_a_decision_of_no_rule_says_that_it_had_no_inputs(system: System, person: str) -> None:
    a_fan(system, person)
    send(system, person, "no_such_message")
    told = work.why(person)
    assert (told["reason"], told["replayed"], told["inputs"]) == ("unknown_message", None, None)
    assert "without inputs" in told["note"]


def test_a_sheet_that_is_no_longer_kept_is_told_in_words(system: System, person: str) -> None:
    a_fan(system, person)
    run_id = submitted(system, f"gone-{person}", [person, f"{person}-2"])
    (entry,) = wiring.ledger().timeline(person)
    assert entry.inputs
    key = f"decisions/{entry.inputs.kept}.jsonl.gz"
    system.cloud.client("s3").delete_object(Bucket=system.bucket, Key=key)
    wiring.kept_inputs.cache_clear()
    told = work.why(person, run_id=run_id)
    assert (outcome(told), told["replayed"]) == (("dispatched", "email", None), None)
    assert key in told["note"]


def test_why_is_asked_of_a_message_a_run_and_a_time(system: System, person: str) -> None:
    a_fan(system, person)
    send(system, person)
    between = datetime.now(UTC)
    run_id = submitted(system, f"asked-{person}", [person])
    send(system, person, "no_such_message")
    assert work.why(person)["message"] == "no_such_message"
    assert work.why(person, message="spring_sale")["run_id"] == run_id
    assert work.why(person, run_id=run_id)["message"] == "spring_sale"
    assert work.why(person, at=between)["run_id"] is None
    with pytest.raises(NotFoundError, match="Nothing was ever decided about spring_sale until 2026-01-01"):
        work.why(person, message="spring_sale", at=datetime(2026, 1, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("fields", "message", "expected"),
    [
        ({}, "spring_sale", ("dispatched", "email", None)),
        ({"consents": {}}, "spring_sale", ("skipped", "email", "not_consented")),
        ({"email": "", "consents": {}}, "password_reset", ("skipped", "email", "no_address")),
        ({"paused_until": "2099-01-01T00:00:00Z"}, "spring_sale", ("skipped", "email", "waited_too_long")),
    ],
)
def test_what_would_be_decided_is_what_is_decided(
    system: System, person: str, fields: dict[str, Any], message: str, expected: tuple[str, str, str | None]
) -> None:
    a_fan(system, person, **fields)
    told = work.decide(person, message)
    assert outcome(told) == expected
    send(system, person, message)
    assert outcome(work.why(person))[1:] == expected[1:]


def test_somebody_whom_nobody_knows_can_be_asked_about(system: System, person: str) -> None:
    assert work.decide(person, "spring_sale")["reason"] == "unknown_recipient"


def test_a_message_that_does_not_exist_is_named(system: System, person: str) -> None:
    with pytest.raises(NotFoundError, match="There is no message no_such_message"):
        work.decide(person, "no_such_message")


def test_what_would_be_decided_at_another_time_waits_for_the_hours_of_then(system: System, person: str) -> None:
    known(system, person, phone="+4915123456789", timezone="Europe/Berlin", consents={"offers/sms": "opted_in"})
    told = work.decide(person, "spring_sale", at=NIGHT_IN_BERLIN)
    assert outcome(told) == ("scheduled", "sms", "quiet_hours")
    assert told["until"] == datetime(2027, 3, 4, 7, tzinfo=UTC)


def test_asking_what_would_be_decided_has_no_effect(system: System, person: str, calls: list[str]) -> None:
    a_fan(system, person)
    send(system, person)
    before = items(system), objects(system)
    calls.clear()
    work.decide(person, "spring_sale")
    assert calls
    assert set(calls) <= READING
    assert (items(system), objects(system)) == before
    assert [cap["used"] for cap in work.decide(person, "spring_sale")["caps"]] == [1, 0]


def test_every_decision_of_a_run_is_made_again_the_same(system: System, stack: Stack, person: str) -> None:
    people = [f"{person}-{number}" for number in range(8)]
    for number, each in enumerate(people):
        a_fan(system, each, **({"consents": {}} if number % 4 == 3 else {}))
    run_id = submitted(system, f"again-{person}", [*people, f"{person}-unknown"])
    told = replayed(stack, run_id)
    assert told.holds
    assert (told.people, told.undecided, told.decisions, told.counts[Finding.SAME]) == (9, 0, 9, 9)
    assert {each["reason"] for one in people for each in work.timeline(one)["entries"]} == {None, "not_consented"}


def test_a_run_of_one_person_is_made_again_from_the_ledger(system: System, stack: Stack, person: str) -> None:
    a_fan(system, person)
    told = replayed(stack, submitted(system, f"single-{person}", [person]))
    assert (told.decisions, told.counts[Finding.SAME]) == (1, 1)


def test_people_who_wait_in_a_queue_are_not_decided_yet(system: System, stack: Stack, person: str) -> None:
    run_id = submitted(system, f"waiting-{person}", [person], "segments")
    told = replayed(stack, run_id)
    assert (told.people, told.undecided, told.decisions, told.holds) == (1, 1, 0, True)
    system.work()


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"reason": "expired"}, Finding.DIFFERS),
        ({"fingerprint": "00000000000"}, Finding.NOT_GENUINE),
        ({"kept": "0000000000000000000000"}, Finding.MISSING),
        ({"inputs": None}, Finding.MISSING),
    ],
)
def test_a_ledger_that_was_tampered_with_is_found_out(
    system: System, stack: Stack, person: str, fields: dict[str, Any], kind: Finding
) -> None:
    a_fan(system, person)
    run_id = submitted(system, f"tampered-{'-'.join(fields)}-{person}", [person, f"{person}-2"])
    (entry,) = wiring.ledger().timeline(person)
    assert entry.inputs
    if not fields.keys() <= {*LedgerEntry.__struct_fields__}:
        fields = {"inputs": entry.inputs._replace(**fields)}
    tamper(system, stack, entry, **fields)
    told = replayed(stack, run_id)
    assert not told.holds
    assert (told.counts[kind], told.counts[Finding.SAME]) == (1, 1)
    assert [each.recipient_id for each in told.examples[kind]] == [person]


def test_a_run_that_does_not_exist_is_a_no(system: System, stack: Stack) -> None:
    with pytest.raises(NotFoundError, match="There is no run nothing"):
        replayed(stack, "nothing")


def test_replay_ends_with_one_when_a_decision_is_not_the_same(
    system: System, stack: Stack, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    a_fan(system, person)
    run_id = submitted(system, f"cli-{person}", [person])
    monkeypatch.setattr("heliograph_cli.commands.replay.connect", lambda: stack)
    good = CliRunner().invoke(cli, ["replay", run_id, "--json"], catch_exceptions=False)
    assert (good.exit_code, json.loads(good.stdout)["counts"]["same"]) == (0, 1)
    (entry,) = wiring.ledger().timeline(person)
    tamper(system, stack, entry, channel="sms")
    bad = CliRunner().invoke(cli, ["replay", run_id], catch_exceptions=False)
    assert bad.exit_code == 1
    assert person in bad.stdout


def test_a_decision_with_neither_zone_nor_inputs_is_told_of(system: System, stack: Stack, person: str) -> None:
    a_fan(system, person)
    send(system, person)
    (entry,) = wiring.ledger().timeline(person)
    tamper(system, stack, entry, zone=None, next_time="", inputs=None)
    told = work.why(person)
    assert (told["zone"], told["next_time"], told["replayed"]) == (None, None, None)
    assert isinstance(work.decide(person, "spring_sale")["inputs"], Inputs)


@pytest.mark.parametrize("question", [{"action": "why"}, {"action": "decide", "message": "spring_sale"}])
def test_the_report_function_is_asked_why_and_what_would_be_decided(
    system: System, person: str, question: dict[str, Any]
) -> None:
    a_fan(system, person)
    send(system, person)
    about = {"recipient_id": person, "at": "2099-01-01", "message": None, "run_id": None}
    told = handler(about | question, None)
    assert json.loads(json.dumps(told))["message"] == "spring_sale"
    refused = handler(about | question | {"at": "soon"}, None)
    assert refused == {"malformed": "time", "code": "bad_time", "reason": "is not an ISO 8601 time"}
