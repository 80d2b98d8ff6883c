"""Do the sums match? What the demo compares before it says that it worked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from heliograph.channels.registry import spec
from heliograph.model.engagement import EngagementKind
from heliograph.operations.replay.decisions import Finding, Replayed

Message = dict[str, Any]
Figures = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """Two numbers that must be the same."""

    rule: str
    expected: int
    found: int

    @property
    def holds(self) -> bool:
        return self.expected == self.found


@dataclass(frozen=True)
class Expected:
    """What the demo knows because it made it."""

    audience: int
    rejected: int
    messages_of_events: int
    engagement: Mapping[str, int]
    texts: int = 0
    """Product events that must have become an SMS that was delivered."""
    pushes: int = 0
    pushes_opened: int = 0


def checks(figures: Figures, outbox: Sequence[Message], expected: Expected) -> list[Check]:
    """Compare the figures of the run with what was made and with what left."""
    run_id, accepted = figures["run_id"], figures["counts"]["accepted"]
    campaign = [message for message in outbox if message["tags"].get("run_id") == run_id]
    events = [message for message in outbox if not message["tags"].get("run_id")]
    carried = [message for message in outbox if EngagementKind.SENT in spec(message["channel"]).reports]
    return [
        Check("everybody in the segment is in the audience", expected.audience, figures["audience"]),
        Check("nobody is still on the way", 0, figures["pending"]),
        Check("malformed rows are refused", expected.rejected, figures["rejected"]),
        Check(
            "audience = accepted + skipped + scheduled + failed + unknown",
            figures["audience"],
            _sum(figures, "counts"),
        ),
        Check("skipped = the sum of its reasons", figures["counts"]["skipped"], _sum(figures, "skipped")),
        Check("accepted = the sum of its channels", accepted, _sum(figures, "by_channel")),
        Check("accepted = mails and SMS of this run in the outbox", accepted, len(campaign)),
        Check("every product event became one message", expected.messages_of_events, len(_dispatches(events))),
        Check("nothing left twice", len(_dispatches(carried)), len(carried)),
        *(
            Check(f"{kind} = what was made", number, figures["engagement"].get(kind, 0))
            for kind, number in expected.engagement.items()
        ),
    ]


def by_phone(states: Mapping[str, Counter[str]], expected: Expected) -> list[Check]:
    """Compare the SMS and pushes of the product events, in the states that their timelines tell, with what was made."""
    texts, pushes = states.get("sms", Counter()), states.get("push", Counter())
    return [
        Check("every text to a product event was delivered", expected.texts, texts["delivered"]),
        Check("every push to a product event was taken", expected.pushes, pushes.total()),
        Check("every push that was tapped is opened", expected.pushes_opened, pushes["opened"]),
    ]


def decided_again(again: Replayed, expected: Expected) -> list[Check]:
    """Compare the decisions of the run with those that are made again from what they were made of."""
    return [
        Check("everybody was decided on", expected.audience, again.people - again.undecided),
        Check("every decision, made again from its inputs, is the same", again.decisions, again.counts[Finding.SAME]),
    ]


def _sum(figures: Figures, name: str) -> int:
    return sum(figures[name].values())


def _dispatches(messages: Sequence[Message]) -> Counter[str]:
    """Messages by dispatch: a push to two devices is one dispatch."""
    return Counter(str(message["tags"].get("dispatch_id")) for message in messages)
