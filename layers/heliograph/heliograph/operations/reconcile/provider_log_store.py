"""What the providers have of a run: their events in the lake and, on the local cloud, the outbox."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from heliograph.model.engagement import EngagementEvent
from heliograph.operations.reconcile.comparison import Example
from heliograph.recording.facts import SHOWS_ACCEPTANCE
from heliograph.recording.lake_store import Lake

DAYS = 15
"""Of the lake: work waits in queues for 14 days, so nothing is later but what is scheduled for the next morning."""

TABLE = """CREATE TABLE log (
    recipient_id TEXT, dispatch_id TEXT, witness TEXT, message TEXT, taken INTEGER DEFAULT 0,
    PRIMARY KEY (recipient_id, dispatch_id, witness, message)
) WITHOUT ROWID"""
COUNT = """SELECT recipient_id, dispatch_id, MAX(number) FROM (
    SELECT recipient_id, dispatch_id, COUNT(*) AS number FROM log WHERE {} GROUP BY recipient_id, dispatch_id, witness
) GROUP BY recipient_id, dispatch_id"""

Sighting = tuple[str, str, str, str]
"""Recipient, dispatch, witness and message.

A witness (the outbox for one address, one kind of event) tells of every message once, so that the number of messages of
a dispatch is the most that any of its witnesses has seen.
"""


class ProviderLog:
    """The messages of a run, in a file: a run of a million people takes little memory."""

    def __init__(self, directory: Path) -> None:
        self._rows = sqlite3.connect(directory / "provider-log.sqlite", isolation_level=None)
        self._rows.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;")
        self._rows.execute(TABLE)

    def close(self) -> None:
        """Close the file."""
        self._rows.close()

    def add(self, sightings: Iterable[Sighting]) -> None:
        """Add sightings; the same one twice is one."""
        self._rows.execute("BEGIN")
        self._rows.executemany(
            "INSERT OR IGNORE INTO log (recipient_id, dispatch_id, witness, message) VALUES (?, ?, ?, ?)", sightings
        )
        self._rows.execute("COMMIT")

    def take(self, people: Sequence[str]) -> dict[str, dict[str, int]]:
        """How many messages there are of each dispatch of these people, who are then no strangers."""
        here = f"recipient_id IN ({', '.join('?' * len(people))})"
        found: dict[str, dict[str, int]] = {}
        for recipient_id, dispatch_id, number in self._rows.execute(COUNT.format(here), people):
            found.setdefault(recipient_id, {})[dispatch_id] = number
        self._rows.execute(f"UPDATE log SET taken = 1 WHERE {here}", people)  # noqa: S608  # question marks only
        return found

    def strangers(self) -> Iterator[Example]:
        """The dispatches of everybody who was not taken."""
        for recipient_id, dispatch_id, _ in self._rows.execute(COUNT.format("NOT taken")):
            yield Example(recipient_id=recipient_id, dispatch_id=dispatch_id)


def in_lake(lake: Lake, run_id: str, *, since: date, until: date) -> Iterator[Sighting]:
    """What the providers' events say about a run, from the day on which it started."""
    for number in range(min((until - since).days, DAYS) + 1):
        for event in lake.events(since + timedelta(days=number)):
            if event.run_id == run_id and _is_evidence(event):
                yield event.recipient_id, event.dispatch_id, f"{event.kind} {event.detail}", _message(event)


def in_outbox(messages: Iterable[Mapping[str, Any]], run_id: str) -> Iterator[Sighting]:
    """What the outbox of the local cloud has of a run; a push to two devices is one message to each."""
    for message in messages:
        tags = message["tags"]
        if tags.get("run_id") == run_id:
            yield tags["recipient_id"], tags["dispatch_id"], f"to {message['to']}", message["provider_message_id"]


def _is_evidence(event: EngagementEvent) -> bool:
    """Whether a provider reports on a message that it has; what has no outcome key is what we said ourselves."""
    return bool(event.outcome_key) and event.kind in SHOWS_ACCEPTANCE


REPEATABLE = frozenset({"opened", "clicked", "delayed", "complained", "bounced", "undelivered"})
"""What may happen to one message many times."""


def _message(event: EngagementEvent) -> str:
    """What tells messages apart: an event that happens to each of them once."""
    return "" if event.kind in REPEATABLE else event.event_id
