"""May this be sent to this person, on which channel, when? One pure decision, made by rules in their order."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from functools import cached_property
from typing import NamedTuple

import msgspec

from heliograph.domain import ids
from heliograph.domain.caps import caps_on, full_until, own_reservation
from heliograph.domain.hours import DAY, next_permitted
from heliograph.domain.locales import lookup
from heliograph.domain.model import (
    Channel,
    ConsentState,
    Decision,
    Deferral,
    Dispatch,
    Enforcement,
    Hours,
    Inputs,
    Message,
    Policy,
    Preferences,
    Purpose,
    Reach,
    Reason,
    Recipient,
    Reservation,
    Ruling,
    SendRequest,
    Suppression,
    Verdict,
    consent_key,
)
from heliograph.domain.zones import FoundZone, best_zone, zones_of

PREFERRED_FOR = timedelta(hours=1)
"""A preferred time is met within an hour after it."""
NO_CONFIRMATION = ("", None)
DEFAULT_ENFORCEMENT = {
    Purpose.PROMOTIONAL: Enforcement.RESTRICTIVE,
    Purpose.TRANSACTIONAL: Enforcement.NON_RESTRICTIVE,
}


class Held(NamedTuple):
    """Until when a message has to wait, and the first rule that says so."""

    until: datetime | None
    """None: for ever."""
    reason: Reason | None


@dataclass(frozen=True)
class Case:
    """Everything that a rule may look at: the inputs, and one channel."""

    inputs: Inputs
    message: Message
    policy: Policy
    channel: Channel
    zone: FoundZone

    @cached_property
    def held(self) -> Held:
        """Until when the message has to wait for this person on this channel."""
        return held_from(self, self.inputs.now)

    @property
    def is_promotional(self) -> bool:
        """Whether what is asked of promotional messages is asked of this one."""
        return self.message.purpose is Purpose.PROMOTIONAL

    @property
    def hold_ends(self) -> datetime:
        """After this time the message is not held any longer."""
        seconds = self.policy.hold_for if self.message.hold_for is None else self.message.hold_for
        return self.inputs.requested_at + timedelta(seconds=seconds)


Rule = Callable[[Case], Reason | None]
"""Why a channel may not carry the message; None when this rule has nothing against it."""


def unknown_recipient(case: Case) -> Reason | None:
    """People who are not known get transactional messages only, at the address that the event carried."""
    carried = any(reach in (Reach.LIVE, Reach.SUPPRESSED) for reach in case.inputs.reach.values())
    if case.inputs.known or (carried and not case.is_promotional):
        return None
    return Reason.UNKNOWN_RECIPIENT


def confirmed(case: Case) -> Reason | None:
    """Once an earlier channel has done its work, no further one is used."""
    return Reason.CONFIRMED if case.inputs.confirmed_by else None


def awaiting_confirmation(case: Case) -> Reason | None:
    """A further channel waits as long as the earlier one has time."""
    until = case.inputs.awaited_until
    return Reason.AWAITING_CONFIRMATION if until and until > case.inputs.now else None


def invalid_address(case: Case) -> Reason | None:
    """An address that could not be read when it was given is no address."""
    return Reason.INVALID_ADDRESS if _reach(case) is Reach.INVALID else None


def no_address(case: Case) -> Reason | None:
    """A channel needs an address."""
    return Reason.NO_ADDRESS if _reach(case) is Reach.NONE else None


def address_suppressed(case: Case) -> Reason | None:
    """An address that bounced or complained is never used again, whatever the message."""
    return Reason.ADDRESS_SUPPRESSED if _reach(case) is Reach.SUPPRESSED else None


def not_consented(case: Case) -> Reason | None:
    """Topic and purpose must both allow the message on this channel, as strictly as the policy enforces it."""
    enforcement = enforcement_of(case.message.purpose, case.channel, case.policy)
    if enforcement is Enforcement.DISABLED:
        return None
    consents = case.inputs.consents
    topic = consents.get(consent_key(case.message.topic, case.channel))
    purpose = consents.get(consent_key(case.message.purpose, case.channel))
    if ConsentState.OPTED_OUT in (topic, purpose):
        return Reason.NOT_CONSENTED
    if enforcement is Enforcement.RESTRICTIVE and topic is not ConsentState.OPTED_IN:
        return Reason.NOT_CONSENTED
    return None


def expired(case: Case) -> Reason | None:
    """A message is not sent after the time at which it is worthless, nor held until then."""
    not_after = case.inputs.not_after
    if not_after is None:
        return None
    return Reason.EXPIRED if (case.held.until or case.inputs.now) >= not_after else None


def held_too_long(case: Case) -> Reason | None:
    """A message is held for so long at most, as the message or the policy says."""
    until, reason = case.held
    return Reason.HELD_TOO_LONG if reason and (until is None or until > case.hold_ends) else None


def capped(case: Case) -> Reason | None:
    """Nobody gets more messages than the caps allow, counted at the time at which this one would be sent."""
    return Reason.CAPPED if cap_ends(case) else None


def paused(case: Case) -> Reason | None:
    """Promotional messages wait while a person wants to be left alone."""
    return Reason.PAUSED if case.held.reason is Reason.PAUSED else None


def quiet_hours(case: Case) -> Reason | None:
    """Messages wait for an hour that every rule on hours permits, in the person's own time."""
    return Reason.QUIET_HOURS if case.held.reason is Reason.QUIET_HOURS else None


def preferred_time(case: Case) -> Reason | None:
    """Promotional messages wait for the time of day that a person prefers, if it comes before the hold ends."""
    return Reason.PREFERRED_TIME if case.held.reason is Reason.PREFERRED_TIME else None


PASSED = "passed"
RULES: tuple[Rule, ...] = (
    unknown_recipient,
    confirmed,
    awaiting_confirmation,
    invalid_address,
    no_address,
    address_suppressed,
    not_consented,
    expired,
    held_too_long,
    capped,
    paused,
    quiet_hours,
    preferred_time,
)
"""Asked for each channel in this order until one objects. A rule bears the name of the reason that it gives."""

LATER = frozenset({Reason.AWAITING_CONFIRMATION, Reason.PAUSED, Reason.QUIET_HOURS, Reason.PREFERRED_TIME})
"""Reasons that defer the message on this channel; all others let the next channel be tried."""

RULES_BEFORE_DELIVERY: tuple[Rule, ...] = tuple(
    rule for rule in RULES if rule not in (awaiting_confirmation, capped, preferred_time)
)
"""Asked again just before delivery, on what is known then. The room under the caps has been reserved."""


class Candidate(NamedTuple):
    """A channel that may be tried, the fallback that it belongs to (0: none), and whose order put it first."""

    channel: Channel
    stage: int
    order: str


def decide(inputs: Inputs, message: Message, policy: Policy, *, rules: tuple[Rule, ...] = RULES) -> Ruling:
    """What is to become of a message.

    Who has room reserved for it was given to a channel by an earlier try. That is followed, whatever has changed since:
    deliver asks again before it sends, and two tries never disagree.
    """
    ruling, reserved = _ask(inputs, message, policy, rules), own_reservation(inputs)
    if reserved is None or (ruling.outcome, ruling.channel) == (Verdict.DISPATCHED, reserved.channel):
        return ruling
    stages = (each.stage for each in candidates(inputs, message, policy) if each.channel is reserved.channel)
    return Ruling(
        outcome=Verdict.DISPATCHED,
        channel=reserved.channel,
        tried=trace([], reserved.channel, None),
        zone=ruling.zone,
        stage=next(stages, inputs.stage),
    )


def _ask(inputs: Inputs, message: Message, policy: Policy, rules: tuple[Rule, ...]) -> Ruling:
    """Give the message to the first channel that may carry it; else defer it, else say why not.

    A channel that merely has to wait is waited for. A "no" names the channel that came closest to carrying it.
    """
    zone = best_zone(inputs.zones, policy.default_timezone)
    skipped: list[tuple[Case, Reason]] = []
    for channel, stage, order in candidates(inputs, message, policy):
        case = Case(inputs, message, policy, channel, zone)
        reason = next((reason for rule in rules if (reason := rule(case))), None)
        ruling = Ruling(
            outcome=Verdict.DISPATCHED,
            channel=channel,
            tried=trace(skipped, channel, reason),
            order=order,
            zone=str(zone),
            stage=stage,
        )
        if reason is None:
            return ruling
        if reason in LATER:
            until = case.inputs.awaited_until if reason is Reason.AWAITING_CONFIRMATION else case.held.until
            return msgspec.structs.replace(
                ruling, outcome=Verdict.DEFERRED, reason=reason, until=until, next_time=until
            )
        skipped.append((case, reason))
    return _no(skipped, zone)


def candidates(inputs: Inputs, message: Message, policy: Policy) -> Iterator[Candidate]:
    """The channels in the order in which they are tried; a fallback's come when none before them may carry it."""
    steps = [message.channels, *(fallback.channels for fallback in message.fallback)]
    tried = set(inputs.before)
    for stage in range(inputs.stage, len(steps)):
        left = [channel for channel in steps[stage] if channel not in tried]
        tried |= set(left)
        for channel, order in in_order(left, inputs, message, policy):
            yield Candidate(channel, stage, order)


def in_order(
    channels: list[Channel], inputs: Inputs, message: Message, policy: Policy
) -> Iterator[tuple[Channel, str]]:
    """Channels as the person prefers them, then, if so wished, by where they reacted last, then as the message says."""
    preferred = [channel for channel in inputs.preferences.channels if channel in channels]
    by_engagement = policy.by_engagement if message.by_engagement is None else message.by_engagement
    reacted = [channel for channel in channels if by_engagement and channel in inputs.engaged]
    reacted.sort(key=lambda channel: inputs.engaged[channel], reverse=True)
    named = dict.fromkeys(channels, "message") | dict.fromkeys(reacted, "engagement")
    named |= dict.fromkeys(preferred, "preference")
    for channel in dict.fromkeys([*preferred, *reacted, *channels]):
        yield channel, named[channel]


def enforcement_of(purpose: Purpose, channel: Channel, policy: Policy) -> Enforcement:
    """How strictly consents are enforced."""
    return policy.enforcement.get(purpose, {}).get(channel, DEFAULT_ENFORCEMENT[purpose])


def held_from(case: Case, moment: datetime) -> Held:
    """Until when a message that is ready at `moment` has to wait: for a pause, permitted hours, the preferred time."""
    until, reason = moment, None
    preferences = case.inputs.preferences if case.is_promotional else Preferences()
    if preferences.paused_until and preferences.paused_until > until:
        until, reason = preferences.paused_until, Reason.PAUSED
    permitted = _permitted(case, until)
    if permitted is None:
        return Held(None, reason or Reason.QUIET_HOURS)
    if permitted > until:
        until, reason = permitted, reason or Reason.QUIET_HOURS
    preferred = _next_preferred(case, until, preferences.time) if preferences.time else None
    if preferred and preferred > until:
        until, reason = preferred, reason or Reason.PREFERRED_TIME
    return Held(until, reason)


def hours_on(case: Case) -> tuple[Hours, ...]:
    """The rules on hours that fit a case, the person's own among them."""
    inputs = case.inputs
    rules = tuple(
        rule
        for rule in case.policy.hours
        if rule.purpose is case.message.purpose
        and (not rule.channels or case.channel in rule.channels)
        and (not rule.countries or inputs.country in rule.countries)
    )
    if case.is_promotional and inputs.preferences.quiet:
        return (*rules, Hours(name="the person", quiet=inputs.preferences.quiet))
    return rules


def cap_ends(case: Case) -> datetime | None:
    """When the caps that are full have room again; None when they have room at the time of sending."""
    caps = caps_on(case.message, case.policy)
    if not caps:
        return None
    others = [each for each in case.inputs.reserved if each.dispatch_id != case.inputs.dispatch_id]
    at = case.held.until or case.inputs.now
    return full_until(caps, others, channel=case.channel, at=at, zone=case.zone.zone)


def trace(skipped: list[tuple[Case, Reason]], channel: Channel, reason: Reason | None) -> str:
    """The rules' results in short, `push:no_address sms:passed`: the rules before the one that objected had passed."""
    return " ".join([*(f"{case.channel}:{why}" for case, why in skipped), f"{channel}:{reason or PASSED}"])


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


def _reach(case: Case) -> Reach:
    return case.inputs.reach.get(case.channel, Reach.NONE)


def _permitted(case: Case, moment: datetime) -> datetime | None:
    return next_permitted(hours_on(case), case.inputs.country, moment, case.zone.zone)


def _next_preferred(case: Case, moment: datetime, text: str) -> datetime | None:
    """The first permitted time from `moment` on, within the hour after a time of day; None when it comes too late."""
    wanted, zone, not_after = time.fromisoformat(text), case.zone.zone, case.inputs.not_after
    day = moment.astimezone(zone).date() - DAY
    while (wall := datetime.combine(day, wanted, tzinfo=zone).astimezone(UTC)) <= case.hold_ends:
        ready = _permitted(case, max(moment, wall))
        if ready and ready < wall + PREFERRED_FOR:
            in_time = ready <= case.hold_ends and (not_after is None or ready < not_after)
            return ready if in_time else None
        day += DAY
    return None


def _no(skipped: list[tuple[Case, Reason]], zone: FoundZone) -> Ruling:
    if not skipped:
        return Ruling(outcome=Verdict.SUPPRESSED, reason=Reason.NO_ADDRESS, zone=str(zone))
    order = list(Reason)
    closest, reason = max(skipped, key=lambda skip: order.index(skip[1]))
    times = filter(None, (_next_time(case, why) for case, why in skipped))
    return Ruling(
        outcome=Verdict.SUPPRESSED,
        channel=closest.channel,
        reason=reason,
        next_time=min(times, default=None),
        tried=trace(skipped[:-1], skipped[-1][0].channel, skipped[-1][1]),
        zone=str(zone),
    )


def _next_time(case: Case, reason: Reason) -> datetime | None:
    """When a message like this could be sent; None when that depends on more than time."""
    if reason not in (Reason.HELD_TOO_LONG, Reason.CAPPED):
        return None
    free = cap_ends(case)
    return held_from(case, free).until if free else case.held.until


# ---- from a request and a person to inputs, and from a ruling to a decision -------------------------------------


def inputs_of(
    request: SendRequest,
    message: Message,
    recipient: Recipient | None,
    *,
    policy: Policy,
    now: datetime,
    reserved: tuple[Reservation, ...] = (),
    confirmation: tuple[str, datetime | None] = NO_CONFIRMATION,
) -> Inputs:
    """What a decision is made of, without anything that would name the person or quote the message."""
    person = known_person(request, recipient)
    channels = message.every_channel()
    subjects = [consent_key(subject, each) for subject in (message.topic, message.purpose) for each in channels]
    return Inputs(
        now=now,
        recipient_id=request.recipient_id,
        dispatch_id=ids.dispatch_id(request.request_id, request.step),
        message=message.name,
        version=message.version,
        policy=policy.version,
        requested_at=request.requested_at,
        not_after=request.not_after,
        stage=request.stage,
        known=person.known,
        reach={each: found for each in channels if (found := reach(person, each)) is not Reach.NONE},
        consents={key: person.consents[key].state for key in subjects if key in person.consents},
        preferences=person.preferences,
        zones=zones_of(person),
        country=person.country or person.phone_country,
        engaged=person.engaged,
        reserved=reserved,
        confirmed_by=confirmation[0],
        awaited_until=confirmation[1],
        before=tuple(each.channel for each in request.earlier),
    )


def decision(
    request: SendRequest,
    message: Message,
    recipient: Recipient | None,
    ruling: Ruling,
    *,
    policy: Policy,
    slot: int,
    inputs: str = "",
) -> Decision:
    """A ruling as what follows from it; `inputs` is what the ledger keeps of its inputs."""
    dispatch_id = ids.dispatch_id(request.request_id, request.step)
    if ruling.outcome is Verdict.DEFERRED and ruling.until:
        return Deferral(dispatch_id=dispatch_id, request=request, until=ruling.until, ruling=ruling, inputs=inputs)
    if ruling.outcome is not Verdict.DISPATCHED or ruling.channel is None:
        return Suppression(dispatch_id=dispatch_id, request=request, ruling=ruling, inputs=inputs)
    person = known_person(request, recipient)
    return Dispatch(
        dispatch_id=dispatch_id,
        request_id=request.request_id,
        recipient_id=request.recipient_id,
        message=message.name,
        channel=ruling.channel,
        addresses=live_addresses(person, ruling.channel),
        locale=lookup(person.locale or policy.default_locale, message.locales[ruling.channel]),
        slot=slot,
        requested_at=request.requested_at,
        data=request.data,
        attributes=request.attributes,
        known=person.known,
        run_id=request.run_id,
        not_after=request.not_after,
        tried=ruling.tried,
        inputs=inputs,
        zone=ruling.zone,
        step=request.step,
        stage=ruling.stage,
        earlier=request.earlier,
        email="" if person.known else request.email,
        phone="" if person.known else request.phone,
        invalid=() if person.known else request.invalid,
    )


def unknown_message(request: SendRequest) -> Suppression:
    """The decision on a request for a message that is not in the catalogue."""
    dispatch_id = ids.dispatch_id(request.request_id, request.step)
    ruling = Ruling(outcome=Verdict.SUPPRESSED, reason=Reason.UNKNOWN_MESSAGE)
    return Suppression(dispatch_id=dispatch_id, request=request, ruling=ruling)


def recheck(
    dispatch: Dispatch,
    message: Message,
    recipient: Recipient | None,
    *,
    policy: Policy,
    now: datetime,
    confirmed_by: str = "",
) -> tuple[Dispatch, Ruling]:
    """Ask again just before delivery: the dispatch to the person's addresses of now, and what the rules say now."""
    request = request_of(dispatch)
    alone = msgspec.structs.replace(message, channels=(dispatch.channel,), fallback=())
    inputs = inputs_of(request, alone, recipient, policy=policy, now=now, confirmation=(confirmed_by, None))
    unhurried = msgspec.structs.replace(inputs.preferences, time="")
    inputs = msgspec.structs.replace(inputs, preferences=unhurried, stage=0, before=())
    ruling = decide(inputs, alone, policy, rules=RULES_BEFORE_DELIVERY)
    addresses = live_addresses(known_person(request, recipient), dispatch.channel)
    return msgspec.structs.replace(dispatch, addresses=addresses), ruling


def reach(recipient: Recipient, channel: Channel) -> Reach:
    """What there is to reach a person by on a channel."""
    if channel in recipient.invalid:
        return Reach.INVALID
    if not recipient.addresses(channel):
        return Reach.NONE
    return Reach.LIVE if live_addresses(recipient, channel) else Reach.SUPPRESSED


def live_addresses(recipient: Recipient, channel: Channel) -> tuple[str, ...]:
    """The addresses on a channel that are not suppressed."""
    return tuple(address for address in recipient.addresses(channel) if address not in recipient.suppressed)


def known_person(request: SendRequest, recipient: Recipient | None) -> Recipient:
    """Who the person is; who is not known is reached at the address of the event."""
    held = recipient or Recipient(recipient_id=request.recipient_id, known=False)
    if held.known:
        return held
    return msgspec.structs.replace(
        held, email=request.email, phone=request.phone, locale=request.locale, invalid=request.invalid
    )


def request_of(dispatch: Dispatch) -> SendRequest:
    """The request that a dispatch answers, with the addresses that it carries if its person is not known."""
    address = dict(zip((dispatch.channel,), dispatch.addresses, strict=False)) if not dispatch.known else {}
    return SendRequest(
        request_id=dispatch.request_id,
        message=dispatch.message,
        recipient_id=dispatch.recipient_id,
        requested_at=dispatch.requested_at,
        data=dispatch.data,
        attributes=dispatch.attributes,
        run_id=dispatch.run_id,
        not_after=dispatch.not_after,
        step=dispatch.step,
        stage=dispatch.stage,
        earlier=dispatch.earlier,
        email=dispatch.email or address.get(Channel.EMAIL, ""),
        phone=dispatch.phone or address.get(Channel.SMS, ""),
        locale=dispatch.locale,
        invalid=dispatch.invalid,
    )
