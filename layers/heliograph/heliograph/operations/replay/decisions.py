"""Decisions made again: from the inputs that were kept, by the policy and the message of that time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from heliograph.model.decisions import Inputs, Ruling, Verdict
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Message
from heliograph.model.policy import Policy
from heliograph.model.reasons import Reason
from heliograph.model.values import Value
from heliograph.planning.ruling import decide

EXAMPLES = 20
"""How many of each finding are named; all are counted."""
MADE_WITHOUT_INPUTS = frozenset({Reason.UNKNOWN_MESSAGE, Reason.DROPPED})
"""Reasons that no rule gives: there is nothing to make again."""


class Replay(NamedTuple):
    """A decision made again."""

    inputs: Inputs
    message: Message
    policy: Policy
    ruling: Ruling
    is_genuine: bool
    """Whether the inputs are those that the ledger's hash stands for."""
    differences: tuple[str, ...]
    """In what the ruling is not what the ledger says."""


def replay(entry: LedgerEntry, inputs: Inputs, message: Message, policy: Policy, *, is_genuine: bool) -> Replay:
    """Make a decision again, and compare."""
    ruling = decide(inputs, message, policy)
    return Replay(inputs, message, policy, ruling, is_genuine, differences(entry, ruling))


def differences(entry: LedgerEntry, ruling: Ruling) -> tuple[str, ...]:
    """In what a ruling is not what the ledger says; what was skipped had been dispatched by plan."""
    skipped = entry.outcome is Verdict.SKIPPED_AT_DELIVERY
    kept = {
        "outcome": Verdict.DISPATCHED if skipped else entry.outcome,
        "channel": entry.channel,
        "reason": "" if skipped else entry.reason,
        "until": "" if skipped else entry.until,
        "next_time": entry.next_time,
        "tried": entry.tried,
        "zone": entry.zone,
    }
    made = {
        "outcome": ruling.outcome,
        "channel": ruling.channel or "",
        "reason": ruling.reason or "",
        "until": ruling.until.isoformat() if ruling.until else "",
        "next_time": ruling.next_time.isoformat() if ruling.next_time else "",
        "tried": ruling.tried,
        "zone": ruling.zone,
    }
    return tuple(name for name, value in kept.items() if value != made[name])


# ---- all decisions of a run --------------------------------------------------------------------------------


class Finding(StrEnum):
    """What can come of making a decision again."""

    SAME = "same"
    DIFFERS = "differs"
    NOT_GENUINE = "not_genuine"
    """The inputs are not those that the ledger's hash stands for."""
    MISSING = "missing"
    """The inputs, the policy or the message were not kept."""
    WITHOUT_INPUTS = "without_inputs"
    """Made by no rule: an unknown message, or dropped by an operator."""


class Example(Value, frozen=True, kw_only=True, omit_defaults=False):
    """One decision, by identifiers only."""

    recipient_id: str
    dispatch_id: str
    detail: str


Found = tuple[Finding, Example]


BAD = frozenset({Finding.DIFFERS, Finding.NOT_GENUINE, Finding.MISSING})


class Replayed(Value, frozen=True, kw_only=True, omit_defaults=False):
    """What came of making all decisions of a run again."""

    run_id: str
    people: int
    undecided: int
    """People on whom nothing was decided yet."""
    decisions: int
    counts: dict[Finding, int]
    examples: dict[Finding, tuple[Example, ...]]

    @property
    def holds(self) -> bool:
        """Whether every decision that rules made is made again the same."""
        return not any(self.counts[kind] for kind in BAD)


def found(entry: LedgerEntry, kind: Finding, detail: str = "") -> Found:
    """What came of a decision."""
    return kind, Example(recipient_id=entry.recipient_id, dispatch_id=entry.dispatch_id, detail=detail)


def verdict(entry: LedgerEntry, again: Replay) -> Found:
    """What came of making a decision again."""
    if not again.is_genuine:
        return found(entry, Finding.NOT_GENUINE)
    return found(entry, Finding.DIFFERS if again.differences else Finding.SAME, " ".join(again.differences))


def summed(run_id: str, people: Iterable[Sequence[Found]]) -> Replayed:
    """Count what came of the decisions on each of a run's people."""
    number = undecided = 0
    counts = Counter[Finding]()
    examples: dict[Finding, list[Example]] = {}
    for person in people:
        number += 1
        undecided += not person
        for kind, example in person:
            counts[kind] += 1
            if kind is not Finding.SAME and counts[kind] <= EXAMPLES:
                examples.setdefault(kind, []).append(example)
    return Replayed(
        run_id=run_id,
        people=number,
        undecided=undecided,
        decisions=counts.total(),
        counts={kind: counts[kind] for kind in Finding},
        examples={kind: tuple(some) for kind, some in examples.items()},
    )
