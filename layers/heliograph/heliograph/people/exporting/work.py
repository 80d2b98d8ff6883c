"""Export recipients to the columns that an import reads, so that one is the other's reverse."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator
from tempfile import TemporaryFile
from typing import Any, Protocol

from heliograph.channels.registry import address_kinds
from heliograph.model.people import ConsentState, Recipient
from heliograph.people.changes import COLUMNS
from heliograph.people.consents.answers import CONFIRMED
from heliograph.text.csv import guarded

FACTS = (
    "recipient_id",
    *(kind.column for kind in address_kinds().values()),
    *("locale", "timezone", "country"),
    *("preferred_channels", "preferred_time", "quiet_hours", "paused_until"),
)
GIVEN = ("consent_source", "consent_at", "consent_text", "consent_proof")
CONSENT = "consent."


class Writable(Protocol):
    """A text file, or a terminal."""

    def write(self, text: str, /) -> object:
        """Write a piece of text."""


def export_to(file: Writable, people: Iterable[Recipient], *, double_opt_in: Collection[str]) -> int:
    """Write everybody as CSV; returns how many. The people are read once and wait in a file for the header.

    Who opted in to a topic of double opt-in is confirmed, and is not asked for it again by an import.
    """
    columns: set[str] = set()
    number = 0
    with TemporaryFile("w+", encoding="utf-8") as waiting:
        for person in people:
            number += 1
            for row in rows_of(person, double_opt_in):
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


def rows_of(person: Recipient, double_opt_in: Collection[str]) -> Iterator[dict[str, str]]:
    """A person as rows: one, and a further one for consents that were given at another time or place."""
    wishes = person.preferences
    facts = {
        "recipient_id": person.recipient_id,
        **{kind.column: " ".join(person.addresses.get(name, ())) for name, kind in address_kinds().items()},
        "locale": person.locale,
        "timezone": person.timezone,
        "country": person.country,
        "preferred_channels": " ".join(wishes.channels),
        "preferred_time": wishes.time,
        "quiet_hours": " ".join(wishes.quiet),
        "paused_until": wishes.paused_until.isoformat() if wishes.paused_until else "",
    }
    facts |= {name: _cell(value) for name, value in person.attributes.items() if _is_attribute(name)}
    first, *others = list(_consents(person, double_opt_in)) or [{}]
    yield facts | first
    for consents in others:
        yield {"recipient_id": person.recipient_id} | consents


def _consents(person: Recipient, double_opt_in: Collection[str]) -> Iterator[dict[str, str]]:
    groups: dict[tuple[str, ...], dict[str, str]] = defaultdict(dict)
    for key, consent in person.consents.items():
        proof = (consent.source, consent.at.isoformat(), consent.text, consent.proof)
        is_confirmed = consent.state is ConsentState.OPTED_IN and key.partition("/")[0] in double_opt_in
        groups[proof][CONSENT + key.replace("/", ".")] = CONFIRMED if is_confirmed else consent.state.value
    for given, answers in groups.items():
        yield answers | dict(zip(GIVEN, given, strict=True))


def _is_attribute(name: str) -> bool:
    return name not in COLUMNS and not name.startswith(CONSENT)


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _ordered(columns: set[str]) -> list[str]:
    """Facts first, then consents, then attributes."""
    consents = sorted(name for name in columns if name.startswith(CONSENT))
    attributes = sorted(columns - {*FACTS, *GIVEN, *consents})
    return [*FACTS, *consents, *(GIVEN if consents else ()), *attributes]
