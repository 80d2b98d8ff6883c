"""A person's item holds 400 KB: no opt-out and no address that is dead is ever lost because it is full."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from builders import EMAIL, NOW, a_change
from heliograph.model.engagement import Engaged, SuppressAddress, WithdrawConsent
from heliograph.model.people import Consent, ConsentState, consent_key
from heliograph.people.changes import RecipientChange
from heliograph.people.consents.answers import as_of
from heliograph.people.items_store import item_of
from heliograph.people.store import OWNERS_LIMIT, Recipients
from heliograph.text import limits

BEFORE = NOW - timedelta(days=1)
WIDE = "\N{SATELLITE}"  # four bytes in UTF-8
LONGEST = WIDE * limits.PROOF
ITEM_BYTES = 409_600
FILLER = "locale"  # it never makes room
LEAST = 32  # bytes of the smallest thing that can happen
OUT = ConsentState.OPTED_OUT


def consents(many: int, state: ConsentState, *, start: int = 0, proof: str = LONGEST, at: Any = BEFORE) -> Any:
    """Answers under the longest names."""
    said = Consent(state=state, at=at, source=proof, text=proof, proof=proof)
    return {consent_key(f"{number:0128}", EMAIL): said for number in range(start, start + many)}


def attributes(size: int, many: int = limits.ATTRIBUTES, initial: str = "a") -> dict[str, Any]:
    """So many attributes of that many bytes together."""
    return {f"{initial}{number:03}": "x" * (size // many - 6) for number in range(many)}


def largest(start: int = 0, state: ConsentState = OUT, initial: str = "a") -> RecipientChange:
    """As much as one row or event can say."""
    return a_change(
        "amara",
        email="amara@example.com",
        devices=tuple(f"gcm:{number:04}{'t' * (limits.DEVICE_TOKEN - 8)}" for number in range(limits.DEVICES)),
        consents=consents(limits.CONSENTS, state, start=start, at=NOW),
        attributes=attributes(limits.ATTRIBUTES_BYTES, initial=initial),
    )


FILLED = {
    "with what proves consents": lambda: item_of(a_change("amara", consents=consents(100, ConsentState.NOT_SET))),
    "with attributes": lambda: item_of(a_change("amara", attributes=attributes(300_000, 150))),
    "with opt-ins": lambda: item_of(a_change("amara", consents=consents(450, ConsentState.OPTED_IN, proof=""))),
}


def fill(people: Recipients, item: dict[str, Any]) -> None:
    """Leave no room for anything."""
    least, most = 0, ITEM_BYTES
    while most - least > LEAST:  # how DynamoDB counts is its own affair
        size = (least + most) // 2
        try:
            people.client.put_item(TableName=people.table, Item=item | {FILLER: {"S": "x" * size}})
            least = size
        except people.client.exceptions.ClientError:
            most = size
    people.client.put_item(TableName=people.table, Item=item | {FILLER: {"S": "x" * least}})


def is_suppressed(people: Recipients) -> bool:
    return "old@example.com" in people.get_many(["amara"], consistent=True)["amara"].suppressed.get(EMAIL, {})


def is_out(people: Recipients) -> bool:
    return people.get_many(["amara"], consistent=True)["amara"].consents["promotional/email"].state is OUT


def is_engaged(people: Recipients) -> bool:
    return people.get_many(["amara"], consistent=True)["amara"].engaged == {EMAIL: NOW}


REFUSAL = {"promotional/email": Consent(state=OUT, at=NOW, source="page:preferences")}
WITH_MUCH_ELSE = msgspec.structs.replace(largest(), consents=REFUSAL)
AFTER_EVENTS: dict[str, tuple[Callable[[Recipients], Any], Callable[[Recipients], bool]]] = {
    "a complaint": (
        lambda people: people.apply(WithdrawConsent(recipient_id="amara", channel=EMAIL, source="complaint", at=NOW)),
        is_out,
    ),
    "a dead address": (
        lambda people: people.apply(
            SuppressAddress(
                recipient_id="amara", channel=EMAIL, address="old@example.com", reason="hard_bounce", at=NOW
            )
        ),
        is_suppressed,
    ),
    "an open": (
        lambda people: people.apply(Engaged(recipient_id="amara", channel=EMAIL, at=NOW)),
        is_engaged,
    ),
    "an event that opts out": (lambda people: people.save(WITH_MUCH_ELSE), is_out),
    "an import that opts out": (lambda people: people.save_many([WITH_MUCH_ELSE]), is_out),
}


@pytest.mark.parametrize("filled", FILLED.values(), ids=FILLED)
@pytest.mark.parametrize(("happens", "holds"), AFTER_EVENTS.values(), ids=AFTER_EVENTS)
def test_what_happens_holds_although_the_item_is_full(
    people: Recipients, filled: Callable[[], Any], happens: Callable[[Recipients], Any], holds: Callable[[Any], bool]
) -> None:
    fill(people, filled())
    happens(people)
    assert holds(people)


def test_what_proves_a_consent_makes_room_before_attributes_do_and_stays_in_the_history(people: Recipients) -> None:
    for start in (0, limits.CONSENTS):
        people.save(largest(start))
    amara = people.get_many(["amara"], consistent=True)["amara"]
    assert len(amara.consents) == 2 * limits.CONSENTS
    assert "" in {consent.text for consent in amara.consents.values()}
    assert amara.attributes == largest().attributes
    assert {said.consent.text for said in people.history.statements("amara")} == {LONGEST}


@pytest.mark.parametrize("save", [Recipients.save, lambda people, change: people.save_many([change])])
def test_somebody_new_of_whom_all_is_said_that_may_be_said_is_kept(people: Recipients, save: Any) -> None:
    save(people, largest())
    amara = people.get_many(["amara"], consistent=True)["amara"]
    assert {consent.state for consent in amara.consents.values()} == {OUT}
    assert (len(amara.consents), len(amara.addresses["device"])) == (limits.CONSENTS, limits.DEVICES)
    assert amara.attributes == largest().attributes


def test_no_opt_out_makes_room(people: Recipients) -> None:
    held = consents(1_500, OUT, proof="") | consents(1, ConsentState.OPTED_IN, start=1_500, proof="")
    fill(people, item_of(a_change("amara", consents=held)))
    people.save(a_change("amara", consents=REFUSAL))
    amara = people.get_many(["amara"], consistent=True)["amara"]
    assert len(amara.consents) == 1_501
    assert {consent.state for consent in amara.consents.values()} == {OUT}


def test_a_person_has_a_hundred_attributes_and_those_that_were_given_last(people: Recipients) -> None:
    for initial, many in (("a", 90), ("b", 30)):
        people.save(a_change("amara", attributes=attributes(10_000, many, initial)))
    found = people.get_many(["amara"], consistent=True)["amara"].attributes
    assert len(found) == limits.ATTRIBUTES
    assert len([name for name in found if name.startswith("b")]) == 30


def test_attributes_of_a_person_take_64_kb_however_many_events_brought_them(people: Recipients) -> None:
    for initial in "abc":
        people.save(a_change("amara", attributes=attributes(40_000, 10, initial)))
    found = people.get_many(["amara"], consistent=True)["amara"].attributes
    assert 60_000 < sum(len(name) + len(str(value)) for name, value in found.items()) <= limits.ATTRIBUTES_BYTES
    assert len([name for name in found if name.startswith("c")]) == 10


said = st.builds(
    lambda start, state, at, many, proof, size, initial: a_change(
        "amara",
        consents=consents(many, state, start=start, proof=proof, at=NOW + timedelta(hours=at)),
        attributes=attributes(size, initial=initial),
    ),
    start=st.sampled_from([0, 50, 100, 400]),
    state=st.sampled_from(ConsentState),
    at=st.integers(0, 3),
    many=st.sampled_from([1, limits.CONSENTS]),
    proof=st.sampled_from(["", LONGEST]),
    size=st.sampled_from([2_000, limits.ATTRIBUTES_BYTES]),
    initial=st.sampled_from("ab"),
)


@settings(max_examples=15, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes=st.lists(said, min_size=3, max_size=8))
def test_what_was_refused_stays_refused_whatever_was_said_at_the_largest_size(
    people: Recipients, changes: list[RecipientChange]
) -> None:
    amara_now = f"amara-{uuid.uuid4().hex}"  # each time somebody new
    for change in changes:
        people.save(msgspec.structs.replace(change, recipient_id=amara_now))
    amara = people.get_many([amara_now], consistent=True)[amara_now]
    told = as_of(people.history.statements(amara_now), NOW + timedelta(days=1))
    refused = {key for key, consent in told.items() if consent.state is OUT}
    assert {key for key, consent in amara.consents.items() if consent.state is OUT} == refused
    assert len(amara.attributes) <= limits.ATTRIBUTES


# ---- the owners of one address -----------------------------------------------------------------------------


def test_everybody_who_has_an_address_is_reached_page_by_page(people: Recipients) -> None:
    many = 2 * OWNERS_LIMIT + 3
    people.save_many(a_change(f"p-{n}", email="shared@example.com") for n in range(many))
    left: SuppressAddress | None = SuppressAddress(
        recipient_id="p-7", channel=EMAIL, address="shared@example.com", reason="hard_bounce", at=NOW
    )
    pages = 0
    while left:
        left = people.apply(left)
        pages += 1
        known = people.get_many([f"p-{n}" for n in range(many)], consistent=True)
        dead = {person.recipient_id for person in known.values() if person.suppressed}
        assert ("p-7" in dead) == (left is None), "the message's own recipient comes last"
        assert len(dead) <= pages * OWNERS_LIMIT + 1
    assert len(dead) == many
