"""The lake: what happened, day by day, as JSON lines without addresses."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date

import msgspec

from heliograph.aws.bucket import Bucket, StoredObject
from heliograph.model.engagement import EngagementEvent

LANES = 8  # objects that are read at the same time


class Lake:
    """The events below `lake/` in the bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def keep_events(self, events: Sequence[EngagementEvent]) -> None:
        """Add events, by the day on which they happened.

        The same events are the same object; an event that comes again in other company is a row with the same event_id.
        """
        by_day: dict[date, list[EngagementEvent]] = defaultdict(list)
        for event in events:
            by_day[event.occurred_at.date()].append(msgspec.structs.replace(event, address=""))
        for day, some in by_day.items():
            name = hashlib.blake2b("".join(e.event_id for e in some).encode(), digest_size=16).hexdigest()
            rows = b"".join(msgspec.json.encode(event) + b"\n" for event in some)
            self._bucket.write(f"{_folder(day)}{name}.jsonl", rows, "application/x-ndjson")

    def events(self, day: date) -> Iterator[EngagementEvent]:
        """The events of a day; one that came more than once is there more than once."""
        from concurrent.futures import ThreadPoolExecutor  # no function waits for it

        decoder = msgspec.json.Decoder(EngagementEvent)
        found = (StoredObject(key, "") for key in self._bucket.list_keys(_folder(day)))
        with ThreadPoolExecutor(LANES) as lanes:
            for rows in lanes.map(self._bucket.read, found):
                yield from decoder.decode_lines(rows)


def _folder(day: date) -> str:
    return f"lake/events/day={day:%Y-%m-%d}/"
