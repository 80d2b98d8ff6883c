"""A product event as send requests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import EMAIL, a_message
from heliograph.campaigns.segments import PACK_LIMIT
from heliograph.ingesting.requests import Changed, Requested, lane_of, packs, read
from heliograph.model.messages import Message, Trigger
from heliograph.model.policy import Policy, Purpose
from heliograph.model.requests import Cause, Lane, SendRequest
from heliograph.text.bodies import PACK_BYTES, REQUEST_LIMIT
from heliograph.text.errors import MalformedError
from heliograph.text.ids import IDENTIFIER

TRIGGER = Trigger(
    source="shop",
    detail_type="Shipped",
    recipient_id="detail.customer",
    idempotency_key="detail.order",
    email="detail.email",
    phone="detail.phone",
    expires_at="detail.until",
)
RECALL = Trigger(
    source="shop",
    detail_type="Recalled",
    recipient_id="detail.customers",
    email="detail.email",
    phone="detail.phone",
    most_per_event=10_000,
)
ONE_OF_A_KIND = Trigger(source="shop", detail_type="Shipped", recipient_id="join('-', detail.customer)")
MESSAGES: dict[str, Message] = {
    "shipped": a_message("shipped", trigger=TRIGGER, expires_after=3600),
    "recalled": a_message("recalled", trigger=RECALL),
    "joined": a_message("joined", trigger=ONE_OF_A_KIND),
}
POLICY = Policy(default_region="DE")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def an_event(detail_type: str = "Shipped", /, **detail: Any) -> dict[str, Any]:
    return {
        "id": "e-1",
        "source": "shop",
        "detail-type": detail_type,
        "time": "2026-11-21T12:00:00Z",
        "detail": detail,
    }


def asked(body: dict[str, Any]) -> Requested:
    read_as = read(body, MESSAGES, policy=POLICY)
    assert isinstance(read_as, Requested)
    return read_as


def triggered(**detail: Any) -> SendRequest:
    (request,) = asked({"message": "shipped", "event": an_event(**detail)}).requests
    return request


def recalled(*customers: Any, **detail: Any) -> Requested:
    return asked({"message": "recalled", "event": an_event("Recalled", customers=list(customers), **detail)})


def people(asked: Requested) -> list[str]:
    return [request.recipient_id for request in asked.requests]


def test_a_trigger_reads_who_what_and_until_when_from_the_event() -> None:
    detail = {"customer": "amara", "order": 17, "until": "2026-11-21T12:10:00Z"}
    wanted = asked({"message": "shipped", "event": an_event(**detail)})
    (request,) = wanted.requests
    assert (request.recipient_id, request.message, wanted.idempotency_key) == ("amara", "shipped", "17")
    assert (request.requested_at, request.not_after) == (NOON, NOON + timedelta(minutes=10))
    assert request.data["order"] == 17


def test_the_message_limits_how_long_a_request_is_worth_sending() -> None:
    assert triggered(customer="amara").not_after == NOON + timedelta(hours=1)
    assert triggered(customer="amara", until="2027-01-01T00:00:00Z").not_after == NOON + timedelta(hours=1)


def test_the_same_event_is_always_the_same_request() -> None:
    assert triggered(customer="amara") == triggered(customer="amara")
    assert triggered(customer="amara").request_id != triggered(customer="ben").request_id


def test_the_same_idempotency_key_is_the_same_request_whatever_the_event() -> None:
    event = an_event("SendRequested", message="shipped", recipient_id="amara", idempotency_key="k")
    (first,), (second,) = asked(event).requests, asked(event | {"id": "e-2"}).requests
    assert first.request_id == second.request_id
    assert second.cause == Cause(event_id="e-2", idempotency_key="k")


def test_somebody_without_an_id_is_known_by_their_address() -> None:
    request = triggered(email="Guest@Example.com")
    assert request.email == "Guest@example.com"
    assert IDENTIFIER.fullmatch(request.recipient_id)
    assert "guest" not in request.recipient_id.lower()


def test_an_address_that_cannot_be_read_costs_only_its_channel() -> None:
    request = triggered(customer="amara", email="nobody", phone="015123456789")
    assert (request.email, request.phone, request.invalid) == ("", "+4915123456789", (EMAIL,))


def test_an_event_that_names_many_people_is_a_request_for_each_of_them_once() -> None:
    wanted = recalled("amara", "ben", 7, "amara", sku="K-1")
    assert people(wanted) == ["amara", "ben", "7"]
    assert len({request.request_id for request in wanted.requests}) == 3
    assert all(request.data["sku"] == "K-1" for request in wanted.requests)


def test_a_person_gets_the_same_request_whoever_else_is_named() -> None:
    assert recalled("amara").requests[0].request_id == recalled("ben", "amara").requests[1].request_id


@pytest.mark.parametrize("bad", ["a b", "", None, True, 1.5, {"id": "x"}, ["cleo"], "x" * 129])
def test_an_element_that_names_nobody_costs_only_itself(bad: Any) -> None:
    wanted = recalled("amara", bad, "ben")
    assert people(wanted) == ["amara", "ben"]
    assert wanted.refused
    assert wanted.refused.position == "recipient_id"
    assert wanted.refused.reason.startswith("elements [1] of detail.customers are not 1 to 128 characters")


def test_of_many_bad_elements_the_first_are_named_and_the_others_counted() -> None:
    refused = recalled("amara", *[None] * 12).refused
    assert refused
    assert "[1] [2] [3] [4] [5] [6] [7] [8] [9] [10] and 2 more of" in refused.reason


@pytest.mark.parametrize("customers", [[], [None], ["a b", {}]])
def test_an_event_whose_list_names_nobody_is_refused_whole(customers: list[Any]) -> None:
    with pytest.raises(MalformedError) as refused:
        recalled(*customers)
    assert refused.value.position == "recipient_id"


@pytest.mark.parametrize(("field", "address"), [("email", "amara@example.com"), ("phone", "+4915123456789")])
@pytest.mark.parametrize("customers", [["amara", "ben"], ["amara", None]])
def test_an_address_is_never_that_of_several_people(field: str, address: str, customers: list[Any]) -> None:
    with pytest.raises(MalformedError) as refused:
        recalled(*customers, **{field: address})
    assert str(refused.value) == f"{field}: belongs to one person, but detail.customers names several"


@pytest.mark.parametrize("customers", [["amara"], ["amara", "amara"], []])
def test_an_address_goes_with_a_list_of_one(customers: list[str]) -> None:
    (request,) = recalled(*customers, email="amara@example.com").requests
    assert request.email == "amara@example.com"


def test_what_an_expression_cannot_be_applied_to_is_refused_without_quoting_it() -> None:
    with pytest.raises(MalformedError) as refused:
        asked({"message": "joined", "event": an_event(customer={"secret": 1})})
    assert str(refused.value) == "recipient_id: join('-', detail.customer) cannot be read from this event"


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
        ({"message": "shipped", "event": an_event(customer="a") | {"time": "2026-11-21T12:00:00"}}, "event"),
        ({"message": "shipped", "event": an_event(customer="a") | {"time": "0001-01-01T00:00:00+14:00"}}, "event"),
        ({"message": "shipped", "event": an_event(customer="a") | {"time": "9999-12-31T23:30:00Z"}}, "event"),
        (an_event("SendRequested", message="shipped", recipient_id="a", expires_at="2026-11-21T12:00:00"), "detail"),
        (an_event("SendRequested", message=7), "detail"),
        (an_event("SendRequested", message="shipped"), "recipient_id"),
        (an_event("RecipientUpdated"), "recipient_id"),
        (an_event("SomethingElse"), "detail-type"),
    ],
)
def test_a_malformed_event_is_refused_with_its_place(body: dict[str, Any], place: str) -> None:
    with pytest.raises(MalformedError) as refused:
        read(body, MESSAGES, policy=POLICY)
    assert refused.value.position == place


def updated(**detail: Any) -> Changed:
    found = read(an_event("RecipientUpdated", recipient_id="amara", **detail), MESSAGES, policy=POLICY)
    assert isinstance(found, Changed)
    return found


def test_recipient_updated_is_a_change_of_the_person() -> None:
    found = updated(locale="de")
    assert (found.change.recipient_id, found.change.locale, found.refused) == ("amara", "de", None)


@pytest.mark.parametrize(
    ("detail", "named"),
    [
        ({"mail": "amara@example.com"}, "mail"),
        ({"timezone": "Berlin"}, "timezone"),
        ({"locale": ["de", 7]}, "locale"),
        ({"attributes": ["first_name"]}, "attributes"),
        ({"consents": {"news": "opted_in"}}, "consents"),
        ({"consents": {"news/email": "perhaps"}}, "consents"),
        ({"amara@example.com": 1}, "a field"),
    ],
)
def test_what_an_update_says_beside_what_can_be_read_is_named_and_the_rest_holds(
    detail: dict[str, Any], named: str
) -> None:
    found = updated(**detail, country="DE")
    assert found.change.country == "DE"
    assert found.refused is not None
    assert (found.refused.position, found.refused.reason.partition(":")[0]) == ("detail", named)
    assert "amara@example.com" not in str(found.refused)


def test_a_bad_address_of_a_person_is_kept_as_one_that_cannot_be_used() -> None:
    found = updated(email="nobody", phone="12")
    assert (found.change.invalid, found.refused) == (("email", "phone"), None)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
DETAIL = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(
        (
            *("customer", "customers", "order", "email", "phone", "until"),
            *("message", "recipient_id", "consents", "expires_at"),
        ),
        JSON | st.sampled_from(["amara", "+4915123456789", *MESSAGES]) | st.datetimes().map(datetime.isoformat),
    ),
)
TIMES = JSON | st.datetimes(timezones=st.none() | st.timezones()).map(datetime.isoformat)


@given(
    detail=DETAIL,
    time=TIMES,
    kind=st.sampled_from(["Shipped", "SendRequested", "RecipientUpdated"]),
    message=st.none() | st.sampled_from(sorted(MESSAGES)),
)
def test_an_event_never_does_worse_than_to_be_refused(
    detail: dict[str, Any], time: Any, kind: str, message: str | None
) -> None:
    event = an_event(kind) | {"detail": detail, "time": time}
    try:
        read({"message": message, "event": event} if message else event, MESSAGES, policy=POLICY)
    except MalformedError as refused:
        assert refused.reason


NAMES: st.SearchStrategy[list[Any]] = st.lists(
    st.sampled_from(["amara", "ben", "cleo", "a b", "", None, 7, 1.5, [], {}]), min_size=1, max_size=8
)


@given(NAMES)
def test_of_a_list_everybody_is_asked_for_once_or_refused(names: list[Any]) -> None:
    good = {str(name) for name in names if name in ("amara", "ben", "cleo", 7)}
    bad = [f"[{number}]" for number, name in enumerate(names) if str(name) not in good]
    try:
        wanted = recalled(*names)
    except MalformedError:
        assert not good
        return
    assert sorted(people(wanted)) == sorted(good)
    assert bool(wanted.refused) == bool(bad)
    assert not wanted.refused or f"elements {' '.join(bad)} of" in wanted.refused.reason


@pytest.mark.parametrize(
    ("message", "lane"),
    [
        (a_message(), Lane.PRIORITY),
        (a_message(purpose=Purpose.PROMOTIONAL), Lane.BULK),
        (None, Lane.BULK),
    ],
)
def test_transactional_messages_never_wait_behind_a_run(message: Message | None, lane: Lane) -> None:
    assert lane_of(message) is lane


def of_many(number: int, data: dict[str, Any]) -> list[SendRequest]:
    """Requests of one event to people with the longest of ids."""
    wanted = recalled(*(f"{person:0128d}" for person in range(number))).requests
    return [msgspec.structs.replace(request, data=data) for request in wanted]


@pytest.mark.parametrize(
    ("number", "sizes"), [(1, [1]), (PACK_LIMIT, [100]), (PACK_LIMIT + 1, [100, 1]), (250, [100, 100, 50])]
)
def test_the_requests_of_an_event_travel_in_packs(number: int, sizes: list[int]) -> None:
    wanted = of_many(number, {"sku": "K-1"})
    made = packs(wanted, Lane.BULK)
    assert [len(pack.requests) for pack in made] == sizes
    assert [request for pack in made for request in pack.requests] == wanted
    assert len({pack.pack_id for pack in made}) == len(made)
    assert made == packs(wanted, Lane.BULK)


def test_a_request_that_would_not_fit_into_a_schedule_is_refused_with_its_size() -> None:
    with pytest.raises(MalformedError, match="data: takes 15"):
        packs(of_many(1, {"text": "x" * REQUEST_LIMIT}), Lane.PRIORITY)


@given(st.integers(1, 300), st.integers(0, REQUEST_LIMIT - 2_000))
def test_a_pack_of_several_always_fits_into_what_carries_it(number: int, size: int) -> None:
    for pack in packs(of_many(number, {"text": "x" * size}), Lane.BULK):
        assert len(msgspec.json.encode(pack)) <= PACK_BYTES


# ---- what an event may carry -------------------------------------------------------------------------------


def nested(depth: int) -> Any:
    inner: Any = 1
    for number in range(depth):
        inner = {"inner": inner} if number % 2 else [inner]
    return inner


def send_requested(**detail: Any) -> Requested:
    return asked(an_event("SendRequested", message="shipped", recipient_id="amara", **detail))


def test_a_request_keeps_by_what_it_can_be_found() -> None:
    (request,) = send_requested(idempotency_key="order-17", reference="A-17").requests
    assert request.cause == Cause(event_id="e-1", idempotency_key="order-17", reference="A-17")
    assert request.cause.handles() == ("A-17", "order-17")


def test_a_trigger_says_where_the_reference_is() -> None:
    trigger = msgspec.structs.replace(TRIGGER, reference="join('/', [source, detail.order])")
    event = {"message": "shipped", "event": an_event(customer="amara", order="A-17")}
    found = read(event, {"shipped": a_message("shipped", trigger=trigger)}, policy=POLICY)
    assert isinstance(found, Requested)
    assert found.requests[0].cause.reference == "shop/A-17"


@pytest.mark.parametrize(
    ("detail", "place"),
    [
        ({"idempotency_key": "k" * 256}, "idempotency_key"),
        ({"idempotency_key": "\u00e9" * 128}, "idempotency_key"),
        ({"idempotency_key": "a\nb"}, "idempotency_key"),
        ({"reference": "r" * 129}, "reference"),
        ({"reference": "\x1b[31mred"}, "reference"),
        ({"data": {"words": "w" * 140_000}}, "data"),
        ({"data": {"words": "\x01" * 24_000}}, "data"),
        ({"data": {"k" * 1_025: 1}}, "data"),
        ({"data": {"a": [{"\u00e9" * 513: 1}]}}, "data"),
        ({"data": {"deep": nested(32)}}, "data"),
        ({"data": {"deep": nested(900)}}, "data"),
        ({"data": {"many": 10**38}}, "data"),
        ({"data": {"many": [1, [-(10**4_000)]]}}, "data"),
        ({"recipient": "amara"}, "detail"),
        ({"expires": "2026-11-21T12:10:00Z"}, "detail"),
        ({"email": None}, "detail"),
        ({"data": []}, "detail"),
    ],
)
def test_an_event_that_carries_too_much_or_what_we_do_not_know_is_refused_with_its_place(
    detail: dict[str, Any], place: str
) -> None:
    with pytest.raises(MalformedError) as refused:
        send_requested(**detail)
    assert refused.value.position == place


@pytest.mark.parametrize(
    "data",
    [
        {"words": "w" * 139_000},
        {"deep": nested(31)},
        {"k" * 1_024: 10**38 - 1},
        {"many": [{"sku": f"K-{number}"} for number in range(5_000)]},
    ],
)
def test_an_event_may_carry_what_a_message_can_be_made_of(data: dict[str, Any]) -> None:
    assert send_requested(data=data).requests[0].data == data


@pytest.mark.parametrize("name", ["", "a b", "m" * 129, "\u00e9"])
def test_a_message_that_can_have_no_such_name_is_refused(name: str) -> None:
    with pytest.raises(MalformedError, match="message"):
        asked(an_event("SendRequested", message=name, recipient_id="amara"))
