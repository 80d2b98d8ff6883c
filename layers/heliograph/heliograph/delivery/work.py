"""Delivery in four steps: open an attempt, claim, hand over, finish."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from heliograph.channels.registry import spec
from heliograph.delivery.packs import check_channels
from heliograph.delivery.sending.work import keep, send
from heliograph.delivery.slots import Checked, Slot, claim_entry, classified, due_later, due_now, learnt, reasons
from heliograph.delivery.turns.work import Turn, correct, finish_open_ends, turn_of
from heliograph.model.dispatches import Dispatch, DispatchPack, Rendered
from heliograph.model.messages import Message
from heliograph.model.outcomes import Failed, Outcome, RecordKey
from heliograph.model.people import Recipient
from heliograph.model.policy import Purpose
from heliograph.model.reasons import Reason
from heliograph.model.traces import Confirmation
from heliograph.planning.decisions import recheck
from heliograph.planning.work import achievements, refund
from heliograph.runtime import wiring
from heliograph.runtime.observe import count_refused
from heliograph.scheduling.work import plan_later
from heliograph.text import ids
from heliograph.text.errors import UndeliverableError
from heliograph.text.limits import VARIABLE


class Attempt(NamedTuple):
    """A try on what of a pack has its turn."""

    turn: Turn
    record: RecordKey
    at: datetime


class Claimed(NamedTuple):
    """What this try makes of each slot."""

    slots: Sequence[Slot]
    is_complete: bool
    """Whether everything is decided: the ledger may have been too busy for some."""


def open_attempt(pack: DispatchPack) -> Attempt | None:
    """Wait for the turn of a pack; None when it is requeued for its turn."""
    check_channels(pack)
    turn = turn_of(pack)
    return Attempt(turn, RecordKey(pack.run_id, pack.pack_id, pack.channel), wiring.now()) if turn else None


def claim(attempt: Attempt) -> Claimed:
    """Claim each dispatch in the ledger after a last look at its person, or see what an earlier try has left."""
    pack, record, at = attempt.turn.pack, attempt.record, attempt.at
    policy, checked = wiring.templates().policy.version, _checked(pack, at)
    written = wiring.ledger().write([claim_entry(one, pack, policy=policy, at=at) for one in checked])
    facts = wiring.records().read([record])[record] if written.existing else {}
    complete = not written.undecided
    slots = classified(pack, checked, written.existing, facts, won=written.won, at=at, complete=complete)
    due = due_later(pack, slots, at, lag=wiring.lag(pack.channel), complete=complete)
    plan_later(due)  # before it is kept that they are
    keep(record, learnt(slots), at)
    count_refused(pack.channel, reasons(slots))
    return Claimed(slots, complete)


def hand_over(attempt: Attempt, claimed: Claimed) -> list[Outcome]:
    """Hand over what is claimed, and what is provably not sent once it is won; the outcomes to see to."""
    new = [rendered for slot in claimed.slots if (rendered := slot.to_send)]
    again = [rendered for slot in claimed.slots if (rendered := slot.to_send_again)]
    correct(attempt.turn, [*new, *again])
    outcomes = [*send(attempt.record, new, rate=attempt.turn.rate)]
    if again:
        wiring.records().claim_again(attempt.record, [rendered.dispatch.slot for rendered in again])
        outcomes += send(attempt.record, again, rate=attempt.turn.rate)
    return outcomes


def finish(attempt: Attempt, claimed: Claimed, outcomes: Sequence[Outcome]) -> None:
    """Give back what does not count against caps, plan what follows at once, see to what has no outcome yet.

    When a timer brings the same step, too, the ledger takes it once.
    """
    pack, slots = attempt.turn.pack, claimed.slots
    failed = {outcome.dispatch_id for outcome in outcomes if isinstance(outcome, Failed)}
    rejected = [slot for slot in slots if slot.checked.dispatch.dispatch_id in failed]
    free = [*(slot for slot in slots if slot.counts_no_more), *rejected]
    refund([slot.checked.dispatch.request for slot in free], attempt.at)
    unreached = [slot for slot in slots if slot.reaches_nobody or slot in rejected]
    if following := [*due_now(pack, unreached, wiring.now(), wiring.lag(pack.channel))]:
        wiring.requests(pack.lane).send(following)
    finish_open_ends(
        pack,
        outcomes,
        in_doubt=[slot.number for slot in slots if slot.is_in_doubt],
        waiting={slot.number: until for slot in slots if (until := slot.waits_until)},
        is_complete=claimed.is_complete,
    )


def _checked(pack: DispatchPack, now: datetime) -> list[Checked]:
    """Each dispatch after a last look at its person."""
    requests = [dispatch.request for dispatch in pack.dispatches]
    people = wiring.recipients().get_many([request.recipient_id for request in requests], consistent=True)
    return [
        _last_look(pack, dispatch, people.get(dispatch.request.recipient_id), now, confirmed_by=before.confirmed_by)
        for dispatch, before in zip(pack.dispatches, achievements(requests, now), strict=True)
    ]


def _last_look(
    pack: DispatchPack,
    dispatch: Dispatch,
    recipient: Recipient | None,
    now: datetime,
    *,
    confirmed_by: Confirmation | None,
) -> Checked:
    """The message to a person as they are now, or why it is skipped."""
    templates = wiring.templates()
    message = templates.messages[dispatch.request.message]
    current, ruling = recheck(dispatch, message, recipient, policy=templates.policy, now=now, confirmed_by=confirmed_by)
    if ruling.reason:
        return Checked(current, message, None, ruling.reason, ruling.until)
    attributes = (recipient.attributes if recipient else {}) | dispatch.request.attributes
    try:
        rendered = _rendered(current, message, attributes, ids.outcome_key(pack.pack_id, dispatch.slot), now)
    except UndeliverableError as error:
        return Checked(current, message, None, error.code, detail=error.detail[:VARIABLE])
    return Checked(current, message, rendered, "")


def _rendered(
    dispatch: Dispatch, message: Message, attributes: dict[str, object], outcome_key: str, now: datetime
) -> Rendered:
    """Raises UndeliverableError when the words cannot be written to this person."""
    promotional = message.purpose is Purpose.PROMOTIONAL
    unsubscribe_url = wiring.links().url(dispatch.request.recipient_id, message.topic) if promotional else ""
    render = wiring.stencils().render if dispatch.request.run_id else wiring.templates().render
    content = render(
        message,
        dispatch.channel,
        locale=dispatch.locale,
        recipient=attributes,
        data=dispatch.request.data,
        unsubscribe_url=unsubscribe_url,
        timezone=dispatch.zone.name if dispatch.zone else "",
    )
    if excess := spec(dispatch.channel).excess(message, content):
        raise UndeliverableError(Reason.TOO_LONG, excess)
    return Rendered(
        dispatch=dispatch,
        message=message,
        content=content,
        outcome_key=outcome_key,
        claimed_at=now,
        unsubscribe_url=unsubscribe_url,
        recipient=attributes,
    )
