"""What an engagement event means for the person: addresses that are dead, consents that are withdrawn."""

from collections.abc import Mapping
from datetime import datetime

from heliograph.channels.events import BOT, event_id
from heliograph.channels.registry import spec
from heliograph.channels.spec import OptOut
from heliograph.model.dispatches import Dispatch
from heliograph.model.engagement import (
    Consequence,
    Engaged,
    EngagementEvent,
    EngagementKind,
    Refund,
    RemoveAddress,
    SuppressAddress,
    WithdrawConsent,
)
from heliograph.model.messages import Message
from heliograph.model.outcomes import Accepted, Failed, FailureCode, Outcome
from heliograph.model.policy import Policy
from heliograph.planning.caps import caps_on

SAID_BY = {OptOut.REPLY: "reply", OptOut.PAGE: "page:unsubscribe", OptOut.ELSEWHERE: "page:unsubscribe"}
"""The source of an opt-out."""


def consequences(event: EngagementEvent, *, messages: Mapping[str, Message], policy: Policy) -> tuple[Consequence, ...]:
    """What must change about the recipient because of this event; the same event twice has the same consequences.

    Its message may be in the catalogue no longer.
    """
    match event.kind:
        case EngagementKind.BOUNCED if event.permanent:
            dead = (_dead(event),) if event.address else ()
            return (*dead, *_refund(event, messages, policy))
        case EngagementKind.UNDELIVERED:
            return _refund(event, messages, policy)
        case EngagementKind.COMPLAINED:
            suppressed = (_suppress(event, "complaint"),) if event.address else ()
            return (*suppressed, _withdraw(event, "complaint"))
        case EngagementKind.UNSUBSCRIBED:
            return (_withdraw(event, SAID_BY[spec(event.channel).opt_out]),)
        case EngagementKind.OPENED | EngagementKind.CLICKED:
            return _engaged(event, messages, policy)
        case _:
            return ()


def outcome_events(
    dispatch: Dispatch, outcome: Outcome, *, occurred_at: datetime, outcome_key: str
) -> tuple[EngagementEvent, ...]:
    """The events to record for an outcome: dead devices, numbers that opted out, and what has arrived already.

    Only the last has an outcome key: of the others the outcome itself has already said what became of the dispatch.
    """
    if not isinstance(outcome, Accepted | Failed):
        return ()
    told = [(EngagementKind.BOUNCED, device, str(FailureCode.DEAD_TOKEN)) for device in outcome.dead_addresses]
    if isinstance(outcome, Failed) and outcome.code is FailureCode.OPTED_OUT:
        told += [(EngagementKind.UNSUBSCRIBED, address, outcome.code) for address in dispatch.addresses]
    if isinstance(outcome, Accepted) and outcome.delivered:
        told += [(EngagementKind.DELIVERED, "", "")]
    return tuple(
        EngagementEvent(
            event_id=event_id(dispatch.dispatch_id, kind, address),
            dispatch_id=dispatch.dispatch_id,
            recipient_id=dispatch.request.recipient_id,
            channel=dispatch.channel,
            kind=kind,
            occurred_at=occurred_at,
            outcome_key=outcome_key if kind is EngagementKind.DELIVERED else "",
            run_id=dispatch.request.run_id,
            message=dispatch.request.message,
            address=address,
            permanent=kind is EngagementKind.BOUNCED,
            detail=code,
        )
        for kind, address, code in told
    )


def _dead(event: EngagementEvent) -> Consequence:
    if spec(event.channel).address_kind.most > 1:
        return RemoveAddress(recipient_id=event.recipient_id, channel=event.channel, address=event.address)
    return _suppress(event, "hard_bounce")


def _suppress(event: EngagementEvent, reason: str) -> SuppressAddress:
    return SuppressAddress(
        recipient_id=event.recipient_id,
        channel=event.channel,
        address=event.address,
        reason=reason,
        at=event.occurred_at,
    )


def _withdraw(event: EngagementEvent, source: str) -> WithdrawConsent:
    return WithdrawConsent(recipient_id=event.recipient_id, channel=event.channel, source=source, at=event.occurred_at)


def _refund(event: EngagementEvent, messages: Mapping[str, Message], policy: Policy) -> tuple[Consequence, ...]:
    """A message under a cap that did not arrive; without an outcome key, its outcome has settled that already."""
    message = messages.get(event.message)
    if message is None or not event.outcome_key or not caps_on(message, policy):
        return ()
    return (Refund(recipient_id=event.recipient_id, dispatch_id=event.dispatch_id),)


def _engaged(event: EngagementEvent, messages: Mapping[str, Message], policy: Policy) -> tuple[Consequence, ...]:
    """A person's reaction, where any message chooses its channel by it: opens are many, and every write costs."""
    chosen_by = policy.by_engagement or any(message.by_engagement for message in messages.values())
    if not chosen_by or event.detail == BOT:
        return ()
    return (Engaged(recipient_id=event.recipient_id, channel=event.channel, at=event.occurred_at),)
