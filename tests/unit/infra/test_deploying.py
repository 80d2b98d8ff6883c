"""While a deployment or a rollback is on its way, functions know different messages, and no request is lost."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta

import pytest

from aws.memory import World
from aws.memory_adapters import Words, install
from builders import EMAIL, NOW, a_message, a_recipient, a_request
from functions.plan.app import DEPLOYING
from heliograph.campaigns import segments
from heliograph.channels.rate import delay
from heliograph.model.channels import Channel
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.outcomes import Accepted, Outcome
from heliograph.model.policy import Policy
from heliograph.model.requests import Lane, RequestPack
from heliograph.model.runs import Run

RECEIPT = a_message(EMAIL)
PACK = RequestPack(pack_id="pack", lane=Lane.PRIORITY, requests=(a_request(message=RECEIPT.name),))


def accepting(channel: Channel) -> Sender:
    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        yield tuple(Accepted(dispatch_id=one.dispatch.dispatch_id, provider_message_id="m") for one in batch)

    return send


@pytest.fixture
def world() -> World:
    world = World()
    world.people["amara"] = a_recipient()
    world.put("REQUESTS_PRIORITY", PACK)
    return world


def plan(world: World) -> bool:
    (message,) = world.queues["REQUESTS_PRIORITY"]
    return world.invoke("REQUESTS_PRIORITY", message)


def test_a_message_that_is_deployed_a_moment_later_is_sent(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    install(world, Words([], Policy()), accepting, monkeypatch)
    assert not plan(world)
    install(world, Words([RECEIPT], Policy()), accepting, monkeypatch)
    assert plan(world)
    assert world.queues["OUTBOX_EMAIL_PRIORITY"]
    assert not world.ledger


def test_a_campaign_whose_message_is_deployed_a_moment_later_is_sent(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Run(run_id="run", campaign="spring", message=RECEIPT.name, started_at=NOW)
    (pack,) = segments.packs([[["amara"]]], ["recipient_id"], run, RECEIPT, segments.Campaign(message=RECEIPT.name))
    world.queues["REQUESTS_PRIORITY"].clear()
    world.put("REQUESTS_PRIORITY", pack)
    install(world, Words([], Policy()), accepting, monkeypatch)
    assert not plan(world)
    install(world, Words([RECEIPT], Policy()), accepting, monkeypatch)
    assert plan(world)
    assert world.queues["OUTBOX_EMAIL_BULK"]
    assert not world.ledger


def test_a_message_that_never_comes_is_called_unknown_in_the_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    install(world, Words([], Policy()), accepting, monkeypatch)
    assert [plan(world) for _ in range(DEPLOYING)] == [*[False] * (DEPLOYING - 1), True]
    (entry,) = world.ledger.values()
    assert entry.reason == "unknown_message"


def test_a_deployment_of_five_minutes_is_waited_for() -> None:
    waited = sum(delay(receives, "receipt") for receives in range(1, DEPLOYING))
    assert timedelta(seconds=waited) > timedelta(minutes=5)
