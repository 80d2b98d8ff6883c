"""Reasons, log lines and metrics quote nothing that others have written: it may be an address, a name, or a secret."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Callable, Iterator
from functools import partial
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from aws.door import opened
from aws.engagement_table import installed
from aws.invocations import record
from builders import NOW, a_message
from functions.deliver.app import handler as deliver
from functions.ingest_event.app import handler as ingest
from functions.ingest_segment.app import handler as ingest_segment
from functions.plan.app import handler as plan
from functions.record.app import handler as record_events
from functions.settle.app import handler as settle
from heliograph.campaigns.segments import people, read_campaign
from heliograph.people.changes import Problem, from_event, from_row
from heliograph.text.csv import Refused, read_table
from heliograph.text.errors import MalformedError
from heliograph.text.lines import legible
from search.budget import budget
from search.test_people_and_decisions import PERSON, ROW
from search.test_product_events import SHAPES as PRODUCT_EVENTS
from search.test_product_events import TRIGGER
from search.test_provider_events import SHAPES as PROVIDER_EVENTS

if TYPE_CHECKING:
    from search.conftest import Tally

INPUTS = budget(1_000)
"""Of each kind."""
MARKS = (
    *("Marker-7", "marker.seven@example.com", "+49 151 MARKER", "MARKER\nSEVEN", "markerseven"),
    *("Marker 'x' - at `$.a`", "Marker \"x'"),
)
"""The first four can be no name of a field."""
SIGNS = ("marker", "seven@")
"""What must be in nothing that is said, in lower case."""


def marked(value: Any, rng: Random) -> Any:
    """A value with a mark in one place, in the place of a value, within one, or as a name."""
    value, mark = copy.deepcopy(value), rng.choice(MARKS)
    if not isinstance(value, dict):
        return mark
    name = rng.choice(list(value) or [mark])
    match rng.randrange(6):
        case 0:
            value[rng.choice(MARKS[:4])] = value.get(name)
        case 1:
            value[name] = rng.choice([[mark], {mark: mark}, [[mark]], [{"a": mark}] * 3, 7])
        case 2:
            value[name] = f"{value.get(name)}{mark}"
        case _:
            value[name] = marked(value.get(name), rng)
    return value


class Said:
    """What is logged and printed while a search runs."""

    def __init__(self, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> None:
        self._capsys, self._caplog = capsys, caplog
        caplog.set_level(logging.DEBUG)

    def take(self) -> list[str]:
        """All of it, once."""
        lines = [str(vars(each)) for each in self._caplog.records]
        self._caplog.clear()
        printed = self._capsys.readouterr()
        return [*lines, printed.out, printed.err]


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> Said:
    return Said(capsys, caplog)


def listen(tally: Tally, *lines: str, of: object = "") -> None:
    """Count what is quoted as harm."""
    found = [line for line in lines if any(sign in line.lower() for sign in SIGNS)]
    tally.harmed += [f"{line[:300]} was said of {str(of)[:300]}" for line in found]


def hand(handler: Callable[..., Any], body: str, tally: Tally) -> None:
    tally.inputs += 1
    try:
        handler({"Records": [record(body)]}, SimpleNamespace())
    except Exception as error:  # noqa: BLE001 - that is what is looked for
        tally.unhandled.append(f"{type(error).__name__} of {body[:300]}")


def test_reasons_of_product_events(tally: Tally, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    door, rng = opened(monkeypatch, a_message("ordered", trigger=TRIGGER, expires_after=3_600)), Random(3)
    for _ in range(INPUTS):
        body = json.dumps(marked(rng.choice(PRODUCT_EVENTS), rng))
        hand(ingest, body, tally)
        listen(tally, *said.take(), *map(str, door.parked), of=body)
        tally.lost += [] if door.parked or door.people or door.saved or door.awaiting else [body[:300]]
        for each in (door.parked, door.people, door.saved, door.awaiting):
            each.clear()


def test_reasons_of_provider_events(tally: Tally, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    table, rng = installed(monkeypatch, a_message("order-shipped")), Random(3)
    parked = 0
    for _ in range(INPUTS):
        body = json.dumps(marked(rng.choice(PROVIDER_EVENTS), rng))
        hand(record_events, body, tally)
        listen(tally, *said.take(), *map(str, table.parked), of=body)
        parked += len(table.parked)
        table.parked.clear()
    assert parked > INPUTS / 10


OURS: dict[str, Any] = {
    "pack_id": "p",
    "lane": "bulk",
    "requests": [
        {
            "request_id": "r",
            "message": "news",
            "recipient_id": "amara",
            "requested_at": "2026-11-21T10:00:00Z",
            "invalid": ["email"],
            "data": {},
        }
    ],
    "channel": "email",
    "dispatches": [{"request": {"request_id": "d", "message": "news"}, "channel": "email"}],
    "events": [{"event_id": "e", "kind": "opened", "channel": "email"}],
    "detail": {"bucket": {"name": "b"}, "object": {"key": "campaigns/spring/campaign.toml", "size": 3}},
    "time": "2026-11-21T10:00:00Z",
}


def test_reasons_of_messages_in_queues(tally: Tally, said: Said, monkeypatch: pytest.MonkeyPatch) -> None:
    """What came into a queue that is only ours: none of these can be read, and all are parked."""
    door, rng = opened(monkeypatch), Random(3)
    handlers = [plan, deliver, settle, ingest_segment]
    for number in range(INPUTS):
        body = marked(OURS, rng)
        if rng.random() < 0.5:
            body["requests"] = [marked(OURS["requests"][0], rng)]
        text = json.dumps({**body, "lane": rng.choice(MARKS), "time": rng.choice(MARKS)})
        hand(handlers[number % len(handlers)], text, tally)
        listen(tally, *said.take(), *map(str, door.parked), of=text)
        tally.lost += [] if door.parked else [text[:300]]
        door.parked.clear()


def reasons(read: Callable[[], object]) -> Iterator[str]:
    """Why something was refused."""
    try:
        read()
    except MalformedError as error:
        yield str(error)


def test_reasons_of_people(tally: Tally, said: Said) -> None:
    rng, told = Random(3), 0
    for _ in range(INPUTS):
        tally.inputs += 2
        detail, row = marked(PERSON, rng), marked(ROW, rng)
        row = {str(name): str(value) for name, value in row.items()}
        change: list[Problem] = []

        def event(detail: Any = detail, change: list[Problem] = change) -> None:
            change += from_event(detail, region="DE", double_opt_in=(), source="event:x", at=NOW).problems

        def cells(row: dict[str, str] = row, change: list[Problem] = change) -> None:
            change += from_row(row, region="DE", double_opt_in=(), source="import:x", at=NOW).problems

        found = [*reasons(event), *reasons(cells)]
        problems = [each.reason for each in change]
        told += len(found) + len(problems)
        listen(tally, *said.take(), *found, *problems, of=(detail, row))
    assert told > INPUTS


def test_reasons_of_segments(tally: Tally, said: Said) -> None:
    rng, told = Random(3), 0
    for _ in range(INPUTS):
        tally.inputs += 1
        cells = [rng.choice((*MARKS, "amara", '"', "a,b", "\x00", '"' + MARKS[0], "")) for _ in range(6)]
        text = "recipient_id,email,note\n" + "\n".join(",".join(cells[at : at + 3]) for at in (0, 3))
        header = rng.choice(("recipient_id,email,note", f"recipient_id,{MARKS[0]},{MARKS[0]}", MARKS[0]))
        text = text if rng.random() < 0.7 else f"{header}\n{text}"
        refused: list[Refused] = []

        def read(text: str = text, refused: list[Refused] = refused) -> None:
            legible(partial(iter, [text.encode()]), lambda lines: taken(lines, refused))

        found = [*reasons(read), *(each.reason for each in refused)]
        told += len(found)
        listen(tally, *said.take(), *found, of=text)
    assert told > INPUTS / 2


def taken(lines: Any, refused: list[Refused]) -> list[Any]:
    return [cells for rows in people(read_table(lines, required="recipient_id"), refused.append) for cells in rows]


MANIFEST = 'message = "news"\nschedule = "now"\nsegment = "people.csv"\nreference = "A-1"\n[data]\ndiscount = 20\n'


def test_reasons_of_manifests(tally: Tally, said: Said) -> None:
    rng, told = Random(3), 0
    pieces = (
        *('"Mark"', "'Mark'", "Mark", "[Mark]\n[Mark]\n", '"Mark x" = 1', "= Mark", '"""Mark', "Mark.x = 1\n"),
        *("Mark = 1\nMark = 2\n", "a = {Mark = 1, Mark = 2}\n", "[[Mark]]\n[Mark]\n", "\n[data.'\"Mark']\n" * 2),
        *("Mark\\q", "\x01Mark", "message = 7", 'encoding = "Mark"', "again = 'Mark'", "9" * 5_000),
    )
    for _ in range(INPUTS):
        tally.inputs += 1
        text = MANIFEST
        for _ in range(rng.randint(1, 3)):
            at = rng.choice([0, rng.randrange(len(text)), text.index("\n") + 1, len(text)])
            text = text[:at] + rng.choice(pieces).replace("Mark", "Marker-7") + text[at + rng.choice([0, 0, 1, 7]) :]
        found = list(reasons(partial(read_campaign, text.encode())))
        told += len(found)
        listen(tally, *said.take(), *found, of=text)
    assert told > INPUTS / 2
