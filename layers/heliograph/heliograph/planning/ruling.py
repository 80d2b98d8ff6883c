"""May this be sent to this person, on which channel, when? One pure decision, made by rules in their order."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

import msgspec

from heliograph.model.channels import Channel
from heliograph.model.decisions import Inputs, Ruling, Verdict
from heliograph.model.messages import Message
from heliograph.model.policy import Policy
from heliograph.model.reasons import Reason
from heliograph.model.traces import Trace, Tried
from heliograph.planning.caps import own_reservation
from heliograph.planning.cases import Case, cap_ends, wait_from
from heliograph.planning.declaring import Rule
from heliograph.planning.rules import LATER, PASSED, RULES
from heliograph.planning.terms import Terms, terms_of
from heliograph.text.zones import FoundZone, best_zone


class Candidate(NamedTuple):
    """A channel that may be tried, the fallback that it belongs to (0: none), and whose order put it first."""

    channel: Channel
    fallback: int
    order: str


def decide(inputs: Inputs, message: Message, policy: Policy, *, rules: tuple[Rule, ...] = RULES) -> Ruling:
    """What is to become of a message.

    Who has room reserved for it was given to a channel by an earlier try. That is followed, whatever has changed since:
    deliver asks again before it sends, and two tries never disagree.
    """
    terms = terms_of(message, policy)
    ruling, reserved = _ask_or_pass_over(inputs, terms, rules), own_reservation(inputs)
    if reserved is None or (ruling.outcome, ruling.channel) == (Verdict.DISPATCHED, reserved.channel):
        return ruling
    known = candidates(inputs, terms) if ruling.reason is not Reason.UNDECIDABLE else ()
    begun = (each.fallback for each in known if each.channel == reserved.channel)
    return Ruling(
        outcome=Verdict.DISPATCHED,
        channel=reserved.channel,
        tried=(Tried(reserved.channel),),
        zone=ruling.zone,
        fallback=next(begun, inputs.fallbacks),
    )


def _ask_or_pass_over(inputs: Inputs, terms: Terms, rules: tuple[Rule, ...]) -> Ruling:
    """What the rules say; on what they cannot work with, that it is undecidable.

    A decision is pure: it would fail again, and take everybody in its pack along into the dead letters.
    """
    try:
        return _ask(inputs, terms, rules)
    except Exception:  # noqa: BLE001 - one person's facts stop nobody else, whatever is wrong with them
        return Ruling(outcome=Verdict.SKIPPED, reason=Reason.UNDECIDABLE)


def _ask(inputs: Inputs, terms: Terms, rules: tuple[Rule, ...]) -> Ruling:
    """Give the message to the first channel that may carry it; else let it wait for one, else say why not.

    A channel that merely has to wait is waited for. A "no" names the channel that came closest to carrying it.
    """
    zone = best_zone(inputs.zones, terms.policy.default_timezone)
    skipped: list[tuple[Case, Reason]] = []
    for channel, fallback, order in candidates(inputs, terms):
        case = Case(inputs, terms, channel, zone)
        reason = next((reason for rule in rules if (reason := rule.objection(case))), None)
        ruling = Ruling(
            outcome=Verdict.DISPATCHED,
            channel=channel,
            tried=(*trace(skipped), Tried(channel, reason or "")),
            order=order,
            zone=zone.named,
            fallback=fallback,
        )
        if reason is None:
            return ruling
        if reason in LATER:
            until = case.inputs.awaited_until if reason is Reason.AWAITING_CONFIRMATION else case.wait.until
            return msgspec.structs.replace(
                ruling, outcome=Verdict.SCHEDULED, reason=reason, until=until, next_time=until
            )
        skipped.append((case, reason))
    return _no(skipped, zone)


def candidates(inputs: Inputs, terms: Terms) -> Iterator[Candidate]:
    """The channels in the order in which they are tried; a fallback's come when none before them may carry it."""
    tried = set(inputs.before)
    for fallback in range(inputs.fallbacks, len(terms.steps)):
        left = [channel for channel in terms.steps[fallback] if channel not in tried]
        tried |= set(left)
        for channel, order in in_order(left, inputs, terms):
            yield Candidate(channel, fallback, order)


def in_order(channels: list[Channel], inputs: Inputs, terms: Terms) -> Iterator[tuple[Channel, str]]:
    """Channels as the person prefers them, then, if so wished, by where they reacted last, then as the message says."""
    preferred = [channel for channel in inputs.preferences.channels if channel in channels]
    reacted = [channel for channel in channels if terms.by_engagement and channel in inputs.engaged]
    reacted.sort(key=lambda channel: inputs.engaged[channel], reverse=True)
    named = dict.fromkeys(channels, "message") | dict.fromkeys(reacted, "engagement")
    named |= dict.fromkeys(preferred, "preference")
    for channel in dict.fromkeys([*preferred, *reacted, *channels]):
        yield channel, named[channel]


def trace(skipped: list[tuple[Case, Reason]]) -> Trace:
    """What was tried so far."""
    return tuple(Tried(case.channel, reason) for case, reason in skipped)


def spelled_out(trace: Trace) -> list[dict[str, str]]:
    """A trace with every rule's result: `[{"channel", "rule", "result"}]`, result `passed` or the reason."""
    rows = []
    for channel, objection in trace:
        for rule in RULES:
            objects = rule.name == objection
            rows.append({"channel": channel, "rule": rule.name, "result": objection if objects else PASSED})
            if objects:
                break
    return rows


def _no(skipped: list[tuple[Case, Reason]], zone: FoundZone) -> Ruling:
    if not skipped:
        return Ruling(outcome=Verdict.SKIPPED, reason=Reason.NO_ADDRESS, zone=zone.named)
    order = list(Reason)
    closest, reason = max(skipped, key=lambda skip: order.index(skip[1]))
    times = filter(None, (_next_time(case, why) for case, why in skipped))
    return Ruling(
        outcome=Verdict.SKIPPED,
        channel=closest.channel,
        reason=reason,
        next_time=min(times, default=None),
        tried=trace(skipped),
        zone=zone.named,
    )


def _next_time(case: Case, reason: Reason) -> datetime | None:
    """When a message like this could be sent; None when that depends on more than time."""
    if reason not in (Reason.WAITED_TOO_LONG, Reason.CAPPED):
        return None
    free = cap_ends(case)
    return wait_from(case, free).until if free else case.wait.until
