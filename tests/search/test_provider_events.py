"""Hostile events of providers and apps through the real function: recorded, passed over or parked; forgeries never."""

from __future__ import annotations

import json
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from aws.engagement_table import installed
from aws.invocations import record
from builders import EMAIL, PACK_ID, PUSH, RUN_ID, TOKENS, a_message, a_rendered
from functions.record.app import handler
from heliograph.channels.push.devices import data_of
from heliograph.channels.push.open_tokens import SIGNED
from heliograph.text import ids
from hostile import VALUES, mutated
from search.budget import budget

if TYPE_CHECKING:
    from search.conftest import Tally

EVENTS = budget(5_000)
BATCH = 100
TAGS = a_rendered(run_id=RUN_ID).tags()
DATA = data_of(a_rendered(PUSH, run_id=RUN_ID), TOKENS)
OTHERS = data_of(a_rendered(PUSH, run_id=RUN_ID, slot=9, recipient_id="victim"), TOKENS)


def ses(kind: str, payload: str, **said: Any) -> dict[str, Any]:
    """An event of SES on the bus."""
    mail = {
        "messageId": "ses-1",
        "timestamp": "2026-11-21T10:00:00.000Z",
        "destination": ["amara@example.com"],
        "tags": {name: [value] for name, value in TAGS.items()} | {"ses:operation": ["SendEmail"]},
    }
    said = {"timestamp": "2026-11-21T10:05:00.000Z"} | said
    return {
        "source": "aws.ses",
        "detail-type": f"Email {kind}",
        "detail": {"eventType": kind, "mail": mail, payload: said},
    }


SHAPES = (
    ses("Open", "open", isBotEvent="Unlikely"),
    ses("Bounce", "bounce", bounceType="Permanent", bounceSubType="General", feedbackId="f-1"),
    ses("Complaint", "complaint", complaintFeedbackType="abuse", feedbackId="f-2"),
    ses("Subscription", "subscription", newTopicPreferences={"unsubscribeAll": True, "topicSubscriptionStatus": []}),
    {
        "eventType": "TEXT_INVALID",
        "eventTimestamp": 1_795_255_500_000,
        "isFinal": True,
        "messageId": "sms-1",
        "destinationPhoneNumber": "+4915123456789",
        "context": TAGS,
    },
    {
        "originationNumber": "+14255550100",
        "destinationNumber": "+12065550100",
        "messageKeyword": "KEYWORD_1",
        "messageBody": "STOP",
        "inboundMessageId": "in-1",
        "previousPublishedMessageId": "sms-1",
    },
    {"source": "app", "detail-type": "PushOpened", "time": "2026-11-21T10:05:00Z", "detail": DATA},
)


def forged(rng: Random) -> str:
    """A report of an open with ids of somebody else, in some of the places, under a token that was seen."""
    detail: dict[str, Any] = dict(DATA)
    for name in rng.sample(SIGNED, rng.randint(1, len(SIGNED))):
        detail[name] = rng.choice([OTHERS[name], rng.choice(VALUES), "runs-5", f"{PACK_ID}-{rng.randrange(120)}"])
    event = {"source": "aws.ses", "detail-type": "PushOpened", "time": "2026-11-21T10:05:00Z", "detail": detail}
    return json.dumps(event | {"source": rng.choice(["app", "heliograph", "aws.s3"])})


def are_ours(run_id: str, pack_id: str) -> bool:
    """Whether these can be the ids of a run and of a pack: nothing else may become a key of the table."""
    return ids.is_derived(pack_id.removesuffix("f")) and (not run_id or ids.is_derived(run_id))


def test_provider_events(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    table = installed(monkeypatch, a_message("order-shipped"))
    rng = Random(11)
    for number in range(0, EVENTS, BATCH):
        bodies = [forged(rng) if rng.random() < 0.2 else mutated(rng.choice(SHAPES), rng) for _ in range(BATCH)]
        tally.inputs += len(bodies)
        try:
            answer = handler({"Records": [record(body, str(n)) for n, body in enumerate(bodies)]}, SimpleNamespace())
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            tally.unhandled.append(f"{type(error).__name__}: {error} in batch {number}")
            continue
        again = [int(each["itemIdentifier"]) for each in answer["batchItemFailures"]]
        tally.unhandled += [f"tried again: {bodies[each][:300]}" for each in again]
    believed = {(record.run_id, record.pack_id) for record in table.facts if record.channel == PUSH}
    tally.harmed += [f"an open of somebody else was believed: {key}" for key in believed - {(RUN_ID, PACK_ID)}]
    tally.harmed += [f"an open of slot {slot} was believed" for slot in table.opened_slots(PUSH) - {0}]
    tally.harmed += [f"{key} was written to" for key in table.keys if not are_ours(*key)]
    tally.harmed += ["victim was changed"] if "victim" in table.changed else []
    assert {"token", "body", "time", "two-way SMS"} <= {place for place, _ in table.parked}
    assert table.opened_slots(EMAIL), "not everything may be refused"
