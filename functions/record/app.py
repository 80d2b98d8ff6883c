"""Record provider events and our own: facts of the dispatch, consequences for the person, the lake; who wrote to us.

Everything here may be done twice, in any order: one step that fails does not keep an event from the others.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from functools import partial
from typing import TypeVar

import msgspec

from heliograph.model.engagement import (
    Ahead,
    Consequence,
    EngagementEvent,
    RawObject,
    Refund,
    SuppressAddress,
    Unfinished,
)
from heliograph.model.inbound import InboundMessage
from heliograph.model.outcomes import RecordKey
from heliograph.recording import work
from heliograph.recording.consequences import consequences
from heliograph.recording.facts import by_record, record_of, unproven
from heliograph.recording.reading import News, read
from heliograph.runtime import wiring
from heliograph.runtime.handlers import Batch, Part, batch_handler, parking
from heliograph.runtime.observe import count_events, logger

T = TypeVar("T")
RESERVE = 15.0
"""Seconds of an invocation that are kept for the lake, and for handing on what there was no time for."""


@batch_handler
def handler(batch: Batch) -> None:
    """Take a batch as a whole, with one write for all events of a pack; what fails comes again alone."""
    found = batch.read(partial(read, signing_keys=wiring.keys))
    events = of_kind(EngagementEvent, found)
    accepted: dict[RecordKey, set[int]] = {}
    batch.work(lambda some: accepted.update(accepted_in(some)), events)
    taken = record(batch, events, accepted)
    batch.work(wiring.lake().keep_events, taken)
    count_events(event for _, event in batch.taken(taken))
    for one in of_kind(Ahead, found):
        batch.work(follow, [Part(one.message_id, one.content.event)])
    for rest in of_kind(SuppressAddress, found):
        batch.work(go_on, [rest])
    batch.work(tell, of_kind(InboundMessage, found))
    for told in of_kind(RawObject, found):
        batch.work(partial(record_object, batch.body(told.message_id)), [told])


def record_object(body: str, objects: Sequence[RawObject]) -> None:
    """Record all that a provider told within a minute: one write for all of a pack, one object in the lake.

    Of a block, what fails or what there is no time for goes on alone on the engagement queue; the blocks after it wait
    for another invocation. An object that cannot be read is parked, and so is each line of which that is true.
    """
    for told in objects:
        with parking(body):
            for block in work.blocks(told):
                if not has_time():
                    wiring.raw().send([work.unread(told, block)])
                    break
                record_block(block)


def record_block(block: work.Block) -> None:
    """Record thousands of events at once."""
    alone = Batch([])
    events = [Part(event_id, event) for event_id, event in block.events.items()]
    accepted = accepted_in([*block.events.values()])
    taken = [event for _, event in record(alone, events, accepted)]
    wiring.lake().keep_events(taken)
    count_events(taken)
    wiring.engagement().send([*work.packed([event for _, event in alone.failed(events)])])
    for body, error in block.unreadable:
        wiring.parking().park(body, error)


def record(
    batch: Batch, events: Sequence[Part[EngagementEvent]], accepted: Mapping[RecordKey, Container[int]]
) -> list[Part[EngagementEvent]]:
    """Keep events and let them have their consequences; those of which that is done."""
    for some in of_one_record(events):
        in_time(batch, partial(keep, accepted), some)
    for one in events:
        in_time(batch, follow, [one])
    return batch.taken(events)


def in_time(batch: Batch, do: Callable[[Sequence[T]], None], parts: Sequence[Part[T]]) -> None:
    """Do a piece of work, unless the invocation is nearly over."""
    if has_time():
        batch.work(do, parts)
    else:
        batch.leave(parts)


def has_time() -> bool:
    """Whether there is more time left than for what must come at the end."""
    return wiring.time_left() > RESERVE


def of_kind(kind: type[T], found: Sequence[Part[News]]) -> list[Part[T]]:
    """The parts that are of one kind."""
    return [Part(each.message_id, each.content) for each in found if isinstance(each.content, kind)]


def of_one_record(events: Sequence[Part[EngagementEvent]]) -> list[list[Part[EngagementEvent]]]:
    """The events of each record; those whose outcome is known already belong to none."""
    records: dict[object, list[Part[EngagementEvent]]] = {}
    for part in events:
        if part.content.outcome_key:
            records.setdefault(record_of(part.content), []).append(part)
    return list(records.values())


def accepted_in(events: Sequence[EngagementEvent]) -> dict[RecordKey, set[int]]:
    """The slots that the records of runs call accepted already; what comes of no run is in no sum."""
    records = {record_of(event) for event in events if event.run_id and event.outcome_key}
    return wiring.records().accepted(records) if records else {}


def keep(accepted: Mapping[RecordKey, Container[int]], events: Sequence[EngagementEvent]) -> None:
    """Keep what happened as facts of the dispatches; before it, what it shows that the record of a run does not know.

    A run's sums go by its records alone, without what is reported later.
    """
    for record, facts in by_record(events).items():
        if record.run_id and (shown := unproven(facts, accepted.get(record, ()))):
            wiring.records().keep(record, shown, wiring.now())
        wiring.records().keep(record, facts, wiring.now())


def follow(events: Sequence[EngagementEvent]) -> None:
    """Let events have their consequences: now at the latest, or one of years to come would beat all until then."""
    templates, now = wiring.templates(), wiring.now()
    for told in events:
        event = told if told.occurred_at <= now else msgspec.structs.replace(told, occurred_at=now)
        for consequence in consequences(event, messages=templates.messages, policy=templates.policy):
            apply(consequence)


def tell(written: Sequence[InboundMessage]) -> None:
    """Say that people wrote, and nothing that they could have written themselves."""
    for message in written:
        logger.info("A person wrote", extra={"channel": message.channel, "is_answer": message.answers is not None})


def go_on(unfinished: Sequence[SuppressAddress]) -> None:
    """Let an address be suppressed for its further owners."""
    for consequence in unfinished:
        apply(consequence)


def apply(consequence: Consequence) -> None:
    """Change what is kept of the person, or what counts against their caps; what is left of it comes back alone."""
    if isinstance(consequence, Refund):
        wiring.reservations().refund([(consequence.recipient_id, consequence.dispatch_id)], wiring.now())
    elif rest := wiring.recipients().apply(consequence):
        wiring.engagement().send([Unfinished(unfinished=rest)])
