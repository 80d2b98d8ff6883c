"""Export recipients to the columns that an import reads, so that one is the other's reverse."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime
from tempfile import TemporaryFile
from typing import IO, Any

from heliograph.domain.model import Recipient
from heliograph.domain.recipients import COLUMNS
from heliograph.domain.rows import guarded

FACTS = ("recipient_id", "email", "phone", "devices", "preferred_channels", "locale", "timezone")
GIVEN = ("consent_source", "consent_at")
CONSENT = "consent."


def export_to(file: IO[str], people: Iterable[Recipient]) -> int:
    """Write everybody as CSV; returns how many. The people are read once and wait in a file for the header."""
    columns: set[str] = set()
    number = 0
    with TemporaryFile("w+", encoding="utf-8") as waiting:
        for person in people:
            number += 1
            for row in rows_of(person):
                columns |= row.keys()
                waiting.write(json.dumps(row) + "\n")
        waiting.seek(0)
        header = _ordered(columns)
        writer = csv.writer(file)
        writer.writerow([guarded(name) for name in header])
        for line in waiting:
            row = json.loads(line)
            writer.writerow([guarded(row.get(name, "")) for name in header])
    return number


def rows_of(person: Recipient) -> Iterator[dict[str, str]]:
    """A person as rows: one, and a further one for consents that were given at another time or place."""
    facts = {
        "recipient_id": person.recipient_id,
        "email": person.email,
        "phone": person.phone,
        "devices": " ".join(person.devices),
        "preferred_channels": " ".join(person.preferences.channels),
        "locale": person.locale,
        "timezone": person.timezone,
    }
    facts |= {name: _cell(value) for name, value in person.attributes.items() if _is_attribute(name)}
    first, *others = list(_consents(person)) or [{}]
    yield facts | first
    for consents in others:
        yield {"recipient_id": person.recipient_id} | consents


def _consents(person: Recipient) -> Iterator[dict[str, str]]:
    groups: dict[tuple[str, datetime], dict[str, str]] = defaultdict(dict)
    for key, consent in person.consents.items():
        groups[consent.source, consent.at][CONSENT + key.replace("/", ".")] = consent.state.value
    for (source, at), answers in groups.items():
        yield answers | {"consent_source": source, "consent_at": at.isoformat()}


def _is_attribute(name: str) -> bool:
    return name not in COLUMNS and not name.startswith(CONSENT)


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _ordered(columns: set[str]) -> list[str]:
    """Facts first, then consents, then attributes."""
    consents = sorted(name for name in columns if name.startswith(CONSENT))
    attributes = sorted(columns - {*FACTS, *GIVEN, *consents})
    return [*FACTS, *consents, *(GIVEN if consents else ()), *attributes]
