"""The bucket: campaign folders, the frozen manifests of runs, report pages, and the lake."""

from __future__ import annotations

import hashlib
import io
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from typing import IO, TYPE_CHECKING, NamedTuple, cast

import msgspec

from heliograph.domain.errors import MalformedError
from heliograph.domain.model import EngagementEvent

if TYPE_CHECKING:
    from botocore.response import StreamingBody
    from types_boto3_s3 import S3Client

CHUNK = 1 << 20  # bytes read at a time: a segment of any size takes the memory of one chunk
LANES = 8  # objects of the lake that are read at the same time


class StoredObject(NamedTuple):
    """An object in one version, so that a later upload changes nothing about a run."""

    key: str
    version: str


class InChunks(io.BufferedReader):
    """A stream that is read a whole chunk at a time, although io.TextIOWrapper asks for 8 KB."""

    def read1(self, size: int = -1) -> bytes:
        """At most a chunk, in one read of the stream below."""
        return super().read1(CHUNK)


class Bucket:
    """The stack's bucket."""

    def __init__(self, client: S3Client, name: str) -> None:
        self._client = client
        self._name = name

    def current(self, key: str) -> StoredObject:
        """The version of an object that is current now; raises MalformedError when there is none."""
        with self._existing(key):
            answer = self._client.head_object(Bucket=self._name, Key=key)
        return StoredObject(key, answer.get("VersionId", ""))

    def read(self, stored: StoredObject) -> bytes:
        """A small object, whole; raises MalformedError when there is none."""
        with self._existing(stored.key):
            return self._get(stored).read()

    def lines(self, stored: StoredObject) -> Iterator[str]:
        """The lines of an object, ends included, in bounded memory; wrong bytes survive as surrogates."""
        raw = cast(io.RawIOBase, self._get(stored))
        return io.TextIOWrapper(InChunks(raw, CHUNK), encoding="utf-8-sig", errors="surrogateescape", newline="")

    def write(self, key: str, content: bytes | IO[bytes], content_type: str) -> None:
        """Write an object."""
        body = io.BytesIO(content) if isinstance(content, bytes) else content
        self._client.put_object(Bucket=self._name, Key=key, Body=body, ContentType=content_type)

    def keep_events(self, events: Sequence[EngagementEvent]) -> None:
        """Add events to the lake, by the day on which they happened, as JSON lines without addresses.

        The same events are the same object; an event that comes again in other company is a row with the same event_id.
        """
        by_day: dict[str, list[EngagementEvent]] = defaultdict(list)
        for event in events:
            by_day[f"{event.occurred_at:%Y-%m-%d}"].append(msgspec.structs.replace(event, address=""))
        for day, some in by_day.items():
            name = hashlib.blake2b("".join(e.event_id for e in some).encode(), digest_size=16).hexdigest()
            rows = b"".join(msgspec.json.encode(event) + b"\n" for event in some)
            self.write(f"lake/events/day={day}/{name}.jsonl", rows, "application/x-ndjson")

    def events(self, day: date) -> Iterator[EngagementEvent]:
        """The events of a day in the lake; one that came more than once is there more than once."""
        from concurrent.futures import ThreadPoolExecutor  # no function waits for it

        decoder = msgspec.json.Decoder(EngagementEvent)
        prefix = f"lake/events/day={day:%Y-%m-%d}/"
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._name, Prefix=prefix)
        with ThreadPoolExecutor(LANES) as lanes:
            for page in pages:
                found = [StoredObject(each["Key"], "") for each in page.get("Contents", ())]
                for rows in lanes.map(self.read, found):
                    yield from decoder.decode_lines(rows)

    @contextmanager
    def _existing(self, key: str) -> Iterator[None]:
        """Name the file that does not exist."""
        try:
            yield
        except self._client.exceptions.ClientError as error:
            if error.response["Error"]["Code"] in ("404", "NoSuchKey", "NotFound"):
                raise MalformedError(key, "there is no such file in the bucket") from None
            raise

    def _get(self, stored: StoredObject) -> StreamingBody:
        if stored.version:
            return self._client.get_object(Bucket=self._name, Key=stored.key, VersionId=stored.version)["Body"]
        return self._client.get_object(Bucket=self._name, Key=stored.key)["Body"]
