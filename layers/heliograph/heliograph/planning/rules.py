"""The rules: why a channel may not carry a message, each asked alone, in their order."""

from __future__ import annotations

from collections.abc import Callable

from heliograph.model.channels import Channel
from heliograph.model.people import ConsentState, Reach, consent_key
from heliograph.model.policy import Enforcement, Policy, Purpose
from heliograph.model.reasons import Reason
from heliograph.planning.cases import Case, cap_ends

DEFAULT_ENFORCEMENT = {
    Purpose.PROMOTIONAL: Enforcement.OPT_IN,
    Purpose.TRANSACTIONAL: Enforcement.OPT_OUT,
}

Rule = Callable[[Case], Reason | None]
"""Why a channel may not carry the message; None when this rule has nothing against it."""


def undecidable(case: Case) -> Reason | None:
    """Nothing is sent to somebody of whom what is kept cannot be read: an opt-out might be in it."""
    return None if case.inputs.readable else Reason.UNDECIDABLE


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


def channel_off(case: Case) -> Reason | None:
    """A channel carries nothing as long as nobody has set it up in this deployment."""
    return Reason.CHANNEL_OFF if _reach(case) is Reach.OFF else None


def address_suppressed(case: Case) -> Reason | None:
    """An address that bounced or complained is never used again, whatever the message."""
    return Reason.ADDRESS_SUPPRESSED if _reach(case) is Reach.SUPPRESSED else None


def not_consented(case: Case) -> Reason | None:
    """Topic and purpose must both allow the message on this channel, as strictly as the policy enforces it."""
    enforcement = enforcement_of(case.message.purpose, case.channel, case.policy)
    if enforcement is Enforcement.OFF:
        return None
    consents = case.inputs.consents
    topic = consents.get(consent_key(case.message.topic, case.channel))
    purpose = consents.get(consent_key(case.message.purpose, case.channel))
    if ConsentState.OPTED_OUT in (topic, purpose):
        return Reason.NOT_CONSENTED
    if enforcement is Enforcement.OPT_IN and topic is not ConsentState.OPTED_IN:
        return Reason.NOT_CONSENTED
    return None


def expired(case: Case) -> Reason | None:
    """A message is not sent after the time at which it is worthless, nor held until then."""
    not_after = case.inputs.not_after
    if not_after is None:
        return None
    return Reason.EXPIRED if (case.wait.until or case.inputs.now) >= not_after else None


def waited_too_long(case: Case) -> Reason | None:
    """A message is held for so long at most, as the message or the policy says."""
    until, reason = case.wait
    return Reason.WAITED_TOO_LONG if reason and (until is None or until > case.wait_ends) else None


def capped(case: Case) -> Reason | None:
    """Nobody gets more messages than the caps allow, counted at the time at which this one would be sent."""
    return Reason.CAPPED if cap_ends(case) else None


def paused(case: Case) -> Reason | None:
    """Promotional messages wait while a person wants to be left alone."""
    return Reason.PAUSED if case.wait.reason is Reason.PAUSED else None


def quiet_hours(case: Case) -> Reason | None:
    """Messages wait for an hour that every rule on hours permits, in the person's own time."""
    return Reason.QUIET_HOURS if case.wait.reason is Reason.QUIET_HOURS else None


def preferred_time(case: Case) -> Reason | None:
    """Promotional messages wait for the time of day that a person prefers, if it comes before the hold ends."""
    return Reason.PREFERRED_TIME if case.wait.reason is Reason.PREFERRED_TIME else None


def enforcement_of(purpose: Purpose, channel: Channel, policy: Policy) -> Enforcement:
    """How strictly consents are enforced."""
    return policy.enforcement.get(purpose, {}).get(channel, DEFAULT_ENFORCEMENT[purpose])


def _reach(case: Case) -> Reach:
    return case.inputs.reach.get(case.channel, Reach.NONE)


PASSED = "passed"

RULES: tuple[Rule, ...] = (
    undecidable,
    unknown_recipient,
    confirmed,
    awaiting_confirmation,
    invalid_address,
    no_address,
    channel_off,
    address_suppressed,
    not_consented,
    expired,
    waited_too_long,
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
