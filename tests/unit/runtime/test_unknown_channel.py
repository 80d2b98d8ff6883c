"""Work of a channel that there is not is parked at once, with its code and position, on every queue that names one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, NamedTuple

import msgspec
import pytest

from aws.invocations import record
from aws.memory import World
from aws.memory_adapters import Words, install
from builders import EMAIL, NOW, PACK_ID, SMS, a_dispatch, a_message, a_recipient, a_request
from functions.deliver import app as deliver
from functions.record import app as recording
from functions.settle import app as settle
from heliograph.followups.fallbacks import LOST_AFTER
from heliograph.model.channels import Channel
from heliograph.model.dispatches import DispatchPack
from heliograph.model.engagement import EngagementEvent, EngagementKind, Events, SuppressAddress, Unfinished
from heliograph.model.messages import Fallback
from heliograph.model.policy import Policy
from heliograph.model.requests import EarlierDispatch, Lane, RequestPack
from heliograph.planning.packing import MINUTE
from heliograph.runtime import wiring
from heliograph.text.bodies import body
from heliograph.text.errors import Code

FAX = Channel("fax")


class Parked(NamedTuple):
    """A dead letter."""

    body: str
    code: Code
    position: str


@pytest.fixture
def parked(monkeypatch: pytest.MonkeyPatch) -> list[Parked]:
    """The dead letters; there is nothing else: whatever would be read or written in AWS fails."""
    letters: list[Parked] = []
    parking = SimpleNamespace(park=lambda text, error: letters.append(Parked(text, error.code, error.position)))
    monkeypatch.setattr(wiring, "parking", lambda: parking)
    return letters


def a_pack(channel: Channel, *channels: Channel) -> DispatchPack:
    dispatches = tuple(
        msgspec.structs.replace(a_dispatch(SMS, slot=slot), channel=each) for slot, each in enumerate(channels)
    )
    return DispatchPack(pack_id=PACK_ID, channel=channel, lane=Lane.BULK, dispatches=dispatches)


def an_event(channel: Channel) -> EngagementEvent:
    return EngagementEvent(
        event_id="e-1",
        dispatch_id="d-1",
        recipient_id="amara",
        channel=channel,
        kind=EngagementKind.UNSUBSCRIBED,
        occurred_at=NOW,
        outcome_key="",
    )


REST = SuppressAddress(recipient_id="amara", channel=FAX, address="+1", reason="hard_bounce", at=NOW)


@pytest.mark.parametrize(
    ("app", "work", "position"),
    [
        (deliver, a_pack(FAX, FAX), "channel"),
        (deliver, a_pack(SMS, SMS, FAX), "dispatches[1].channel"),
        (settle, a_pack(FAX, FAX), "channel"),
        (settle, a_pack(SMS, FAX), "dispatches[0].channel"),
        (recording, Events(events=(an_event(EMAIL), an_event(FAX))), "events[1].channel"),
        (recording, Unfinished(unfinished=REST), "unfinished.channel"),
    ],
    ids=lambda each: each if isinstance(each, str) else getattr(each, "__name__", type(each).__name__),
)
def test_work_of_a_channel_that_there_is_not_is_parked_at_once(
    monkeypatch: pytest.MonkeyPatch, parked: list[Parked], app: Any, work: msgspec.Struct, position: str
) -> None:
    if app is recording:
        monkeypatch.setattr(wiring, "lake", lambda: SimpleNamespace(keep_events=lambda events: None))
    text = body(work).decode()
    assert app.handler({"Records": [record(text)]}, SimpleNamespace()) == {"batchItemFailures": []}
    assert parked == [Parked(text, Code.UNKNOWN_CHANNEL, position)]


def test_a_request_that_was_sent_on_such_a_channel_before_goes_on_without_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its fallback was waiting while a newer version was taken back: whom it is for can still be written to."""
    world = World()
    world.people["amara"] = a_recipient()
    steps = (Fallback(channels=(SMS,), unless=EngagementKind.OPENED, within=60),)
    message = a_message(channels=(EMAIL,), locales={EMAIL: ("en",), SMS: ("en",)}, fallback=steps)
    install(world, Words([message], Policy()), wiring.sender, monkeypatch)
    before = EarlierDispatch(
        outcome_key=f"{PACK_ID}-0", channel=FAX, unless=EngagementKind.OPENED, within=60, at=NOW - LOST_AFTER - MINUTE
    )
    request = a_request(step=1, fallbacks=1, earlier=(before,))
    world.put("REQUESTS_PRIORITY", RequestPack(pack_id=PACK_ID, lane=Lane.PRIORITY, requests=(request,)))
    ((queue, waiting),) = world.visible()
    assert world.invoke(queue, waiting)
    assert [queue for queue, _ in world.visible()] == ["OUTBOX_SMS_PRIORITY"]
