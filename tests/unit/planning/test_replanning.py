"""A pack that is planned anew, with a receive count of 1: SQS's count is approximate, and a redrive begins it again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import chain

import msgspec
import pytest

from aws.invocations import Killed
from aws.memory import Fate, World
from aws.memory_adapters import Words, install
from builders import EMAIL, NOW, SMS, a_cap, a_promotion, a_recipient, a_request, hours
from heliograph.model.channels import Channel
from heliograph.model.decisions import Verdict
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.outcomes import Accepted, Outcome
from heliograph.model.packs import Planned
from heliograph.model.policy import Policy
from heliograph.model.requests import Lane, RequestPack, SendRequest
from heliograph.model.runs import Run
from heliograph.reporting import work
from heliograph.reporting.figures import RunFigures
from heliograph.runtime import wiring
from heliograph.scheduling.parts import Part
from heliograph.text import ids

NEWS = a_promotion(EMAIL, SMS)
POLICY = Policy(hours=(hours(channels=(SMS,), quiet=("21:00-08:00",)),))
EDGES = range(18)
"""Before and after every call of a plan, and beyond its end."""


def accepting(channel: Channel) -> Sender:
    """A provider that takes everything."""

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        yield tuple(Accepted(dispatch_id=one.dispatch.dispatch_id, provider_message_id="m") for one in batch)

    return send


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    """A world with a run of one person, who consents to texts, at ten in the evening."""
    world = World()
    install(world, Words([NEWS], POLICY), accepting, monkeypatch)
    world.now = NOW + timedelta(hours=12)
    world.people["amara"] = a_recipient(opted_in=["news/sms"])
    world.runs["run"] = Run(run_id="run", campaign="c", message="news", started_at=NOW, audience=1, ingested=True)
    request = a_request(message="news", run_id="run")
    world.put("REQUESTS_BULK", RequestPack(pack_id="pack", lane=Lane.BULK, run_id="run", requests=(request,)))
    return world


def plan(world: World, fate: Fate | None = None) -> None:
    """Let the pack be planned, as if it had never been received before."""
    (message,) = world.queues["REQUESTS_BULK"]
    message.receives = 0
    world.invoke("REQUESTS_BULK", message, fate=fate, is_kept=True)


def the_end(world: World) -> RunFigures:
    """The sums when all is done, the next day."""
    for _ in range(4):
        world.now += timedelta(hours=12)
        world.tick()
        for queue, message in chain.from_iterable(iter(world.visible, [])):
            world.invoke(queue, message)
    world.tally(100)
    return work.status("run")


@pytest.mark.parametrize("edge", EDGES)
def test_who_was_scheduled_before_a_crash_is_written_to_although_the_pack_is_planned_again_by_day(
    world: World, edge: int
) -> None:
    plan(world, Fate(edge, Killed))
    world.now += timedelta(hours=12)
    plan(world)
    world.queues["REQUESTS_BULK"].clear()
    assert the_end(world).counts["accepted"] == 1


def test_who_was_skipped_stays_skipped_in_the_sums_although_they_consent_before_the_pack_is_planned_again(
    world: World,
) -> None:
    world.people["amara"] = a_recipient()
    plan(world)
    world.people["amara"] = a_recipient(opted_in=["news/email"])
    plan(world)
    world.queues["REQUESTS_BULK"].clear()
    assert the_end(world).skipped == {"not_consented": 1}


def test_a_fallback_in_a_second_pack_takes_no_room_for_what_reached_nobody_in_the_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(world, Words([NEWS], msgspec.structs.replace(POLICY, caps=(a_cap(2, days=1),))), accepting, monkeypatch)
    world.queues.clear()
    request = a_request(message="news", run_id="run", step=1)
    willing, unwilling = a_recipient(opted_in=["news/email"]), a_recipient()
    for pack_id, when_delivered in ("first", unwilling), ("second", willing):
        pack = RequestPack(pack_id=ids.of_fallbacks(pack_id), lane=Lane.BULK, run_id="run", requests=(request,))
        world.put("REQUESTS_BULK", pack)
        world.people["amara"] = willing
        plan(world)
        world.queues["REQUESTS_BULK"].clear()
        world.people["amara"] = when_delivered
        for queue, message in world.visible():
            world.invoke(queue, message)
    assert [each.outcome for each in world.ledger.values()] == [Verdict.SKIPPED_AT_DELIVERY]
    assert not any(account.reserved for account in world.accounts.values())


def test_of_two_who_plan_a_pack_at_once_the_slower_follows_the_first(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    records = wiring.records()
    keep_plans = records.keep_plans

    def when_another_has_planned_it(plans: Mapping[tuple[str, str], Planned], at: datetime) -> None:
        monkeypatch.setattr(records, "keep_plans", keep_plans)
        world.people["amara"] = a_recipient(opted_in=["news/sms"])
        plan(world)
        keep_plans(plans, at)

    world.people["amara"] = a_recipient()
    monkeypatch.setattr(records, "keep_plans", when_another_has_planned_it)
    plan(world)
    assert [(each.scheduled, each.skipped) for each in world.plans.values()] == [(1, {})]
    world.queues["REQUESTS_BULK"].clear()
    assert the_end(world).counts["accepted"] == 1


@pytest.mark.parametrize("edge", EDGES)
def test_no_sum_is_negative_although_what_is_scheduled_is_due_before_its_plan_has_ended(
    world: World, edge: int
) -> None:
    plan(world, Fate(edge, Killed))
    world.now += timedelta(hours=12)
    world.tick()
    for message in world.queues["REQUESTS_BULK"][1:]:
        world.invoke("REQUESTS_BULK", message)
    assert min(work.status("run").counts.values()) >= 0


def test_what_an_earlier_version_has_scheduled_is_planned_and_counted_once(world: World) -> None:
    plan(world)
    world.queues["REQUESTS_BULK"].clear()
    (part,) = (
        part for name in [*world.minutes.items] if "#" in name for part in wiring.minutes().parts(minute_of(name))
    )
    assert isinstance(part, Part)
    world.minutes.items.clear()
    requests = tuple(msgspec.json.decode(each, type=SendRequest) for each in part.requests())
    world.now += timedelta(hours=12)
    world.put("REQUESTS_BULK", RequestPack(pack_id=part.origin, lane=Lane.BULK, run_id="run", requests=requests))
    wiring.minutes().advance(world.now)
    found = the_end(world).counts
    assert (found["accepted"], sum(found.values())) == (1, 1)


def minute_of(partition: str) -> datetime:
    """The minute in the name of a partition."""
    return datetime.fromisoformat(partition.split("#")[1])
