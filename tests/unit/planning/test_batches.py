"""Packs that are planned together: each call is made once for all of them, and one that fails costs itself alone."""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from random import Random
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from aws.invocations import record
from aws.memory import World
from aws.memory_adapters import Words, install
from builders import EMAIL, SMS, a_cap, a_promotion, a_recipient, a_request
from functions.plan.app import handler
from heliograph.model.dispatches import DispatchPack
from heliograph.model.packs import Planned
from heliograph.model.policy import Policy
from heliograph.model.requests import Lane, RequestPack
from heliograph.planning import kept_inputs
from heliograph.runtime import wiring
from random_decisions import a_case

NEWS = a_promotion(EMAIL, SMS)
OUTBOX = "OUTBOX_EMAIL_BULK"
REFUSED = ClientError({"Error": {"Code": "ValidationException", "Message": ""}}, "BatchWriteItem")


class Counting:
    """An edge of AWS, and how often each of its methods was called."""

    def __init__(self, edge: Any, calls: Counter[str]) -> None:
        self._edge, self._calls = edge, calls

    def __getattr__(self, name: str) -> Any:
        self._calls[name] += 1
        return getattr(self._edge, name)


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world in which everybody wants the news by email, at most one a day."""
    world = World()
    policy = Policy(caps=(a_cap(1),))
    install(world, Words([NEWS], policy), lambda channel: iter, monkeypatch)  # type: ignore[arg-type, return-value]  # nothing is sent here
    return world


def a_pack(world: World, name: str, *people: str, lane: Lane = Lane.BULK, run_id: str = "run") -> RequestPack:
    """A pack of requests to people who are known."""
    world.people |= {each: a_recipient(recipient_id=each, opted_in=["news/email"]) for each in people}
    requests = tuple(
        a_request(request_id=f"{name}-{each}", recipient_id=each, message="news", run_id=run_id) for each in people
    )
    return RequestPack(pack_id=name, lane=lane, run_id=run_id, requests=requests)


def plan(packs: Iterable[RequestPack]) -> list[str]:
    """Plan packs in one batch; the names of those that come again."""
    records = [record(msgspec.json.encode(pack).decode(), f"{n} {pack.pack_id}") for n, pack in enumerate(packs)]
    answer = handler({"Records": records}, SimpleNamespace())
    return [each["itemIdentifier"].partition(" ")[2] for each in answer["batchItemFailures"]]


def sent(world: World, queue: str = OUTBOX) -> list[DispatchPack]:
    """The packs in an outbox."""
    return [msgspec.json.decode(each.body, type=DispatchPack) for each in world.queues[queue]]


def sheets(world: World) -> list[str]:
    """The sheets of inputs that were written."""
    return [key for key in world.objects if key.startswith("decisions/")]


def test_packs_of_a_batch_share_a_sheet_and_every_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: Counter[str] = Counter()
    for edge in ("recipients", "ledger", "records", "reservations"):
        counting = Counting(getattr(wiring, edge)(), calls)
        monkeypatch.setattr(wiring, edge, lambda counting=counting: counting)
    outbox = Counting(wiring.queue("outbox-email-bulk"), calls)
    monkeypatch.setattr(wiring, "outbox", lambda channel, lane: outbox)
    packs = [a_pack(world, f"pack-{n}", *(f"p-{n}-{slot}" for slot in range(20))) for n in range(5)]
    assert plan(packs) == []
    assert calls == {"planned": 1, "get_many": 1, "read": 1, "write": 1, "write_all": 1, "keep_plans": 1, "send": 1}
    assert len(sheets(world)) == 1
    assert [pack.pack_id for pack in sent(world)] == [pack.pack_id for pack in packs]
    assert world.plans.keys() == {("run", pack.pack_id) for pack in packs}


def test_what_is_on_a_sheet_leads_back_to_each_decision(world: World) -> None:
    plan([a_pack(world, "a", "ana", "ben"), a_pack(world, "b", "cleo", "dan")])
    (name,) = sheets(world)
    found = kept_inputs.on_sheet(gzip.decompress(world.objects[name]))
    dispatches = [each for pack in sent(world) for each in pack.dispatches]
    assert {each.dispatch_id for each in dispatches} == found.keys()
    assert {each.inputs.kept for each in dispatches if each.inputs} == {name.split("/")[1].partition(".")[0]}


def test_packs_of_one_keep_their_inputs_in_the_ledger_whatever_their_company(world: World) -> None:
    plan([a_pack(world, each, each, lane=Lane.PRIORITY, run_id="") for each in ("ana", "ben", "cleo")])
    assert sheets(world) == []
    dispatches = [each for pack in sent(world, "OUTBOX_EMAIL_PRIORITY") for each in pack.dispatches]
    assert [each.inputs.is_inline for each in dispatches if each.inputs] == [True] * 3


class Poisoned:
    """Records of which DynamoDB refuses those of one pack, and with them whatever comes in the same call."""

    def __init__(self, records: Any, pack_id: str) -> None:
        self._records, self._pack_id = records, pack_id

    def planned(self, packs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        return set(self._records.planned(packs))

    def keep_plans(self, plans: Mapping[tuple[str, str], Planned], at: datetime) -> None:
        if any(pack_id == self._pack_id for _, pack_id in plans):
            raise REFUSED
        self._records.keep_plans(plans, at)


def test_a_pack_that_fails_costs_itself_alone(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    poisoned = Poisoned(wiring.records(), "b")
    monkeypatch.setattr(wiring, "records", lambda: poisoned)
    assert plan([a_pack(world, name, f"{name}-1", f"{name}-2") for name in "abc"]) == ["b"]
    assert [pack.pack_id for pack in sent(world)] == ["a", "c"]


def test_a_pack_of_a_message_that_is_not_deployed_yet_holds_up_no_other(world: World) -> None:
    strange = a_pack(world, "b", "ben")
    strange = msgspec.structs.replace(
        strange, requests=tuple(msgspec.structs.replace(each, message="unheard_of") for each in strange.requests)
    )
    assert plan([a_pack(world, "a", "ana"), strange]) == ["b"]
    assert [pack.pack_id for pack in sent(world)] == ["a"]


def test_a_pack_that_comes_twice_in_a_batch_is_decided_once(world: World) -> None:
    world.people["full"] = a_recipient(recipient_id="full")  # who wants no news
    pack = a_pack(world, "a", "ana", "ben")
    no = a_pack(world, "a", "full")
    world.people["full"] = a_recipient(recipient_id="full")
    pack = msgspec.structs.replace(pack, requests=(*pack.requests, *no.requests))
    assert plan([pack, pack]) == []
    assert [entry.recipient_id for entry in world.ledger.values()] == ["full"]
    assert sum(len(account.reserved) for account in world.accounts.values()) == 2
    assert world.plans == {
        ("run", "a"): Planned(people=3, again=False, dispatched={"email": 2}, skipped={"not_consented": 1}, scheduled=0)
    }


def test_a_cap_holds_between_the_packs_of_a_batch(world: World) -> None:
    assert plan([a_pack(world, name, "ana", f"{name}-2") for name in "abc"]) == []
    people = Counter(each.request.recipient_id for pack in sent(world) for each in pack.dispatches)
    assert people == {"ana": 1, "a-2": 1, "b-2": 1, "c-2": 1}


@given(st.integers(0, 2**32), st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_whatever_company_packs_are_in_each_decision_finds_its_own_inputs(seed: int, sizes: Sequence[int]) -> None:
    rng = Random(seed)
    packs = [
        [msgspec.structs.replace(a_case(rng).inputs, dispatch_id=f"{n}-{slot}") for slot in range(size)]
        for n, size in enumerate(sizes)
    ]
    others = [pack for pack in packs if rng.random() < 0.5]
    for company in (packs, others):
        sheet = kept_inputs.sheet(company)
        found, inputs = kept_inputs.on_sheet(sheet.body), [each for pack in company for each in pack]
        for each, reference in zip(inputs, sheet.references, strict=True):
            assert reference.is_inline or (reference.kept == sheet.name and found[each.dispatch_id] == each)
