"""The adapters in memory, at the edge where handlers get theirs: the same methods, conditions included."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from types import SimpleNamespace
from typing import IO, Any

import msgspec
import pytest

from aws.memory import World
from builders import CONTENT
from heliograph.aws.bucket import Bucket, StoredObject
from heliograph.aws.errors import BusyError
from heliograph.aws.timers import SOONEST, Timer
from heliograph.channels.clocks import RateLimits
from heliograph.ledger.store import Written
from heliograph.model.channels import Channel
from heliograph.model.decisions import Reservation
from heliograph.model.dispatches import Sender
from heliograph.model.engagement import Consequence, EngagementEvent, SuppressAddress, WithdrawConsent
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Message
from heliograph.model.outcomes import Happened, RecordKey, SlotFacts
from heliograph.model.packs import Delivered, Planned
from heliograph.model.people import AddressSuppression, Consent, ConsentState, Recipient, consent_key
from heliograph.model.policy import Policy
from heliograph.model.requests import RequestPack
from heliograph.planning.inputs_store import KeptInputs
from heliograph.planning.store import Account, Reservations
from heliograph.recording.facts import Fact, accepted_slots
from heliograph.rendering.templates import Templates
from heliograph.runtime import wiring
from heliograph.scheduling.store import Minutes
from heliograph.tallying.store import Shard
from heliograph.tallying.sums import Row, Sums, difference, sums_of, total
from heliograph.text.ids import is_of_fallbacks

GRACE = 900  # seconds


class People:
    """The methods of `Recipients`."""

    def __init__(self, world: World) -> None:
        self._world = world

    def get_many(self, ids: Iterable[str], *, consistent: bool = False) -> dict[str, Recipient]:
        with self._world.call():
            return {each: self._world.people[each] for each in ids if each in self._world.people}

    def apply(self, consequence: Consequence) -> None:
        with self._world.call():
            person = self._world.people[consequence.recipient_id]
            match consequence:
                case SuppressAddress(channel=channel, address=address, reason=reason, at=at):
                    marks = {address: AddressSuppression(reason=reason, at=at)} | person.suppressed.get(channel, {})
                    person = msgspec.structs.replace(person, suppressed=person.suppressed | {channel: marks})
                case WithdrawConsent(channel=channel, at=at, source=source, purpose=purpose):
                    refusal = {
                        consent_key(purpose, channel): Consent(state=ConsentState.OPTED_OUT, at=at, source=source)
                    }
                    person = msgspec.structs.replace(person, consents=person.consents | refusal)
            self._world.people[person.recipient_id] = person


class Decisions:
    """The methods of `Ledger`: a decision is written once."""

    def __init__(self, world: World) -> None:
        self._world = world

    def write(self, entries: Sequence[LedgerEntry]) -> Written:
        written = Written()
        for number, entry in enumerate(entries):
            with self._world.call():
                if self._world.busy and number % 2:
                    written.undecided.add(entry.dispatch_id)
                elif (first := self._world.ledger.setdefault(entry.dispatch_id, entry)) is entry:
                    written.won.add(entry.dispatch_id)
                else:
                    written.existing[entry.dispatch_id] = first
        return written

    def write_all(self, entries: Sequence[LedgerEntry]) -> dict[str, LedgerEntry]:
        written = self.write(entries)
        if written.undecided:
            raise BusyError("some decisions were not taken")
        return written.existing

    def decisions(self, steps: Sequence[tuple[str, str]]) -> dict[str, LedgerEntry]:
        with self._world.call():
            return {each: self._world.ledger[each] for _, each in steps if each in self._world.ledger}


class Room(Reservations):
    """`Reservations` whose accounts are in memory: each is changed only by who read it last."""

    def __init__(self, world: World) -> None:
        self._world = world

    def read(self, recipient_ids: Iterable[str]) -> dict[str, Account]:
        with self._world.call():
            return {each: self._world.accounts.get(each, Account()) for each in recipient_ids}

    def write(self, changes: Mapping[str, tuple[Account, tuple[Reservation, ...]]], now: datetime) -> set[str]:
        lost = set()
        for person, (read, wanted) in changes.items():
            with self._world.call():
                if self._world.accounts.get(person, Account()) == read:
                    self._world.accounts[person] = Account(read.version + 1, wanted)
                    self._world.reserved = {each.dispatch_id: each for each in wanted} | self._world.reserved
                else:
                    lost.add(person)
        return lost


class Shelf(Bucket):
    """A `Bucket` in memory, for inputs."""

    def __init__(self, world: World) -> None:
        self._world = world

    def write(self, key: str, content: bytes | IO[bytes], content_type: str) -> None:
        with self._world.call():
            self._world.objects[key] = content if isinstance(content, bytes) else content.read()

    def read(self, stored: StoredObject, *, limit: int | None = None) -> bytes:
        return self._world.objects[stored.key]

    def keep_events(self, events: Sequence[EngagementEvent]) -> None:
        """The lake is nobody's business here."""


class Facts:
    """The methods of `Records`: facts are only added, but for `retry`, which one try takes away."""

    def __init__(self, world: World) -> None:
        self._world = world

    def keep_plans(self, plans: Mapping[tuple[str, str], Planned], at: datetime) -> None:
        with self._world.call():
            for key, planned in plans.items():
                before = sums_of(self._world.plans.get(key))
                self._world.plans[key] = planned
                self._world.changed(*key, difference(sums_of(planned), before))

    def planned(self, packs: Iterable[tuple[str, str]]) -> set[tuple[str, str]]:
        with self._world.call():
            return self._world.plans.keys() & set(packs)

    @contextmanager
    def _changing(self, record: RecordKey) -> Iterator[None]:
        """A call that changes a record; the stream of the table tells of it."""
        with self._world.call():
            before = sums_of(self._delivered(record))
            yield
            self._world.changed(record.run_id, record.pack_id, difference(sums_of(self._delivered(record)), before))

    def _delivered(self, record: RecordKey) -> Delivered:
        slots, pack_id = self._world.facts[record], record.pack_id
        return Delivered(channel=record.channel, slots=slots, via_fallback=is_of_fallbacks(pack_id))

    def keep(self, record: RecordKey, slots: SlotFacts, at: datetime) -> None:
        with self._changing(record):
            for slot, facts in slots.items():
                self._world.facts[record][slot] = {**facts, **self._world.facts[record].get(slot, {})}

    def claim_again(self, record: RecordKey, slots: Iterable[int]) -> None:
        with self._changing(record):
            wanted = [self._world.facts[record].get(slot, {}) for slot in slots]
            if not all(Fact.RETRY in facts for facts in wanted):
                raise BusyError("somebody else took them")
            for facts in wanted:
                del facts[Fact.RETRY]

    def settle(self, record: RecordKey, slot: int, facts: Mapping[str, Happened]) -> None:
        with self._changing(record):
            known = self._world.facts[record].setdefault(slot, {})
            if Fact.SETTLED not in known:
                known.update(facts)

    def read(self, records: Iterable[RecordKey]) -> dict[RecordKey, SlotFacts]:
        with self._world.call():
            return {one: {slot: dict(facts) for slot, facts in self._world.facts[one].items()} for one in records}

    def accepted(self, records: Iterable[RecordKey]) -> dict[RecordKey, set[int]]:
        return {one: accepted_slots(self._world.facts[one]) for one in records}

    def of_run(self, run_id: str) -> Iterator[Planned | Delivered]:
        yield from (planned for (its_run, _), planned in self._world.plans.items() if its_run == run_id)
        yield from (self._delivered(record) for record in self._world.facts if record.run_id == run_id)


class Rows:
    """The methods of `KeptSums`: a row is written only if it still has the version that was read."""

    def __init__(self, world: World) -> None:
        self._world = world

    def of_run(self, run_id: str, *, consistent: bool = True) -> Sums:
        return total(row.sums for shard, row in self._world.rows.items() if shard.run_id == run_id)

    def rows(self, shards: Iterable[Shard]) -> dict[Shard, Row]:
        with self._world.call():
            return {shard: self._world.rows[shard] for shard in shards}

    def write(self, rows: Mapping[Shard, Row], at: datetime) -> set[Shard]:
        lost = set()
        for shard, row in rows.items():
            with self._world.call():
                if self._world.rows[shard].version == row.version:
                    self._world.rows[shard] = row._replace(version=row.version + 1)
                else:
                    lost.add(shard)
        return lost


class Works:
    """The methods of `Queue`."""

    def __init__(self, world: World, name: str) -> None:
        self._world = world
        self._name = name

    def send(self, works: Sequence[msgspec.Struct], *, delay: int = 0) -> None:
        with self._world.call():
            for work in works:
                self._world.put(self._name, work, delay=delay)


class Later:
    """The methods of `Timers`: what waits, by its name."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self, timer: Timer) -> None:
        with self._world.call():
            at = max(timer.at, self._world.now + SOONEST)
            self._world.schedules.setdefault(timer.name, (msgspec.json.decode(timer.body, type=RequestPack), at))


class Words:
    """The methods of `Templates`, with the same words in every message."""

    def __init__(self, messages: Iterable[Message], policy: Policy) -> None:
        self.policy = policy
        self.messages = {message.name: message for message in messages}

    def message(self, name: str) -> Message | None:
        return self.messages.get(name)

    def render(self, message: Message, channel: Channel, **_: Any) -> dict[str, str]:
        return CONTENT[channel]


def install(
    world: World, words: Words | Templates, sender: Callable[[Channel], Sender], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Let every handler work in this world."""
    people, decisions, facts, later = People(world), Decisions(world), Facts(world), Later(world)
    links = SimpleNamespace(url=lambda recipient_id, topic: "https://example.com/u")
    runs = SimpleNamespace(get=world.runs.get, complete=lambda run_id: None)
    room, shelf, rows = Room(world), Shelf(world), Rows(world)
    minutes = Minutes(world.minutes, "runs")  # type: ignore[arg-type]  # as far as minutes need a client
    inputs = KeptInputs(shelf)
    edges: dict[str, Callable[..., Any]] = {
        "now": lambda: world.now,
        "recipients": lambda: people,
        "ledger": lambda: decisions,
        "records": lambda: facts,
        "sums": lambda: rows,
        "runs": lambda: runs,
        "bucket": lambda: shelf,
        "lake": lambda: shelf,
        "reservations": lambda: room,
        "kept_inputs": lambda: inputs,
        "links": lambda: links,
        "timers": lambda: later,
        "minutes": lambda: minutes,
        "templates": lambda: words,
        "queue": lambda name: Works(world, name.upper().replace("-", "_")),
        "sender": sender,
        "sleep": lambda seconds: None,
        "rate": lambda channel: None,
        "rate_limits": lambda: RateLimits(world.clocks, "runs"),  # type: ignore[arg-type]  # as far as rate limits need a client
        "grace": lambda channel: GRACE,
        "lag": lambda channel: 0,
        "channels_off": frozenset,
        "see_again": lambda *_: None,
    }
    if isinstance(words, Words):  # nothing was compiled that stencils could be made of
        edges["stencils"] = lambda: words
    for name, edge in edges.items():
        monkeypatch.setattr(wiring, name, edge)
    minutes.advance(world.now)  # it has ticked before
    monkeypatch.setenv("POWERTOOLS_METRICS_DISABLED", "true")
