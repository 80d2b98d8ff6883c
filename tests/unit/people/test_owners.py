"""Thousands of people with one address: each invocation sees to some of them, and nobody is lost on the way."""

from __future__ import annotations

from bisect import bisect_right
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from aws.engagement_table import EngagementTable, installed
from aws.invocations import record as received
from builders import EMAIL, NOW
from functions.record.app import handler
from heliograph.aws.errors import QueueError
from heliograph.channels.events import event_id
from heliograph.model.engagement import EngagementEvent, EngagementKind, Events
from heliograph.people.store import OWNERS_LIMIT, Recipients
from heliograph.runtime import wiring
from heliograph.text.bodies import body

MANY = 3_000
ADDRESS = "shared@example.com"
OWN = "p-0007"
PAGE = OWNERS_LIMIT + 3
"""Calls of DynamoDB for one page of owners: a write each, whether it is needed, the page, the message's recipient."""


class Owners:
    """A table of people who share an address, asked as DynamoDB is asked."""

    exceptions = SimpleNamespace(ConditionalCheckFailedException=ClientError)

    def __init__(self) -> None:
        self.ids = [f"p-{number:04}" for number in range(MANY)]
        self.items: dict[str, dict[str, Any]] = {each: {"recipient_id": {"S": each}} for each in self.ids}
        self.calls = 0

    def query(self, **asked: Any) -> dict[str, Any]:
        """The next owners."""
        self.calls += 1
        last = asked.get("ExclusiveStartKey", {"recipient_id": {"S": ""}})["recipient_id"]["S"]
        start = bisect_right(self.ids, last)
        page = self.ids[start : start + asked["Limit"]]
        more = {"LastEvaluatedKey": {"recipient_id": {"S": page[-1]}}} if page[-1] < self.ids[-1] else {}
        return {"Items": [{"recipient_id": {"S": each}} for each in page]} | more

    def batch_get_item(self, RequestItems: Any) -> dict[str, Any]:  # noqa: N803 - as botocore spells it
        """Some people."""
        self.calls += 1
        ((table, asked),) = RequestItems.items()
        return {"Responses": {table: [self.items[key["recipient_id"]["S"]] for key in asked["Keys"]]}}

    def update_item(self, **asked: Any) -> dict[str, Any]:
        """Set what is not there yet."""
        self.calls += 1
        (name,), (value,) = asked["ExpressionAttributeNames"].values(), asked["ExpressionAttributeValues"].values()
        self.items[asked["Key"]["recipient_id"]["S"]].setdefault(name, value)
        return {}

    @property
    def suppressed(self) -> set[str]:
        """Of whom the address is dead."""
        return {each for each, item in self.items.items() if f"suppressed#email#{ADDRESS}" in item}


class OwnQueue:
    """The queue that record reads, and now and then refuses what record has for it."""

    def __init__(self, refuses: int = 0) -> None:
        self.bodies: list[bytes] = []
        self.sends = 0
        self.refuses = refuses

    def send(self, works: list[msgspec.Struct]) -> None:
        """Take a message, but not every n-th."""
        self.sends += 1
        if self.refuses and self.sends % self.refuses == 0:
            raise QueueError("1 messages were not taken")
        self.bodies += map(body, works)


@pytest.fixture
def record(monkeypatch: pytest.MonkeyPatch) -> EngagementTable:
    """All that record works with, but for the people."""
    return installed(monkeypatch)


@pytest.fixture
def owners(monkeypatch: pytest.MonkeyPatch, record: EngagementTable) -> Owners:
    """Three thousand of them."""
    table = Owners()
    edges: Any = {"client": table, "history": None}
    monkeypatch.setattr(wiring, "recipients", lambda: Recipients(table="people", **edges))
    return table


def bounce(recipient_id: str = OWN) -> bytes:
    return body(
        Events(
            events=(
                EngagementEvent(
                    event_id=event_id(recipient_id),
                    dispatch_id=f"{recipient_id}-0",
                    recipient_id=recipient_id,
                    channel=EMAIL,
                    kind=EngagementKind.BOUNCED,
                    occurred_at=NOW,
                    outcome_key="",
                    address=ADDRESS,
                    permanent=True,
                ),
            )
        )
    )


def run(monkeypatch: pytest.MonkeyPatch, owners: Owners, queue: OwnQueue, *first: bytes) -> list[int]:
    """Let record work until its queue is empty; the calls of each invocation."""
    monkeypatch.setattr(wiring, "engagement", lambda: queue)
    queue.bodies += first
    calls = []
    while queue.bodies:
        before, batch = owners.calls, queue.bodies[:10]
        del queue.bodies[:10]
        records = [
            received(text.decode(), str(number)) | {"receiptHandle": "", "eventSourceARN": ""}
            for number, text in enumerate(batch)
        ]
        failed = handler({"Records": records}, None)["batchItemFailures"]
        queue.bodies += [batch[int(each["itemIdentifier"])] for each in failed]
        calls.append(owners.calls - before)
        assert len(calls) <= MANY, "it never ends"
    return calls


def test_three_thousand_owners_of_an_address_are_reached_in_small_steps(
    monkeypatch: pytest.MonkeyPatch, owners: Owners
) -> None:
    calls = run(monkeypatch, owners, OwnQueue(), bounce())
    assert owners.suppressed == set(owners.ids)
    assert max(calls) <= PAGE
    assert len(calls) == MANY // OWNERS_LIMIT


def test_no_owner_is_lost_when_the_rest_cannot_be_handed_on_at_first(
    monkeypatch: pytest.MonkeyPatch, owners: Owners
) -> None:
    queue = OwnQueue(refuses=3)
    calls = run(monkeypatch, owners, queue, bounce())
    assert owners.suppressed == set(owners.ids)
    assert max(calls) <= PAGE
    assert queue.sends > MANY // OWNERS_LIMIT


def test_who_is_suppressed_already_costs_no_second_round(monkeypatch: pytest.MonkeyPatch, owners: Owners) -> None:
    run(monkeypatch, owners, OwnQueue(), bounce())
    assert run(monkeypatch, owners, OwnQueue(), bounce(), bounce("p-2999")) == [2]


def test_what_is_left_to_do_is_no_event(
    monkeypatch: pytest.MonkeyPatch, owners: Owners, record: EngagementTable
) -> None:
    run(monkeypatch, owners, OwnQueue(), bounce())
    assert len(record.lake) == 1
    assert record.parked == []
