"""Handing over at the rate of the provider; it stops when the account has halted, or the function ends soon."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from botocore.exceptions import BotoCoreError, ClientError

from heliograph.aws.errors import QueueError
from heliograph.channels.rate import STOPPED
from heliograph.channels.registry import spec
from heliograph.delivery.answers import facts_of, not_handed_over
from heliograph.model.dispatches import Rendered, StopSending
from heliograph.model.engagement import Events
from heliograph.model.outcomes import Accepted, NotSent, Outcome, RecordKey, SlotFacts
from heliograph.recording.consequences import outcome_events
from heliograph.runtime import wiring
from heliograph.runtime.observe import count_facts

CALL_TIME = 30  # seconds that a call to a provider and keeping its answer may take: its time-outs and a margin
KEEPING_ERRORS = (ClientError, BotoCoreError, QueueError)
"""What says that an answer was not kept, or not told of."""


def send(record: RecordKey, batch: list[Rendered], *, rate: float | None = None) -> Iterator[Outcome]:
    """Hand messages to the provider and keep each answer at once; yields the outcomes that something follows from."""
    waiting = {rendered.dispatch.dispatch_id: rendered for rendered in batch}
    calls = wiring.sender(record.channel)(batch) if batch else iter(())
    halted = spec(record.channel).codes.halted
    started, units, is_stopped = wiring.now(), 0, False
    while waiting and not is_stopped and _has_time_for_a_call(started, units, rate):
        outcomes = next(calls, None)
        if outcomes is None:
            return  # of what the provider said nothing, nobody knows what became
        taken = {outcome.dispatch_id: waiting.pop(outcome.dispatch_id) for outcome in outcomes}
        units += sum(map(units_of, taken.values()))
        try:
            _keep_answers(record, outcomes, taken)
        except KEEPING_ERRORS:
            _stop(record, calls, waiting)
            raise  # what was answered is in doubt now; what was not handed over is not
        yield from filter(_is_open, outcomes)
        is_stopped = any(isinstance(each, NotSent) and each.cause in halted for each in outcomes)
    if waiting:
        yield from filter(_is_open, _stop(record, calls, waiting))
        yield from (NotSent(dispatch_id=dispatch_id, cause=STOPPED) for dispatch_id in waiting)


def _stop(record: RecordKey, calls: Iterator[tuple[Outcome, ...]], waiting: dict[str, Rendered]) -> Sequence[Outcome]:
    """End it, keep what is still answered, and keep of all that `waiting` holds then that it was not handed over.

    An answer that cannot be kept is in doubt: its pack comes again, as the error is raised in the end.
    """
    ended: list[Outcome] = []
    failure: Exception | None = None
    for outcomes in _under_way(calls):
        taken = {outcome.dispatch_id: waiting.pop(outcome.dispatch_id) for outcome in outcomes}
        try:
            _keep_answers(record, outcomes, taken)
        except KEEPING_ERRORS as error:
            failure = error
        ended += outcomes
    keep(record, not_handed_over(waiting.values(), wiring.now()), wiring.now())
    if failure:
        raise failure
    return ended


def _under_way(calls: Iterator[tuple[Outcome, ...]]) -> Iterator[tuple[Outcome, ...]]:
    """The outcomes of calls that have begun; only a generator can have any."""
    if isinstance(calls, Generator):
        with suppress(StopSending, StopIteration):
            yield calls.throw(StopSending())
            yield from calls


def _is_open(outcome: Outcome) -> bool:
    """Whether something follows from it."""
    return not isinstance(outcome, Accepted)


def _has_time_for_a_call(started: datetime, units: int, rate: float | None) -> bool:
    """Whether the function lives to see the answer of another call; waits until the rate permits it."""
    pause = units / rate - (wiring.now() - started).total_seconds() if rate else 0.0
    if wiring.time_left() - max(0.0, pause) < CALL_TIME:
        return False
    if pause > 0:
        wiring.sleep(pause)
    return True


def units_of(rendered: Rendered) -> int:
    """What a message takes of its provider's rate."""
    return spec(rendered.dispatch.channel).units(rendered.content)


def _keep_answers(record: RecordKey, outcomes: Sequence[Outcome], batch: Mapping[str, Rendered]) -> None:
    """Tell record of the answers that something follows from, and keep all of them.

    In this order: what is kept is not looked at again; what is only told of is in doubt, and its event may prove it.
    """
    now = wiring.now()
    events = tuple(
        event
        for outcome in outcomes
        for rendered in (batch[outcome.dispatch_id],)
        for event in outcome_events(rendered.dispatch, outcome, occurred_at=now, outcome_key=rendered.outcome_key)
    )
    if events:
        wiring.engagement().send([Events(events=events)])
    keep(record, facts_of(outcomes, batch, now), now)


def keep(record: RecordKey, facts: SlotFacts, now: datetime) -> None:
    """Keep facts, and count them."""
    if facts:
        wiring.records().keep(record, facts, now)
        count_facts(record.channel, facts)
