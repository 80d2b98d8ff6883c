"""A run as it was sent, against what the providers say of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from click.testing import CliRunner

from audience import submitted
from aws.flow_system import System
from heliograph.operations.reconcile.comparison import Kind, Reconciliation
from heliograph.operations.reconcile.work import reporting, shape
from heliograph.reporting import work as reports
from heliograph.runtime import wiring
from heliograph.text.errors import NotFoundError
from heliograph_cli.commands.reconcile import compared as compare
from heliograph_cli.main import cli
from heliograph_cli.stack import Stack

MANIFEST = 'message = "spring_sale"\n[data]\ndiscount = 20\n'
NIGHT_IN_BERLIN = datetime(2027, 3, 3, 22, 30, tzinfo=UTC)


def a_run(system: System, campaign: str, number: int, **fields: Any) -> str:
    """A run of so many people, in its queue; every fourth has not consented, one of them bounces."""
    people = [f"{campaign}-{index}" for index in range(number)]
    for index, person in enumerate(people):
        address = f"bounce+{person}@simulator.amazonses.com" if index == 1 else f"{person}@example.com"
        consents = {} if index % 4 == 3 else {"offers/email": "opted_in"}
        known = {"recipient_id": person, "email": address, "consents": consents}
        system.publish("RecipientUpdated", known | fields)
    system.work("events")
    rows = "".join(f"{person}\n" for person in people)
    return submitted(system, campaign, MANIFEST, f"recipient_id\n{rows}bad id\n")


def reconciled(stack: Stack, run_id: str, at: datetime | None = None) -> Reconciliation:
    return compare(stack, run_id, at=at or datetime.now(UTC), grace=timedelta(), progress=lambda _: None)


def kinds(found: Reconciliation) -> dict[Kind, int]:
    return {kind: count for kind, (count, _) in found.differences.items() if count}


def test_a_run_that_went_well_agrees_with_its_provider(system: System, stack: Stack) -> None:
    run_id = a_run(system, "agrees", 12)
    system.work()
    found = reconciled(stack, run_id)
    assert kinds(found) == {}
    assert shape(found, run_id) | {"differences": {}} == {
        "run_id": run_id,
        "people": 12,
        "accepted": 9,
        "provider_messages": 9,
        "unknown": 0,
        "differences": {},
    }


def test_events_alone_prove_what_was_sent_where_there_is_no_outbox(
    system: System, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = a_run(system, "by-events", 4)
    system.work()
    monkeypatch.setattr("heliograph_cli.commands.reconcile.fetch", lambda target: [])
    found = reconciled(stack, run_id)
    assert kinds(found) == {}
    assert found.provider_messages == 3


def test_people_of_whom_nothing_was_decided_are_lost(system: System, stack: Stack) -> None:
    run_id = a_run(system, "lost", 4)
    system.sqs.purge_queue(QueueUrl=system.queue_url("requests-bulk"))
    found = reconciled(stack, run_id)
    assert kinds(found) == {Kind.LOST: 4}
    assert {example.recipient_id for example in found.differences[Kind.LOST][1]} == {f"lost-{i}" for i in range(4)}


def test_a_mail_of_which_no_provider_knows_is_a_difference(
    system: System, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = a_run(system, "unseen", 2)
    system.work("requests-bulk", "outbox-email-bulk")
    system.take("engagement", at_least=4)  # sent and delivered, of two mails
    monkeypatch.setattr("heliograph_cli.commands.reconcile.fetch", lambda target: [])
    assert kinds(reconciled(stack, run_id)) == {Kind.NOT_IN_PROVIDER_LOG: 2}


def test_a_mail_that_left_twice_is_a_difference_by_its_events_alone(
    system: System, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = a_run(system, "doubled", 1)
    system.work()
    (mail,) = system.cloud.outbox(to="doubled-0@example.com")
    tags = {name: [value] for name, value in mail["tags"].items()}
    moment = datetime.now(UTC).isoformat()
    other = {"messageId": "another", "timestamp": moment, "destination": [], "tags": tags}
    event = {"source": "aws.ses", "detail": {"eventType": "Send", "mail": other, "send": {}}}
    system.run("record", [json.dumps(event)])
    monkeypatch.setattr("heliograph_cli.commands.reconcile.fetch", lambda target: [])
    assert kinds(reconciled(stack, run_id)) == {Kind.DISPATCH_SENT_TWICE: 1}


def test_a_mail_to_somebody_outside_of_the_segment_is_a_difference(
    system: System, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = a_run(system, "stranger", 1)
    system.work()
    tags = {"run_id": run_id, "recipient_id": "zoe", "dispatch_id": "01ZOE-0"}
    strange = {"tags": tags, "to": "zoe@example.com", "provider_message_id": "p-1"}
    monkeypatch.setattr("heliograph_cli.commands.reconcile.fetch", lambda target: [*system.cloud.outbox(), strange])
    found = reconciled(stack, run_id)
    assert kinds(found) == {Kind.NOT_IN_LEDGER: 1}
    assert "example.com" not in str(shape(found, run_id))


def test_who_was_scheduled_counts_as_what_came_of_it(
    system: System, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = {"email": "", "phone": "+4915123456789", "timezone": "Europe/Berlin"}
    monkeypatch.setattr(wiring, "now", lambda: NIGHT_IN_BERLIN)
    run_id = a_run(system, "night", 1, consents={"offers/sms": "opted_in"}, **fields)
    system.work("requests-bulk")
    assert reconciled(stack, run_id, at=NIGHT_IN_BERLIN).counts["scheduled"] == 1
    morning = NIGHT_IN_BERLIN + timedelta(hours=9)
    assert kinds(reconciled(stack, run_id, at=morning)) == {Kind.LOST: 1}
    monkeypatch.setattr(wiring, "now", lambda: morning)
    assert len(system.tick()) == 1
    system.work()
    found = reconciled(stack, run_id, at=morning)
    assert (kinds(found), found.counts["accepted"], found.provider_messages) == ({}, 1, 1)


def test_a_run_that_does_not_exist_is_a_no(stack: Stack) -> None:
    with pytest.raises(NotFoundError, match="There is no run"):
        reconciled(stack, "01NOTHING")


def test_a_run_that_failed_is_a_no_with_its_reason(system: System, stack: Stack) -> None:
    system.upload_campaign("unreadable", MANIFEST, b"name\nAna\n")
    system.work("segments")
    run_id = str(next(run["run_id"] for run in reports.runs() if run["campaign"] == "unreadable"))
    with pytest.raises(NotFoundError, match="there is no column recipient_id"):
        reconciled(stack, run_id)


@pytest.mark.parametrize(("provider", "channels"), [("sns", {"email"}), ("end-user-messaging", {"email", "sms"})])
def test_on_aws_only_what_providers_report_on_is_compared(stack: Stack, provider: str, channels: set[str]) -> None:
    assert reporting({"SmsProvider": provider}) == channels


def test_the_command_ends_with_one_on_a_difference_and_with_zero_without(
    system: System, stack: Stack, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("heliograph_cli.commands.reconcile.connect", lambda: stack)
    run_id = a_run(system, "command", 2)
    early = CliRunner().invoke(cli, ["reconcile", run_id, "--json"])
    assert (early.exit_code, json.loads(early.stdout)["differences"]["lost"]["count"]) == (1, 2)
    system.work()
    assert CliRunner().invoke(cli, ["reconcile", run_id]).exit_code == 0
