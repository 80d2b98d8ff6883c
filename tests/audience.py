"""The audience of a campaign with every fate in it, and a run held against the log of its providers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import pytest

from aws.flow_system import System
from builders import a_change
from heliograph.model.packs import Delivered
from heliograph.model.people import Consent, ConsentState
from heliograph.people.changes import RecipientChange
from heliograph.recording.facts import Standing, standing_of
from heliograph.reporting.figures import RunFigures
from heliograph.runtime import wiring
from heliograph.text.ids import split_outcome_key

NOON = datetime(2027, 3, 3, 12, 0, tzinfo=UTC)
"""No quiet hour in Europe, and the middle of the night in New Zealand."""
UNTIL_MORNING = timedelta(hours=10)
"""From noon in Europe until the next morning in New Zealand."""
MANIFEST = 'message = "spring_sale"\n[data]\ndiscount = 20\n'


class Clock:
    """The time of the functions: it passes when a test or a function that waits says so."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.time = NOON
        monkeypatch.setattr(wiring, "now", lambda: self.time)
        monkeypatch.setattr(wiring, "sleep", lambda seconds: self.advance(timedelta(seconds=seconds)))

    def advance(self, by: timedelta) -> None:
        """Let time pass."""
        self.time += by


class Slot(NamedTuple):
    """A message of a run: on each channel a slot is used once."""

    channel: str
    number: int


class Evidence(NamedTuple):
    """What a run says of itself, and what its providers say of it."""

    figures: RunFigures
    accepted: Counter[Slot]
    unknown: Counter[Slot]
    sent: list[dict[str, Any]]
    """The providers' log: every message that they took in this run."""

    def sent_slots(self) -> Counter[Slot]:
        """How often each message was sent."""
        return Counter(Slot(one["channel"], split_outcome_key(one["tags"]["outcome_key"])[1]) for one in self.sent)

    def most_by(self, tag: str) -> int:
        """How many messages share a tag (`dispatch_id`, `recipient_id`), at most."""
        return max(Counter(message["tags"][tag] for message in self.sent).values(), default=0)


def a_person(recipient_id: str, *topics: str, **fields: Any) -> RecipientChange:
    """A person who opted in to topics on channels (`offers/email`)."""
    consent = Consent(state=ConsentState.OPTED_IN, at=datetime(2026, 1, 1, tzinfo=UTC), source="import:test")
    return a_change(
        recipient_id,
        consents=dict.fromkeys(topics, consent),
        **({"attributes": {"first_name": "Ana"}} | fields),
    )


def a_crowd(name: str, *, mails: int, texts: int) -> list[RecipientChange]:
    """People who get mail, texts, nothing, or a text in the morning."""
    return [
        *(a_person(f"{name}-m{n}", "offers/email", email=f"{name}-m{n}@example.com") for n in range(mails)),
        *(a_person(f"{name}-t{n}", "offers/sms", phone=f"+49151234567{n:02d}") for n in range(texts)),
        *(a_person(f"{name}-silent{n}", email=f"{name}-silent{n}@example.com") for n in range(2)),
        a_person(f"{name}-later", "offers/sms", phone="+6421123456", timezone="Pacific/Auckland"),
    ]


def two_in_trouble(campaign: str) -> list[RecipientChange]:
    """Somebody whose mail bounces, and somebody who complains: both only once."""
    return [
        a_person(f"{campaign}-{fate}", "offers/email", email=f"{fate}+{campaign}@simulator.amazonses.com")
        for fate in ("bounce", "complaint")
    ]


def start(system: System, campaign: str, crowd: list[RecipientChange]) -> str:
    """Start a run of two in trouble, the crowd, and somebody who is not known; its id."""
    troubled = two_in_trouble(campaign)
    wiring.recipients().save_many(troubled)
    ids = [*(person.recipient_id for person in (*troubled, *crowd)), "nobody"]
    segment = "\n".join(["recipient_id,first_name", *(f"{each},Ana" for each in ids), ""])
    return submitted(system, campaign, MANIFEST, segment)


def submitted(system: System, campaign: str, manifest: str, segment: str) -> str:
    """Upload a campaign and ingest it; the id of its run."""
    system.upload_campaign(campaign, manifest, segment.encode())
    system.work("segments")
    (run_id,) = [run.run_id for run in wiring.runs().latest(1_000) if run.campaign == campaign]
    return run_id


def ring(system: System, clock: Clock) -> list[datetime]:
    """Let everybody's minute come who waits in company; the minute of each pack that is sent to be planned then."""
    clock.time = max([clock.time, *system.minutes()])
    return system.tick()


def evidence(system: System, run_id: str, *, limit: int) -> Evidence:
    """What is known of a run now; `limit` is how many of the latest messages can be its own."""
    standings = [
        (Slot(record.channel, slot), standing_of(facts))
        for record in wiring.records().of_run(run_id)
        if isinstance(record, Delivered) and not record.is_later
        for slot, facts in record.slots.items()
    ]
    accepted, unknown = (
        Counter(slot for slot, standing in standings if standing is wanted)
        for wanted in (Standing.ACCEPTED, Standing.UNKNOWN)
    )
    log = system.cloud.outbox(limit=limit, words=False)
    sent = [message for message in log if message["tags"].get("run_id") == run_id]
    return Evidence(system.figures(run_id), accepted, unknown, sent)


NOES = {"not_consented": 2, "unknown_recipient": 1}
"""Of a crowd, and of somebody who is not known."""


def check(
    found: Evidence, audience: int, *, skipped: Mapping[str, int] = NOES, unknown: int = 0, dropped: int = 0
) -> None:
    """Nobody is lost, nobody was written to twice, and what the run says is what the providers say."""
    figures, sent = found.figures, len(found.sent)
    assert (figures.state, figures.audience, figures.pending) == ("complete", audience, 0)
    assert max(found.most_by("dispatch_id"), found.most_by("recipient_id")) <= 1
    assert found.accepted == found.sent_slots()
    assert found.unknown.total() == unknown
    assert figures.skipped == skipped
    assert figures.failed == ({"in_doubt": dropped} if dropped else {})
    noes = sum(skipped.values())
    sums = {"accepted": sent, "skipped": noes, "scheduled": 0, "failed": dropped, "unknown": unknown}
    assert figures.counts == sums
    assert sum(sums.values()) == audience
