"""What a provider's answers say about each slot."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from heliograph.model.dispatches import Rendered
from heliograph.model.outcomes import Accepted, Failed, Happened, InDoubt, NotSent, Outcome, SlotFacts
from heliograph.recording.facts import Fact


def facts_of(outcomes: Iterable[Outcome], batch: Mapping[str, Rendered], at: datetime) -> SlotFacts:
    """The facts that outcomes are; what was handed over by dispatch id."""
    return {batch[outcome.dispatch_id].dispatch.slot: _fact(outcome, at) for outcome in outcomes}


def not_handed_over(batch: Iterable[Rendered], at: datetime) -> SlotFacts:
    """What is known of messages that were not handed over when sending had to stop: they are certainly not sent."""
    return {rendered.dispatch.slot: {Fact.RETRY: Happened(at, "stopped")} for rendered in batch}


def _fact(outcome: Outcome, at: datetime) -> dict[str, Happened]:
    match outcome:
        case Accepted():
            return {Fact.ACCEPTED: Happened(at, outcome.provider_message_id, outcome.provider)}
        case Failed():
            return {Fact.FAILED: Happened(at, outcome.code)}
        case NotSent():
            return {Fact.RETRY: Happened(at, outcome.cause)}
        case InDoubt():
            return {Fact.UNKNOWN: Happened(at, outcome.cause)}
