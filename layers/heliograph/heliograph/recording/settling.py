"""What becomes of dispatches in doubt, after a grace: a provider's event decides, else the rule of their message."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from heliograph.model.messages import Message, OnUnknown
from heliograph.model.outcomes import Facts, FailureCode, Happened
from heliograph.recording.facts import Fact, is_accepted, is_in_doubt

TAKEN = "accepted"
"""What a settlement says when a provider's event has shown that the message was taken."""


def settlement(facts: Facts, message: Message | None, at: datetime) -> Mapping[str, Happened]:
    """The facts that settle a dispatch; none when it is not in doubt (any more, or was settled before).

    A message that is no longer in the catalogue is dropped.
    """
    if is_accepted(facts) and Fact.UNKNOWN in facts and Fact.SETTLED not in facts:
        return {Fact.SETTLED: Happened(at, TAKEN)}
    if not is_in_doubt(facts):
        return {}
    rule = message.settling_rule() if message else OnUnknown.DROP
    if rule is OnUnknown.RESEND:
        return {Fact.SETTLED: Happened(at, rule), Fact.RETRY: Happened(at, "settled")}
    return {Fact.SETTLED: Happened(at, rule), Fact.FAILED: Happened(at, FailureCode.IN_DOUBT)}
