"""May this be sent to this person, on which channel, now? The rules in their order, and the decision they make."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import NamedTuple

import msgspec

from heliograph.domain import ids
from heliograph.domain.locales import lookup
from heliograph.domain.model import (
    Channel,
    Decision,
    Deferral,
    Dispatch,
    Message,
    Policy,
    Purpose,
    Reason,
    Recipient,
    SendRequest,
    Skipped,
    Suppression,
)
from heliograph.domain.quiet_hours import quiet_until, zone_for


class Case(NamedTuple):
    """Everything that a rule may look at."""

    request: SendRequest
    message: Message
    recipient: Recipient
    known: bool
    channel: Channel
    policy: Policy
    now: datetime


Rule = Callable[[Case], Reason | None]
"""Why a channel may not carry the message; None when this rule has nothing against it."""


def unknown_recipient(case: Case) -> Reason | None:
    """People who are not known get transactional messages only, at the address that the event carried."""
    carried = case.request.email or case.request.phone
    if case.known or (carried and case.message.purpose is Purpose.TRANSACTIONAL):
        return None
    return Reason.UNKNOWN_RECIPIENT


def invalid_address(case: Case) -> Reason | None:
    """An address that could not be read when it was given is no address."""
    return Reason.INVALID_ADDRESS if case.channel in case.recipient.invalid else None


def no_address(case: Case) -> Reason | None:
    """A channel needs an address."""
    return None if case.recipient.addresses(case.channel) else Reason.NO_ADDRESS


def address_suppressed(case: Case) -> Reason | None:
    """An address that bounced or complained is never used again, whatever the message."""
    return None if live_addresses(case.recipient, case.channel) else Reason.ADDRESS_SUPPRESSED


def not_consented(case: Case) -> Reason | None:
    """Promotional messages need consent for their topic on this channel; transactional ones do not."""
    if case.message.purpose is Purpose.TRANSACTIONAL:
        return None
    return None if case.recipient.consented(case.message.topic, case.channel) else Reason.NOT_CONSENTED


def expired(case: Case) -> Reason | None:
    """A message is not sent after the time at which it is worthless, nor held until then."""
    not_after = case.request.not_after
    if not_after is None:
        return None
    earliest = quiet_end(case) or case.now
    return Reason.EXPIRED if earliest >= not_after else None


def quiet_hours(case: Case) -> Reason | None:
    """Promotional messages wait until the person's quiet hours end."""
    return Reason.QUIET_HOURS if quiet_end(case) else None


PASSED = "passed"
RULES: tuple[Rule, ...] = (
    unknown_recipient,
    invalid_address,
    no_address,
    address_suppressed,
    not_consented,
    expired,
    quiet_hours,
)
"""Asked for each channel in this order until one objects. `quiet_hours` defers; all others suppress.

A rule bears the name of the reason that it gives.
"""

RULES_BEFORE_DELIVERY: tuple[Rule, ...] = tuple(rule for rule in RULES if rule is not quiet_hours)
"""Asked again just before delivery, on what is known then."""


def plan(
    request: SendRequest,
    message: Message | None,
    recipient: Recipient | None,
    *,
    policy: Policy,
    now: datetime,
    slot: int = 0,
) -> Decision:
    """Give the message to the first channel that may carry it; else defer it, else suppress it with the reason.

    The person's preferred channels come first, then those of the message. A channel that is merely in its quiet hours
    is waited for. A suppression names the channel that came closest to carrying the message.
    """
    dispatch_id = ids.dispatch_id(request.request_id, request.step)
    if message is None:
        return Suppression(dispatch_id=dispatch_id, request=request, reason=Reason.UNKNOWN_MESSAGE)
    known, person = known_person(request, recipient)
    skipped: tuple[Skipped, ...] = ()
    for channel in channel_order(message, person):
        case = Case(request, message, person, known, channel, policy, now)
        reason = first_objection(case, RULES)
        if reason is None:
            return _dispatch(dispatch_id, case, slot, skipped)
        skipped = (*skipped, Skipped(channel=channel, reason=reason))
        if reason is Reason.QUIET_HOURS:
            return _deferral(dispatch_id, case, skipped)
    return _suppression(dispatch_id, request, skipped)


def recheck(
    dispatch: Dispatch, message: Message, recipient: Recipient | None, *, policy: Policy, now: datetime
) -> tuple[Dispatch, Reason | None]:
    """Ask again just before delivery: the dispatch to the person's addresses of now, or why it must not be sent."""
    request = request_of(dispatch)
    known, person = known_person(request, recipient)
    case = Case(request, message, person, known, dispatch.channel, policy, now)
    current = msgspec.structs.replace(dispatch, addresses=live_addresses(person, dispatch.channel))
    return current, first_objection(case, RULES_BEFORE_DELIVERY)


def first_objection(case: Case, rules: tuple[Rule, ...]) -> Reason | None:
    """The reason of the first rule that objects."""
    return next((reason for rule in rules if (reason := rule(case))), None)


def channel_order(message: Message, recipient: Recipient) -> tuple[Channel, ...]:
    """The message's channels, those that the person prefers first."""
    preferred = [channel for channel in recipient.preferences.channels if channel in message.channels]
    return tuple(dict.fromkeys([*preferred, *message.channels]))


def live_addresses(recipient: Recipient, channel: Channel) -> tuple[str, ...]:
    """The addresses on a channel that are not suppressed."""
    return tuple(address for address in recipient.addresses(channel) if address not in recipient.suppressed)


def known_person(request: SendRequest, recipient: Recipient | None) -> tuple[bool, Recipient]:
    """Whether the person is known, and who they are; who is not known is reached at the address of the event."""
    held = recipient or Recipient(recipient_id=request.recipient_id, known=False)
    if held.known:
        return True, held
    return False, msgspec.structs.replace(
        held, email=request.email, phone=request.phone, locale=request.locale, invalid=request.invalid
    )


def quiet_end(case: Case) -> datetime | None:
    """When the quiet hours that hold this case end (UTC); None when it need not wait."""
    hours = case.policy.quiet_hours.get(case.channel)
    if hours is None or case.message.purpose is Purpose.TRANSACTIONAL:
        return None
    return quiet_until(case.now, hours, zone_for(case.recipient.timezone, case.policy))


def request_of(dispatch: Dispatch) -> SendRequest:
    """The request that a dispatch answers, with the address that it carries if its person is not known."""
    address = dict(zip((dispatch.channel,), dispatch.addresses, strict=False)) if not dispatch.known else {}
    return SendRequest(
        request_id=dispatch.request_id,
        message=dispatch.message,
        recipient_id=dispatch.recipient_id,
        requested_at=dispatch.requested_at,
        run_id=dispatch.run_id,
        not_after=dispatch.not_after,
        email=address.get(Channel.EMAIL, ""),
        phone=address.get(Channel.SMS, ""),
        locale=dispatch.locale,
    )


def trace(skipped: tuple[Skipped, ...], channel: Channel | None = None) -> str:
    """The rules' results in short, `push:no_address sms:ok`: the rules before the one that objected had passed."""
    parts = [f"{skip.channel}:{skip.reason}" for skip in skipped]
    return " ".join([*parts, f"{channel}:{PASSED}"] if channel else parts)


def spelled_out(tried: str) -> list[dict[str, str]]:
    """A trace with every rule's result: `[{"channel", "rule", "result"}]`, result `passed` or the reason."""
    rows = []
    for word in tried.split():
        channel, _, result = word.partition(":")
        for rule in RULES:
            objects = rule.__name__ == result
            rows.append({"channel": channel, "rule": rule.__name__, "result": result if objects else PASSED})
            if objects:
                break
    return rows


def _dispatch(dispatch_id: str, case: Case, slot: int, skipped: tuple[Skipped, ...]) -> Dispatch:
    request, wanted = case.request, case.recipient.locale or case.policy.default_locale
    return Dispatch(
        dispatch_id=dispatch_id,
        request_id=request.request_id,
        recipient_id=request.recipient_id,
        message=case.message.name,
        channel=case.channel,
        addresses=live_addresses(case.recipient, case.channel),
        locale=lookup(wanted, case.message.locales[case.channel]),
        slot=slot,
        requested_at=request.requested_at,
        data=request.data,
        attributes=request.attributes,
        known=case.known,
        run_id=request.run_id,
        not_after=request.not_after,
        tried=trace(skipped, case.channel),
    )


def _deferral(dispatch_id: str, case: Case, skipped: tuple[Skipped, ...]) -> Deferral:
    return Deferral(
        dispatch_id=dispatch_id,
        request=case.request,
        until=quiet_end(case) or case.now,
        reason=Reason.QUIET_HOURS,
        channel=case.channel,
        skipped=skipped,
    )


def _suppression(dispatch_id: str, request: SendRequest, skipped: tuple[Skipped, ...]) -> Suppression:
    order = list(Reason)
    closest = max(skipped, key=lambda skip: order.index(skip.reason))
    return Suppression(
        dispatch_id=dispatch_id, request=request, reason=closest.reason, channel=closest.channel, skipped=skipped
    )
