"""Poison in the engagement queue: what is honest is recorded in the first round, poison parked or alone."""

from __future__ import annotations

import json
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from aws.engagement_table import EngagementTable, installed
from aws.invocations import record
from builders import EMAIL, NOW, a_message
from functions.record.app import handler
from heliograph.model.outcomes import Happened, RecordKey
from heliograph.recording.facts import Fact, state_of
from heliograph.text import ids
from search.budget import budget

if TYPE_CHECKING:
    from search.conftest import Tally

EVENTS = budget(1_500)
BATCH = 100
RUN = ids.derived_id(NOW, "run")
PACKS = [ids.derived_id(NOW, "pack", str(number)) for number in range(EVENTS // BATCH)]
BAD_SLOT = 99


def opened(pack_id: str, slot: int, person: str, **tags: str) -> dict[str, Any]:
    """A mail that was opened."""
    request_id = ids.derived_id(NOW, pack_id, str(slot))
    ours = {
        "dispatch_id": f"{request_id}-0",
        "recipient_id": person,
        "outcome_key": ids.outcome_key(pack_id, slot),
        "message": "news",
        "run_id": RUN,
    }
    mail = {
        "messageId": f"{pack_id}-{slot}",
        "timestamp": "2026-11-21T10:00:00.000Z",
        "destination": [f"{person}@example.com"],
        "tags": {name: [value] for name, value in (ours | tags).items()},
    }
    return {
        "source": "aws.ses",
        "detail": {"eventType": "Open", "mail": mail, "open": {"timestamp": "2026-11-21T10:05:00.000Z"}},
    }


def poisonous(rng: Random, pack_id: str, slot: int) -> tuple[str, bool]:
    """An event that cannot be recorded, and whether that can be told by reading it."""
    match rng.randrange(5):
        case 0:
            return json.dumps(opened(pack_id, slot, "bad", outcome_key="runs-5")), True
        case 1:
            return '{"detail":' * 2_000 + "1" + "}" * 2_000, True
        case 2:
            event = opened(pack_id, slot, "bad")
            event["detail"]["open"]["timestamp"] = "9999-12-31T23:59:59Z"
            return json.dumps(event), True
        case 3:  # what DynamoDB refuses, in a record that honest events share
            return json.dumps(opened(pack_id, BAD_SLOT, "bad")), False
        case _:  # what follows from it is refused
            event = opened(pack_id, slot, "full")
            event["detail"] |= {"eventType": "Complaint", "complaint": {"timestamp": "2026-11-21T10:05:00.000Z"}}
            return json.dumps(event), False


@pytest.mark.parametrize("share", [0.01, 0.3])
def test_poison(tally: Tally, monkeypatch: pytest.MonkeyPatch, share: float) -> None:
    table = installed(monkeypatch, a_message("news"))
    table.poison, table.poisoned_slots = {"full"}, {BAD_SLOT}
    rng = Random(5)
    honest: dict[tuple[str, int], str] = {}
    events: list[tuple[str, str]] = []
    for pack_id in PACKS:
        for slot in range(BATCH - 1):
            if rng.random() < share:
                body, is_told = poisonous(rng, pack_id, slot)
                events.append(("parked" if is_told else "again", body))
            else:
                honest[pack_id, slot] = f"p-{slot}"
                events.append(("recorded", json.dumps(opened(pack_id, slot, f"p-{slot}"))))
    tally.inputs += len(events)
    again = one_round(table, events, tally)
    for (pack_id, slot), person in honest.items():
        facts = table.facts[RecordKey(RUN, pack_id, EMAIL)].get(slot, {})
        if state_of(facts) != "opened":
            tally.harmed.append(f"{person} of {pack_id} was not recorded in the first round")
    wanted = {kind: [body for fate, body in events if fate == kind] for kind in ("parked", "again", "recorded")}
    tally.lost += ["a poisoned event was neither parked nor tried again"] if len(again) < len(wanted["again"]) else []
    tally.harmed += [
        f"an honest event was tried again: {body[:200]}" for body in again if body in set(wanted["recorded"])
    ]
    assert len(table.parked) == len(wanted["parked"])
    assert len(table.lake) == len(wanted["recorded"])
    assert one_round(table, [("again", body) for body in again], tally) == again, "poison fails alone, again and again"


def test_a_good_batch_costs_one_write_for_each_pack(monkeypatch: pytest.MonkeyPatch) -> None:
    table = installed(monkeypatch, a_message("news"))
    receipts = {slot: {Fact.ACCEPTED.value: Happened(NOW, "id")} for slot in range(BATCH)}
    table.facts[RecordKey(RUN, PACKS[0], EMAIL)].update(receipts)
    bodies = [json.dumps(opened(PACKS[0], slot, f"p-{slot}")) for slot in range(BATCH)]
    assert handler({"Records": [record(each, each) for each in bodies]}, SimpleNamespace()) == {"batchItemFailures": []}
    assert table.writes == 2  # the record, the lake


def one_round(table: EngagementTable, events: list[tuple[str, str]], tally: Tally) -> list[str]:
    """Hand every event over once, a hundred at a time; those that come again."""
    again: list[str] = []
    for start in range(0, len(events), BATCH):
        some = [body for _, body in events[start : start + BATCH]]
        try:
            answer = handler({"Records": [record(body, str(n)) for n, body in enumerate(some)]}, SimpleNamespace())
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            tally.unhandled.append(f"{type(error).__name__}: {error}")
            continue
        again += [some[int(each["itemIdentifier"])] for each in answer["batchItemFailures"]]
    return again
