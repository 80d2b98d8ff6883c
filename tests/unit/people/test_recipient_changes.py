"""Rules of how rows and events change people: only what is given, and a bad field costs only itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import EMAIL, NOW, PUSH, SMS, a_change
from heliograph.model.people import Consent, ConsentState
from heliograph.people.changes import COLUMNS, RecipientChange, from_event, from_row
from heliograph.text import limits
from heliograph.text.errors import MalformedError

IN, OUT = ConsentState.OPTED_IN, ConsentState.OPTED_OUT
PENDING, NOT_SET = ConsentState.PENDING, ConsentState.NOT_SET
TERMS: dict[str, Any] = {"region": "US", "double_opt_in": ["club"], "at": NOW}
GIVEN_AT = datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


def row(**cells: str) -> RecipientChange:
    return from_row({"recipient_id": "amara"} | cells, source="import:people.csv", **TERMS)


def dotted(**cells: str) -> RecipientChange:
    """A row whose columns are spelled with `__` for a dot."""
    return row(**{name.replace("__", "."): value for name, value in cells.items()})


def event(**fields: Any) -> RecipientChange:
    return from_event({"recipient_id": "amara"} | fields, source="api:shop", **TERMS)


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
    assert (change.addresses["email"][0], change.addresses["phone"][0]) == ("Amara@example.com", "+12065550100")
    assert change.addresses["device"] == ("gcm:token-1", "apns:token-2")
    assert change.preferred_channels == (PUSH, EMAIL)
    assert (change.locale, change.timezone) == ("en-US", "US/Pacific")
    assert change.attributes == {"plan": "gold"}
    assert change.problems == ()


def test_a_blank_cell_leaves_what_is_there() -> None:
    blank = dict.fromkeys(COLUMNS - {"recipient_id"} | {"plan", "consent.news.email"}, " ")
    assert row(**blank) == a_change("amara")


@pytest.mark.parametrize("recipient_id", ["", "  ", "amara okafor", "a@example.com", "a" * 129])
def test_a_row_without_a_good_recipient_id_is_refused(recipient_id: str) -> None:
    with pytest.raises(MalformedError, match="recipient_id"):
        row(recipient_id=recipient_id)


@pytest.mark.parametrize(
    ("column", "value", "kind"),
    [
        ("email", "amara at example", "email"),
        ("phone", "12", "phone"),
        ("devices", "pager:1", "device"),
    ],
)
def test_a_bad_address_marks_its_kind_and_keeps_the_rest(column: str, value: str, kind: str) -> None:
    change = row(**{column: value, "plan": "gold"})
    assert change.invalid == (kind,)
    assert change.attributes == {"plan": "gold"}
    [problem] = change.problems
    assert problem.column == column
    assert value not in problem.reason


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("locale", "en_US.UTF-8"),
        ("timezone", "PST"),
        *(("country", value) for value in ("Germany", "UK", "ZZ", "D")),
        *(("preferred_time", value) for value in ("24:00", "18h", "6 pm", "18:30:00", "٣:٠٠")),
        *(("quiet_hours", value) for value in ("22:00", "22-9", "22:00-25:00", "22:00-22:00", "9:00-09:00", "-")),
        *(("paused_until", value) for value in ("Monday", "2026-13-01", "2026-11-21T25:00")),
    ],
)
def test_a_bad_field_is_listed_with_its_place_and_costs_only_itself(column: str, value: str) -> None:
    for change in (row(**{column: value, "email": "amara@example.com"}), event(**{column: value, "email": "a@b.com"})):
        [problem] = change.problems
        assert problem.column == column
        assert change.addresses["email"][0]
        assert change == a_change("amara", email=change.addresses["email"][0], problems=(problem,))


def test_a_row_tells_when_a_person_is_welcome_to_be_written_to() -> None:
    change = row(preferred_time="8:30", quiet_hours="22:00-9:00 12:00-24:00", paused_until="2027-01-01")
    assert change.preferred_time == "08:30"
    assert change.quiet_hours == ("22:00-09:00", "12:00-24:00")
    assert change.paused_until == datetime(2027, 1, 1, tzinfo=UTC)


def test_a_bad_window_does_not_cost_the_good_ones() -> None:
    assert event(quiet_hours=["22:00-9:00", "noon"]).quiet_hours == ("22:00-09:00",)


@pytest.mark.parametrize("name", ["preferred_channels", "preferred_time", "quiet_hours"])
def test_the_word_none_ends_a_preference(name: str) -> None:
    assert row(**{name: "None"}) == a_change("amara", ended=(name,))


@pytest.mark.parametrize(
    ("phone", "country", "timezone"),
    [
        ("+4915112345678", "DE", "Europe/Berlin"),
        ("+12065550100", "US", "America/Los_Angeles"),
        ("+81312345678", "JP", "Asia/Tokyo"),
        ("+919876543210", "IN", "Asia/Calcutta"),
        ("+5511961234567", "BR", "America/Sao_Paulo"),
        ("+447400123456", "GB", "Europe/London"),  # and Guernsey, Jersey and Man, where the time is the same
        ("+34612345678", "ES", ""),  # the mainland or the Canary Islands
        ("+61412345678", "AU", ""),
        ("+18005550100", "US", ""),
        ("+80012345678", "", ""),  # of no country
    ],
)
def test_a_number_tells_its_country_and_its_zone_if_there_is_only_one(phone: str, country: str, timezone: str) -> None:
    change = row(phone=phone)
    assert (change.addresses["phone"][0], change.phone_country, change.phone_timezone) == (phone, country, timezone)


@pytest.mark.parametrize(
    ("country", "timezone"),
    [
        ("DE", "Europe/Berlin"),
        ("us", "America/New_York"),
        ("AU", "Australia/Sydney"),
        ("RU", "Europe/Moscow"),
        ("BR", "America/Sao_Paulo"),
        ("CA", "America/Toronto"),
        ("UA", "Europe/Kyiv"),
        ("BV", ""),  # penguins
    ],
)
def test_a_country_tells_the_zone_in_which_most_of_its_people_live(country: str, timezone: str) -> None:
    change = row(country=country)
    assert (change.country, change.country_timezone) == (country.upper(), timezone)


def test_a_bad_device_does_not_cost_the_good_ones() -> None:
    change = row(devices="gcm:token-1 pager:2")
    assert change.addresses["device"] == ("gcm:token-1",)
    assert change.invalid == ()
    assert len(change.problems) == 1


@pytest.mark.parametrize(
    ("answer", "state"),
    [
        *(("opted_in", IN), ("yes", IN), ("TRUE", IN), ("confirmed", IN)),
        *(("opted_out", OUT), ("No", OUT), ("false", OUT)),
        *(("pending", PENDING), ("not_set", NOT_SET)),
    ],
)
def test_an_answer_is_a_state(answer: str, state: ConsentState) -> None:
    change = dotted(consent__news__email=answer)
    assert change.consents == {"news/email": Consent(state=state, at=NOW, source="import:people.csv")}


@pytest.mark.parametrize(
    ("column", "answer"), [("consent.news.email", "maybe"), ("consent.news.fax", "yes"), ("consent.x", "yes")]
)
def test_a_consent_that_is_unclear_is_none(column: str, answer: str) -> None:
    change = row(**{column: answer})
    assert change.consents == {}
    assert [problem.column for problem in change.problems] == [column]


def test_a_consent_keeps_where_and_when_it_was_given() -> None:
    change = dotted(
        consent__news__email="yes",
        consent_at="2026-03-01T10:30:00+01:00",
        consent_source="page:shop",
        consent_text="news-2026-02",
        consent_proof="form/17",
    )
    assert change.consents["news/email"] == Consent(
        state=IN, at=GIVEN_AT, source="page:shop", text="news-2026-02", proof="form/17"
    )


@pytest.mark.parametrize("subject", ["news", "promotional", "transactional"])
def test_a_consent_is_to_a_topic_or_a_purpose(subject: str) -> None:
    assert list(row(**{f"consent.{subject}.sms": "no"}).consents) == [f"{subject}/sms"]
    assert list(event(consents={f"{subject}/sms": "no"}).consents) == [f"{subject}/sms"]


@pytest.mark.parametrize(
    ("said", "of_a_row", "of_an_event"),
    [
        ("", "import:people.csv", "api:shop"),
        ("till 4", "import:till 4", "api:shop"),
        ("pages", "import:pages", "api:shop"),
        ("page", "page", "page"),
        ("page:signup", "page:signup", "page:signup"),
        ("reply", "reply", "reply"),
        ("complaint", "complaint", "complaint"),
        ("import:old.csv", "import:old.csv", "import:old.csv"),
        ("api:crm", "api:crm", "api:crm"),
        ("x" * 257, "import:people.csv", "api:shop"),
    ],
)
def test_a_source_is_of_one_of_five_kinds(said: str, of_a_row: str, of_an_event: str) -> None:
    from_file = dotted(consent__news__email="yes", consent_source=said)
    from_bus = event(consents={"news/email": "yes"}, consent_source=said)
    assert (from_file.consents["news/email"].source, from_bus.consents["news/email"].source) == (of_a_row, of_an_event)


@pytest.mark.parametrize("source", ["page:signup", "import", "reply", "api", "complaint"])
@pytest.mark.parametrize("answer", ["opted_in", "yes", "true"])
def test_an_opt_in_to_a_topic_of_double_opt_in_is_pending(answer: str, source: str) -> None:
    assert event(consents={"club/email": answer}, consent_source=source).consents["club/email"].state is PENDING
    assert dotted(consent__club__email=answer, consent_source=source).consents["club/email"].state is PENDING


@pytest.mark.parametrize(("answer", "state"), [("confirmed", IN), ("opted_out", OUT), ("not_set", NOT_SET)])
def test_every_other_answer_to_a_topic_of_double_opt_in_counts_at_once(answer: str, state: ConsentState) -> None:
    assert event(consents={"club/email": answer}).consents["club/email"].state is state


def test_a_text_or_a_proof_that_is_too_long_does_not_cost_the_consent() -> None:
    change = dotted(consent__news__email="yes", consent_text="x" * 257, consent_proof="form/17")
    assert change.consents["news/email"] == Consent(state=IN, at=NOW, source="import:people.csv", proof="form/17")
    assert [problem.column for problem in change.problems] == ["consent_text"]


def test_a_time_without_a_zone_is_utc() -> None:
    assert dotted(consent__news__sms="no", consent_at="2026-03-01 09:30").consents["news/sms"].at == GIVEN_AT


def test_a_consent_is_never_of_tomorrow_so_that_it_can_be_withdrawn() -> None:
    tomorrow = (NOW + timedelta(days=1)).isoformat()
    assert dotted(consent__news__sms="yes", consent_at=tomorrow).consents["news/sms"].at == NOW


def test_an_opt_in_of_an_unreadable_date_is_no_consent_and_an_opt_out_holds() -> None:
    change = dotted(consent__news__sms="yes", consent__news__email="no", consent_at="last spring")
    assert {key: consent.state for key, consent in change.consents.items()} == {"news/email": OUT}
    assert {problem.column for problem in change.problems} == {"consent_at", "consent.news.sms"}


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
    assert (change.addresses["email"][0], change.addresses["device"]) == (
        "amara@example.com",
        ("gcm:token-1", "apns:token-2"),
    )
    assert change.preferred_channels == (SMS,)
    assert {key: consent.state for key, consent in change.consents.items()} == {"news/email": IN, "news/sms": OUT}
    assert change.consents["news/email"].source == "api:shop"
    assert change.attributes == {"plan": "gold", "visits": 3, "pets": [{"name": "Rex"}]}


def test_null_in_an_event_says_nothing() -> None:
    fields: dict[str, Any] = dict.fromkeys((COLUMNS | {"consents", "attributes"}) - {"recipient_id"})
    assert event(**fields) == a_change("amara")


@pytest.mark.parametrize("field", ["email", "devices", "consents", "attributes"])
def test_a_field_of_another_kind_is_refused_alone(field: str) -> None:
    change = event(**{field: 7, "locale": "fr"})
    assert change.locale == "fr"
    assert [problem.column for problem in change.problems] == [field]


# ---- how much is read of a person --------------------------------------------------------------------------


@pytest.mark.parametrize("forever", ["9999-12-31", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "2100-01-02"])
def test_a_pause_for_ever_lasts_until_2100(forever: str) -> None:
    assert row(paused_until=forever).paused_until == datetime(2100, 1, 1, tzinfo=UTC)


def test_a_pause_until_the_distant_past_is_over() -> None:
    assert row(paused_until="0001-01-01T00:00:00+14:00").paused_until == datetime(2000, 1, 1, tzinfo=UTC)


def test_of_many_quiet_hours_and_devices_the_first_ones_count() -> None:
    windows = [
        f"{minute // 60:02d}:{minute % 60:02d}-{minute // 60:02d}:{minute % 60 + 4:02d}" for minute in range(0, 1440, 5)
    ]
    change = row(quiet_hours=" ".join(windows), devices=" ".join(f"gcm:token-{n}" for n in range(500)))
    assert change.quiet_hours == tuple(windows[: limits.QUIET_WINDOWS])
    assert len(change.addresses["device"]) == limits.DEVICES
    assert [problem.column for problem in change.problems] == ["devices", "quiet_hours"]


def test_a_person_has_a_hundred_attributes_at_most() -> None:
    change = event(attributes={f"a{n}": n for n in range(1_000)})
    assert list(change.attributes) == [f"a{n}" for n in range(limits.ATTRIBUTES)]
    [problem] = change.problems
    assert problem.column == "attributes"


def test_attributes_that_have_no_room_together_are_left_out() -> None:
    change = event(attributes={"small": "x", "huge": ["y" * 1_000] * 70, "another": "z"}, email="amara@example.com")
    assert set(change.attributes) == {"small", "another"}
    assert change.addresses["email"][0]


def test_an_attribute_of_any_depth_costs_only_itself() -> None:
    deep: Any = "x"
    for _ in range(5_000):
        deep = [deep]
    assert event(attributes={"deep": deep, "plan": "gold"}).attributes == {"plan": "gold"}


@pytest.mark.parametrize(
    "field", ["email", "phone", "locale", "timezone", "country", "devices", "preferred_channels", "quiet_hours"]
)
def test_a_field_of_any_length_is_refused_alone(field: str) -> None:
    change = event(**{field: "x-y" * 100_000, "attributes": {"plan": "gold"}})
    assert change.attributes == {"plan": "gold"}
    [problem] = change.problems
    assert len(problem.column + problem.reason) < 200


def test_more_consents_than_a_policy_can_have_are_refused_as_a_whole() -> None:
    with pytest.raises(MalformedError, match="several"):
        event(consents={f"topic-{n}/email": "opted_out" for n in range(limits.CONSENTS + 1)})


CELLS = st.dictionaries(
    st.sampled_from([*sorted(COLUMNS), "consent.news.email", "consent.club.sms", "consent.news", "plan"]) | st.text(),
    st.sampled_from(
        ["none", "not_set", "pending", "yes", "no", "9:00-8:00", "00:00-24:00", "DE", "+15005550006", "2026"]
    )
    | st.text(max_size=30),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(CELLS)
def test_reading_a_row_never_raises_anything_but_malformed_for_its_recipient_id(cells: dict[str, str]) -> None:
    try:
        from_row(cells, source="import:people.csv", **TERMS)
    except MalformedError as error:
        assert error.position == "recipient_id"


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
    assert not any(text in problem.reason for problem in change.problems)
