"""Every message of every queue three times, and events in any order, change no sum and send nothing twice."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from audience import UNTIL_MORNING, Clock, Evidence, a_crowd, check, evidence, ring, start
from aws.crashes import Edge
from aws.flow_system import VERBS, System
from aws.local_cloud import PATIENCE, TICK
from heliograph.aws.tables import chunks
from heliograph.runtime import wiring
from heliograph_cli.waiting import until_still

MAILS, TEXTS = 12, 3
AUDIENCE = MAILS + TEXTS + 6
WRITTEN_TO = AUDIENCE - 3  # two do not consent, one is not known
TIMES = 3
ENOUGH = timedelta(minutes=1)  # for the provider to have time for the next pack
BATCH = 10  # messages of one invocation of record
WORK = ("requests-bulk", "outbox-email-bulk", "outbox-sms-bulk")

HandOut = Callable[["Duplicating", str, list[str]], None]


class Duplicating:
    """Hands every message out three times before it is deleted."""

    def __init__(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        self.system = system
        self.clock = Clock(monkeypatch)
        self.order = random.Random(1)
        self._edge = Edge(monkeypatch)

    def work(self, hand_out: HandOut, *queues: str) -> None:
        """Until nothing is left in the queues."""
        for _ in range(20):
            if not sum(self._work_off(hand_out, queue) for queue in queues):
                return
        raise AssertionError("the queues never became empty")

    def campaign(self, name: str, hand_out: HandOut) -> Evidence:
        """Run a campaign to its end; what came of it."""
        crowd = a_crowd(name, mails=MAILS, texts=TEXTS)
        wiring.recipients().save_many(crowd)
        run_id = start(self.system, name, crowd)
        self.work(hand_out, *WORK)
        self.clock.advance(UNTIL_MORNING)
        ring(self.system, self.clock)
        self.work(hand_out, *WORK)

        def look() -> tuple[dict[str, int], bool]:
            self.work(shuffled, "engagement")
            heard = evidence(self.system, run_id, limit=3 * AUDIENCE).figures.engagement
            return heard, heard.get("delivered") == WRITTEN_TO - 1  # one bounces

        until_still(look, patience=PATIENCE, most=TICK)
        self.work(hand_out, "settle", *WORK)
        return evidence(self.system, run_id, limit=3 * AUDIENCE)

    def try_all(self, verb: str, body: str) -> None:
        """Hand a message to a function until it is done: what lost a race comes again."""
        for receives in range(1, 4):
            if self.system.run(verb, [body], receives) == {"batchItemFailures": []}:
                return
        raise AssertionError("a message failed again and again")

    def _work_off(self, hand_out: HandOut, queue: str) -> int:
        messages = self._take(queue)
        self.system.park_at(queue)
        with self._edge.watch():  # here nobody waits for delayed messages
            hand_out(self, VERBS[queue], [message["Body"] for message in messages])
        return len(messages)

    def _take(self, queue: str) -> list[dict[str, Any]]:
        taken: list[dict[str, Any]] = []
        while some := self.system.messages(queue):
            taken += some
            for message in some:
                url = self.system.queue_url(queue)
                self.system.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken


def shuffled(duplicating: Duplicating, verb: str, bodies: list[str]) -> None:
    """One after the other, in any order; record takes batches."""
    copies = bodies * TIMES
    duplicating.order.shuffle(copies)
    for some in chunks(copies, BATCH if verb == "record" else 1):
        duplicating.clock.advance(ENOUGH)
        assert duplicating.system.run(verb, list(some)) == {"batchItemFailures": []}


def at_the_same_time(duplicating: Duplicating, verb: str, bodies: list[str]) -> None:
    """Three functions at once have the same message."""
    with ThreadPoolExecutor(TIMES) as lambdas:
        for body in bodies:
            duplicating.clock.advance(ENOUGH)
            list(lambdas.map(lambda copy: duplicating.try_all(verb, copy), [body] * TIMES))


@pytest.mark.parametrize("hand_out", [shuffled, at_the_same_time])
def test_every_message_three_times_changes_no_sum_and_sends_nothing_twice(
    system: System, monkeypatch: pytest.MonkeyPatch, hand_out: HandOut
) -> None:
    found = Duplicating(system, monkeypatch).campaign(f"duplicates-{hand_out.__name__}", hand_out)
    check(found, AUDIENCE)
    assert len(found.sent) == WRITTEN_TO
    assert found.figures.by_channel == {"email": 14, "sms": 4}
    assert found.figures.engagement == {"sent": 18, "delivered": 17, "bounced": 1, "complained": 1}
