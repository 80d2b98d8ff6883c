"""A channel that nobody knew goes the whole way by its entry in the list: planned, delivered, recorded."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest

from aws.memory import Waiting, World
from aws.memory_adapters import Words, install
from builders import CONTENT, NOW, PACK_ID, SMS, a_message, a_recipient, a_request
from heliograph.channels import registry
from heliograph.channels.addresses import PHONE
from heliograph.channels.events import tagged_event
from heliograph.channels.spec import ChannelSpec, Codes, Content, Limits, Measure, OptOut, Part, Price, Surroundings
from heliograph.model.channels import Channel
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.model.outcomes import Accepted, FailureCode, Outcome
from heliograph.model.policy import Enforcement, Policy
from heliograph.model.requests import Lane, RequestPack
from heliograph.model.values import JsonObject
from heliograph.recording import reading
from heliograph.recording.facts import Fact
from heliograph.runtime import wiring

PAGER = Channel("pagerofthetests")
NUMBER = "+12065550100"


class Network:
    """Pages people, and reports what became of it."""

    def __init__(self) -> None:
        self.paged: list[tuple[str, str]] = []
        self.tags: dict[str, str] = {}

    def connect(self, _: Surroundings) -> Sender:
        """The sender of the channel."""
        return self._send

    def _send(self, batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        for rendered in batch:
            self.paged.append((rendered.dispatch.addresses[0], rendered.content["text"]))
            self.tags = rendered.tags()
            yield (Accepted(dispatch_id=rendered.dispatch.dispatch_id, provider_message_id="page-1"),)


def read_event(content: JsonObject, _: Callable[[], Sequence[str]]) -> EngagementEvent | None:
    """What the network reports, as it writes it."""
    if "page" not in content:
        return None
    told: dict[str, Any] = content["page"]
    kind = EngagementKind(told["kind"])
    is_dead = kind is EngagementKind.BOUNCED
    return tagged_event(
        told["tags"],
        channel=PAGER,
        kind=kind,
        occurred_at=NOW,
        told_apart_by=(kind,),
        address=NUMBER if is_dead else "",
        permanent=is_dead,
    )


def measure(content: Content) -> Measure:
    """A page is a page."""
    return Measure(1, len(content["text"]))


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[Network]:
    """The network of a channel that is registered by one entry."""
    network = Network()
    spec = ChannelSpec(
        name=PAGER,
        noun="pages",
        address_kind=PHONE,
        parts={"text": Part("pager.txt")},
        reports=frozenset({EngagementKind.DELIVERED, EngagementKind.BOUNCED}),
        silent_providers=frozenset(),
        opt_out=OptOut.REPLY,
        consent_floor=Enforcement.OFF,
        codes=Codes(final={"NO_SUCH_PAGER": FailureCode.INVALID_ADDRESS}),
        measure=measure,
        limits=Limits(200),
        price=Price(Decimal("0.01"), "$0.01 a page"),
        connect=network.connect,
        read_event=read_event,
    )
    monkeypatch.setitem(sys.modules, f"heliograph.channels.{PAGER}.spec", SimpleNamespace(SPEC=spec))
    monkeypatch.setitem(CONTENT, PAGER, {"text": "Your parcel is on its way"})
    known = (*registry.CHANNELS, PAGER)
    monkeypatch.setattr(registry, "CHANNELS", known)
    monkeypatch.setattr(reading, "CHANNELS", known)
    registry.address_kinds.cache_clear()
    wiring.sender.cache_clear()
    yield network
    registry.spec.cache_clear()
    registry.address_kinds.cache_clear()
    wiring.sender.cache_clear()


@pytest.fixture
def world(network: Network, monkeypatch: pytest.MonkeyPatch) -> World:
    """Somebody whose number takes no texts, and a request of a message by SMS or pager."""
    world = World()
    world.people["amara"] = a_recipient(email="", devices=(), suppressed={SMS})
    message = a_message(channels=(SMS, PAGER), locales={SMS: ("en",), PAGER: ("en",)})
    install(world, Words([message], Policy()), wiring.sender, monkeypatch)
    world.put("REQUESTS_PRIORITY", RequestPack(pack_id=PACK_ID, lane=Lane.PRIORITY, requests=(a_request(),)))
    work_off(world)
    return world


def work_off(world: World) -> None:
    while visible := world.visible():
        assert all(world.invoke(queue, message) for queue, message in visible)


def reported(world: World, network: Network, kind: EngagementKind) -> None:
    """The network reports what became of the page."""
    body = json.dumps({"page": {"kind": kind, "tags": network.tags}})
    world.queues["ENGAGEMENT"].append(Waiting(body, world.now))
    work_off(world)


def test_a_number_that_takes_no_texts_is_reached_on_the_new_channel(world: World, network: Network) -> None:
    assert network.paged == [(NUMBER, "Your parcel is on its way")]
    (entry,) = world.ledger.values()
    assert (entry.channel, entry.outcome) == (PAGER, "dispatched")


def test_what_its_provider_reports_is_recorded_with_the_dispatch(world: World, network: Network) -> None:
    reported(world, network, EngagementKind.DELIVERED)
    ((record, slots),) = world.facts.items()
    assert record.channel == PAGER
    assert slots[0].keys() >= {Fact.ACCEPTED, EngagementKind.DELIVERED}


def test_a_bounce_suppresses_the_number_for_this_channel_alone(world: World, network: Network) -> None:
    world.people["amara"] = a_recipient()
    reported(world, network, EngagementKind.BOUNCED)
    assert world.people["amara"].suppressed.keys() == {PAGER}
