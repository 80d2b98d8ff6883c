"""The clock of a rate limit on the null DynamoDB: what it costs to ask it when sending is slower than the rate."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import msgspec
from botocore.exceptions import ClientError

from aws.null_dynamodb import ConditionError, NullDynamoDB
from builders import EMAIL, NOW
from heliograph.channels.clocks import RateLimits


class Client:
    """Calls of DynamoDB, past the wire."""

    class exceptions:  # noqa: N801 - as botocore spells it
        ConditionalCheckFailedException = ClientError

    def __init__(self) -> None:
        self.table, self.calls = NullDynamoDB(), 0

    def update_item(self, **asked: Any) -> Any:
        self.calls += 1
        try:
            return self.table.answer("UpdateItem", msgspec.json.encode(asked))
        except ConditionError as error:
            raise ClientError({"Error": {"Code": str(error)}, "Item": error.item}, "UpdateItem") from None  # type: ignore[typeddict-unknown-key]


def waits(client: Client, *, apart: float, rate: float) -> list[float | None]:
    """How long each of twenty packs of a hundred waits that come so many seconds apart."""
    limits = RateLimits(client, "heliograph-runs")  # type: ignore[arg-type]  # what it calls of it
    found = []
    for number in range(20):
        now = NOW + timedelta(seconds=number * apart)
        turn = limits.ask(EMAIL, 100, rate=rate, patience=10, horizon=timedelta(minutes=15), now=now)
        found.append(turn.wait)
    return found


def test_a_clock_that_is_ahead_makes_each_pack_wait_longer_and_then_refuses() -> None:
    found = waits(Client(), apart=0.0, rate=100)
    taken = [wait for wait in found if wait is not None]
    assert taken == sorted(taken)
    assert 8 <= max(taken) <= 10
    assert found[len(taken) :] == [None] * (20 - len(taken))


def test_a_clock_that_lags_lets_everybody_go_at_once() -> None:
    client = Client()
    assert waits(client, apart=0.5, rate=950) == [0.0] * 20
    assert client.calls == 21  # the first one learns that it lags
