"""A provider in memory: it takes messages or not, answers or not, and reports what it took."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import cycle, islice

from aws.memory import World
from heliograph.channels.events import event_id
from heliograph.model.channels import Channel
from heliograph.model.dispatches import Rendered, Sender
from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.model.outcomes import Accepted, Failed, FailureCode, InDoubt, NotSent, Outcome

STORIES = (
    (EngagementKind.SENT, EngagementKind.DELIVERED),
    (EngagementKind.SENT, EngagementKind.DELIVERED, EngagementKind.OPENED),
    (EngagementKind.SENT, EngagementKind.BOUNCED),
    (EngagementKind.SENT,),
    (EngagementKind.SENT, EngagementKind.DELIVERED, EngagementKind.COMPLAINED),
)
"""What the provider reports of the messages that it took, one after the other."""
ANSWERS = ("accepted", "accepted", "taken, and the answer lost", "lost on the way", "throttled", "refused")


class Provider:
    """The provider of every channel."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.taken: list[Rendered] = []
        """Its log."""
        self.news: list[EngagementEvent] = []
        """What it is going to report."""
        self.answers: Iterator[str] = cycle(ANSWERS[:1])

    def sender(self, channel: Channel) -> Sender:
        """A provider that takes two messages a call."""

        def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
            waiting = iter(batch)
            while some := list(islice(waiting, 2)):
                with self._world.call():
                    outcomes = tuple(self._answer(rendered, next(self.answers)) for rendered in some)
                yield outcomes

        return send

    def _answer(self, rendered: Rendered, answer: str) -> Outcome:
        """What the provider does with a message, and what it says."""
        dispatch_id = rendered.dispatch.dispatch_id
        if answer in ("accepted", "taken, and the answer lost"):
            self.taken.append(rendered)
            self.news += [self._event(rendered, kind) for kind in STORIES[len(self.taken) % len(STORIES)]]
        match answer:
            case "accepted":
                return Accepted(dispatch_id=dispatch_id, provider_message_id=f"m-{len(self.taken)}")
            case "throttled":
                return NotSent(dispatch_id=dispatch_id, cause="TooManyRequestsException")
            case "refused":
                return Failed(dispatch_id=dispatch_id, code=FailureCode.REJECTED)
            case _:
                return InDoubt(dispatch_id=dispatch_id, cause="ReadTimeoutError")

    def _event(self, rendered: Rendered, kind: EngagementKind) -> EngagementEvent:
        """An event of the provider about a message."""
        dispatch = rendered.dispatch
        return EngagementEvent(
            event_id=event_id(dispatch.dispatch_id, kind),
            dispatch_id=dispatch.dispatch_id,
            recipient_id=dispatch.request.recipient_id,
            channel=dispatch.channel,
            kind=kind,
            occurred_at=self._world.now,
            outcome_key=rendered.outcome_key,
            run_id=dispatch.request.run_id,
            message=dispatch.request.message,
            address=dispatch.addresses[0],
            permanent=True,
        )
