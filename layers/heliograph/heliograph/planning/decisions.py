"""From a request and a person to inputs, and from a ruling to what follows from it."""

from __future__ import annotations

from collections.abc import Container, Iterable
from datetime import datetime

import msgspec

from heliograph.channels.addresses import EMAIL, PHONE
from heliograph.channels.registry import spec
from heliograph.model.channels import Channel
from heliograph.model.decisions import Decision, Inputs, Reservation, Ruling, Scheduled, Skipped, Verdict
from heliograph.model.dispatches import Dispatch
from heliograph.model.messages import Message
from heliograph.model.people import Reach, Recipient
from heliograph.model.policy import Policy
from heliograph.model.reasons import Reason
from heliograph.model.requests import SendRequest
from heliograph.model.traces import Achieved, Confirmation, Reference
from heliograph.planning.rules import RULES_BEFORE_DELIVERY
from heliograph.planning.ruling import decide
from heliograph.planning.terms import terms_of
from heliograph.text.locales import lookup
from heliograph.text.zones import zones_of

NOTHING_ACHIEVED = Achieved()


def inputs_of(
    request: SendRequest,
    message: Message,
    recipient: Recipient | None,
    *,
    policy: Policy,
    now: datetime,
    reserved: tuple[Reservation, ...] = (),
    achieved: Achieved = NOTHING_ACHIEVED,
    off: Container[Channel] = (),
) -> Inputs:
    """What a decision is made of, without anything that would name the person or quote the message.

    `off` are the channels that nobody has set up.
    """
    person, terms = known_person(request, recipient), terms_of(message, policy)
    return Inputs(
        now=now,
        recipient_id=request.recipient_id,
        dispatch_id=request.dispatch_id,
        message=message.name,
        version=message.version,
        policy=policy.version,
        requested_at=request.requested_at,
        not_after=request.not_after,
        fallbacks=request.fallbacks,
        known=person.known,
        readable=person.readable,
        reach=_reaches(person, terms.channels, off),
        consents={key: person.consents[key].state for key in terms.subjects if key in person.consents},
        preferences=person.preferences,
        zones=zones_of(person),
        country=person.country or person.phone_country,
        engaged=person.engaged,
        reserved=reserved,
        confirmed_by=achieved.confirmed_by,
        awaited_until=achieved.awaited_until,
        before=tuple(each.channel for each in request.earlier),
    )


def _reaches(person: Recipient, channels: Iterable[Channel], off: Container[Channel]) -> dict[Channel, Reach]:
    """What there is to reach a person by, on the channels on which there is something."""
    found = {each: reach(person, each) for each in channels}
    return {each: Reach.OFF if each in off else how for each, how in found.items() if how is not Reach.NONE}


def decision(
    request: SendRequest,
    message: Message,
    recipient: Recipient | None,
    ruling: Ruling,
    *,
    policy: Policy,
    slot: int,
    inputs: Reference | None = None,
) -> Decision:
    """A ruling as what follows from it; `inputs` is what the ledger keeps of its inputs."""
    if ruling.outcome is Verdict.SCHEDULED and ruling.until:
        return Scheduled(request=request, until=ruling.until, ruling=ruling, inputs=inputs)
    if ruling.outcome is not Verdict.DISPATCHED or ruling.channel is None:
        return Skipped(request=request, ruling=ruling, inputs=inputs)
    person = known_person(request, recipient)
    return Dispatch(
        request=msgspec.structs.replace(own_facts(request, person), fallbacks=ruling.fallback),
        channel=ruling.channel,
        addresses=live_addresses(person, ruling.channel),
        locale=lookup(person.locale or policy.default_locale, message.locales[ruling.channel]),
        slot=slot,
        known=person.known,
        tried=ruling.tried,
        inputs=inputs,
        zone=ruling.zone,
    )


def unknown_message(request: SendRequest) -> Skipped:
    """The decision on a request for a message that is not in the catalogue."""
    ruling = Ruling(outcome=Verdict.SKIPPED, reason=Reason.UNKNOWN_MESSAGE)
    return Skipped(request=request, ruling=ruling)


def recheck(
    dispatch: Dispatch,
    message: Message,
    recipient: Recipient | None,
    *,
    policy: Policy,
    now: datetime,
    confirmed_by: Confirmation | None = None,
) -> tuple[Dispatch, Ruling]:
    """Ask again just before delivery: the dispatch to the person's addresses of now, and what the rules say now."""
    request = dispatch.request
    alone = terms_of(message, policy).alone(dispatch.channel).message
    inputs = inputs_of(request, alone, recipient, policy=policy, now=now, achieved=Achieved(confirmed_by))
    unhurried = msgspec.structs.replace(inputs.preferences, time="")
    inputs = msgspec.structs.replace(inputs, preferences=unhurried, fallbacks=0, before=())
    ruling = decide(inputs, alone, policy, rules=RULES_BEFORE_DELIVERY)
    addresses = live_addresses(known_person(request, recipient), dispatch.channel)
    return msgspec.structs.replace(dispatch, addresses=addresses), ruling


def reach(recipient: Recipient, channel: Channel) -> Reach:
    """What there is to reach a person by on a channel."""
    if spec(channel).address_kind.name in recipient.invalid:
        return Reach.INVALID
    if not addresses(recipient, channel):
        return Reach.NONE
    return Reach.LIVE if live_addresses(recipient, channel) else Reach.SUPPRESSED


def addresses(recipient: Recipient, channel: Channel) -> tuple[str, ...]:
    """Every address of a person for a channel, suppressed ones included."""
    return recipient.addresses.get(spec(channel).address_kind.name, ())


def live_addresses(recipient: Recipient, channel: Channel) -> tuple[str, ...]:
    """The addresses that are not suppressed on a channel."""
    found, dead = addresses(recipient, channel), recipient.suppressed.get(channel)
    return tuple(address for address in found if address not in dead) if dead else found


def known_person(request: SendRequest, recipient: Recipient | None) -> Recipient:
    """Who the person is; who is not known is reached at the address of the event."""
    held = recipient or Recipient(recipient_id=request.recipient_id, known=False)
    if held.known:
        return held
    said = {EMAIL.name: request.email, PHONE.name: request.phone}
    carried = {kind: (address,) for kind, address in said.items() if address}
    return msgspec.structs.replace(held, addresses=carried, locale=request.locale, invalid=request.invalid)


def own_facts(request: SendRequest, person: Recipient) -> SendRequest:
    """A request without what its event says of its person, where that is known better."""
    if not person.known:
        return request
    return msgspec.structs.replace(request, email="", phone="", locale="", invalid=())
