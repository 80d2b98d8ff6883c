"""A decision that is made again from what it was made of is the same decision."""

from __future__ import annotations

import re
from collections import Counter
from random import Random
from typing import Any, TypeVar
from unittest.mock import Mock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import (
    EMAIL,
    NOW,
    PACK_ID,
    PUSH,
    a_fallback,
    a_message,
    a_recipient,
    a_request,
    a_trace,
    a_zone,
    inputs_for,
    reserved,
)
from heliograph.ledger.store import Ledger
from heliograph.model.decisions import Inputs, Ruling, Verdict
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Message
from heliograph.model.policy import Policy
from heliograph.model.reasons import Reason
from heliograph.model.traces import Reference
from heliograph.operations.replay.decisions import BAD, Finding, found, replay, summed, verdict
from heliograph.planning import kept_inputs
from heliograph.planning.caps import own_reservation
from heliograph.planning.cases import Case
from heliograph.planning.kept_inputs import INLINE_LIMIT, sheet
from heliograph.planning.rules import RULES
from heliograph.planning.ruling import decide
from heliograph.planning.terms import terms_of
from heliograph.text.zones import best_zone
from random_decisions import SECRETS, a_case

WRITE_UNIT = 1024  # bytes
AT_ONCE = 20
EXAMPLES = 500
"""Times `AT_ONCE`: 10,000 triples of person, message and time."""

seeds = st.integers(0, 2**32)
at_random = settings(max_examples=EXAMPLES)


T = TypeVar("T", bound=msgspec.Struct)


def travelled(value: T) -> T:
    """A value as it comes back from where it was kept."""
    return msgspec.json.decode(msgspec.json.encode(value), type=type(value))


def an_entry(inputs: Inputs, ruling: Ruling, /, **fields: Any) -> LedgerEntry:
    """What the ledger keeps of a decision that plan wrote, or deliver as its claim."""
    (reference,) = kept_inputs.sheet([[inputs]]).references
    kept = LedgerEntry(
        recipient_id=inputs.recipient_id,
        dispatch_id=inputs.dispatch_id,
        message=inputs.message,
        version=inputs.version,
        outcome=ruling.outcome,
        decided_at=inputs.now,
        pack_id=PACK_ID,
        slot=0,
        channel=ruling.channel or "",
        reason=ruling.reason or "",
        until=ruling.until.isoformat() if ruling.until else "",
        tried=ruling.tried,
        policy=inputs.policy,
        zone=ruling.zone,
        next_time=ruling.next_time.isoformat() if ruling.next_time else "",
        inputs=reference,
    )
    return msgspec.structs.replace(kept, **fields)


@given(seeds)
@at_random
def test_a_decision_made_again_from_what_was_kept_is_always_identical(seed: int) -> None:
    rng = Random(seed)
    for _ in range(AT_ONCE):
        inputs, message, policy, _ = a_case(rng)
        ruling = decide(inputs, message, policy)
        kept = travelled(inputs), travelled(message), travelled(policy)
        assert kept == (inputs, message, policy)
        assert decide(*kept) == ruling


def test_what_was_reserved_for_the_channel_of_a_fallback_is_known_by_the_channels_name() -> None:
    message = a_message(channels=(EMAIL,), fallback=(a_fallback(PUSH),))
    kept = travelled(reserved(NOW, PUSH, dispatch_id=a_request().dispatch_id))
    ruling = decide(inputs_for(a_recipient(), message, reserved=[kept]), message, Policy())
    assert (ruling.channel, ruling.fallback) == (PUSH, 1)


@given(seeds)
@settings(max_examples=100)
def test_the_ledger_agrees_with_every_decision_that_is_made_again(seed: int) -> None:
    rng = Random(seed)
    for _ in range(AT_ONCE):
        inputs, message, policy, _ = a_case(rng)
        entry = an_entry(inputs, decide(inputs, message, policy))
        again = replay(entry, inputs, message, policy, is_genuine=kept_inputs.is_genuine(inputs, entry))
        assert verdict(entry, again) == found(entry, Finding.SAME)


@given(seeds)
@at_random
def test_a_decision_is_the_same_whoever_was_decided_on_before(seed: int) -> None:
    rng = Random(seed)
    one, message, policy, _ = a_case(rng)
    for other in (a_case(rng).inputs for _ in range(AT_ONCE)):
        person = {name: getattr(other, name) for name in ("country", "zones", "preferences", "consents")}
        inputs = msgspec.structs.replace(one, now=rng.choice((one.now, other.now)), **person)
        anew = decide(inputs, travelled(message), travelled(policy))
        assert decide(inputs, message, policy) == anew


@given(seeds)
@settings(max_examples=100)
def test_what_is_dispatched_breaks_no_rule_when_each_is_asked_alone(seed: int) -> None:
    rng = Random(seed)
    for _ in range(AT_ONCE):
        inputs, message, policy, _ = a_case(rng)
        ruling = decide(inputs, message, policy)
        if ruling.channel and ruling.outcome is Verdict.DISPATCHED and own_reservation(inputs) is None:
            zone = best_zone(inputs.zones, policy.default_timezone)
            case = Case(inputs, terms_of(message, policy), ruling.channel, zone)
            assert [rule.objection(case) for rule in RULES] == [None] * len(RULES)


@given(seeds)
@settings(max_examples=100)
def test_inputs_never_hold_an_address_or_what_else_is_known_of_a_person(seed: int) -> None:
    rng = Random(seed)
    for _ in range(AT_ONCE):
        kept = msgspec.json.encode(a_case(rng).inputs).decode()
        assert not [secret for secret in SECRETS if secret in kept]


@given(seeds)
@settings(max_examples=50)
def test_the_same_inputs_always_have_the_same_hash_and_others_another(seed: int) -> None:
    inputs = a_case(Random(seed)).inputs
    again = a_case(Random(seed)).inputs
    other = msgspec.structs.replace(inputs, fallbacks=inputs.fallbacks + 1)
    assert kept_inputs.sheet([[inputs]]) == kept_inputs.sheet([[again]])
    assert (
        kept_inputs.sheet([[inputs]]).references[0].fingerprint
        != kept_inputs.sheet([[other]]).references[0].fingerprint
    )


@given(seeds)
@settings(max_examples=50)
def test_inputs_come_back_as_they_were_from_a_sheet_and_from_the_ledger(seed: int) -> None:
    rng = Random(seed)
    many = [msgspec.structs.replace(a_case(rng).inputs, dispatch_id=f"request-{number}") for number in range(5)]
    sheet = kept_inputs.sheet([many])
    assert kept_inputs.on_sheet(sheet.body) == {each.dispatch_id: each for each in many}
    for inputs, reference in zip(many, sheet.references, strict=True):
        assert kept_inputs.is_genuine(inputs, an_entry(inputs, Ruling(outcome=Verdict.DISPATCHED), inputs=reference))
    entry = an_entry(many[0], Ruling(outcome=Verdict.DISPATCHED))
    if kept_inputs.reference(entry).is_inline:
        assert kept_inputs.inline(entry) == many[0]


def a_decision(outcome: Verdict) -> tuple[Inputs, Message, Policy, Ruling]:
    rng = Random(1)
    while True:
        inputs, message, policy, _ = a_case(rng)
        if (ruling := decide(inputs, message, policy)).outcome is outcome:
            return inputs, message, policy, ruling


def test_random_decisions_are_of_every_kind() -> None:
    rng = Random(7)
    rulings = [decide(*a_case(rng)[:3]) for _ in range(3_000)]
    given_by_rules = {Reason(rule.name) for rule in RULES}
    assert {ruling.outcome for ruling in rulings} == {Verdict.DISPATCHED, Verdict.SKIPPED, Verdict.SCHEDULED}
    assert {ruling.reason for ruling in rulings} - {None} == given_by_rules


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("outcome", Verdict.SCHEDULED),
        ("channel", "fax"),
        ("reason", "moon"),
        ("until", "2030-01-01T00:00:00+00:00"),
        ("next_time", "2030-01-01T00:00:00+00:00"),
        ("tried", a_trace("email:moon")),
        ("zone", a_zone("Europe/Berlin moon")),
    ],
)
def test_a_difference_is_told_by_its_name(field: str, value: object) -> None:
    inputs, message, policy, ruling = a_decision(Verdict.SKIPPED)
    entry = an_entry(inputs, ruling, **{field: value})
    assert replay(entry, inputs, message, policy, is_genuine=True).differences == (field,)
    assert verdict(entry, replay(entry, inputs, message, policy, is_genuine=True)) == found(
        entry, Finding.DIFFERS, field
    )


def test_other_inputs_than_those_of_the_ledger_are_not_genuine() -> None:
    inputs, message, policy, ruling = a_decision(Verdict.SKIPPED)
    entry = an_entry(inputs, ruling)
    forged = msgspec.structs.replace(inputs, country="XX")
    again = replay(entry, forged, message, policy, is_genuine=kept_inputs.is_genuine(forged, entry))
    assert verdict(entry, again)[0] is Finding.NOT_GENUINE


def test_what_delivery_skipped_had_been_dispatched() -> None:
    inputs, message, policy, ruling = a_decision(Verdict.DISPATCHED)
    entry = an_entry(inputs, ruling, outcome=Verdict.SKIPPED_AT_DELIVERY, reason=Reason.NOT_CONSENTED)
    assert replay(entry, inputs, message, policy, is_genuine=True).differences == ()


@pytest.mark.parametrize("kind", Finding)
def test_a_run_holds_unless_a_decision_differs_or_its_inputs_are_not_there(kind: Finding) -> None:
    inputs, _, _, ruling = a_decision(Verdict.SKIPPED)
    entry = an_entry(inputs, ruling)
    told = summed("run", [[found(entry, Finding.SAME), found(entry, kind)], []])
    assert told.holds == (kind not in BAD)
    assert (told.people, told.undecided, told.decisions) == (2, 1, 2)
    assert sum(told.counts.values()) == 2
    assert Counter(told.counts)[kind] == (2 if kind is Finding.SAME else 1)


@pytest.mark.parametrize("recipient_id", ["3f0c6a52-8b1e-4d57-9a40-5e7b1c2d3e4f", "p" * 128])
def test_a_decision_fits_into_one_write_unit_with_all_that_it_is_made_of(recipient_id: str) -> None:
    """1 KB as DynamoDB counts it: names and values; the longest values that are to be expected."""
    place = "{" + "x" * (INLINE_LIMIT - len(recipient_id) - 2) + "}"
    entry = LedgerEntry(
        recipient_id=recipient_id,
        dispatch_id="01KAJ8ZQG0AMARA0000000000A-12",
        message="subscription_renewal_reminder",
        version="0123456789abcdef",
        outcome=Verdict.SKIPPED,
        decided_at=NOW,
        pack_id=f"{PACK_ID}f",
        slot=99,
        channel="email",
        reason=Reason.AWAITING_CONFIRMATION,
        until="2026-11-23T09:14:00.123456+00:00",
        tried=a_trace("push:address_suppressed sms:address_suppressed email:awaiting_confirmation"),
        policy="0123456789abcdef",
        run_id=PACK_ID,
        zone=a_zone("America/Argentina/ComodRivadavia country"),
        next_time="2026-11-23T09:14:00.123456+00:00",
        inputs=Reference("0123456789abcdef", place),
    )
    assert item_size(entry) <= WRITE_UNIT


def test_inputs_that_would_not_fit_beside_a_long_id_go_on_a_sheet() -> None:
    inputs, *_ = a_decision(Verdict.DISPATCHED)
    for length in range(1, 129):
        named = msgspec.structs.replace(inputs, recipient_id="p" * length)
        (reference,) = sheet([[named]]).references
        assert not reference.is_inline or len(reference.kept) + length <= INLINE_LIMIT


def item_size(entry: LedgerEntry) -> int:
    """The size of the item that the ledger writes."""
    client = Mock()
    client.batch_execute_statement.return_value = {"Responses": [{}]}
    Ledger(client, "ledger").write([entry])
    (statement,) = client.batch_execute_statement.call_args.kwargs["Statements"]
    names = re.findall(r"'(\w+)': \?", statement["Statement"])
    values = [value for parameter in statement["Parameters"] for value in parameter.items()]
    return sum(len(name) + _size(*value) for name, value in zip(names, values, strict=True))


def _size(kind: str, value: str) -> int:
    return len(value.encode()) if kind == "S" else len(value) // 2 + 2
