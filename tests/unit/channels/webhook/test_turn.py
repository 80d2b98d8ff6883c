"""Rules of a pack's turn: every destination is asked beside the others, and a slow one costs itself alone."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from datetime import timedelta
from threading import Event, Thread
from threading import enumerate as enumerate_threads

import pytest
from msgspec import structs

from builders import NOW, SMS, a_fallback, a_message, a_rendered
from heliograph.channels.webhook.sender import webhook_sender
from heliograph.channels.webhook.spec import NAME as WEBHOOK
from heliograph.channels.webhook.turn import REQUEUED_FOR, THREADS, TIME, WAITS, Line, side_by_side
from heliograph.model.dispatches import Rendered, StopSending
from heliograph.model.outcomes import Accepted, NotSent, Outcome

NEVER = 60  # seconds; only a fault lets a test wait for so long
SLOW, FAST = "https://slow.example/", "https://fast.example/"


def a_webhook(slot: int, address: str) -> Rendered:
    return a_rendered(WEBHOOK, slot=slot, content={"data": "{}"}, addresses=(address,))


def accepted(rendered: Rendered) -> tuple[Outcome, ...]:
    return (Accepted(dispatch_id=rendered.dispatch.dispatch_id, provider_message_id="m"),)


def answers(coming: Iterator[tuple[Outcome, ...]]) -> Iterator[tuple[Outcome, ...]]:
    """What comes, without the moments in which nothing does."""
    return filter(None, coming)


class Network:
    """The slow endpoint answers when it is let go; it keeps the order in which requests begin."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.let_go = Event()

    def __call__(self, batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        for each in batch:
            self.begun.append(each.dispatch.addresses[0])
            if each.dispatch.addresses[0] != FAST:
                assert self.let_go.wait(NEVER)
            yield accepted(each)


def threads() -> list[Thread]:
    """Those of turns."""
    return [thread for thread in enumerate_threads() if thread.name.startswith(THREADS)]


@pytest.fixture
def network() -> Iterator[Network]:
    made = Network()
    yield made
    made.let_go.set()


@pytest.mark.parametrize("slow", [[SLOW], ["chatbot:1"], [f"https://slow.example/{number}" for number in range(98)]])
def test_slow_destinations_hold_up_no_others_of_their_pack(network: Network, slow: list[str]) -> None:
    batch = [a_webhook(slot, address) for slot, address in enumerate([*slow, FAST, FAST])]
    coming = answers(webhook_sender(lambda: network, network)(batch))
    first = [outcome.dispatch_id for _ in range(2) for outcome in next(coming)]
    assert first == [each.dispatch.dispatch_id for each in batch[-2:]]
    network.let_go.set()
    rest = {outcome.dispatch_id for outcomes in coming for outcome in outcomes}
    assert rest == {each.dispatch.dispatch_id for each in batch[:-2]}


def test_an_endpoint_gets_one_request_after_the_other(network: Network) -> None:
    batch = [a_webhook(0, SLOW), a_webhook(1, SLOW), a_webhook(2, FAST)]
    coming = answers(webhook_sender(lambda: network, network)(batch))
    next(coming)
    assert sorted(network.begun) == [FAST, SLOW]
    network.let_go.set()
    assert len([*coming]) == 2


def test_what_an_endpoint_has_no_time_for_comes_again_alone() -> None:
    time = [NOW]

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        for each in batch:
            time[0] += TIME / 2
            yield accepted(each)

    batch = [a_webhook(slot, SLOW) for slot in range(4)]
    *taken, (third, fourth) = answers(side_by_side([Line(send, batch)], lambda: time[0]))
    assert len(taken) == 2
    for outcome, rendered in zip((third, fourth), batch[2:], strict=True):
        assert isinstance(outcome, NotSent)
        assert (outcome.dispatch_id, outcome.cause) == (rendered.dispatch.dispatch_id, WAITS)
        assert outcome.until == time[0] + REQUEUED_FOR


def test_whom_an_endpoint_had_no_time_for_does_not_fail_before_it_was_asked_however_long_that_takes() -> None:
    time = [NOW]

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        for each in batch:
            time[0] += TIME
            yield accepted(each)

    followed = a_message(channels=(WEBHOOK,), locales={WEBHOOK: ("en",)}, fallback=(a_fallback(SMS, within=60),))
    batch = [structs.replace(a_webhook(n, SLOW), message=followed, claimed_at=NOW - timedelta(days=4)) for n in (0, 1)]
    *_, (second,) = answers(side_by_side([Line(send, batch)], lambda: time[0]))
    assert second == NotSent(dispatch_id=batch[1].dispatch.dispatch_id, cause=WAITS, until=time[0] + REQUEUED_FOR)


def test_whoever_stops_listening_waits_for_nobody_and_nothing_further_begins(network: Network) -> None:
    coming = webhook_sender(lambda: network, network)([a_webhook(0, FAST), a_webhook(1, SLOW), a_webhook(2, SLOW)])
    next(answers(coming))
    del coming
    network.let_go.set()
    for thread in threads():
        thread.join(NEVER)
    assert network.begun.count(SLOW) <= 1
    assert not threads()


def test_what_is_under_way_when_sending_stops_is_answered_and_what_has_not_begun_is_put_off(network: Network) -> None:
    batch = [
        a_webhook(0, FAST),
        *(a_webhook(slot, address) for slot, address in enumerate([SLOW, SLOW, "chatbot:1"], 1)),
    ]
    coming = webhook_sender(lambda: network, network)(batch)
    assert isinstance(coming, Generator)
    next(answers(coming))
    while not {SLOW, "chatbot:1"} <= {*network.begun}:
        next(coming)  # nothing yet
    first = coming.throw(StopSending())  # nothing, as both are under way
    network.let_go.set()
    came = {outcome.dispatch_id: outcome for outcomes in [first, *coming] for outcome in outcomes}
    assert [type(came[each.dispatch.dispatch_id]) for each in batch[1:]] == [Accepted, NotSent, Accepted]
    assert network.begun.count(SLOW) == 1


def test_what_goes_wrong_at_one_destination_is_raised_after_the_answers_of_the_others() -> None:
    def fail(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        if batch:
            raise LookupError
        yield ()

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        yield from map(accepted, batch)

    coming = answers(side_by_side([Line(fail, [a_webhook(0, SLOW)]), Line(send, [a_webhook(1, FAST)])], lambda: NOW))
    assert len(next(coming)) == 1
    with pytest.raises(LookupError):
        next(coming)
