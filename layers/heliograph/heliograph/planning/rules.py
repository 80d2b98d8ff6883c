"""The rules: why a channel may not carry a message, each asked alone, in their order."""

from __future__ import annotations

from heliograph.model.people import ConsentState, Reach
from heliograph.model.policy import Enforcement
from heliograph.model.reasons import Reason
from heliograph.planning.cases import Case, cap_ends
from heliograph.planning.declaring import Rule, rule


@rule(
    asks="Can what is kept of the person be worked with?",
    when="it cannot be read, or the rules fail on it; nobody else is stopped by it",
    about="what is known",
    says="cannot be worked with",
    means="What is kept of this person, or of the request, cannot be worked with.",
)
def undecidable(case: Case) -> Reason | None:
    """Nothing is sent to somebody of whom what is kept cannot be read: an opt-out might be in it."""
    return None if case.inputs.readable else Reason.UNDECIDABLE


@rule(
    asks="Do we know this person?",
    when="nobody told us of them; only a transactional message may go to the address that its event brought",
    about="person",
    says="not known",
    means="This person is not known.",
)
def unknown_recipient(case: Case) -> Reason | None:
    """People who are not known get transactional messages only, at the address that the event carried."""
    if case.inputs.known:
        return None
    carried = any(reach in (Reach.LIVE, Reach.SUPPRESSED) for reach in case.inputs.reach.values())
    return None if carried and not case.terms.is_promotional else Reason.UNKNOWN_RECIPIENT


@rule(
    asks="Is a fallback still needed?",
    when="an earlier channel has done its work",
    then="no",
    about="confirmation",
    says="given by an earlier channel",
    means="An earlier channel has done its work, so that no further one is needed.",
)
def confirmed(case: Case) -> Reason | None:
    """Once an earlier channel has done its work, no further one is used."""
    return Reason.CONFIRMED if case.inputs.confirmed_by else None


@rule(
    asks="Has the earlier channel had its time?",
    when="it still has time to do its work",
    then="later: when its time is over",
    again=False,
    about="earlier channel",
    says="still has time",
    means="An earlier channel still has time to do its work.",
)
def awaiting_confirmation(case: Case) -> Reason | None:
    """A fallback waits as long as the earlier one has time."""
    until = case.inputs.awaited_until
    return Reason.AWAITING_CONFIRMATION if until and until > case.inputs.now else None


@rule(
    asks="Could the address be read?",
    when="an address was given for this channel, and it makes no sense",
    about="address as it was given",
    says="cannot be read",
    means="The address that was given cannot be read.",
)
def invalid_address(case: Case) -> Reason | None:
    """An address that could not be read when it was given is no address."""
    return Reason.INVALID_ADDRESS if _reach(case) is Reach.INVALID else None


@rule(
    asks="Is there an address?",
    when="there is none for this channel",
    about="address",
    says="none for {channel}",
    means="No address for any channel of the message.",
)
def no_address(case: Case) -> Reason | None:
    """A channel needs an address."""
    return Reason.NO_ADDRESS if _reach(case) is Reach.NONE else None


@rule(
    asks="Is the channel set up?",
    when="this deployment has no provider for it (push, until `PushProvider` is set)",
    about="channel",
    says="not set up",
    means="The channel is not set up.",
)
def channel_off(case: Case) -> Reason | None:
    """A channel carries nothing as long as nobody has set it up in this deployment."""
    return Reason.CHANNEL_OFF if _reach(case) is Reach.OFF else None


@rule(
    asks="Is the address alive?",
    when="it bounced for good, or the person complained; whatever the message",
    about="state of the address",
    says="it bounced, or its owner complained",
    means="The address bounced or complained before.",
)
def address_suppressed(case: Case) -> Reason | None:
    """An address that bounced or complained is never used again, whatever the message."""
    return Reason.ADDRESS_SUPPRESSED if _reach(case) is Reach.SUPPRESSED else None


@rule(
    asks="Did the person agree?",
    when="topic and purpose do not both allow it, as strictly as the policy says",
    about="consent",
    says="not given for {topic} by {channel}",
    means="No consent for this topic on this channel.",
)
def not_consented(case: Case) -> Reason | None:
    """Topic and purpose must both allow the message on this channel, as strictly as the policy enforces it."""
    terms, consents = case.terms.on(case.channel), case.inputs.consents
    if terms.enforcement is Enforcement.OFF:
        return None
    topic, purpose = consents.get(terms.topic), consents.get(terms.purpose)
    if ConsentState.OPTED_OUT in (topic, purpose):
        return Reason.NOT_CONSENTED
    if terms.enforcement is Enforcement.OPT_IN and topic is not ConsentState.OPTED_IN:
        return Reason.NOT_CONSENTED
    return None


@rule(
    asks="Is it still worth reading?",
    when="it would go at or after the time at which it is worthless",
    about="expiry",
    says="it would come too late",
    means="It would have come too late.",
)
def expired(case: Case) -> Reason | None:
    """A message is not sent after the time at which it is worthless, nor waits until then."""
    not_after = case.inputs.not_after
    if not_after is None:
        return None
    return Reason.EXPIRED if (case.wait.until or case.inputs.now) >= not_after else None


@rule(
    asks="May it wait for so long?",
    when="it would wait beyond its deadline",
    about="wait",
    says="longer than it may be",
    means="It would have had to wait longer than it may.",
)
def waited_too_long(case: Case) -> Reason | None:
    """A message waits for so long at most, as the message or the policy says."""
    until, reason = case.wait
    return Reason.WAITED_TOO_LONG if reason and (until is None or until > case.wait_ends) else None


@rule(
    asks="Has the person had enough?",
    when="a cap would be full when it goes",
    again=False,
    about="caps",
    says="full",
    means="The caps are full; this person has had as many messages as they may get.",
)
def capped(case: Case) -> Reason | None:
    """Nobody gets more messages than the caps allow, counted at the time at which this one would be sent."""
    return Reason.CAPPED if cap_ends(case) else None


@rule(
    asks="Does the person want to be left alone?",
    when="they asked for a pause that is not over; promotional messages only",
    then="later: when the pause is over",
    about="pause",
    says="wanted by the person",
    means="The person wants to be left alone for a while.",
)
def paused(case: Case) -> Reason | None:
    """Promotional messages wait while a person wants to be left alone."""
    return Reason.PAUSED if case.wait.reason is Reason.PAUSED else None


@rule(
    asks="Is this a good hour for them?",
    when="a rule on hours does not permit it",
    then="later: at the first permitted time",
    about="hours",
    says="not permitted now",
    means="It waits for an hour at which messages may be sent to this person.",
)
def quiet_hours(case: Case) -> Reason | None:
    """Messages wait for an hour that every rule on hours permits, in the person's own time."""
    return Reason.QUIET_HOURS if case.wait.reason is Reason.QUIET_HOURS else None


@rule(
    asks="Is it the time of day that they like?",
    when="that time comes soon enough; promotional messages only",
    then="later: at that time",
    again=False,
    about="preferred time",
    says="comes later",
    means="It waits for the time of day that the person prefers.",
)
def preferred_time(case: Case) -> Reason | None:
    """Promotional messages wait for the time of day that a person prefers, if it comes before the wait ends."""
    return Reason.PREFERRED_TIME if case.wait.reason is Reason.PREFERRED_TIME else None


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

LATER = frozenset(Reason(rule.name) for rule in RULES if rule.waits)
"""Reasons that let the message wait for this channel; all others let the next channel be tried."""

RULES_BEFORE_DELIVERY: tuple[Rule, ...] = tuple(rule for rule in RULES if rule.again)
"""Asked again just before delivery, on what is known then. The room under the caps has been reserved."""
