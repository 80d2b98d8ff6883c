"""The way of a message, verb by verb, in this process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aws.flow_system import System
from builders import EMAIL
from heliograph.reporting import work
from heliograph.runtime import wiring

NIGHT_IN_BERLIN = datetime(2027, 3, 3, 22, 30, tzinfo=UTC)


def known(system: System, person: str, **fields: object) -> None:
    system.publish("RecipientUpdated", {"recipient_id": person, **fields})
    system.work("events")


def order(person: str, **fields: object) -> dict[str, Any]:
    lines = [{"name": "Bench", "quantity": 1}]
    return {
        "customer_id": person,
        "order_id": f"o-{person}",
        "carrier": "DHL",
        "tracking_url": "https://example.com/t",
        "lines": lines,
        **fields,
    }


def ship(system: System, person: str, **fields: object) -> None:
    system.publish("OrderShipped", order(person, **fields), source="shop.orders")
    system.work()


def timeline(person: str) -> list[dict[str, Any]]:
    return list(work.timeline(person)["entries"])


def sent_to(system: System, address: str) -> list[dict[str, Any]]:
    return [message for message in system.cloud.outbox() if message["to"] == address]


def mailbox(person: str) -> str:
    return f"{person}@example.com"


def test_an_event_becomes_an_email_that_is_delivered(system: System, person: str) -> None:
    known(system, person, email=mailbox(person), attributes={"first_name": "Ana"})
    ship(system, person)
    (entry,) = timeline(person)
    assert (entry["message"], entry["channel"], entry["state"]) == ("order_shipped", "email", "delivered")
    (mail,) = sent_to(system, mailbox(person))
    assert mail["tags"]["dispatch_id"] == entry["dispatch_id"]
    assert mail["provider_message_id"] == entry["provider_message_id"]


def test_the_first_channel_with_an_address_carries_the_message(system: System, person: str) -> None:
    known(system, person, devices=[f"gcm:{person}"], attributes={"first_name": "Ana"})
    ship(system, person)
    (entry,) = timeline(person)
    assert entry["channel"] == "push"
    assert [(r["channel"], r["result"]) for r in entry["rules"] if r["result"] != "passed"] == [
        ("email", "no_address"),
        ("sms", "no_address"),
    ]


def test_the_same_idempotency_key_in_two_events_is_one_message(system: System, person: str) -> None:
    known(system, person, email=mailbox(person), attributes={"first_name": "Ana"})
    ship(system, person)
    ship(system, person)
    assert len(sent_to(system, mailbox(person))) == 1
    assert len(timeline(person)) == 1


def test_people_who_are_not_known_are_reached_at_the_address_of_the_event(system: System, person: str) -> None:
    ship(system, person, email=mailbox(person), first_name="Ana", locale="de")
    (mail,) = sent_to(system, mailbox(person))
    assert 'lang="de"' in mail["html"]


def test_nobody_unknown_gets_promotion(system: System, person: str) -> None:
    system.publish("SendRequested", {"message": "spring_sale", "recipient_id": person, "email": mailbox(person)})
    system.work()
    assert timeline(person)[0]["reason"] == "unknown_recipient"
    assert not sent_to(system, mailbox(person))


def test_a_missing_variable_skips_that_one_person(system: System, person: str) -> None:
    known(system, person, email=mailbox(person), attributes={"first_name": "Ana"})
    system.publish("OrderShipped", {"customer_id": person, "order_id": person}, source="shop.orders")
    system.work()
    assert timeline(person)[0]["reason"] == "missing_variable"
    assert not sent_to(system, mailbox(person))


def test_a_message_is_not_sent_after_its_expiry(system: System, person: str) -> None:
    known(system, person, email=mailbox(person), attributes={"first_name": "Ana"})
    past = (datetime.now(UTC) - timedelta(minutes=1)).isoformat()
    detail = {"customer_id": person, "reset_url": "https://example.com/r", "expires_at": past}
    system.publish("PasswordResetRequested", detail, source="shop.accounts")
    system.work()
    assert timeline(person)[0]["reason"] == "expired"


def test_a_malformed_event_is_parked_with_its_reason(system: System, person: str) -> None:
    system.sqs.purge_queue(QueueUrl=system.queue_url("events-dead-letters"))
    system.publish("SendRequested", {"message": 7, "recipient_id": person})
    system.work()
    (parked,) = system.messages("events-dead-letters")
    assert "$.message" in parked["MessageAttributes"]["reason"]["StringValue"]


def test_a_redelivered_pack_sends_nothing_twice(system: System, person: str) -> None:
    known(system, person, email=mailbox(person), attributes={"first_name": "Ana"})
    system.publish("OrderShipped", order(person), source="shop.orders")
    system.work("events", "requests-priority")
    (pack,) = system.messages("outbox-email-priority")
    for receives in (1, 1, 2):
        assert system.run("deliver", [pack["Body"]], receives) == {"batchItemFailures": []}
    assert len(sent_to(system, mailbox(person))) == 1
    assert timeline(person)[0]["state"] == "accepted"
    system.sqs.purge_queue(QueueUrl=system.queue_url("outbox-email-priority"))
    system.work()


def test_what_was_claimed_and_not_answered_is_in_doubt_and_not_sent_again(
    system: System, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    known(system, person, email=mailbox(person), attributes={"first_name": "Ana"})
    system.publish("OrderShipped", order(person), source="shop.orders")
    system.work("events", "requests-priority")
    (pack,) = system.messages("outbox-email-priority")

    def interrupted(channel: object) -> object:
        raise ConnectionAbortedError

    with monkeypatch.context() as patch:
        patch.setattr(wiring, "sender", interrupted)
        assert system.run("deliver", [pack["Body"]])["batchItemFailures"]
    assert system.run("deliver", [pack["Body"]], 2) == {"batchItemFailures": []}
    assert timeline(person)[0]["state"] == "unknown"
    assert not sent_to(system, mailbox(person))
    system.sqs.purge_queue(QueueUrl=system.queue_url("outbox-email-priority"))


def test_a_hard_bounce_suppresses_the_address_at_once(system: System, person: str) -> None:
    address = f"bounce+{person}@simulator.amazonses.com"
    known(system, person, email=address, attributes={"first_name": "Ana"})
    ship(system, person)
    assert timeline(person)[0]["state"] == "bounced"
    ship(system, person, order_id="another")
    assert timeline(person)[0]["reason"] in ("no_address", "address_suppressed")
    assert len(sent_to(system, address)) == 1


def test_a_complaint_withdraws_promotional_consent(system: System, person: str) -> None:
    address = f"complaint+{person}@simulator.amazonses.com"
    consents = {"offers/email": "opted_in"}
    known(system, person, email=address, attributes={"first_name": "Ana"}, consents=consents)
    ship(system, person)
    recipient = wiring.recipients().get_many([person])[person]
    assert {key: consent.state for key, consent in recipient.consents.items()} == {
        "offers/email": "opted_in",
        "promotional/email": "opted_out",
    }
    assert recipient.suppressed[EMAIL][address].reason == "complaint"


def test_promotion_by_sms_waits_until_the_quiet_hours_end(
    system: System, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    consents = {"offers/sms": "opted_in"}
    known(
        system,
        person,
        phone="+4915123456789",
        timezone="Europe/Berlin",
        consents=consents,
        attributes={"first_name": "Ana"},
    )
    monkeypatch.setattr(wiring, "now", lambda: NIGHT_IN_BERLIN)
    system.publish("SendRequested", {"message": "spring_sale", "recipient_id": person, "data": {"discount": 20}})
    system.work()
    (entry,) = timeline(person)
    assert (entry["outcome"], entry["until"]) == ("scheduled", "2027-03-04T07:00:00+00:00")
    assert system.tick() == []
    monkeypatch.setattr(wiring, "now", lambda: NIGHT_IN_BERLIN + timedelta(hours=9))
    assert system.tick() == [datetime(2027, 3, 4, 7, tzinfo=UTC)]
    system.work("requests-bulk")
    assert [entry["outcome"] for entry in timeline(person)][-1] == "scheduled"
