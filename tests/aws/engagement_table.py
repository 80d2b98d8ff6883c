"""What the function `record` works with, in memory, and as strict as DynamoDB and S3 are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from types import SimpleNamespace

import msgspec
import pytest
from botocore.exceptions import ClientError

from builders import KEYS, NOW
from heliograph.model.channels import Channel
from heliograph.model.engagement import Consequence, EngagementEvent, EngagementKind
from heliograph.model.messages import Message
from heliograph.model.outcomes import RecordKey, SlotFacts
from heliograph.model.policy import Policy
from heliograph.recording.facts import accepted_slots
from heliograph.runtime import wiring
from heliograph.text.errors import MalformedError

REFUSED = ClientError({"Error": {"Code": "ValidationException", "Message": ""}}, "UpdateItem")
ITEM_BYTES = 400_000
PARK_PLACES = 3_000


class EngagementTable:
    """Records, people, lake and dead letters; `poison` names people of whom every write is refused."""

    def __init__(self) -> None:
        self.facts: defaultdict[RecordKey, SlotFacts] = defaultdict(dict)
        self.changed: set[str] = set()
        self.lake: list[EngagementEvent] = []
        self.parked: list[tuple[str, str]] = []
        self.writes = 0
        self.poison: set[str] = set()
        """People of whom DynamoDB refuses every change."""
        self.queued: list[msgspec.Struct] = []
        """What goes on on the engagement queue, and on the queue `raw`."""
        self.poisoned_slots: set[int] = set()
        """Slots of which DynamoDB refuses every fact."""

    @property
    def keys(self) -> set[tuple[str, str]]:
        """The runs and packs that were written to."""
        return {(record.run_id, record.pack_id) for record in self.facts}

    def opened_slots(self, channel: Channel) -> set[int]:
        """The slots that were opened on a channel."""
        records = [slots for record, slots in self.facts.items() if record.channel == channel]
        return {slot for slots in records for slot, facts in slots.items() if EngagementKind.OPENED in facts}

    def keep(self, record: RecordKey, slots: SlotFacts, at: datetime) -> None:
        self.writes += 1
        if self.poisoned_slots & slots.keys():
            raise REFUSED
        if len(msgspec.json.encode({str(slot): facts for slot, facts in slots.items()})) > ITEM_BYTES:
            raise REFUSED
        for slot, facts in slots.items():
            self.facts[record][slot] = {**facts, **self.facts[record].get(slot, {})}

    def accepted(self, records: Iterable[RecordKey]) -> dict[RecordKey, set[int]]:
        return {one: accepted_slots(self.facts[one]) for one in records}

    def apply(self, consequence: Consequence) -> None:
        self.writes += 1
        if consequence.recipient_id in self.poison:
            raise REFUSED
        self.changed.add(consequence.recipient_id)

    def refund(self, unsent: Sequence[tuple[str, str]], now: datetime) -> None:
        self.changed |= {person for person, _ in unsent}

    def keep_events(self, events: Sequence[EngagementEvent]) -> None:
        self.writes += bool(events)
        for event in events:
            msgspec.json.encode(event)
        self.lake += events

    def send(self, works: Sequence[msgspec.Struct]) -> None:
        self.queued += works

    def park(self, body: str, error: MalformedError) -> None:
        assert error.position, "SQS takes no empty attribute"
        assert error.reason, "SQS takes no empty attribute"
        assert (error.position + error.reason).isprintable(), "a control character in an attribute"
        self.parked.append((error.position, error.reason))


def installed(monkeypatch: pytest.MonkeyPatch, *messages: Message) -> EngagementTable:
    """Let the function work on such a table."""
    table = EngagementTable()
    templates = SimpleNamespace(messages={message.name: message for message in messages}, policy=Policy())
    edges = {
        **dict.fromkeys(
            ("records", "recipients", "reservations", "lake", "parking", "engagement", "raw"), lambda: table
        ),
        "templates": lambda: templates,
        "keys": lambda: KEYS,
        "now": lambda: NOW,
        "see_again": lambda *_: None,
    }
    for name, edge in edges.items():
        monkeypatch.setattr(wiring, name, edge)
    return table
