"""Decisions as the ledger keeps them: small, and the same when they are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import CHANNELS, NOW, a_trace, a_zone
from heliograph.aws.tables import iso
from heliograph.ledger.kept_entries import MILLISECOND, of_facts, read, spelled
from heliograph.model.decisions import Verdict
from heliograph.model.ledger import LedgerEntry
from heliograph.model.people import Zone
from heliograph.model.reasons import Reason
from heliograph.model.requests import Cause
from heliograph.model.traces import Reference, Tried
from heliograph.text import ids

ORDINARY = LedgerEntry(
    recipient_id="customer-0000001",
    dispatch_id=ids.dispatch_id(ids.derived_id(NOW, "a request"), 0),
    message="spring_sale",
    version="0123456789abcdef",
    outcome=Verdict.DISPATCHED,
    decided_at=NOW,
    pack_id=ids.derived_id(NOW, "a pack"),
    slot=42,
    channel="email",
    tried=a_trace("email:passed"),
    policy="0123456789abcdef",
    run_id=ids.derived_id(NOW, "a run"),
    zone=a_zone("Europe/Berlin profile"),
    inputs=Reference("R2a-4_xAQ0s", "R2a-4_xAQ0sR2a-4_xAQ0s"),
)
TEXTS = (
    *("recipient_id", "dispatch_id", "message", "version", "outcome", "pack_id", "channel", "reason", "until"),
    *("policy", "run_id", "next_time", "detail"),
)
ORDINARY_SIZE = 230  # characters

texts = st.text(max_size=20)
identifiers = st.from_regex(ids.IDENTIFIER, fullmatch=True)
derived = st.builds(
    ids.derived_id, st.sampled_from([NOW, NOW + timedelta(days=1)]), st.sampled_from(["a", "b"]), identifiers
)
inline = st.dictionaries(texts, texts).map(lambda inputs: msgspec.json.encode(inputs).decode())
reasons = st.sampled_from(["", *Reason])
entries = st.builds(
    LedgerEntry,
    recipient_id=identifiers,
    dispatch_id=st.builds(ids.dispatch_id, derived, st.integers(0, 12)) | identifiers,
    message=texts,
    version=texts,
    outcome=st.sampled_from(Verdict),
    decided_at=st.datetimes(datetime(1970, 1, 1), datetime(2400, 1, 1), timezones=st.just(UTC)).map(
        lambda at: at - timedelta(microseconds=at.microsecond % 1000)
    ),
    pack_id=derived | derived.map(ids.of_fallbacks) | identifiers,
    slot=st.integers(0, 99),
    channel=st.sampled_from(["", *CHANNELS]),
    reason=reasons,
    until=texts,
    tried=st.lists(st.builds(Tried, st.sampled_from(CHANNELS), reasons), max_size=3).map(tuple),
    policy=texts,
    run_id=st.just("") | derived,
    zone=st.none() | st.builds(Zone, identifiers, texts),
    next_time=texts,
    inputs=st.none()
    | st.builds(
        Reference,
        identifiers,
        identifiers | st.dictionaries(texts, texts).map(lambda d: msgspec.json.encode(d).decode()),
    ),
    cause=st.builds(Cause, event_id=texts, idempotency_key=texts, reference=texts),
    detail=texts,
)


@given(entries)
def test_a_decision_is_read_as_it_was_kept(entry: LedgerEntry) -> None:
    assert read(entry.recipient_id, entry.dispatch_id, spelled(entry)) == entry


def test_a_time_is_kept_to_the_millisecond() -> None:
    later = msgspec.structs.replace(ORDINARY, decided_at=NOW + MILLISECOND + timedelta(microseconds=999))
    assert read("", later.dispatch_id, spelled(later)).decided_at == NOW + MILLISECOND


def test_the_decision_on_a_mail_of_a_campaign_is_small() -> None:
    assert len(spelled(ORDINARY)) <= ORDINARY_SIZE


@pytest.mark.parametrize("name", ["pack_id", "run_id"])
def test_an_id_of_the_same_time_as_the_request_is_kept_without_it(name: str) -> None:
    elsewhere = msgspec.structs.replace(ORDINARY, **{name: ids.derived_id(NOW + timedelta(days=1), "another")})
    assert len(spelled(elsewhere)) > len(spelled(ORDINARY))


def test_what_a_newer_version_adds_is_passed_over() -> None:
    newer = spelled(ORDINARY).replace("{", '{"new":[1],', 1)
    assert read(ORDINARY.recipient_id, ORDINARY.dispatch_id, newer) == ORDINARY


@pytest.mark.parametrize("inputs", [ORDINARY.inputs, Reference("0123456789abcdef", '{"now":"2026"}'), None])
def test_a_decision_that_an_earlier_version_kept_is_read(inputs: Reference | None) -> None:
    former = {
        **{name: getattr(ORDINARY, name) for name in TEXTS},
        "inputs": " ".join(inputs or ()),
        "zone": "Europe/Berlin profile",
        "tried": "email:passed",
        "slot": 42,
        "decided_at": iso(NOW),
        "expires_at": 1,
        "written_by": "00000000",
        "reference": "order 7",
    }
    expected = msgspec.structs.replace(ORDINARY, inputs=inputs, cause=Cause(reference="order 7"))
    assert of_facts(former) == expected
