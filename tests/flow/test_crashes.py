"""Functions that are killed at every AWS call lose nobody, write to nobody twice, and leave the caps right."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta

import pytest

from audience import (
    NOON,
    UNTIL_MORNING,
    Clock,
    Evidence,
    a_crowd,
    a_person,
    check,
    evidence,
    ring,
    start,
    two_in_trouble,
)
from aws.crashes import Boundary, Edge, Lambda
from aws.flow_system import System
from aws.local_cloud import PATIENCE, TICK
from builders import a_change, reserved
from heliograph.model.people import Consent, ConsentState
from heliograph.people.changes import RecipientChange
from heliograph.runtime import wiring
from heliograph_cli.waiting import until_still

STAGES = ("requests-bulk", "outbox-email-bulk", "outbox-sms-bulk", "engagement")
MAILS, TEXTS = 56, 4  # three calls to claim the mails, two to send them
NOES = {"not_consented": 3, "unknown_recipient": 1, "capped": 1}
AUDIENCE = len(a_crowd("", mails=MAILS, texts=TEXTS)) + 5
WRITTEN_TO = AUDIENCE - sum(NOES.values())
SHARES = 3  # of the calls, so that several workers can each kill at some
PEOPLE = 2_000  # in all shares together
ROUNDS_MOST = 60
BETWEEN = timedelta(days=14)  # two campaigns: nobody is over a cap because of the one before


class Campaigns:
    """Campaigns of the same crowd, one a fortnight, always on the same day of the week."""

    def __init__(self, name: str, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        self.name = name
        self.full = a_person(f"{name}-full", "offers/email", email=f"{name}-full@example.com")
        self.fickle = a_person(f"{name}-fickle", "offers/email", email=f"{name}-fickle@example.com")
        self.crowd = [*a_crowd(name, mails=MAILS, texts=TEXTS), self.full, self.fickle]
        self.system = system
        self.clock = Clock(monkeypatch)
        self.machine = Lambda(system, Edge(monkeypatch))
        self._number = 0

    def run(self) -> None:
        """Run a campaign to its end, whatever is killed on the way, and check it before and after the settlement."""
        self._number += 1
        self.clock.time = begin = NOON + self._number * BETWEEN
        fill(self.full.recipient_id, self.clock.time)
        answer(self.fickle, ConsentState.OPTED_IN, self.clock.time)
        campaign = f"{self.name}-{self._number}"
        run_id = start(self.system, campaign, self.crowd)
        self.machine.work("requests-bulk")
        answer(self.fickle, ConsentState.OPTED_OUT, self.clock.time)
        self.machine.work(*STAGES)
        self.clock.advance(UNTIL_MORNING)
        ring(self.system, self.clock)
        self.machine.work(*STAGES)
        found = self._when_all_is_heard(run_id)
        in_doubt = WRITTEN_TO - len(found.sent)
        check(found, AUDIENCE, skipped=NOES, unknown=in_doubt)
        self.machine.work("settle", *STAGES)
        found = evidence(self.system, run_id, limit=3 * AUDIENCE)
        check(found, AUDIENCE, skipped=NOES, dropped=in_doubt)
        self._check_caps(campaign, found, begin)

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
        """Let the next first try end where none has ended yet; in every third campaign let the second try end, too."""
        order = sorted(wanted)
        missing = sorted(wanted - self.ended_at(stage))
        first = missing[0] if missing else order[self._number % len(order)]
        second = order[self._number * 7 % len(order)] if self._number % 3 == 0 else None
        self.machine.ends[stage].clear()
        self.machine.ends[stage].extend([first, second])

    def _check_caps(self, campaign: str, found: Evidence, begin: datetime) -> None:
        """What a person may have got counts once, and nothing else does."""
        people = [*(person.recipient_id for person in (*self.crowd, *two_in_trouble(campaign)))]
        silent = {person for person in people if "silent" in person}
        nobody = {self.full.recipient_id, self.fickle.recipient_id, *silent}
        bounced = {f"{campaign}-bounce"} if bounces(found) else set()
        accounts = wiring.reservations().read(people)
        kept = Counter(person for person, account in accounts.items() for each in account.reserved if each.at >= begin)
        assert kept == Counter(set(people) - nobody - bounced)

    def _when_all_is_heard(self, run_id: str) -> Evidence:
        """What is known when the providers have told everything."""
        found = [evidence(self.system, run_id, limit=3 * AUDIENCE)]

        def look() -> tuple[int, bool]:
            if self.machine.work("engagement"):
                found.append(evidence(self.system, run_id, limit=3 * AUDIENCE))
            return len(found), is_heard(found[-1])

        until_still(look, patience=PATIENCE, most=TICK)
        return found[-1]


def is_heard(found: Evidence) -> bool:
    """Whether every message that was sent is known to be, and every bounce."""
    return found.accepted.total() == len(found.sent) and found.figures.engagement.get("bounced", 0) == bounces(found)


def fill(recipient_id: str, now: datetime) -> None:
    """Let a person have got as many messages as they may, just before."""
    (limit,) = [cap.limit for cap in wiring.templates().policy.caps if cap.channel is None]
    before = now - timedelta(minutes=1)
    earlier = tuple(
        reserved(before, dispatch_id=f"before-{number}", topic=wiring.templates().messages["spring_sale"].topic)
        for number in range(limit)
    )
    account = wiring.reservations().read([recipient_id])[recipient_id]
    assert not wiring.reservations().write({recipient_id: (account, earlier)}, now)


def answer(person: RecipientChange, state: ConsentState, now: datetime) -> None:
    """Let a person opt in to offers, or out of them."""
    consent = Consent(state=state, at=now, source="page:test")
    change = a_change(person.recipient_id, consents=dict.fromkeys(person.consents, consent))
    wiring.recipients().save_many([change])


def bounces(found: Evidence) -> int:
    """How many mails of a run were sent to the one whose mails bounce."""
    return sum(str(message["tags"]["recipient_id"]).endswith("-bounce") for message in found.sent)


@pytest.mark.parametrize("share", range(SHARES))
def test_a_campaign_that_is_killed_at_every_call_loses_nobody_and_writes_to_nobody_twice(
    system: System, monkeypatch: pytest.MonkeyPatch, share: int
) -> None:
    campaigns = Campaigns(f"crashes{share}", system, monkeypatch)
    wiring.recipients().save_many(campaigns.crowd)
    campaigns.run()
    wanted = {stage: set(sorted(campaigns.all_boundaries(stage))[share::SHARES]) for stage in STAGES}
    for number in range(2, ROUNDS_MOST):
        for stage in STAGES:
            campaigns.plan_ends(stage, wanted[stage])
        campaigns.run()
        missing = {stage: wanted[stage] - campaigns.ended_at(stage) for stage in STAGES}
        if not any(missing.values()) and number * AUDIENCE * SHARES >= PEOPLE:
            break
    assert not any(missing.values())
    assert Counter(tried.invocation.killed for tried in campaigns.machine.tried)[True] > sum(map(len, wanted.values()))
