"""Rules of how rows and events change people: only what is given, and a bad field costs only itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW
from heliograph.domain.errors import MalformedError
from heliograph.domain.model import Channel, Consent, ConsentState
from heliograph.domain.recipients import COLUMNS, RecipientChange, from_event, from_row

IN, OUT = ConsentState.OPTED_IN, ConsentState.OPTED_OUT
GIVEN_AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def row(**cells: str) -> RecipientChange:
    return from_row({"recipient_id": "amara"} | cells, region="US", source="import:people.csv", at=NOW)


def dotted(**cells: str) -> RecipientChange:
    """A row whose columns are spelled with `__` for a dot."""
    return row(**{name.replace("__", "."): value for name, value in cells.items()})


def event(**fields: Any) -> RecipientChange:
    return from_event({"recipient_id": "amara"} | fields, region="US", source="event:shop", at=NOW)


def test_a_row_gives_addresses_preferences_and_attributes() -> None:
    change = row(
        email="Amara@Example.com",
        phone="206-555-0100",
        devices="fcm:token-1 apns:token-2",
        preferred_channels="push email",
        locale="en_US",
        timezone="US/Pacific",
        plan="gold",
    )
    assert (change.email, change.phone) == ("Amara@example.com", "+12065550100")
    assert change.devices == ("gcm:token-1", "apns:token-2")
    assert change.preferred_channels == (Channel.PUSH, Channel.EMAIL)
    assert (change.locale, change.timezone) == ("en-US", "US/Pacific")
    assert change.attributes == {"plan": "gold"}
    assert change.problems == ()


def test_a_blank_cell_leaves_what_is_there() -> None:
    blank = dict.fromkeys(COLUMNS - {"recipient_id"} | {"plan", "consent.news.email"}, " ")
    assert row(**blank) == RecipientChange(recipient_id="amara")


@pytest.mark.parametrize("recipient_id", ["", "  ", "amara okafor", "a@example.com", "a" * 129])
def test_a_row_without_a_good_recipient_id_is_refused(recipient_id: str) -> None:
    with pytest.raises(MalformedError, match="recipient_id"):
        row(recipient_id=recipient_id)


@pytest.mark.parametrize(
    ("column", "value", "channel"),
    [
        ("email", "amara at example", Channel.EMAIL),
        ("phone", "12", Channel.SMS),
        ("devices", "pager:1", Channel.PUSH),
    ],
)
def test_a_bad_address_marks_its_channel_and_keeps_the_rest(column: str, value: str, channel: Channel) -> None:
    change = row(**{column: value, "plan": "gold"})
    assert change.invalid == (channel,)
    assert change.attributes == {"plan": "gold"}
    [problem] = change.problems
    assert problem.startswith(f"{column}: ")
    assert value not in problem


@pytest.mark.parametrize(("column", "value"), [("locale", "en_US.UTF-8"), ("timezone", "PST")])
def test_a_bad_zone_or_language_is_listed_and_left_as_it_was(column: str, value: str) -> None:
    change = row(**{column: value, "email": "amara@example.com"})
    assert (change.locale, change.timezone, change.email) == ("", "", "amara@example.com")
    assert [problem.partition(":")[0] for problem in change.problems] == [column]


def test_a_bad_device_does_not_cost_the_good_ones() -> None:
    change = row(devices="gcm:token-1 pager:2")
    assert change.devices == ("gcm:token-1",)
    assert change.invalid == ()
    assert len(change.problems) == 1


@pytest.mark.parametrize(
    ("answer", "state"),
    [("opted_in", IN), ("yes", IN), ("TRUE", IN), ("opted_out", OUT), ("No", OUT), ("false", OUT)],
)
def test_a_consent_is_a_yes_or_a_no(answer: str, state: ConsentState) -> None:
    change = dotted(consent__news__email=answer)
    assert change.consents == {"news/email": Consent(state=state, at=NOW, source="import:people.csv")}


@pytest.mark.parametrize(
    ("column", "answer"), [("consent.news.email", "maybe"), ("consent.news.fax", "yes"), ("consent.x", "yes")]
)
def test_a_consent_that_is_unclear_is_none(column: str, answer: str) -> None:
    change = row(**{column: answer})
    assert change.consents == {}
    assert [problem.partition(":")[0] for problem in change.problems] == [column]


def test_a_consent_keeps_where_and_when_it_was_given() -> None:
    change = dotted(consent__news__email="yes", consent_source="till 4", consent_at="2026-03-01T10:30:00+01:00")
    assert change.consents["news/email"] == Consent(state=IN, at=GIVEN_AT, source="till 4")


def test_a_time_without_a_zone_is_utc() -> None:
    assert dotted(consent__news__sms="no", consent_at="2026-03-01 09:30").consents["news/sms"].at == GIVEN_AT


def test_a_consent_is_never_of_tomorrow_so_that_it_can_be_withdrawn() -> None:
    tomorrow = (NOW + timedelta(days=1)).isoformat()
    assert dotted(consent__news__sms="yes", consent_at=tomorrow).consents["news/sms"].at == NOW


def test_an_opt_in_of_an_unreadable_date_is_no_consent_and_an_opt_out_holds() -> None:
    change = dotted(consent__news__sms="yes", consent__news__email="no", consent_at="last spring")
    assert {key: consent.state for key, consent in change.consents.items()} == {"news/email": OUT}
    assert {problem.partition(":")[0] for problem in change.problems} == {"consent_at", "consent.news.sms"}


@pytest.mark.parametrize(("consent_at", "undated"), [("", True), ("2026-03-01", False)])
def test_a_row_tells_whether_its_consents_are_dated(consent_at: str, undated: bool) -> None:
    assert dotted(consent__news__sms="yes", consent_at=consent_at).undated is undated


def test_the_consents_of_an_event_are_of_the_time_of_the_event() -> None:
    assert event(consents={"news/sms": "yes"}).undated is False


def test_an_attribute_that_is_too_long_is_refused_alone() -> None:
    change = row(essay="x" * 5_000, plan="gold")
    assert change.attributes == {"plan": "gold"}
    assert len(change.problems) == 1


def test_an_event_says_the_same_as_a_row() -> None:
    change = event(
        email="amara@example.com",
        devices=["gcm:token-1", "apns:token-2"],
        preferred_channels=["sms"],
        consents={"news/email": "opted_in", "news/sms": False},
        attributes={"plan": "gold", "visits": 3, "pets": [{"name": "Rex"}]},
    )
    assert (change.email, change.devices) == ("amara@example.com", ("gcm:token-1", "apns:token-2"))
    assert change.preferred_channels == (Channel.SMS,)
    assert {key: consent.state for key, consent in change.consents.items()} == {"news/email": IN, "news/sms": OUT}
    assert change.consents["news/email"].source == "event:shop"
    assert change.attributes == {"plan": "gold", "visits": 3, "pets": [{"name": "Rex"}]}


def test_null_in_an_event_says_nothing() -> None:
    fields: dict[str, Any] = dict.fromkeys((COLUMNS | {"consents", "attributes"}) - {"recipient_id"})
    assert event(**fields) == RecipientChange(recipient_id="amara")


@pytest.mark.parametrize("field", ["email", "devices", "consents", "attributes"])
def test_a_field_of_another_kind_is_refused_alone(field: str) -> None:
    change = event(**{field: 7, "locale": "fr"})
    assert change.locale == "fr"
    assert [problem.partition(":")[0] for problem in change.problems] == [field]


CELLS = st.dictionaries(
    st.sampled_from([*sorted(COLUMNS), "consent.news.email", "consent.news", "plan"]) | st.text(), st.text(max_size=30)
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(CELLS)
def test_a_refused_cell_never_drops_a_person(cells: dict[str, str]) -> None:
    change = row(**(cells | {"recipient_id": "amara"}))
    assert change.recipient_id == "amara"


@given(st.dictionaries(st.sampled_from([*sorted(COLUMNS), "consents", "attributes"]), VALUES))
def test_a_refused_field_never_drops_a_person(fields: dict[str, Any]) -> None:
    change = event(**(fields | {"recipient_id": "amara"}))
    assert change.recipient_id == "amara"


@given(st.text(min_size=8, max_size=30))
def test_a_problem_never_quotes_what_was_written(text: str) -> None:
    change = row(email=text, phone=text, devices=text, locale=text, timezone=text, consent_at=text)
    assert not any(text in problem for problem in change.problems)
