"""What holds of every decision: whatever the policy, the person, the message and the time."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.model.channels import Channel
from heliograph.model.decisions import Ruling, Verdict
from heliograph.model.people import ConsentState, Reach
from heliograph.model.policy import Enforcement, Purpose
from heliograph.model.reasons import Reason
from heliograph.planning.caps import own_reservation
from heliograph.planning.cases import Case as Requested
from heliograph.planning.cases import hours_on
from heliograph.planning.hours import permitted
from heliograph.planning.ruling import decide
from heliograph.planning.terms import enforcement_of, terms_of
from heliograph.text.zones import best_zone
from random_decisions import Case, a_case

AT_ONCE = 50
seeds = st.integers(0, 2**32)
at_random = settings(max_examples=100)


def decided(seed: int, *outcomes: Verdict) -> Iterator[tuple[Case, Ruling]]:
    """Cases that were decided so, none of which had been decided by an earlier try."""
    rng = Random(seed)
    for case in (a_case(rng) for _ in range(AT_ONCE)):
        ruling = decide(case.inputs, case.message, case.policy)
        if ruling.outcome in outcomes and not own_reservation(case.inputs):
            yield case, ruling


@at_random
@given(seeds)
def test_a_channel_that_is_waited_for_carries_the_message_when_its_time_has_come(seed: int) -> None:
    """It never waits twice for pauses, hours and preferred times: they are all seen to at once."""
    for (inputs, message, policy, _), ruling in decided(seed, Verdict.SCHEDULED):
        assert ruling.until
        assert ruling.until > inputs.now
        if ruling.reason is Reason.AWAITING_CONFIRMATION:
            continue
        assert ruling.channel
        alone = msgspec.structs.replace(message, channels=(ruling.channel,), fallback=())
        later = msgspec.structs.replace(inputs, now=ruling.until, fallbacks=0, before=())
        assert decide(later, alone, policy).outcome is Verdict.DISPATCHED


@at_random
@given(seeds)
def test_no_message_is_ever_sent_against_an_answer_an_hour_a_pause_or_a_dead_address(seed: int) -> None:
    for case, ruling in decided(seed, Verdict.DISPATCHED):
        assert ruling.channel
        assert not list(objections(case, ruling.channel))


def objections(case: Case, channel: Channel) -> Iterator[str]:
    """Why a channel may not carry a message now, found in another way than the rules do."""
    inputs, message, policy, _ = case
    promotional = message.purpose is Purpose.PROMOTIONAL
    said = {inputs.consents.get(f"{subject}/{channel}") for subject in (message.topic, message.purpose)}
    asked = Requested(inputs, terms_of(message, policy), channel, best_zone(inputs.zones, policy.default_timezone))
    if inputs.reach.get(channel) is not Reach.LIVE:
        yield "no live address"
    match enforcement_of(message.purpose, channel, policy):
        case Enforcement.OFF:
            pass
        case _ if ConsentState.OPTED_OUT in said:
            yield "opted out"
        case Enforcement.OPT_IN if inputs.consents.get(f"{message.topic}/{channel}") != ConsentState.OPTED_IN:
            yield "not opted in"
    if inputs.not_after and inputs.now >= inputs.not_after:
        yield "expired"
    if promotional and (paused := inputs.preferences.paused_until) and inputs.now < paused:
        yield "paused"
    if not permitted(hours_on(asked), inputs.country, inputs.now.astimezone(asked.zone.zone)):
        yield "hours"
    if inputs.confirmed_by or (inputs.awaited_until and inputs.awaited_until > inputs.now):
        yield "an earlier channel"
    if channel in inputs.before:
        yield "used before"


@at_random
@given(seeds)
def test_a_next_time_lies_ahead_and_is_told_of_what_waiting_would_help_only(seed: int) -> None:
    for case, ruling in decided(seed, Verdict.SKIPPED):
        if ruling.next_time:
            assert ruling.next_time > case.inputs.now
            assert {each.objection for each in ruling.tried} & {Reason.CAPPED, Reason.WAITED_TOO_LONG}
