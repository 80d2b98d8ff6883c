"""Functions that are killed at every AWS call lose nobody, and write to nobody twice."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest

from audience import NOON, UNTIL_MORNING, Clock, Evidence, a_crowd, check, evidence, start, waiting_packs
from crashes import Boundary, Edge, Lambda
from flow_system import System
from heliograph.runtime import deps

STAGES = ("requests-bulk", "outbox-email-bulk", "outbox-sms-bulk", "engagement")
CROWD = a_crowd(mails=56, texts=4)  # three calls to claim the mails, two to send them
AUDIENCE = len(CROWD) + 3
WRITTEN_TO = AUDIENCE - 3  # two do not consent, one is not known
PEOPLE = 2_000
ROUNDS_MOST = 60


class Campaigns:
    """Campaigns of the same crowd, one a day."""

    def __init__(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        self.system = system
        self.clock = Clock(monkeypatch)
        self.machine = Lambda(system, Edge(monkeypatch))
        self._day = 0

    def run(self) -> None:
        """Run a campaign to its end, whatever is killed on the way, and check it before and after the settlement."""
        self._day += 1
        self.clock.time = NOON + timedelta(days=self._day)
        run_id = start(self.system, f"crashes-{self._day}", CROWD)
        self.machine.work(*STAGES)
        self.clock.advance(UNTIL_MORNING)
        for body in waiting_packs(self.system):
            self.system.sqs.send_message(QueueUrl=self.system.queue_url("requests-bulk"), MessageBody=body)
        self.machine.work(*STAGES)
        found = self._when_all_is_heard(run_id)
        in_doubt = WRITTEN_TO - len(found.sent)
        check(found, AUDIENCE, unknown=in_doubt)
        self.machine.work("settle", *STAGES)
        check(evidence(self.system, run_id, limit=3 * AUDIENCE), AUDIENCE, dropped=in_doubt)

    def all_boundaries(self, stage: str) -> set[Boundary]:
        """Every boundary that any invocation of a stage had which was not to be killed."""
        normal = (tried.invocation for tried in self.machine.tried if tried.queue == stage and tried.end is None)
        return {boundary for invocation in normal for boundary in invocation.boundaries()}

    def ended_at(self, stage: str) -> set[Boundary]:
        """The boundaries at which a first try of a stage was killed."""
        return {
            tried.end
            for tried in self.machine.tried
            if tried.end and (tried.queue, tried.receives, tried.invocation.killed) == (stage, 1, True)
        }

    def plan_ends(self, stage: str, wanted: set[Boundary]) -> None:
        """Let the next first try end where none has ended yet; on every third day let the second try end, too."""
        order = sorted(wanted)
        missing = sorted(wanted - self.ended_at(stage))
        first = missing[0] if missing else order[self._day % len(order)]
        second = order[self._day * 7 % len(order)] if self._day % 3 == 0 else None
        self.machine.ends[stage].clear()
        self.machine.ends[stage].extend([first, second])

    def _when_all_is_heard(self, run_id: str) -> Evidence:
        for _ in range(50):
            found = evidence(self.system, run_id, limit=3 * AUDIENCE)
            if found.accepted.total() == len(found.sent):
                break
            self.machine.work("engagement")
        return found


def test_a_campaign_that_is_killed_at_every_call_loses_nobody_and_writes_to_nobody_twice(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    campaigns = Campaigns(system, monkeypatch)
    deps.recipients().save_many(CROWD)
    campaigns.run()
    wanted = {stage: campaigns.all_boundaries(stage) for stage in STAGES}
    for number in range(2, ROUNDS_MOST):
        for stage in STAGES:
            campaigns.plan_ends(stage, wanted[stage])
        campaigns.run()
        missing = {stage: wanted[stage] - campaigns.ended_at(stage) for stage in STAGES}
        if not any(missing.values()) and number * AUDIENCE >= PEOPLE:
            break
    assert not any(missing.values())
    assert Counter(tried.invocation.killed for tried in campaigns.machine.tried)[True] > sum(map(len, wanted.values()))
