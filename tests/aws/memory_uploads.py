"""Uploads of campaign folders in memory: S3's versions, the tables that ingest writes, and what it has queued."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from types import SimpleNamespace
from typing import IO, Any

import msgspec
import pytest

from aws.invocations import Killed, record
from builders import NOW, a_message
from functions.ingest_segment import app
from heliograph.aws.bucket import Bucket, StoredObject
from heliograph.campaigns.segments import unpacked
from heliograph.campaigns.uploads import Uploads
from heliograph.model.requests import RequestPack
from heliograph.model.runs import Run
from heliograph.runtime import wiring
from heliograph.text.errors import Code, MalformedError

FOLDER = "campaigns/spring"
MANIFEST, SEGMENT = f"{FOLDER}/campaign.toml", f"{FOLDER}/segment.csv"
SOONER = 25  # bytes of a chunk, so that a segment has several


class Place:
    """What AWS keeps. At every edge of a call (before it, after it) something may happen, the process may end."""

    def __init__(self) -> None:
        self.versions: defaultdict[str, list[bytes]] = defaultdict(list)
        self.runs: dict[str, Run] = {}
        self.campaigns: dict[str, tuple[bytes, int]] = {}
        self.reached: defaultdict[str, set[str]] = defaultdict(set)
        """Run -> whose requests were queued."""
        self.requests: defaultdict[str, set[str]] = defaultdict(set)
        """Person -> their requests."""
        self.parked: list[str] = []
        self.told: list[str] = []
        """Why."""
        self.at_edges: list[Callable[[], None]] = []
        """What happens at the next edges, one at each."""
        self.now = NOW
        self.broken: list[str] = []
        """Runs whose audience was below what had been queued."""

    @contextmanager
    def call(self) -> Iterator[None]:
        """Around every call."""
        self._edge()
        yield
        self._edge()
        for run_id, people in self.reached.items():
            if self.runs[run_id].audience < len(people):
                self.broken.append(run_id)

    def _edge(self) -> None:
        if self.at_edges:
            self.at_edges.pop(0)()

    def put(self, key: str, content: bytes) -> dict[str, Any]:
        """Upload an object; S3's event."""
        self.now += timedelta(seconds=1)
        self.versions[key].append(content)
        version = str(len(self.versions[key]))
        return {
            "time": self.now.isoformat(),
            "detail": {"object": {"key": key, "version-id": version, "etag": etag_of(content)}},
        }

    def ingest(self, event: dict[str, Any], *, tries: int = 20) -> bool:
        """Hand an event to the real handler, again and again until it is done."""
        body = msgspec.json.encode(event).decode()
        for _ in range(tries):
            try:
                if not app.handler({"Records": [record(body)]}, SimpleNamespace())["batchItemFailures"]:
                    return True
            except Killed:
                continue
        return False

    def park(self, body: str, error: MalformedError) -> None:
        """Put a message aside."""
        self.parked.append(body)
        self.told.append(error.reason)

    def uploads(self) -> Uploads:
        """The uploads of the campaign, as they are kept."""
        text, _ = self.campaigns.get("spring", (b"{}", 0))
        return msgspec.json.decode(text, type=Uploads)

    def answers(self) -> dict[str, str]:
        """What lies beside the manifest, in its last version."""
        return {key: texts[-1].decode() for key, texts in self.versions.items() if key.startswith(f"{FOLDER}/re")}


def etag_of(content: bytes) -> str:
    """As S3 makes it."""
    return hashlib.md5(content).hexdigest()


class Shelf(Bucket):
    """The methods of `Bucket`, with versions."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def current(self, key: str, version: str = "") -> StoredObject:
        with self._place.call():
            content = self._found(StoredObject(key, version))
            return StoredObject(key, version or str(len(self._place.versions[key])), etag_of(content), len(content))

    def read(self, stored: StoredObject, *, limit: int | None = None) -> bytes:
        with self._place.call():
            return self._found(stored)

    def chunks(self, stored: StoredObject) -> Iterator[bytes]:
        with self._place.call():
            content = self._found(stored)
        for start in range(0, len(content), SOONER):
            with self._place.call():
                yield content[start : start + SOONER]

    def write(self, key: str, content: bytes | IO[bytes], content_type: str) -> None:
        with self._place.call():
            self._place.versions[key].append(content if isinstance(content, bytes) else content.read())

    answer = write

    def _found(self, stored: StoredObject) -> bytes:
        versions = self._place.versions[stored.key]
        if not versions:
            raise MalformedError(Code.FILE_MISSING, stored.key, "there is no such file in the bucket")
        return versions[int(stored.version) - 1 if stored.version else -1]


class Runs:
    """The methods of `Runs`."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def keep(self, run: Run) -> None:
        with self._place.call():
            self._place.runs[run.run_id] = run

    def get(self, run_id: str) -> Run | None:
        with self._place.call():
            return self._place.runs.get(run_id)


class Campaigns:
    """The methods of `Campaigns`, its condition included."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def read(self, campaign: str) -> tuple[Uploads, int]:
        with self._place.call():
            text, revision = self._place.campaigns.get(campaign, (b"{}", 0))
            return msgspec.json.decode(text, type=Uploads), revision

    def write(self, campaign: str, uploads: Uploads, *, revision: int, at: datetime) -> bool:
        with self._place.call():
            if self._place.campaigns.get(campaign, (b"", 0))[1] != revision:
                return False
            self._place.campaigns[campaign] = (msgspec.json.encode(uploads), revision + 1)
            return True


class Requests:
    """The method of `Queue` that ingest sends packs by, a message a call."""

    def __init__(self, place: Place) -> None:
        self._place = place

    def send_bodies(self, bodies: Iterable[bytes], *, delay: int = 0) -> None:
        for text in bodies:
            with self._place.call():
                pack = unpacked(msgspec.json.decode(text, type=RequestPack))
                for request in pack.requests:
                    self._place.reached[pack.run_id].add(request.recipient_id)
                    self._place.requests[request.recipient_id].add(request.request_id)


def install(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the handler work in this place."""
    edges: dict[str, Any] = {
        "now": lambda: place.now,
        "bucket": lambda: Shelf(place),
        "runs": lambda: Runs(place),
        "campaigns": lambda: Campaigns(place),
        "templates": lambda: SimpleNamespace(messages={"sale": a_message("sale")}),
        "requests": lambda lane: Requests(place),
        "parking": lambda: SimpleNamespace(park=place.park),
        "see_again": lambda *_: None,
    }
    for name, edge in edges.items():
        monkeypatch.setattr(wiring, name, edge)
