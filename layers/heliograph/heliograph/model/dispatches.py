"""Dispatches: the decision to send on one channel, and what becomes of it until its provider has it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from heliograph.model.channels import Channel
from heliograph.model.messages import Message
from heliograph.model.outcomes import Outcome
from heliograph.model.people import Zone
from heliograph.model.requests import Lane, SendRequest
from heliograph.model.traces import Reference, Trace
from heliograph.model.values import JsonObject, Value


class Dispatch(Value, frozen=True, kw_only=True):
    """The decision to send on one channel."""

    request: SendRequest
    """As it was decided on; what its event said of the person only where nothing else is known of them."""
    channel: Channel
    addresses: tuple[str, ...]
    """One, or for push every live device of the person."""
    locale: str
    slot: int
    """The number of its request in the pack: stable over every retry."""
    known: bool = True
    """False: the address came with the event and there is no such recipient."""
    tried: Trace = ()
    inputs: Reference | None = None
    zone: Zone | None = None

    @property
    def dispatch_id(self) -> str:
        """The id of this decision on its request."""
        return self.request.dispatch_id


class DispatchPack(Value, frozen=True, kw_only=True):
    """The dispatches of one request pack on one channel."""

    pack_id: str
    channel: Channel
    lane: Lane
    run_id: str = ""
    dispatches: tuple[Dispatch, ...] = ()
    tries: int = 0
    """How often it was requeued, because its provider had no room for it: the more often, the sooner it gets a turn."""
    not_before: datetime | None = None
    """Its turn in the line of its channel, or until when it has to wait."""


class Rendered(Value, frozen=True, kw_only=True):
    """A dispatch, claimed and rendered: what a channel hands to its provider."""

    dispatch: Dispatch
    message: Message
    content: dict[str, str]
    """Part -> text: `subject`, `html`, `text` for email; `text` for SMS; `title`, `body`, `url` for push."""
    outcome_key: str
    claimed_at: datetime
    """When it was handed over for the first time: what is asked for today may go out in a week."""
    unsubscribe_url: str = ""
    """Signed, for this person and topic; promotional messages only."""
    recipient: JsonObject = {}
    """What its words may use of the person: the attributes of the profile, and those of this request."""

    def tags(self) -> dict[str, str]:
        """Our ids, to travel with the message and come back with each provider event."""
        ids = {
            "dispatch_id": self.dispatch.dispatch_id,
            "recipient_id": self.dispatch.request.recipient_id,
            "outcome_key": self.outcome_key,
            "message": self.message.name,
        }
        run_id = self.dispatch.request.run_id
        return ids | ({"run_id": run_id} if run_id else {})


class StopSending(Exception):  # noqa: N818 - it is an order, and no error
    """Thrown into what a sender has returned: begin nothing more, and yield the outcomes of what is under way."""


class Sender(Protocol):
    """A channel's provider."""

    def __call__(self, batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        """Hand rendered messages over; after every provider call yield its outcomes, so that they are kept at once.

        Nothing at all may be yielded while calls take long, so that it can be told to stop. One that makes a call after
        the other has nothing under way when it has yielded: it just ends with StopSending, as generators do.
        """
        ...
