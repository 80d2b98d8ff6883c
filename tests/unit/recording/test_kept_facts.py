"""What is kept of packs is what is read, whatever it is and however often; and it takes little room."""

from __future__ import annotations

import base64
import re
import uuid
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws.null_dynamodb import item_size
from builders import EMAIL, NOW, PACK_ID
from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import Happened, RecordKey, SlotFacts
from heliograph.model.packs import Delivered, Planned
from heliograph.recording.facts import Fact, standing_of, unproven
from heliograph.recording.kept_facts import INITIALS, attributes, base_36, facts_in
from heliograph.recording.receipts import packed, unpacked
from heliograph.recording.store import FENCE, SUFFIXES, Records, told_by

KINDS = [*(fact.value for fact in Fact), *(kind.value for kind in EngagementKind)]
ENGAGEMENT = [kind.value for kind in EngagementKind]
RUN_ID = PACK_ID[::-1]
RECORD = RecordKey(RUN_ID, PACK_ID, EMAIL)
WRITE_UNIT = 1_024  # bytes


def ses_id(rng: Random, at: datetime = NOW) -> str:
    """An id as SES gives it: where and when, a UUID, a number."""
    mark = uuid.UUID(int=rng.getrandbits(128), version=4)
    return f"0100{int(at.timestamp() * 1000):012x}-{mark}-000000"


provider_ids = st.one_of(
    st.builds(ses_id, st.builds(Random, st.integers())),
    st.uuids().map(str),
    st.uuids().map(lambda each: str(each).upper()),
    st.text(min_size=1),
)
moments = st.datetimes(datetime(1980, 1, 1), datetime(2300, 1, 1), timezones=st.just(UTC))
texts = st.text(st.characters(exclude_categories=["Cs"]))


places = st.integers(0, 2)  # of a few moments
of_any_kind = st.one_of(
    [
        st.tuples(st.just(kind), places, provider_ids if kind == Fact.ACCEPTED else texts, st.just("") | texts)
        for kind in KINDS
    ]
)
plain = st.tuples(st.sampled_from(["sent", "delivered", "opened"]), places, st.just(""), st.just(""))
in_slots = st.dictionaries(st.integers(0, 99), st.lists(of_any_kind | plain, min_size=1), max_size=30)


@st.composite
def facts(draw: st.DrawFn) -> SlotFacts:
    """Facts of every kind in slots of a pack; many of them in the same few seconds."""
    seconds = draw(st.tuples(moments, moments, moments))
    return {
        slot: {kind: Happened(seconds[at], *said) for kind, at, *said in some} for slot, some in draw(in_slots).items()
    }


def to_the_second(slots: SlotFacts) -> SlotFacts:
    return {
        slot: {kind: fact._replace(at=fact.at.replace(microsecond=0)) for kind, fact in some.items()}
        for slot, some in slots.items()
    }


def item_of(slots: SlotFacts) -> dict[str, Any]:
    """An item that holds facts."""
    kept = attributes(slots)
    return {"part": {"S": "p"}, "item": {"S": "i"}, "expires_at": {"N": "1"}, **kept.once, **kept.sets}


def test_every_kind_of_fact_has_an_initial_of_its_own() -> None:
    assert INITIALS.keys() == set(KINDS)
    assert len(set(INITIALS.values())) == len(KINDS)
    assert {len(initial) for initial in INITIALS.values()} == {1}


@given(facts())
def test_what_is_kept_is_what_is_read_to_the_second(slots: SlotFacts) -> None:
    assert facts_in(item_of(slots)) == to_the_second(slots)


@given(facts())
def test_an_image_out_of_a_stream_says_the_same_as_the_item(slots: SlotFacts) -> None:
    image = {
        name: {"L": [{"B": base64.b64encode(one["B"]).decode()} if "B" in one else one for one in value["L"]]}
        if "L" in value
        else value
        for name, value in item_of(slots).items()
    }
    assert facts_in(image) == to_the_second(slots)


@given(st.lists(provider_ids, min_size=1, max_size=60))
def test_ids_of_a_form_come_back_from_their_bytes_and_no_others_are_packed(ids: list[str]) -> None:
    content = packed(ids)
    if content is not None:
        assert unpacked(content, len(ids)) == ids


@given(st.integers())
def test_numbers_come_back_from_base_36(number: int) -> None:
    assert int(base_36(number), 36) == number


class Table:
    """One table that does what `SET … if_not_exists` and `ADD` do, and counts the write units of each call."""

    def __init__(self) -> None:
        self.items: dict[str, dict[str, Any]] = {}
        self.units: list[int] = []

    def update_item(self, **asked: Any) -> None:
        """Set what is not there, and add to sets."""
        names, values = asked["ExpressionAttributeNames"], asked["ExpressionAttributeValues"]
        item = self.items.setdefault(asked["Key"]["item"]["S"], {**asked["Key"]})
        before = item_size(item)
        sets, _, adds = asked["UpdateExpression"].partition(" ADD ")
        for name, value in re.findall(r"(\S+) = if_not_exists\(\1, (:\w+)\)", sets):
            item.setdefault(names[name], values[value])
        item["expires_at"] = values[":expires"]
        for name, value in (each.split(" ") for each in filter(None, adds.split(", "))):
            known = item.setdefault(names[name], {"NS": []})
            known["NS"] = sorted({*known["NS"], *values[value]["NS"]})
        self.units.append(-(-max(before, item_size(item)) // WRITE_UNIT))

    def batch_get_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - as botocore spells it
        """The items that are there."""
        ((table, wanted),) = RequestItems.items()
        found = [self.items.get(key["item"]["S"]) for key in wanted["Keys"]]
        return {"Responses": {table: [item for item in found if item]}}


def records() -> tuple[Records, Table]:
    table = Table()
    return Records(table, "runs"), table  # type: ignore[arg-type]  # as far as records need a client


@given(facts(), facts(), st.randoms())
def test_what_two_writers_keep_is_read_in_whatever_order_and_number_they_come(
    some: SlotFacts, others: SlotFacts, random: Random
) -> None:
    kept, _ = records()
    writes = [some, others] * 2
    random.shuffle(writes)
    for each in writes:
        kept.keep(RECORD, each, NOW)
    known = kept.read([RECORD])[RECORD]
    assert {slot: facts.keys() for slot, facts in known.items()} == {
        slot: some.get(slot, {}).keys() | others.get(slot, {}).keys() for slot in some.keys() | others.keys()
    }
    told = [to_the_second(some), to_the_second(others)]
    for slot, facts in known.items():
        assert all(any(each.get(slot, {}).get(kind) == fact for each in told) for kind, fact in facts.items())


@given(facts())
def test_a_standing_follows_from_the_record_itself_and_what_record_adds_to_it(slots: SlotFacts) -> None:
    """Deliver's facts are kept; then what was reported, after what it shows of acceptance."""
    kept, table = records()
    ours = {slot: {kind: fact for kind, fact in some.items() if kind not in SUFFIXES} for slot, some in slots.items()}
    told = {slot: {kind: fact for kind, fact in some.items() if kind in SUFFIXES} for slot, some in slots.items()}
    kept.keep(RECORD, ours, NOW)
    kept.keep(RECORD, unproven(told, kept.accepted([RECORD])[RECORD]), NOW)
    kept.keep(RECORD, told, NOW)
    images = [told_by(item) for item in table.items.values()]
    (main,) = [each.slots for each in images if isinstance(each, Delivered) and not each.is_later] or [{}]
    everything = kept.read([RECORD])[RECORD]
    assert {slot: standing_of(main.get(slot, {})) for slot in slots} == {
        slot: standing_of(everything[slot]) for slot in slots
    }
    assert not [kind for facts in main.values() for kind in facts if kind in ENGAGEMENT]


def test_what_shows_acceptance_is_written_once_and_only_where_it_is_not_known() -> None:
    kept, _ = records()
    sent = {EngagementKind.SENT.value: Happened(NOW)}
    kept.keep(RECORD, {3: {Fact.ACCEPTED: Happened(NOW, "an id")}}, NOW)
    assert kept.accepted([RECORD]) == {RECORD: {3}}
    slots = {3: sent, 4: sent, 5: {EngagementKind.UNSUBSCRIBED.value: Happened(NOW)}}
    shown = unproven(slots, kept.accepted([RECORD])[RECORD])
    assert shown == {4: {Fact.ACCEPTED: Happened(NOW)}}
    kept.keep(RECORD, shown, NOW)
    assert unproven(slots, kept.accepted([RECORD])[RECORD]) == {}


def test_a_receipt_says_more_than_that_a_message_was_taken() -> None:
    kept, _ = records()
    receipt = Happened(NOW + timedelta(seconds=9), "an id")
    for fact in (Happened(NOW), receipt):
        kept.keep(RECORD, {3: {Fact.ACCEPTED: fact}}, NOW)
    assert kept.read([RECORD])[RECORD] == {3: {Fact.ACCEPTED: receipt}}


@pytest.mark.parametrize(
    ("part", "item"),
    [
        *(("runs", RUN_ID), ("rate#email", "clock"), ("due#1", PACK_ID), (PACK_ID, f"{PACK_ID}-email")),
        (f"{RUN_ID}#3", FENCE),
    ],
)
def test_an_item_of_something_else_says_nothing_of_a_pack_of_a_run(part: str, item: str) -> None:
    assert told_by({"part": {"S": part}, "item": {"S": item}}) is None


def test_the_image_of_a_plan_is_what_was_planned() -> None:
    planned = Planned(people=3, again=False, dispatched={"email": 2}, skipped={"not_consented": 1}, scheduled=0)
    kept: list[dict[str, Any]] = []

    class Client:
        def batch_write_item(self, RequestItems: dict[str, Any]) -> dict[str, Any]:  # noqa: N803 - botocore's name
            kept.extend(each["PutRequest"]["Item"] for each in RequestItems["runs"])
            return {}

    Records(Client(), "runs").keep_plans({(RUN_ID, PACK_ID): planned}, NOW)  # type: ignore[arg-type]  # as far as needed
    assert list(map(told_by, kept)) == [planned]


def a_pack_delivered(records: Records, rng: Random) -> None:
    """Two bulk calls of fifty."""
    for slots in (range(50), range(50, 100)):
        at = [NOW + timedelta(milliseconds=rng.randrange(300)) for _ in slots]
        receipts: SlotFacts = {
            slot: {Fact.ACCEPTED: Happened(NOW, ses_id(rng, taken))} for slot, taken in zip(slots, at, strict=True)
        }
        records.keep(RECORD, receipts, NOW)


def reports(rng: Random) -> SlotFacts:
    """What SES reports of a hundred mails: sent within two seconds, delivered within fifteen."""
    return {
        slot: {
            "sent": Happened(NOW + timedelta(seconds=rng.random() * 2)),
            "delivered": Happened(NOW + timedelta(seconds=min(15.0, rng.lognormvariate(0.4, 1.0)))),
        }
        for slot in range(100)
    }


def test_the_receipts_of_a_hundred_mails_take_three_write_units() -> None:
    kept, table = records()
    a_pack_delivered(kept, Random(1))
    assert table.units == [1, 2]


def test_a_pack_reported_at_once_and_five_mails_late_take_six_write_units() -> None:
    kept, table = records()
    told = reports(Random(2))
    late = {slot: {"delivered": Happened(NOW + timedelta(hours=slot))} for slot in range(0, 100, 20)}
    kept.keep(RECORD, told | {slot: {"sent": told[slot]["sent"]} for slot in late}, NOW)
    for slot, facts in late.items():
        kept.keep(RECORD, {slot: facts}, NOW)
    assert table.units == [1] * 6


def test_facts_of_a_kind_that_only_a_newer_version_knows_are_passed_over() -> None:
    """A deployment was taken back: what it wrote stops nobody from reading the rest."""
    item = {**attributes({3: {"failed": Happened(NOW, "rejected")}}).once, "z3": {"S": "t4x2k9"}}
    assert facts_in(item) == {3: {"failed": Happened(NOW, "rejected")}}
