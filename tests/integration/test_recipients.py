"""The people as they are kept: read, changed, suppressed, exported."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import boto3
import pytest
from moto import mock_aws

from builders import NOW
from heliograph.adapters.recipients import Recipients
from heliograph.domain.model import (
    Channel,
    Consent,
    ConsentState,
    Preferences,
    RemoveDevice,
    SuppressAddress,
    WithdrawConsent,
)
from heliograph.domain.recipients import RecipientChange
from local_cloud import LocalCloud

BEFORE, AFTER = NOW - timedelta(days=1), NOW + timedelta(days=1)
TOKEN = "gcm:token-1"


@pytest.fixture
def people(monkeypatch: pytest.MonkeyPatch) -> Iterator[Recipients]:
    """An empty table."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield _table(boto3.client("dynamodb", region_name="eu-west-1"), "recipients")


@pytest.fixture
def partiql_people(local_cloud: LocalCloud) -> Recipients:
    """An empty table where PartiQL is conditional as on AWS; moto lets a second INSERT of a key pass."""
    return _table(local_cloud.client("dynamodb"), f"recipients-{uuid4().hex}")


def _table(client: Any, name: str) -> Recipients:
    keys = ("recipient_id", "email", "phone")
    client.create_table(
        TableName=name,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key in keys],
        KeySchema=[{"AttributeName": "recipient_id", "KeyType": "HASH"}],
        GlobalSecondaryIndexes=[
            {
                "IndexName": f"by-{key}",
                "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
                "Projection": {"ProjectionType": "KEYS_ONLY"},
            }
            for key in keys[1:]
        ],
    )
    return Recipients(client, name)


def a_consent(state: str, *, at: Any = NOW) -> Consent:
    return Consent(state=ConsentState(state), at=at, source="import:people.csv")


def a_full_change(recipient_id: str = "amara") -> RecipientChange:
    return RecipientChange(
        recipient_id=recipient_id,
        email="amara@example.com",
        phone="+12065550100",
        devices=("apns:token-2", TOKEN),
        preferred_channels=(Channel.SMS, Channel.EMAIL),
        locale="en-US",
        timezone="US/Pacific",
        consents={"news/email": a_consent("opted_in"), "news/sms": a_consent("opted_out")},
        attributes={"plan": "gold", "it's #1": "yes", "visits": 3, "pets": [{"name": "Rex", "weight": 2.5}]},
    )


def test_a_person_is_read_as_saved(people: Recipients) -> None:
    change = a_full_change()
    people.save(change)
    amara = people.get_many(["amara"])["amara"]
    assert (amara.email, amara.phone, amara.devices) == (change.email, change.phone, change.devices)
    assert (amara.locale, amara.timezone) == (change.locale, change.timezone)
    assert amara.preferences == Preferences(channels=change.preferred_channels)
    assert (amara.consents, amara.attributes) == (change.consents, change.attributes)


def test_people_who_are_not_known_are_missing_from_the_answer(people: Recipients) -> None:
    people.save(a_full_change())
    assert list(people.get_many(["amara", "nobody"])) == ["amara"]


def test_more_than_a_hundred_people_are_read_at_once(people: Recipients) -> None:
    ids = [f"person-{number}" for number in range(103)]
    for recipient_id in ids:
        people.save(RecipientChange(recipient_id=recipient_id, locale="fr"))
    assert people.get_many(ids + ids[:2], consistent=True).keys() == set(ids)


def test_what_is_not_given_stays_as_it_is(people: Recipients) -> None:
    people.save(a_full_change())
    people.save(RecipientChange(recipient_id="amara", locale="fr", attributes={"plan": "silver"}))
    amara = people.get_many(["amara"])["amara"]
    assert (amara.locale, amara.email, amara.phone) == ("fr", "amara@example.com", "+12065550100")
    assert amara.attributes == a_full_change().attributes | {"plan": "silver"}


def test_a_refused_address_is_remembered_until_a_good_one_comes(people: Recipients) -> None:
    people.save(RecipientChange(recipient_id="amara", invalid=(Channel.EMAIL, Channel.SMS)))
    people.save(RecipientChange(recipient_id="amara", email="amara@example.com"))
    assert people.get_many(["amara"])["amara"].invalid == (Channel.SMS,)


@pytest.mark.parametrize(
    ("kept", "given", "holds"),
    [
        (a_consent("opted_out"), a_consent("opted_in", at=BEFORE), "opted_out"),
        (a_consent("opted_in"), a_consent("opted_out", at=BEFORE), "opted_in"),
        (a_consent("opted_out"), a_consent("opted_in", at=AFTER), "opted_in"),
        (a_consent("opted_in"), a_consent("opted_out", at=AFTER), "opted_out"),
        (a_consent("opted_out"), a_consent("opted_in"), "opted_out"),
        (a_consent("opted_in"), a_consent("opted_out"), "opted_out"),
    ],
)
def test_the_later_consent_holds_in_whatever_order_they_come(
    people: Recipients, kept: Consent, given: Consent, holds: str
) -> None:
    people.save(RecipientChange(recipient_id="amara", consents={"news/email": kept}))
    people.save(RecipientChange(recipient_id="amara", consents={"news/email": given}, locale="fr"))
    amara = people.get_many(["amara"])["amara"]
    assert amara.consents["news/email"].state == holds
    assert amara.locale == "fr"


@pytest.mark.parametrize(
    ("kept", "given", "holds"),
    [
        ("opted_out", "opted_in", "opted_out"),
        ("opted_in", "opted_out", "opted_out"),
        ("opted_in", "opted_in", "opted_in"),
    ],
)
def test_an_old_file_without_dates_opts_nobody_in_again(people: Recipients, kept: str, given: str, holds: str) -> None:
    people.save(RecipientChange(recipient_id="amara", consents={"news/email": a_consent(kept)}))
    again = {"news/email": a_consent(given, at=AFTER), "offers/email": a_consent("opted_in", at=AFTER)}
    people.save(RecipientChange(recipient_id="amara", consents=again, undated=True))
    amara = people.get_many(["amara"])["amara"]
    assert amara.consents["news/email"].state == holds
    assert amara.consented("offers", Channel.EMAIL)


def test_an_outdated_consent_costs_only_itself(people: Recipients) -> None:
    people.save(RecipientChange(recipient_id="amara", consents={"news/email": a_consent("opted_out")}))
    news = {"news/email": a_consent("opted_in", at=BEFORE), "offers/email": a_consent("opted_in", at=BEFORE)}
    people.save(RecipientChange(recipient_id="amara", consents=news))
    amara = people.get_many(["amara"])["amara"]
    assert not amara.consented("news", Channel.EMAIL)
    assert amara.consented("offers", Channel.EMAIL)


def test_a_hard_bounce_suppresses_the_address_on_everybody_who_has_it(people: Recipients) -> None:
    for recipient_id in ("amara", "ben"):
        people.save(RecipientChange(recipient_id=recipient_id, email="shared@example.com"))
    people.save(RecipientChange(recipient_id="chidi", email="chidi@example.com"))
    people.apply(_bounce("amara", "shared@example.com"))
    found = people.get_many(["amara", "ben", "chidi"])
    assert {person for person, kept in found.items() if kept.suppressed} == {"amara", "ben"}


def test_a_bounced_number_is_suppressed_on_everybody_who_has_it(people: Recipients) -> None:
    people.save(RecipientChange(recipient_id="ben", phone="+12065550100"))
    people.apply(_bounce("amara", "+12065550100"))
    assert "+12065550100" in people.get_many(["ben"])["ben"].suppressed


def test_an_address_is_suppressed_even_of_people_who_were_not_known(people: Recipients) -> None:
    people.apply(_bounce("guest", "guest@example.com"))
    guest = people.get_many(["guest"])["guest"]
    assert guest.suppressed["guest@example.com"].reason == "hard_bounce"
    assert guest.email == ""


def test_the_first_reason_for_a_suppression_is_kept(people: Recipients) -> None:
    people.apply(_bounce("amara", "amara@example.com"))
    people.apply(SuppressAddress(recipient_id="amara", address="amara@example.com", reason="complaint", at=AFTER))
    assert people.get_many(["amara"])["amara"].suppressed["amara@example.com"].reason == "hard_bounce"


def test_withdrawing_consent_reaches_every_topic_of_the_channel_and_no_other(people: Recipients) -> None:
    given = {key: a_consent("opted_in", at=BEFORE) for key in ("news/email", "offers/email", "news/sms")}
    people.save(RecipientChange(recipient_id="amara", consents=given))
    for _ in range(2):
        people.apply(WithdrawConsent(recipient_id="amara", channel=Channel.EMAIL, source="complaint", at=NOW))
    amara = people.get_many(["amara"])["amara"]
    assert [key for key, consent in amara.consents.items() if consent.state == "opted_in"] == ["news/sms"]
    assert amara.consents["news/email"] == Consent(state=ConsentState.OPTED_OUT, at=NOW, source="complaint")


def test_a_consent_given_after_the_complaint_stays(people: Recipients) -> None:
    people.save(RecipientChange(recipient_id="amara", consents={"news/email": a_consent("opted_in", at=AFTER)}))
    people.apply(WithdrawConsent(recipient_id="amara", channel=Channel.EMAIL, source="complaint", at=NOW))
    assert people.get_many(["amara"])["amara"].consented("news", Channel.EMAIL)


def test_a_dead_device_is_removed_and_the_others_stay(people: Recipients) -> None:
    people.save(a_full_change())
    for _ in range(2):
        people.apply(RemoveDevice(recipient_id="amara", device=TOKEN))
    assert people.get_many(["amara"])["amara"].devices == ("apns:token-2",)


def test_the_last_device_can_be_removed(people: Recipients) -> None:
    people.save(RecipientChange(recipient_id="amara", devices=(TOKEN,)))
    people.apply(RemoveDevice(recipient_id="amara", device=TOKEN))
    assert people.get_many(["amara"])["amara"].devices == ()


@pytest.mark.parametrize(
    "consequence",
    [
        RemoveDevice(recipient_id="nobody", device=TOKEN),
        WithdrawConsent(recipient_id="nobody", channel=Channel.SMS, source="reply", at=NOW),
    ],
)
def test_nobody_is_made_up_by_a_consequence_that_removes(people: Recipients, consequence: Any) -> None:
    people.apply(consequence)
    assert people.get_many(["nobody"]) == {}


def test_everybody_is_exported(people: Recipients) -> None:
    for recipient_id in ("amara", "ben"):
        people.save(a_full_change(recipient_id))
    assert {person.recipient_id: person.email for person in people.everyone()} == {
        "amara": "amara@example.com",
        "ben": "amara@example.com",
    }


def test_an_import_makes_new_people_and_changes_known_ones(partiql_people: Recipients) -> None:
    partiql_people.save(RecipientChange(recipient_id="person-3", locale="fr", phone="+12065550100"))
    partiql_people.save_many(a_full_change(f"person-{number}") for number in range(30))
    partiql_people.save_many([RecipientChange(recipient_id="person-3", locale="de")])
    found = {person.recipient_id: person for person in partiql_people.everyone()}
    assert len(found) == 30
    assert found["person-3"].locale == "de"
    assert found["person-29"].attributes == a_full_change().attributes
    assert found["person-3"].consents == a_full_change().consents


def test_a_person_of_whom_only_the_id_is_given_is_known_from_then_on(partiql_people: Recipients) -> None:
    partiql_people.save(RecipientChange(recipient_id="amara"))
    partiql_people.save_many([RecipientChange(recipient_id="amara"), RecipientChange(recipient_id="ben")])
    assert partiql_people.get_many(["amara", "ben"]).keys() == {"amara", "ben"}


def test_an_import_twice_is_the_same_as_once(partiql_people: Recipients) -> None:
    people = [a_full_change(f"person-{number}") for number in range(3)]
    partiql_people.save_many(people)
    once = sorted(partiql_people.everyone(), key=lambda person: person.recipient_id)
    partiql_people.save_many(people)
    assert sorted(partiql_people.everyone(), key=lambda person: person.recipient_id) == once


def test_of_a_person_who_is_in_a_file_twice_the_later_row_holds(partiql_people: Recipients) -> None:
    rows = [RecipientChange(recipient_id="amara", locale=locale, email="amara@example.com") for locale in ("fr", "de")]
    partiql_people.save_many(rows)
    assert partiql_people.get_many(["amara"])["amara"].locale == "de"


def test_an_import_does_not_overwrite_a_later_consent(partiql_people: Recipients) -> None:
    partiql_people.save(RecipientChange(recipient_id="amara", consents={"news/email": a_consent("opted_out")}))
    row = RecipientChange(recipient_id="amara", consents={"news/email": a_consent("opted_in", at=BEFORE)}, locale="fr")
    partiql_people.save_many([row])
    amara = partiql_people.get_many(["amara"])["amara"]
    assert not amara.consented("news", Channel.EMAIL)
    assert amara.locale == "fr"


def test_a_person_with_very_many_attributes_is_imported_too(partiql_people: Recipients) -> None:
    wide = RecipientChange(
        recipient_id="amara", attributes={f"a column with a long name, number {n}": "x" for n in range(250)}
    )
    partiql_people.save_many([wide])
    assert partiql_people.get_many(["amara"])["amara"].attributes == wide.attributes


def _bounce(recipient_id: str, address: str) -> SuppressAddress:
    return SuppressAddress(recipient_id=recipient_id, address=address, reason="hard_bounce", at=NOW)
