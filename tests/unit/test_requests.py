"""A product event as a send request."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import a_message
from heliograph.domain.errors import MalformedError
from heliograph.domain.ids import IDENTIFIER
from heliograph.domain.model import Channel, Lane, Message, Purpose, Trigger
from heliograph.domain.recipients import RecipientChange
from heliograph.domain.requests import Wanted, pack_of_one, read

TRIGGER = Trigger(
    source="shop",
    detail_type="Shipped",
    recipient_id="detail.customer",
    idempotency_key="detail.order",
    email="detail.email",
    phone="detail.phone",
    expires_at="detail.until",
)
MESSAGES: dict[str, Message] = {"shipped": a_message("shipped", trigger=TRIGGER, expires_after=3600)}
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def an_event(detail_type: str = "Shipped", /, **detail: Any) -> dict[str, Any]:
    return {
        "id": "e-1",
        "source": "shop",
        "detail-type": detail_type,
        "time": "2026-11-21T12:00:00Z",
        "detail": detail,
    }


def triggered(**detail: Any) -> Wanted:
    wanted = read({"message": "shipped", "event": an_event(**detail)}, MESSAGES, region="DE")
    assert isinstance(wanted, Wanted)
    return wanted


def requested(**detail: Any) -> Wanted:
    wanted = read(an_event("SendRequested", **detail), MESSAGES, region="DE")
    assert isinstance(wanted, Wanted)
    return wanted


def test_a_trigger_reads_who_what_and_until_when_from_the_event() -> None:
    wanted = triggered(customer="amara", order=17, until="2026-11-21T12:10:00Z")
    request = wanted.request
    assert (request.recipient_id, request.message, wanted.idempotency_key) == ("amara", "shipped", "17")
    assert (request.requested_at, request.not_after) == (NOON, NOON + timedelta(minutes=10))
    assert request.data["order"] == 17


def test_the_message_limits_how_long_a_request_is_worth_sending() -> None:
    assert triggered(customer="amara").request.not_after == NOON + timedelta(hours=1)
    assert triggered(customer="amara", until="2027-01-01T00:00:00Z").request.not_after == NOON + timedelta(hours=1)


def test_the_same_event_is_always_the_same_request() -> None:
    assert triggered(customer="amara") == triggered(customer="amara")
    assert triggered(customer="amara").request.request_id != triggered(customer="ben").request.request_id


def test_the_same_idempotency_key_is_the_same_request_whatever_the_event() -> None:
    one, other = requested(message="shipped", recipient_id="amara", idempotency_key="k"), an_event("SendRequested")
    other |= {"id": "e-2", "detail": {"message": "shipped", "recipient_id": "amara", "idempotency_key": "k"}}
    again = read(other, MESSAGES, region="DE")
    assert isinstance(again, Wanted)
    assert again.request.request_id == one.request.request_id


def test_somebody_without_an_id_is_known_by_their_address() -> None:
    request = triggered(email="Guest@Example.com").request
    assert request.email == "Guest@example.com"
    assert IDENTIFIER.fullmatch(request.recipient_id)
    assert "guest" not in request.recipient_id.lower()


def test_an_address_that_cannot_be_read_costs_only_its_channel() -> None:
    request = triggered(customer="amara", email="nobody", phone="015123456789").request
    assert (request.email, request.phone, request.invalid) == ("", "+4915123456789", (Channel.EMAIL,))


@pytest.mark.parametrize(
    ("body", "place"),
    [
        ({}, "detail-type"),
        ({"message": "unheard", "event": {}}, "message"),
        ({"message": "shipped", "event": {}}, "event"),
        ({"message": "shipped", "event": an_event()}, "recipient_id"),
        ({"message": "shipped", "event": an_event(customer="a b")}, "recipient_id"),
        ({"message": "shipped", "event": an_event(customer={"id": 1})}, "recipient_id"),
        ({"message": "shipped", "event": an_event(customer="a", until="soon")}, "expires_at"),
        ({"message": "shipped", "event": an_event(customer="a", until="2026-11-21T12:00:00")}, "expires_at"),
        ({"message": "shipped", "event": an_event(customer="a") | {"time": "noon"}}, "event"),
        (an_event("SendRequested", message=7), "detail"),
        (an_event("SendRequested", message="shipped"), "recipient_id"),
        (an_event("RecipientUpdated"), "recipient_id"),
        (an_event("SomethingElse"), "detail-type"),
    ],
)
def test_a_malformed_event_is_refused_with_its_place(body: dict[str, Any], place: str) -> None:
    with pytest.raises(MalformedError) as refused:
        read(body, MESSAGES, region="DE")
    assert refused.value.place == place


def test_recipient_updated_is_a_change_of_the_person() -> None:
    change = read(an_event("RecipientUpdated", recipient_id="amara", locale="de"), MESSAGES, region="DE")
    assert isinstance(change, RecipientChange)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
DETAIL = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        ("customer", "order", "email", "phone", "until", "message", "recipient_id", "consents"), JSON
    ),
)


@given(DETAIL, st.sampled_from(["Shipped", "SendRequested", "RecipientUpdated"]), st.booleans())
def test_an_event_never_does_worse_than_to_be_refused(detail: dict[str, Any], kind: str, wrapped: bool) -> None:
    event = an_event(kind) | {"detail": detail}
    try:
        read({"message": "shipped", "event": event} if wrapped else event, MESSAGES, region="DE")
    except MalformedError as refused:
        assert refused.reason


@pytest.mark.parametrize(
    ("message", "lane"),
    [
        (a_message(), Lane.PRIORITY),
        (a_message(purpose=Purpose.PROMOTIONAL), Lane.BULK),
        (None, Lane.BULK),
    ],
)
def test_transactional_messages_never_wait_behind_a_run(message: Message | None, lane: Lane) -> None:
    assert pack_of_one(triggered(customer="amara").request, message).lane is lane
