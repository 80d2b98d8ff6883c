"""Deliver dispatches: a last look at the person, claim, render, hand to the provider, keep what it answered."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from heliograph.domain import delivery, ids
from heliograph.domain.delivery import Checked
from heliograph.domain.engagement import outcome_events
from heliograph.domain.errors import UndeliverableError
from heliograph.domain.model import (
    Channel,
    Dispatch,
    DispatchPack,
    Events,
    Letter,
    Message,
    NotSent,
    Purpose,
    Reason,
    Recipient,
    RecordKey,
    SlotFacts,
)
from heliograph.domain.planning import recheck
from heliograph.domain.sms_text import measure
from heliograph.runtime import deps
from heliograph.runtime.handlers import queue_handler
from heliograph.runtime.observe import count_facts


class NotSentYetError(Exception):
    """Some letters of a pack were not taken yet; the pack comes again."""


@queue_handler(DispatchPack)
def handler(pack: DispatchPack, receives: int) -> None:
    """Send every dispatch of a pack that is provably not sent yet."""
    now, policy = deps.now(), deps.templates().policy.version
    record = RecordKey(pack.run_id, pack.pack_id, pack.channel)
    people = deps.recipients().get_many([dispatch.recipient_id for dispatch in pack.dispatches], consistent=True)
    checked = [last_look(pack, dispatch, people.get(dispatch.recipient_id), now) for dispatch in pack.dispatches]
    written = deps.ledger().write([delivery.claim(one, pack, policy=policy, at=now) for one in checked])
    facts = deps.records().read([record])[record] if written.existing else {}
    todo = delivery.todo(pack, checked, written.existing, facts, won=written.won, at=now)
    keep(record, todo.facts, now)
    unsent = len(written.undecided) + sum(send(record, todo.claimed))
    if todo.again:
        deps.records().claim_again(record, [letter.dispatch.slot for letter in todo.again])
        unsent += sum(send(record, todo.again))
    if unsent:
        raise NotSentYetError(f"{unsent} letters of pack {pack.pack_id} wait for another try")


def last_look(pack: DispatchPack, dispatch: Dispatch, recipient: Recipient | None, now: datetime) -> Checked:
    """The letter to a person as they are now, or why it is withheld."""
    templates = deps.templates()
    message = templates.messages[dispatch.message]
    current, reason = recheck(dispatch, message, recipient, policy=templates.policy, now=now)
    if reason:
        return Checked(current, message, None, reason)
    attributes = (recipient.attributes if recipient else {}) | dispatch.attributes
    try:
        letter = written_letter(current, message, attributes, ids.place(pack.pack_id, dispatch.slot))
    except UndeliverableError as error:
        return Checked(current, message, None, error.code)
    return Checked(current, message, letter, "")


def written_letter(dispatch: Dispatch, message: Message, attributes: dict[str, object], place: str) -> Letter:
    """Render a dispatch; raises UndeliverableError when the words cannot be written to this person."""
    promotional = message.purpose is Purpose.PROMOTIONAL
    unsubscribe_url = deps.links().url(dispatch.recipient_id, message.topic) if promotional else ""
    content = deps.templates().render(
        message,
        dispatch.channel,
        locale=dispatch.locale,
        recipient=attributes,
        data=dispatch.data,
        unsubscribe_url=unsubscribe_url,
    )
    if dispatch.channel is Channel.SMS and measure(content["text"]).parts > message.sms_parts:
        raise UndeliverableError(Reason.TOO_LONG, f"more than {message.sms_parts} SMS parts")
    return Letter(dispatch=dispatch, message=message, content=content, place=place, unsubscribe_url=unsubscribe_url)


def send(record: RecordKey, letters: list[Letter]) -> Iterator[int]:
    """Hand letters to the provider and keep each answer at once; yields how many were not taken."""
    if not letters:
        return
    by_id = {letter.dispatch.dispatch_id: letter for letter in letters}
    for outcomes in deps.sender(record.channel)(letters):
        now = deps.now()
        keep(record, delivery.facts_of(outcomes, by_id, now), now)
        events = tuple(
            event
            for outcome in outcomes
            for event in outcome_events(by_id[outcome.dispatch_id].dispatch, outcome, occurred_at=now)
        )
        if events:
            deps.engagement().send([Events(events=events)])
        yield sum(isinstance(outcome, NotSent) for outcome in outcomes)


def keep(record: RecordKey, facts: SlotFacts, now: datetime) -> None:
    """Keep facts, and count them."""
    if facts:
        deps.records().keep(record, facts, now)
        count_facts(record.channel, facts)
