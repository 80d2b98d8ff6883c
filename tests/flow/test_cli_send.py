"""`heliograph send` on a real system: what cannot come to anything is said before anything is requested."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from aws.flow_system import System

Heliograph = Callable[..., Result]
ORDER: dict[str, Any] = {
    "order_id": "A-1",
    "carrier": "DHL",
    "tracking_url": "https://example.com/t",
    "lines": [{"name": "Bench", "quantity": 1}],
}


@pytest.fixture
def known(system: System, person: str) -> str:
    """Somebody with a name and an e-mail address, and no consent."""
    fields = {"email": f"{person}@example.com", "attributes": {"first_name": "Ana"}}
    system.publish("RecipientUpdated", {"recipient_id": person, **fields})
    system.work("events")
    return person


def data(**changed: Any) -> str:
    return json.dumps({name: value for name, value in (ORDER | changed).items() if value is not None})


def sent(system: System, person: str) -> list[dict[str, Any]]:
    system.work()
    return [mail for mail in system.cloud.outbox() if mail["to"] == f"{person}@example.com"]


def test_what_can_be_sent_is_requested_and_sent(system: System, heliograph: Heliograph, known: str) -> None:
    result = heliograph("send", "order_shipped", "--to", known, "--data", data())
    assert (result.exit_code, "Requested." in result.stdout) == (0, True)
    assert len(sent(system, known)) == 1


@pytest.mark.parametrize(
    ("message", "to", "given", "code", "said"),
    [
        ("no_such_message", "", data(), 1, "There is no message no_such_message. Deployed are"),
        ("order_shipped", "nobody-at-all", data(), 1, "Nobody is known as nobody-at-all."),
        ("order_shipped", "", data(tracking_url=None), 2, "data.tracking_url is missing"),
        ("order_shipped", "", data(lines=[{"quantity": 1}]), 2, "data.lines[].name is missing"),
    ],
)
def test_what_can_come_to_nothing_is_refused_with_its_reason_and_nothing_is_requested(
    system: System, heliograph: Heliograph, known: str, message: str, to: str, given: str, code: int, said: str
) -> None:
    result = heliograph("send", message, "--to", to or known, "--data", given)
    assert (result.exit_code, result.stdout) == (code, "")
    assert said in result.stderr
    assert not system.messages("events")


def test_what_the_rules_would_not_permit_is_requested_and_foretold(
    system: System, heliograph: Heliograph, known: str
) -> None:
    result = heliograph("send", "spring_sale", "--to", known, "--data", '{"discount": 20}', "--json")
    assert json.loads(result.stdout)["foreseen"]["reason"] == "not_consented"
    assert "spring_sale would not be sent: no consent for this topic by email" in result.stderr
    assert not sent(system, known)


def test_somebody_is_found_by_address_in_every_command_about_a_person(
    system: System, heliograph: Heliograph, known: str
) -> None:
    address, phone = f"{known}@EXAMPLE.com", f"+4915123{int(known[2:], 16) % 10**6:06}"
    system.publish("RecipientUpdated", {"recipient_id": known, "phone": phone})
    heliograph("send", "order_shipped", "--to", address, "--data", data())
    assert len(sent(system, known)) == 1
    for words in (["timeline"], ["why"], ["consents"], ["recipients", "show"]):
        assert json.loads(heliograph(*words, f"{known}@example.com", "--json").stdout)["recipient_id"] == known
    spaced = f"{phone[:3]} {phone[3:6]} {phone[6:]}"
    told = heliograph("decide", spaced, "order_shipped", "--json")
    assert json.loads(told.stdout)["recipient_id"] == known


def test_an_address_of_nobody_is_a_no_but_can_be_sent_to(system: System, heliograph: Heliograph, person: str) -> None:
    address = f"{person}@example.com"
    assert heliograph("timeline", address).exit_code == 1
    result = heliograph("send", "password_reset", "--to", address, "--data", '{"reset_url": "https://example.com/r"}')
    assert result.exit_code == 0
    assert len(sent(system, person)) == 1


def test_an_address_of_several_people_is_a_no_that_names_them(
    system: System, heliograph: Heliograph, person: str
) -> None:
    for number in (1, 2):
        fields = {"recipient_id": f"{person}-{number}", "email": f"{person}@example.com"}
        system.publish("RecipientUpdated", fields)
    system.work("events")
    result = heliograph("why", f"{person}@example.com")
    assert result.exit_code == 1
    assert f"belongs to {person}-1, {person}-2. Name one" in result.stderr


def test_a_timeline_of_any_length_is_told_in_as_many_answers_as_it_takes(
    system: System, heliograph: Heliograph, known: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(5):
        system.publish("SendRequested", {"message": "none", "recipient_id": known, "idempotency_key": str(number)})
    system.work()
    monkeypatch.setattr("heliograph.reporting.work.ANSWER_BYTES", 900)
    all_of_it = json.loads(heliograph("timeline", known, "--json").stdout)
    assert len({entry["dispatch_id"] for entry in all_of_it["entries"]}) == 5
    assert all_of_it["before"] is None
    assert len(json.loads(heliograph("timeline", known, "--limit", "2", "--json").stdout)["entries"]) == 2
    assert "use --limit" in heliograph("timeline", known, "--limit", "2").stderr
