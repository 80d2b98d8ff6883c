"""Rules of the channel: an address says which way its message goes, and what no receiver takes goes nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import pytest

from builders import a_rendered
from heliograph.channels.webhook.payload import BODY_LIMIT
from heliograph.channels.webhook.sender import webhook_sender
from heliograph.channels.webhook.spec import NAME as WEBHOOK
from heliograph.model.dispatches import Rendered
from heliograph.model.outcomes import Accepted, Failed, FailureCode, Outcome


class Way:
    """A way that takes everything."""

    def __init__(self) -> None:
        self.taken: list[str] = []

    def __call__(self, batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        for each in batch:
            self.taken.append(each.dispatch.addresses[0])
            yield (Accepted(dispatch_id=each.dispatch.dispatch_id, provider_message_id="m"),)


def a_webhook(slot: int, address: str, data: str = "{}") -> Rendered:
    return a_rendered(WEBHOOK, slot=slot, content={"data": data}, addresses=(address,))


def send(post: Way, call: Way, *batch: Rendered) -> dict[str, Outcome]:
    return {
        outcome.dispatch_id: outcome for outcomes in webhook_sender(lambda: post, call)(batch) for outcome in outcomes
    }


def test_endpoints_are_posted_to_and_functions_are_called() -> None:
    post, call = Way(), Way()
    batch = [a_webhook(0, "https://a.example/"), a_webhook(1, "chatbot:1"), a_webhook(2, "https://b.example/")]
    assert send(post, call, *batch).keys() == {each.dispatch.dispatch_id for each in batch}
    assert sorted(post.taken) == ["https://a.example/", "https://b.example/"]
    assert call.taken == ["chatbot:1"]


@pytest.mark.parametrize("address", ["https://a.example/", "chatbot:1"])
@pytest.mark.parametrize(
    ("data", "why"),
    [
        *(
            (data, FailureCode.REJECTED)
            for data in (
                "",
                "[" * 9_000 + "]" * 9_000,
                '"\ud800"',
                '{"order": A-1}',
                '{"a": 1} {"b": 2}',
                '{"total": NaN}',
                '{"name": "\\ud800"}',
            )
        ),
        (json.dumps("x" * BODY_LIMIT), FailureCode.CONTENT_TOO_LARGE),
    ],
)
def test_what_no_receiver_takes_goes_nowhere_and_stops_nobody(address: str, data: str, why: FailureCode) -> None:
    post, call = Way(), Way()
    unfit, fit = a_webhook(0, address, data), a_webhook(1, address)
    outcomes = send(post, call, unfit, fit)
    assert outcomes[unfit.dispatch.dispatch_id] == Failed(dispatch_id=unfit.dispatch.dispatch_id, code=why)
    assert isinstance(outcomes[fit.dispatch.dispatch_id], Accepted)
    assert len(post.taken + call.taken) == 1
