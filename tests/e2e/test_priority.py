"""A message to one person never waits behind a run to thousands."""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

import pytest

from aws.deployed import Stack
from builders import EMAIL
from crowd import queue_bulk, save, somebody, taken

BULK = 20_000  # messages
READERS = 1_000  # of the bulk messages; each gets them several times over
CUSTOMERS = 50
GAP = 0.2  # seconds from one order to the next
MOST = 2_000  # bulk messages that may be sent while an order's is on its way: a tenth of those before it
BULK_QUEUES = ("requests-bulk", "outbox-email-bulk")


@pytest.fixture
def customers(stack: Stack) -> list[str]:
    """People who are known."""
    batch = uuid.uuid4().hex[:8]
    names = [f"buyer-{batch}-{number}" for number in range(1 + CUSTOMERS)]
    save(stack, [somebody(name, EMAIL) for name in names])
    return names


@pytest.fixture
def bulk(stack: Stack) -> Iterator[int]:
    """A run that has begun to send; what is left of it after the test is dropped."""
    batch = uuid.uuid4().hex[:8]
    readers = [somebody(f"reader-{batch}-{number}", EMAIL) for number in range(READERS)]
    save(stack, readers)
    queued = queue_bulk(stack, readers, message="spring_sale", rounds=BULK // READERS)
    stack.eventually(lambda: taken(stack, tag="message:spring_sale", limit=1))
    yield queued
    for queue in (*BULK_QUEUES, "engagement"):
        stack.cloud.client("sqs").purge_queue(QueueUrl=stack.queue_url(queue))


def test_a_message_overtakes_nine_tenths_of_twenty_thousand_that_were_queued_before_it(
    stack: Stack, customers: list[str], bulk: int
) -> None:
    """Told in messages and not in seconds, a slow machine is as strict as a fast one."""
    first, *others = customers
    order(stack, first)  # functions start for it, which is another matter
    stack.eventually(lambda: taken(stack, to=first))
    ordered = order_one_by_one(stack, others)
    sent = stack.eventually(lambda: all_sent(stack, others))
    waiting = {queue: stack.waiting(queue) for queue in BULK_QUEUES}
    bulk_sent = [datetime.fromisoformat(mail["sent_at"]) for mail in taken(stack, tag="message:spring_sale")]
    before = [sum(ordered[name] < at < sent[name] for at in bulk_sent) for name in others]
    took = sorted((sent[name] - ordered[name]).total_seconds() for name in others)
    sys.stdout.write(
        f"\np50 {took[len(took) // 2]:.2f} s, p99 {took[-1]:.2f} s; at most {max(before)} bulk messages meanwhile; "
        f"{len(bulk_sent):,} of {bulk:,} sent, packs left: {waiting}\n"
    )
    assert sum(waiting.values()) > 0
    assert len(bulk_sent) < bulk
    assert max(before) < MOST


def order_one_by_one(stack: Stack, customers: Sequence[str]) -> dict[str, datetime]:
    """Ship an order to each, evenly spread; when that was."""
    ordered: dict[str, datetime] = {}
    begun = time.monotonic()
    for number, name in enumerate(customers):
        time.sleep(max(0.0, begun + number * GAP - time.monotonic()))
        ordered[name] = datetime.now(UTC)
        order(stack, name)
    return ordered


def order(stack: Stack, name: str) -> None:
    """Tell the stack's bus that an order was shipped."""
    shipped = {"order_id": f"o-{name}", "carrier": "DHL", "tracking_url": "https://example.com/t"}
    lines = [{"name": "Bench", "quantity": 1}]
    stack.publish("OrderShipped", {"customer_id": name, **shipped, "lines": lines}, source="shop.orders")


def all_sent(stack: Stack, customers: Sequence[str]) -> dict[str, datetime]:
    """When the provider took the message to each; nothing while one is missing."""
    found = taken(stack, tag="message:order_shipped")
    sent = {mail["tags"]["recipient_id"]: datetime.fromisoformat(mail["sent_at"]) for mail in found}
    return {name: sent[name] for name in customers} if sent.keys() >= set(customers) else {}
