"""The people as they are kept: read, changed, suppressed, exported."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import permutations, product
from typing import Any

import pytest

from builders import EMAIL, NOW, PUSH, SMS, a_change
from heliograph.aws.errors import BusyError
from heliograph.ledger.store import Ledger
from heliograph.model.channels import Channel
from heliograph.model.engagement import Engaged, RemoveAddress, SuppressAddress, WithdrawConsent
from heliograph.model.people import Consent, ConsentState, Preferences
from heliograph.people.changes import RecipientChange
from heliograph.people.consents.answers import Statement, as_of, holds_against
from heliograph.people.consents.store import ConsentHistory
from heliograph.people.store import Recipients
from heliograph.text import limits

BEFORE, AFTER = NOW - timedelta(days=1), NOW + timedelta(days=1)
TOKEN = "gcm:token-1"


def a_consent(state: str, *, at: Any = NOW, source: str = "import:people.csv") -> Consent:
    return Consent(state=ConsentState(state), at=at, source=source)


def state_of(people: Recipients, key: str, recipient_id: str = "amara") -> ConsentState | None:
    consent = people.get_many([recipient_id], consistent=True)[recipient_id].consents.get(key)
    return consent.state if consent else None


PROVEN = Consent(state=ConsentState.OPTED_IN, at=NOW, source="page:signup", text="news-2026-02", proof="form/17")


def a_full_change(recipient_id: str = "amara") -> RecipientChange:
    return a_change(
        recipient_id,
        email="amara@example.com",
        phone="+12065550100",
        devices=("apns:token-2", TOKEN),
        phone_country="US",
        phone_timezone="America/Los_Angeles",
        preferred_channels=(SMS, EMAIL),
        preferred_time="18:30",
        quiet_hours=("22:00-09:00", "12:00-13:00"),
        paused_until=AFTER,
        locale="en-US",
        timezone="US/Pacific",
        country="CA",
        country_timezone="America/Toronto",
        consents={"news/email": PROVEN, "news/sms": a_consent("opted_out"), "club/sms": a_consent("pending")},
        attributes={"plan": "gold", "it's #1": "yes", "visits": 3, "pets": [{"name": "Rex", "weight": 2.5}]},
    )


def test_a_person_is_read_as_saved(people: Recipients) -> None:
    change = a_full_change()
    people.save(change)
    amara = people.get_many(["amara"])["amara"]
    assert amara.addresses == change.addresses
    assert (amara.locale, amara.timezone) == (change.locale, change.timezone)
    assert (amara.phone_country, amara.phone_timezone) == (change.phone_country, change.phone_timezone)
    assert (amara.country, amara.country_timezone) == (change.country, change.country_timezone)
    assert amara.preferences == Preferences(
        channels=change.preferred_channels, time="18:30", quiet=("22:00-09:00", "12:00-13:00"), paused_until=AFTER
    )
    assert (amara.consents, amara.attributes) == (change.consents, change.attributes | {"country": "CA"})


def test_people_who_are_not_known_are_missing_from_the_answer(people: Recipients) -> None:
    people.save(a_full_change())
    assert list(people.get_many(["amara", "nobody"])) == ["amara"]


def test_more_than_a_hundred_people_are_read_at_once(people: Recipients) -> None:
    ids = [f"person-{number}" for number in range(103)]
    for recipient_id in ids:
        people.save(a_change(recipient_id, locale="fr"))
    assert people.get_many(ids + ids[:2], consistent=True).keys() == set(ids)


def test_what_is_not_given_stays_as_it_is(people: Recipients) -> None:
    people.save(a_full_change())
    people.save(a_change("amara", locale="fr", attributes={"plan": "silver"}))
    amara = people.get_many(["amara"])["amara"]
    assert (amara.locale, amara.addresses["email"][0], amara.addresses["phone"][0]) == (
        "fr",
        "amara@example.com",
        "+12065550100",
    )
    assert amara.attributes == a_full_change().attributes | {"plan": "silver", "country": "CA"}


def test_a_refused_address_is_remembered_until_a_good_one_comes(people: Recipients) -> None:
    people.save(a_change("amara", invalid=("email", "phone")))
    people.save(a_change("amara", email="amara@example.com"))
    assert people.get_many(["amara"])["amara"].invalid == ("phone",)


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
    people.save(a_change("amara", consents={"news/email": kept}))
    people.save(a_change("amara", consents={"news/email": given}, locale="fr"))
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
    people.save(a_change("amara", consents={"news/email": a_consent(kept)}))
    again = {"news/email": a_consent(given, at=AFTER), "offers/email": a_consent("opted_in", at=AFTER)}
    people.save(a_change("amara", consents=again, undated=True))
    amara = people.get_many(["amara"])["amara"]
    assert amara.consents["news/email"].state == holds
    assert amara.consents["offers/email"].state == "opted_in"


STATES = list(ConsentState)


def test_what_is_set_is_what_the_rules_say_of_every_two_answers(people: Recipients) -> None:
    """The condition of the write is the opposite of `holds_against`."""
    for number, (kept, given, undated) in enumerate(
        product(product(STATES, [NOW]), product(STATES, [BEFORE, NOW, AFTER]), [False, True])
    ):
        first, second = (Consent(state=state, at=at, source=f"page:{at}") for state, at in (kept, given))
        for consent, is_undated in ((first, False), (second, undated)):
            change = a_change(f"p-{number}", consents={"news/sms": consent}, undated=is_undated)
            people.save(change)
        history = [
            Statement(key="news/sms", consent=first, recorded_at=NOW),
            Statement(key="news/sms", consent=second, recorded_at=NOW, undated=undated),
        ]
        answers = [each for each in history if each.consent.state is not ConsentState.PENDING]
        if len(answers) == 2 and holds_against(first, second, undated=undated):
            history = history[:1]
        elif len(answers) == 2:
            history = history[1:]
        expected = as_of(history, AFTER)["news/sms"].state
        assert state_of(people, "news/sms", f"p-{number}") is expected, (first, second, undated)


@pytest.mark.parametrize(
    ("order", "holds"),
    [
        (["pending"], "pending"),
        (["pending", "opted_in"], "opted_in"),
        (["opted_in", "pending"], "opted_in"),
        (["pending", "opted_in", "pending", "opted_in"], "opted_in"),
        (["pending", "opted_out"], "opted_out"),
    ],
)
def test_a_confirmation_counts_before_and_after_what_it_confirms(
    people: Recipients, order: list[str], holds: str
) -> None:
    given_at = {"pending": BEFORE, "opted_in": NOW, "opted_out": NOW}
    for state in order:
        consent = a_consent(state, at=given_at[state], source=f"page:{state}")
        people.save(a_change("amara", consents={"club/email": consent}))
    held = people.get_many(["amara"])["amara"].consents["club/email"]
    assert held == a_consent(holds, at=given_at[holds], source=f"page:{holds}")


def test_what_is_not_set_any_more_does_not_come_back_with_an_old_file(people: Recipients) -> None:
    for state, at in (("opted_in", BEFORE), ("not_set", AFTER), ("opted_in", NOW)):
        people.save(a_change("amara", consents={"news/email": a_consent(state, at=at)}))
    assert state_of(people, "news/email") == "not_set"


def test_what_a_number_and_a_country_tell_changes_with_them(people: Recipients) -> None:
    people.save(a_full_change())
    people.save(a_change("amara", phone="+61412345678", phone_country="AU"))
    people.save(a_change("amara", country="BV"))
    amara = people.get_many(["amara"])["amara"]
    assert (amara.phone_country, amara.phone_timezone) == ("AU", "")
    assert (amara.country, amara.country_timezone) == ("BV", "")


def test_a_preference_can_be_ended(people: Recipients) -> None:
    people.save(a_full_change())
    people.save(a_change("amara", ended=("preferred_channels", "preferred_time", "quiet_hours")))
    assert people.get_many(["amara"])["amara"].preferences == Preferences(paused_until=AFTER)


def test_an_outdated_consent_costs_only_itself(people: Recipients) -> None:
    people.save(a_change("amara", consents={"news/email": a_consent("opted_out")}))
    news = {"news/email": a_consent("opted_in", at=BEFORE), "offers/email": a_consent("opted_in", at=BEFORE)}
    people.save(a_change("amara", consents=news))
    amara = people.get_many(["amara"])["amara"]
    assert amara.consents["news/email"].state == "opted_out"
    assert amara.consents["offers/email"].state == "opted_in"


def test_a_hard_bounce_suppresses_the_address_on_everybody_who_has_it(people: Recipients) -> None:
    for recipient_id in ("amara", "ben"):
        people.save(a_change(recipient_id, email="shared@example.com"))
    people.save(a_change("chidi", email="chidi@example.com"))
    people.apply(_bounce("amara", "shared@example.com"))
    found = people.get_many(["amara", "ben", "chidi"])
    assert {person for person, kept in found.items() if kept.suppressed} == {"amara", "ben"}


def test_a_bounced_number_is_suppressed_on_everybody_who_has_it(people: Recipients) -> None:
    people.save(a_change("ben", phone="+12065550100"))
    people.apply(_bounce("amara", "+12065550100", channel=SMS))
    suppressed = people.get_many(["ben"])["ben"].suppressed
    assert {channel: [*addresses] for channel, addresses in suppressed.items()} == {SMS: ["+12065550100"]}


def test_an_address_is_suppressed_even_of_people_who_were_not_known(people: Recipients) -> None:
    people.apply(_bounce("guest", "guest@example.com"))
    guest = people.get_many(["guest"])["guest"]
    assert guest.suppressed[EMAIL]["guest@example.com"].reason == "hard_bounce"
    assert guest.addresses == {}


def test_the_first_reason_for_a_suppression_is_kept(people: Recipients) -> None:
    people.apply(_bounce("amara", "amara@example.com"))
    people.apply(
        SuppressAddress(recipient_id="amara", channel=EMAIL, address="amara@example.com", reason="complaint", at=AFTER)
    )
    assert people.get_many(["amara"])["amara"].suppressed[EMAIL]["amara@example.com"].reason == "hard_bounce"


@pytest.mark.parametrize("before", [{}, {"promotional/email": "opted_in"}, {"news/email": "opted_in"}])
def test_withdrawing_opts_out_of_the_purpose_on_the_channel_and_leaves_all_topics(
    people: Recipients, before: dict[str, str]
) -> None:
    given = {key: a_consent(state, at=BEFORE) for key, state in before.items()}
    people.save(a_change("amara", consents=given | {"news/sms": a_consent("opted_in", at=BEFORE)}))
    for _ in range(2):
        people.apply(WithdrawConsent(recipient_id="amara", channel=EMAIL, source="complaint", at=NOW))
    amara = people.get_many(["amara"])["amara"]
    expected = {**before, "promotional/email": "opted_out", "news/sms": "opted_in"}
    assert {key: consent.state for key, consent in amara.consents.items()} == expected
    assert amara.consents["promotional/email"] == Consent(state=ConsentState.OPTED_OUT, at=NOW, source="complaint")
    assert not amara.suppressed


def test_a_consent_given_after_the_complaint_stays(people: Recipients) -> None:
    given = {"promotional/email": a_consent("opted_in", at=AFTER)}
    people.save(a_change("amara", consents=given))
    people.apply(WithdrawConsent(recipient_id="amara", channel=EMAIL, source="complaint", at=NOW))
    assert state_of(people, "promotional/email") == "opted_in"


def test_stop_is_kept_of_people_who_are_not_known_yet_and_holds_once_they_are(people: Recipients) -> None:
    people.apply(WithdrawConsent(recipient_id="guest", channel=SMS, source="reply", at=NOW))
    assert not people.get_many(["guest"])["guest"].known
    people.save(a_change("guest", locale="fr"))
    guest = people.get_many(["guest"])["guest"]
    assert guest.known
    assert state_of(people, "promotional/sms", "guest") == "opted_out"


@pytest.mark.parametrize("channels", list(permutations([BEFORE, NOW, AFTER])))
def test_the_latest_reaction_is_kept_in_whatever_order_they_come(people: Recipients, channels: Any) -> None:
    people.save(a_change("amara"))
    for at in channels:
        people.apply(Engaged(recipient_id="amara", channel=PUSH, at=at))
    assert people.get_many(["amara"])["amara"].engaged == {PUSH: AFTER}


def test_a_dead_device_is_removed_and_the_others_stay(people: Recipients) -> None:
    people.save(a_full_change())
    for _ in range(2):
        people.apply(RemoveAddress(recipient_id="amara", channel=PUSH, address=TOKEN))
    assert people.get_many(["amara"])["amara"].addresses["device"] == ("apns:token-2",)


def test_the_last_device_can_be_removed(people: Recipients) -> None:
    people.save(a_change("amara", devices=(TOKEN,)))
    people.apply(RemoveAddress(recipient_id="amara", channel=PUSH, address=TOKEN))
    assert people.get_many(["amara"])["amara"].addresses == {}


@pytest.mark.parametrize(
    "consequence",
    [
        RemoveAddress(recipient_id="nobody", channel=PUSH, address=TOKEN),
        Engaged(recipient_id="nobody", channel=SMS, at=NOW),
    ],
)
def test_nobody_is_made_up_by_a_consequence_that_only_needs_known_people(people: Recipients, consequence: Any) -> None:
    people.apply(consequence)
    assert people.get_many(["nobody"]) == {}


def test_everybody_is_exported(people: Recipients) -> None:
    for recipient_id in ("amara", "ben"):
        people.save(a_full_change(recipient_id))
    assert {person.recipient_id: person.addresses["email"][0] for person in people.everyone()} == {
        "amara": "amara@example.com",
        "ben": "amara@example.com",
    }


def test_an_import_makes_new_people_and_changes_known_ones(people: Recipients) -> None:
    people.save(a_change("person-3", locale="fr", phone="+12065550100"))
    people.save_many(a_full_change(f"person-{number}") for number in range(30))
    people.save_many([a_change("person-3", locale="de")])
    found = {person.recipient_id: person for person in people.everyone()}
    assert len(found) == 30
    assert found["person-3"].locale == "de"
    assert found["person-29"].attributes == a_full_change().attributes | {"country": "CA"}
    assert found["person-3"].consents == a_full_change().consents


def test_a_person_of_whom_only_the_id_is_given_is_known_from_then_on(people: Recipients) -> None:
    people.save(a_change("amara"))
    people.save_many([a_change("amara"), a_change("ben")])
    assert people.get_many(["amara", "ben"]).keys() == {"amara", "ben"}


def test_an_import_twice_is_the_same_as_once(people: Recipients) -> None:
    changes = [a_full_change(f"person-{number}") for number in range(3)]
    people.save_many(changes)
    once = sorted(people.everyone(), key=lambda person: person.recipient_id)
    people.save_many(changes)
    assert sorted(people.everyone(), key=lambda person: person.recipient_id) == once


def test_of_a_person_who_is_in_a_file_twice_the_later_row_holds(people: Recipients) -> None:
    rows = [a_change("amara", locale=locale, email="amara@example.com") for locale in ("fr", "de")]
    people.save_many(rows)
    assert people.get_many(["amara"])["amara"].locale == "de"


def test_an_import_does_not_overwrite_a_later_consent(people: Recipients) -> None:
    people.save(a_change("amara", consents={"news/email": a_consent("opted_out")}))
    row = a_change("amara", consents={"news/email": a_consent("opted_in", at=BEFORE)}, locale="fr")
    people.save_many([row])
    amara = people.get_many(["amara"])["amara"]
    assert amara.consents["news/email"].state == "opted_out"
    assert amara.locale == "fr"


def test_a_person_with_very_many_attributes_is_imported_too(people: Recipients) -> None:
    wide = a_change(
        "amara",
        attributes={f"a column with a long name, number {n}": "x" for n in range(limits.ATTRIBUTES)},
    )
    people.save_many([wide])
    assert people.get_many(["amara"])["amara"].attributes == wide.attributes


# ---- the history of consents -------------------------------------------------------------------------------


def told(people: Recipients, recipient_id: str = "amara") -> list[tuple[str, str, str]]:
    return [(said.key, said.consent.state, said.consent.source) for said in people.history.statements(recipient_id)]


def test_everything_that_was_said_is_in_the_history_also_what_did_not_hold(people: Recipients) -> None:
    for state, at in (("opted_out", NOW), ("opted_in", BEFORE)):
        people.save(a_change("amara", consents={"news/sms": a_consent(state, at=at)}))
    assert [state for _, state, _ in told(people)] == ["opted_in", "opted_out"]
    assert state_of(people, "news/sms") == "opted_out"


def test_an_entry_has_the_text_that_was_shown_and_the_proof(people: Recipients) -> None:
    people.save(a_change("amara", consents={"news/email": PROVEN}))
    assert people.history.statements("amara") == [Statement(key="news/email", consent=PROVEN, recorded_at=NOW)]


def test_what_is_written_twice_is_in_the_history_once_and_as_it_was_first(people: Recipients) -> None:
    later = replace(people, history=replace(people.history, now=lambda: AFTER))
    changes = [a_full_change(f"person-{number}") for number in range(3)]
    stop = WithdrawConsent(recipient_id="person-1", channel=SMS, source="reply", at=NOW)
    for again in (people, later):
        again.save_many(changes)
        again.save(changes[0])
        again.apply(stop)
    for number, entries in enumerate([3, 4, 3]):
        history = people.history.statements(f"person-{number}")
        assert len(history) == entries
        assert {said.recorded_at for said in history} == {NOW}


def test_an_import_writes_the_history_of_new_and_of_known_people(people: Recipients) -> None:
    people.save(a_change("person-3"))
    people.save_many(a_full_change(f"person-{number}") for number in range(30))
    assert all(len(told(people, f"person-{number}")) == 3 for number in range(30))


def test_events_of_providers_are_in_the_history_with_their_source(people: Recipients) -> None:
    for channel, source in ((SMS, "reply"), (EMAIL, "complaint")):
        people.apply(WithdrawConsent(recipient_id="amara", channel=channel, source=source, at=NOW))
    assert sorted(told(people)) == [
        ("promotional/email", "opted_out", "complaint"),
        ("promotional/sms", "opted_out", "reply"),
    ]


def test_nothing_is_changed_that_is_not_in_the_history_first(
    people: Recipients, monkeypatch: pytest.MonkeyPatch
) -> None:
    def busy(*_: Any) -> None:
        raise BusyError("ledger: 1 changes of consents were not taken")

    monkeypatch.setattr(ConsentHistory, "keep", busy)
    change = a_change("amara", consents={"news/email": PROVEN})
    stop = WithdrawConsent(recipient_id="amara", channel=SMS, source="reply", at=NOW)
    with pytest.raises(BusyError):
        people.save(change)
    with pytest.raises(BusyError):
        people.save_many([change])
    with pytest.raises(BusyError):
        people.apply(stop)
    assert people.get_many(["amara"]) == {}


def test_a_change_without_consents_leaves_no_history(people: Recipients) -> None:
    people.save(a_change("amara", locale="fr"))
    assert told(people) == []


def test_the_history_is_in_no_timeline_and_never_expires(people: Recipients) -> None:
    people.save(a_full_change())
    client, table = people.client, people.history.table
    assert list(Ledger(client, table).timeline("amara")) == []
    [item] = client.scan(TableName=table)["Items"]
    assert "expires_at" not in item


def _bounce(recipient_id: str, address: str, channel: Channel = EMAIL) -> SuppressAddress:
    return SuppressAddress(recipient_id=recipient_id, channel=channel, address=address, reason="hard_bounce", at=NOW)
