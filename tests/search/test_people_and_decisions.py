"""Mutated people, events and requests through read, decide, pack, recheck and render, with honest people beside them.

Each is dispatched or gets a reason, nobody is lost, and who is honest in the same pack is written to.
"""

from __future__ import annotations

import copy
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from random import Random
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from jinja2 import DictLoader

from aws.invocations import record
from aws.memory import World
from aws.memory_adapters import install
from builders import CHANNELS, NOW, a_message, a_request, hours
from functions.deliver.app import handler as deliver
from functions.plan.app import handler as plan
from heliograph.ingesting import requests
from heliograph.model.channels import Channel
from heliograph.model.decisions import Verdict
from heliograph.model.dispatches import DispatchPack, Rendered
from heliograph.model.outcomes import Accepted, Outcome
from heliograph.model.people import Recipient
from heliograph.model.policy import Policy, Purpose
from heliograph.model.requests import Lane, RequestPack, SendRequest
from heliograph.people.changes import from_event, from_row
from heliograph.people.items_store import item_of, recipient_of
from heliograph.rendering.templates import Catalogue, Templates, template_name
from heliograph.text import ids
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import fitting
from heliograph_cli.authoring import localising
from hostile import VALUES, mutated
from search.budget import budget

if TYPE_CHECKING:
    from search.conftest import Tally

PACKS = budget(200)
HOSTILE, HONEST = 25, 5
"""People of a pack."""
REGION = "DE"
TEXT = (
    "{{ recipient.first_name | default('you') }} {{ data.total | default(1) | number }} "
    "{{ data.order.items | default([]) | join(', ', 'sku') }} {{ data.when | default('2026-11-21T10:00:00Z') | date }}"
)
LINK = "https://example.com/{{ data.order.id | default('') }}"
NEWS = a_message(
    "news",
    topic="news",
    purpose=Purpose.PROMOTIONAL,
    locales=dict.fromkeys(CHANNELS, ("en", "de")),
    wait_at_most=30 * 86_400,
)
ORDERED = a_message("ordered", locales=dict.fromkeys(CHANNELS, ("en", "de")), expires_after=86_400, sms_parts=10)
POLICY = Policy(
    version="p",
    hours=(
        hours(quiet=("21:00-08:00",)),
        hours(days=(6,), allowed=()),
        hours(countries=("US",), allowed=("09:00-20:00",)),
    ),
    wait_at_most=6 * 86_400,
)
PERSON: dict[str, Any] = {
    "recipient_id": "amara",
    "email": "amara@example.com",
    "phone": "+4915123456789",
    "devices": ["gcm:token-1"],
    "locale": "de",
    "timezone": "Europe/Berlin",
    "country": "DE",
    "preferred_channels": ["sms", "email"],
    "quiet_hours": ["22:00-08:00"],
    "preferred_time": "18:30",
    "paused_until": "2026-11-20T00:00:00Z",
    "consents": {"news/email": "opted_in", "promotional/sms": "opted_out"},
    "attributes": {"first_name": "Amara", "points": {"now": 12}},
}
PAUSES = (PERSON["paused_until"], "2026-12-20T00:00:00Z")
WISH: dict[str, Any] = {
    "version": "0",
    "id": "6a7e8feb-b491-4cf7-a9f1-bf3703467718",
    "source": "shop",
    "detail-type": "SendRequested",
    "time": "2026-11-21T09:59:00Z",
    "detail": {
        "message": "ordered",
        "recipient_id": "amara",
        "data": {
            "order": {"id": "A-17", "items": [{"sku": "K-1", "price": 12.5}]},
            "total": 25,
            "when": "2026-11-21T12:00:00Z",
        },
        "email": "amara@example.com",
        "phone": "+4915123456789",
        "locale": "de-DE",
    },
}
ROW = {name: " ".join(value) if isinstance(value, list) else str(value) for name, value in PERSON.items()}
ROW |= {"consent.news.email": "opted_in", "first_name": "Amara"}
DATA = WISH["detail"]["data"]
ITEM = item_of(from_event(PERSON, region=REGION, double_opt_in=(), source="event:x", at=NOW))
KINDS: tuple[Callable[[str], dict[str, Any]], ...] = (
    lambda text: {"S": text},
    lambda text: {"N": "7"},
    lambda text: {"BOOL": True},
    lambda text: {"L": [{"S": text}] * 3},
    lambda text: {"SS": [text]},
    lambda text: {"M": {}},
    lambda text: {"NULL": True},
)
"""Values of DynamoDB's types."""
MESSAGES = {"news": NEWS, "ordered": ORDERED}


def words() -> Templates:
    """Both messages in two languages on every channel, reading what people and events bring."""
    html = f'<p>{TEXT}</p><a href="{{{{ data.order.id | default("#") }}}}">x</a>'
    files = {
        **dict.fromkeys(("email.subject.txt", "email.txt", "sms.txt", "push.title.txt", "push.body.txt"), TEXT),
        **{"email.html": html, "push.url.txt": LINK},
    }
    sources = {
        template_name(message, file, locale): text
        for message in MESSAGES
        for locale in ("en", "de")
        for file, text in files.items()
    }
    catalogue = Catalogue(
        policy=POLICY,
        messages=MESSAGES,
        variables=dict.fromkeys(sources, ()),
        formats={tag: localising.formats(tag) for tag in ("en", "de")},
    )
    return Templates(catalogue, DictLoader(sources))


def read(detail: dict[str, Any]) -> Recipient:
    """Who an event speaks of, as the table would give them back."""
    return recipient_of(item_of(from_event(detail, region=REGION, double_opt_in=(), source="event:x", at=NOW)))


class Crowd:
    """The people of one pack and what they are asked; some are refused at the door."""

    def __init__(self, rng: Random, number: int) -> None:
        self.rng, self.number, self.message = rng, number, ("news", "ordered")[number % 2]
        self.people: dict[str, Recipient] = {}
        self.requests: list[SendRequest] = []
        self.refused = 0

    def add(self, recipient_id: str) -> None:
        """Somebody who has gone wrong somewhere; what the door refuses comes no further."""
        try:
            person = self.person(recipient_id)
            request = self._request(recipient_id)
        except (MalformedError, msgspec.DecodeError, RecursionError):
            self.refused += 1
            return
        if person:
            self.people[recipient_id] = person
        self.requests.append(request)

    def add_honest(self, recipient_id: str) -> None:
        """Somebody with whom all is well."""
        change = from_event(
            {
                "recipient_id": recipient_id,
                "email": f"{recipient_id}@example.com",
                "consents": {"news/email": "opted_in"},
            },
            region=REGION,
            double_opt_in=(),
            source="event:x",
            at=NOW,
        )
        self.people[recipient_id] = recipient_of(item_of(change))
        self.requests.append(self._ordinary(recipient_id, DATA))

    def person(self, recipient_id: str) -> Recipient | None:
        """Read as an event, as a row, or out of an item that is kept."""
        match self.rng.randrange(8):
            case 0:
                return None
            case 1:
                return read(PERSON | {"recipient_id": recipient_id, "paused_until": self.rng.choice(PAUSES)})
            case 2 | 3 | 4:
                return read(msgspec.json.decode(mutated(PERSON, self.rng)) | {"recipient_id": recipient_id})
            case 5:
                row = dict(ROW)
                for _ in range(self.rng.randint(1, 3)):
                    row[self.rng.choice(list(row))] = str(self.rng.choice(VALUES))[:5_000]
                row |= {"recipient_id": recipient_id}
                change = from_row(row, region=REGION, double_opt_in=(), source="import:x", at=NOW)
                return recipient_of(item_of(change))
            case _:
                return recipient_of(self._item() | {"recipient_id": {"S": recipient_id}})

    def _item(self) -> dict[str, Any]:
        """What is kept, as another version or a slip may have left it: always of DynamoDB's types."""
        item = copy.deepcopy(ITEM)
        for _ in range(self.rng.randint(1, 3)):
            name, value = self.rng.choice(list(item)), self.rng.choice(VALUES)
            item[name] = self.rng.choice(KINDS)(str(value)[:5_000])
        return item

    def _request(self, recipient_id: str) -> SendRequest:
        """Read from an event, or as it travels with a campaign: to this person, about the message of the pack."""
        match self.rng.randrange(4):
            case 0:
                body = msgspec.json.decode(mutated(WISH, self.rng))
                asked = requests.read(body, {self.message: MESSAGES[self.message]}, policy=POLICY)
                if not isinstance(asked, requests.Requested):
                    raise MalformedError(Code.UNKNOWN_EVENT, "detail-type", "asks for something else")
                ours = self._ordinary(recipient_id, {})
                changes = {"request_id": ours.request_id, "run_id": ours.run_id, "message": ours.message}
                return msgspec.structs.replace(asked.requests[0], recipient_id=recipient_id, **changes)
            case 1:
                data = msgspec.json.decode(mutated(DATA, self.rng), type=dict[str, Any])
                return self._ordinary(recipient_id, fitting(data, "data"))
            case _:
                return self._ordinary(recipient_id, DATA)

    def _ordinary(self, recipient_id: str, data: Any) -> SendRequest:
        request_id = ids.derived_id(NOW, recipient_id)
        run_id = ids.derived_id(NOW, "run", str(self.number))
        return a_request(recipient_id, request_id=request_id, message=self.message, data=data, run_id=run_id)

    def pack(self) -> RequestPack:
        """Everybody, in one pack."""
        self.rng.shuffle(self.requests)
        return requests.pack(self.requests, Lane.BULK)


class Post:
    """A provider that takes every message, as long as it can travel."""

    def __init__(self) -> None:
        self.taken: Counter[str] = Counter()

    def sender(self, channel: Channel) -> Any:
        def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
            for rendered in batch:
                assert msgspec.json.encode(rendered.content)
                self.taken[rendered.dispatch.dispatch_id] += 1
            yield tuple(Accepted(dispatch_id=one.dispatch.dispatch_id, provider_message_id="m") for one in batch)

        return send


def sent(crowd: Crowd, world: World, tally: Tally, rng: Random) -> None:
    """Plan and deliver the pack; on the way, somebody may turn into something else."""
    world.people = crowd.people
    failed = handled(plan, [crowd.pack()], tally)
    for person in list(crowd.people):
        if person.startswith("bad") and rng.random() < 0.3:
            with suppress(MalformedError, msgspec.DecodeError, RecursionError):
                if changed := crowd.person(person):
                    crowd.people[person] = changed
    outboxes = [each.body for name, some in world.queues.items() if name.startswith("OUTBOX") for each in some]
    failed += handled(deliver, [msgspec.json.decode(body, type=DispatchPack) for body in outboxes], tally)
    tally.unhandled += [f"tried again: {failed} of pack {crowd.number}"] if failed else []


def handled(function: Any, packs: Sequence[msgspec.Struct], tally: Tally) -> int:
    """Hand packs to a function; how many come again."""
    again = 0
    for pack in packs:
        try:
            answer = function({"Records": [record(msgspec.json.encode(pack).decode())]}, SimpleNamespace())
            again += len(answer["batchItemFailures"])
        except Exception as error:  # noqa: BLE001 - that is what is looked for
            tally.unhandled.append(f"{type(error).__name__}: {error}")
    return again


def fate(request: SendRequest, world: World, post: Post) -> str:
    """What became of a request, or "lost"."""
    dispatch_id = ids.dispatch_id(request.request_id, request.step)
    entry = world.ledger.get(dispatch_id)
    if entry is None or post.taken[dispatch_id] > 1:
        return "lost"
    if entry.outcome is Verdict.DISPATCHED:
        return "sent" if post.taken[dispatch_id] else "lost"
    return str(entry.reason) or "lost"


def test_people_and_decisions(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    rng, templates, fates = Random(7), words(), Counter[str]()
    for number in range(PACKS):
        crowd = Crowd(rng, number)
        for place in range(HOSTILE):
            crowd.add(f"bad-{number}-{place}")
        for place in range(HONEST):
            crowd.add_honest(f"honest-{number}-{place}")
        tally.inputs += HOSTILE
        world, post = World(), Post()
        with monkeypatch.context() as patch:
            install(world, templates, post.sender, patch)
            sent(crowd, world, tally, rng)
        ends = {request.recipient_id: fate(request, world, post) for request in crowd.requests}
        fates.update(end for person, end in ends.items() if person.startswith("bad"))
        fates["refused"] += crowd.refused
        tally.lost += [person for person, end in ends.items() if end == "lost"]
        tally.harmed += [f"{who}: {end}" for who, end in ends.items() if who.startswith("honest") and end != "sent"]
    assert fates.total() == tally.inputs
    reasons = {"undecidable", "unknown_recipient", "invalid_address", "not_consented", "paused", "missing_variable"}
    assert {"sent", "refused", "too_long", *reasons} <= fates.keys(), fates
