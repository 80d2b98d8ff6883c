"""Imports through the bucket, through the real handler: what is said of a file that no function lives to read."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from aws.invocations import record
from functions.import_recipients.app import handler
from heliograph.aws.bucket import StoredObject
from heliograph.model.policy import Policy
from heliograph.people.changes import RecipientChange
from heliograph.runtime import wiring
from heliograph.text.errors import MalformedError

CHUNKS, ROWS, SECONDS = 20, 1_000, 100


class Place:
    """A bucket with a file of many chunks, each of which takes a while, and the people who are saved."""

    def __init__(self) -> None:
        self.left = 900.0
        self.saved: set[str] = set()
        self.answers: dict[str, str] = {}
        self.parked: list[str] = []

    def current(self, key: str, version: str = "") -> StoredObject:
        return StoredObject(key, version, size=1)

    def exists(self, key: str) -> bool:
        return False

    def chunks(self, stored: StoredObject) -> Iterator[bytes]:
        yield b"recipient_id\n"
        for chunk in range(CHUNKS):
            self.left -= SECONDS / 2
            yield "".join(f"p{chunk * ROWS + row}\n" for row in range(ROWS)).encode()

    def answer(self, key: str, content: bytes, content_type: str) -> None:
        self.answers[key] = content.decode()

    def save_many(self, changes: list[RecipientChange]) -> None:
        self.saved |= {change.recipient_id for change in changes}

    def park(self, body: str, error: MalformedError) -> None:
        self.parked.append(error.reason)


@pytest.fixture
def place(monkeypatch: pytest.MonkeyPatch) -> Place:
    place = Place()
    for name in ("bucket", "recipients", "parking"):
        monkeypatch.setattr(wiring, name, lambda: place)
    monkeypatch.setattr(wiring, "templates", lambda: SimpleNamespace(policy=Policy()))
    return place


def put(place: Place) -> dict[str, str]:
    """Upload a file, and let its function live for so long; what is said beside it."""
    event = {"time": "2026-11-21T10:00:00Z", "detail": {"object": {"key": "imports/people.csv", "version-id": "1"}}}
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: place.left * 1_000)
    assert handler({"Records": [record(json.dumps(event))]}, context) == {"batchItemFailures": []}
    (answer,) = place.answers.values()
    return tomllib.loads(answer)


def test_a_file_that_no_function_lives_to_read_is_told_so_and_not_tried_again(place: Place) -> None:
    place.left = 1_500.0
    told = put(place)
    assert (told["state"], "import it in parts" in told["problem"]) == ("stopped", True)
    assert 0 < len(place.saved) < CHUNKS * ROWS
    assert place.parked


def test_a_file_of_which_there_is_no_time_to_look_at_all_saves_nobody(place: Place) -> None:
    assert put(place)["state"] == "stopped"
    assert not place.saved


def test_a_file_for_which_there_is_time_is_imported_whole(place: Place) -> None:
    place.left = 9_000.0
    assert put(place)["state"] == "imported"
    assert len(place.saved) == CHUNKS * ROWS
