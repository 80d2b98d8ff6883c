"""The door of product events: what ingest asks of AWS, in memory, and as strict as AWS is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from types import SimpleNamespace

import msgspec
import pytest

from builders import NOW
from heliograph.approvals.approval import Approval, ApprovalKey
from heliograph.model.messages import Message
from heliograph.model.people import Consent
from heliograph.model.policy import Policy
from heliograph.model.requests import RequestPack, SendRequest
from heliograph.people.changes import RecipientChange
from heliograph.people.items_store import item_of
from heliograph.runtime import wiring
from heliograph.text.errors import MalformedError

SCHEDULE_BYTES = 256 * 1024  # of the input of a target: a request may have to wait there
ITEM_BYTES = 400_000  # of an item of DynamoDB
SORT_KEY_BYTES, PARTITION_KEY_BYTES = 1_024, 2_048
NO_CHARACTER = ("\ufffe", "\uffff")
"""Characters that SQS refuses, as control characters."""


class Door:
    """What ingest asks of AWS, in memory."""

    def __init__(self) -> None:
        self.people: list[str] = []
        self.awaiting: list[str] = []
        self.parked: list[tuple[str, str]] = []
        self.put_aside: list[str] = []
        self.left: dict[str, int] = {}
        self.granted: set[str] = set()
        self.keys: dict[tuple[str, str], str] = {}
        self.names: set[tuple[str, str]] = set()
        self.saved: list[str] = []
        self.consents: dict[str, Consent] = {}

    # the quotas
    def take(self, message: str, people: int, *, most: int, now: datetime) -> bool:
        left = self.left.setdefault(message, most)
        if people > left:
            return False
        self.left[message] -= people
        return True

    def give_back(self, message: str, people: int, *, now: datetime) -> None:
        self.left[message] += people

    # the ledger
    def allow(self, some: Sequence[SendRequest], until: datetime) -> int:
        known = self.allowed(some)
        self.granted |= {each.request_id for each in some}
        return known

    def allowed(self, some: Sequence[SendRequest]) -> int:
        return sum(each.request_id in self.granted for each in some)

    def first_requests(self, some: Sequence[SendRequest], key: str) -> dict[str, str]:
        assert len(f"key#{key}".encode()) <= SORT_KEY_BYTES
        return {each.recipient_id: self.keys.setdefault((each.recipient_id, key), each.request_id) for each in some}

    def make_findable(self, some: Sequence[SendRequest]) -> None:
        assert all(len(handle.encode()) + 6 <= PARTITION_KEY_BYTES for each in some for handle in each.cause.handles())
        self.names |= {(handle, each.request_id) for each in some for handle in each.cause.handles()}

    # the people
    def save(self, change: RecipientChange) -> None:
        assert len(msgspec.json.encode(item_of(change))) <= ITEM_BYTES
        self.saved.append(change.recipient_id)
        self.consents |= change.consents

    # the approvals, the queues
    def keep(self, key: ApprovalKey, approval: Approval) -> None:
        self.awaiting.append(key.path)

    def send(self, packs: Sequence[RequestPack]) -> None:
        bodies = [msgspec.json.encode(pack).decode() for pack in packs]
        assert all(len(body.encode()) <= SCHEDULE_BYTES for body in bodies)
        self.people += [request.recipient_id for pack in packs for request in pack.requests]

    def park(self, body: str, error: MalformedError) -> None:
        assert error.position, "SQS takes no empty attribute"
        assert error.reason, "SQS takes no empty attribute"
        assert (error.position + error.reason).isprintable(), "a control character in an attribute"
        self.put_aside.append(body)
        self.parked.append((error.position, error.reason))


def opened(monkeypatch: pytest.MonkeyPatch, *messages: Message) -> Door:
    """A door for these messages."""
    door = Door()
    catalogue = {message.name: message for message in messages}
    edges = {
        **dict.fromkeys(("ledger", "quotas", "approvals", "parking", "recipients"), lambda: door),
        "requests": lambda lane: door,
        "templates": lambda: SimpleNamespace(messages=catalogue, policy=Policy()),
        "now": lambda: NOW,
        "see_again": lambda *_: None,
    }
    for name, edge in edges.items():
        monkeypatch.setattr(wiring, name, edge)
    return door
