"""Erasing people, and sending a sample to oneself, on a real system."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result

from aws.flow_system import System
from heliograph.aws import clients
from heliograph.people.erasing import store as erasing
from heliograph.reporting import work
from heliograph.runtime import wiring

Heliograph = Callable[..., Result]
FIELDS = {
    "phone": "+4915123456789",
    "locale": "de",
    "attributes": {f"field_{number}": "x" for number in range(50)},
    "devices": ["gcm:token"],
    "consents": {"offers/email": "opted_in", "offers/sms": "opted_out", "promotional/push": "opted_out"},
}


def known(system: System, person: str, **fields: Any) -> None:
    system.publish("RecipientUpdated", {"recipient_id": person, "email": f"{person}@example.com", **fields})
    system.work("events")


def item(system: System, person: str) -> dict[str, Any]:
    key = {"recipient_id": {"S": person}}
    return dict(clients.client("dynamodb").get_item(TableName=system.recipients_table, Key=key).get("Item", {}))


def test_an_erased_person_leaves_nothing_but_what_they_refused(
    system: System, heliograph: Heliograph, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(erasing, "AT_ONCE", 7)
    known(system, person, **FIELDS)
    heliograph("timeline", person)
    result = heliograph("recipients", "erase", f"{person}@example.com", say="y\n")
    assert (result.exit_code, f"Erase what is known of {person}" in result.stderr) == (0, True)
    assert item(system, person).keys() == {"recipient_id", "consent#offers/sms", "consent#promotional/push"}
    versions = system.cloud.client("s3").list_object_versions(
        Bucket=system.bucket, Prefix=f"reports/timeline/{person}.html"
    )
    assert not versions.get("Versions")
    assert heliograph("timeline", f"{person}@example.com").exit_code == 1


def test_who_refused_nothing_has_no_item_after_the_erasure_and_erasing_again_is_a_no(
    system: System, heliograph: Heliograph, person: str
) -> None:
    known(system, person)
    told = json.loads(heliograph("recipients", "erase", person, "--yes", "--json").stdout)
    assert (told["recipient_id"], told["refusals"]) == (person, [])
    assert told["stays"]
    assert not item(system, person)
    assert heliograph("recipients", "erase", person, "--yes").exit_code == 1


def test_a_refusal_that_comes_during_the_erasure_stays(system: System, person: str) -> None:
    known(system, person)
    client = clients.client("dynamodb")
    refused = {"recipient_id": person, "consents": {"promotional/email": "opted_out"}}
    update = client.update_item

    class Slow:
        """The client, on which the person refuses between reading and deleting."""

        exceptions, get_item, delete_item = client.exceptions, client.get_item, client.delete_item

        def update_item(self, **how: Any) -> Any:
            done = update(**how)
            system.publish("RecipientUpdated", refused)
            system.work("events")
            return done

    erasing.erase(Slow(), system.recipients_table, person)  # type: ignore[arg-type]  # what is used of a client
    assert item(system, person)["consent#promotional/email"]["M"]["state"] == {"S": "opted_out"}


def test_what_was_decided_about_an_erased_person_can_still_be_proved(
    system: System, heliograph: Heliograph, person: str
) -> None:
    known(system, person, attributes={"first_name": "Ana"}, consents={"offers/email": "opted_in"})
    system.publish("SendRequested", {"message": "spring_sale", "recipient_id": person, "data": {"discount": 20}})
    system.work()
    heliograph("recipients", "erase", person, "--yes")
    assert work.why(person)["state"] == "delivered"
    assert len(wiring.consents().statements(person)) == 1
    assert f"{person}@" not in json.dumps(work.plain(work.timeline(person)))


@pytest.fixture
def working(system: System, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a command waits, the functions work."""
    monkeypatch.setattr("heliograph_cli.waiting.time.sleep", lambda _: system.work())


@pytest.mark.parametrize(("locale", "word"), [("", "Mia"), ("de", "Guten Tag Jürgen")])
def test_a_sample_is_sent_to_oneself_through_the_whole_stack_and_its_person_is_erased(
    system: System, heliograph: Heliograph, working: None, person: str, locale: str, word: str
) -> None:
    to = f"{person}@example.com"
    words = ("test-send", "order_shipped", "--to", to, "--json", *(("--locale", locale) if locale else ()))
    shown = heliograph(*words).stdout
    told = json.loads(shown[shown.index("{\n") :])  # after the metrics of the functions in this process
    assert told["channel"] == "email"
    (mail,) = [each for each in system.cloud.outbox() if each["to"] == to]
    assert mail["provider_message_id"] == told["provider_message_id"]
    assert word in mail["text"]
    assert not item(system, told["recipient_id"])


def test_a_sample_is_sent_to_ones_own_device(
    system: System, heliograph: Heliograph, working: None, person: str
) -> None:
    result = heliograph("test-send", "order_shipped", "--to", f"gcm:{person}")
    assert f"order_shipped was sent by push to gcm:{person}" in " ".join(result.stdout.split())


def test_a_promotional_sample_is_sent_to_oneself_without_any_consent_of_before(
    system: System, heliograph: Heliograph, working: None, person: str
) -> None:
    result = heliograph("test-send", "spring_sale", "--to", f"{person}@example.com")
    assert "spring_sale was sent by email" in result.stdout


def test_a_sample_that_cannot_go_is_a_no_with_its_reason_and_its_person_is_erased(
    system: System, heliograph: Heliograph, person: str
) -> None:
    before = clients.client("dynamodb").scan(TableName=system.recipients_table)["Count"]
    result = heliograph("test-send", "password_reset", "--to", "anna at example.com")
    assert result.exit_code == 2
    result = heliograph("test-send", "no_such_message", "--to", "me@example.com")
    assert (result.exit_code, "There is no message no_such_message" in result.stderr) == (1, True)
    result = heliograph("test-send", "password_reset", "--to", "+1")
    assert result.exit_code != 0
    assert not system.messages("events")
    assert clients.client("dynamodb").scan(TableName=system.recipients_table)["Count"] == before
