"""Record provider events and our own: facts of the dispatch, consequences for the person, the lake."""

from __future__ import annotations

from datetime import datetime

from heliograph.adapters.engagement import read
from heliograph.domain.engagement import consequences
from heliograph.domain.errors import MalformedError
from heliograph.domain.facts import by_record
from heliograph.domain.model import Consequence, EngagementEvent, Refund
from heliograph.runtime import deps
from heliograph.runtime.handlers import batch_handler
from heliograph.runtime.observe import count_events, logger


@batch_handler
def handler(bodies: list[str]) -> None:
    """Take a batch as a whole: everything here may run twice, so any failure means that the batch comes again."""
    now, templates = deps.now(), deps.templates()
    events = [one for body in bodies for one in read_or_park(body)]
    for record, facts in by_record(events).items():
        deps.records().keep(record, facts, now)
    for one in events:
        for consequence in consequences(one, messages=templates.messages, policy=templates.policy):
            apply(consequence, now)
    deps.bucket().keep_events(events)
    count_events(events)


def apply(consequence: Consequence, now: datetime) -> None:
    """Change what is kept of the person, or what counts against their caps."""
    if isinstance(consequence, Refund):
        deps.reservations().refund([(consequence.recipient_id, consequence.dispatch_id)], now)
    else:
        deps.recipients().apply(consequence)


def read_or_park(body: str) -> tuple[EngagementEvent, ...]:
    """The events of a message; one that cannot be read is parked in the dead letters."""
    try:
        return read(body)
    except MalformedError as error:
        logger.warning("A message was parked", extra={"place": error.place, "reason": error.reason})
        deps.parking().park(body, place=error.place, reason=error.reason)
        return ()
