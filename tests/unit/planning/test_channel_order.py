"""The order in which channels are tried: what the person prefers, where they reacted last, what the message says."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from builders import (
    CHANNELS,
    EMAIL,
    NOW,
    PACK_ID,
    PUSH,
    SMS,
    a_fallback,
    a_message,
    a_promotion,
    a_recipient,
    a_request,
    a_subscriber,
    a_trace,
    in_words,
    inputs_for,
    rule_on,
)
from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementKind
from heliograph.model.messages import Message
from heliograph.model.people import Preferences, Recipient
from heliograph.model.policy import Policy
from heliograph.model.requests import EarlierDispatch, SendRequest
from heliograph.planning.ruling import candidates
from heliograph.planning.terms import terms_of
from tables import table

LATELY, LONG_AGO = NOW - timedelta(hours=1), NOW - timedelta(days=99)
BY_ENGAGEMENT = Policy(by_engagement=True)
LIKES_TEXTS = Preferences(channels=(SMS,))


@table(
    "person, message, policy, channel, because",
    {
        "nobody says anything: the message": (
            a_recipient(),
            a_message(channels=(PUSH, SMS, EMAIL)),
            Policy(),
            PUSH,
            "message",
        ),
        "the person prefers texts": (a_recipient(preferences=LIKES_TEXTS), a_message(), Policy(), SMS, "preference"),
        "the person prefers what the message does not have": (
            a_recipient(preferences=LIKES_TEXTS),
            a_message(channels=(PUSH, EMAIL)),
            Policy(),
            PUSH,
            "message",
        ),
        "the person prefers a channel without an address": (
            a_recipient(phone="", preferences=LIKES_TEXTS),
            a_message(),
            Policy(),
            EMAIL,
            "message",
        ),
        "a reaction, but it is not switched on": (
            a_recipient(engaged={PUSH: LATELY}),
            a_message(),
            Policy(),
            EMAIL,
            "message",
        ),
        "a reaction, switched on by the policy": (
            a_recipient(engaged={PUSH: LATELY}),
            a_message(),
            BY_ENGAGEMENT,
            PUSH,
            "engagement",
        ),
        "a reaction, switched on by the message": (
            a_recipient(engaged={PUSH: LATELY}),
            a_message(by_engagement=True),
            Policy(),
            PUSH,
            "engagement",
        ),
        "a reaction, switched off by the message": (
            a_recipient(engaged={PUSH: LATELY}),
            a_message(by_engagement=False),
            BY_ENGAGEMENT,
            EMAIL,
            "message",
        ),
        "the latest reaction comes first": (
            a_recipient(engaged={PUSH: LONG_AGO, SMS: LATELY}),
            a_message(),
            BY_ENGAGEMENT,
            SMS,
            "engagement",
        ),
        "what the person says counts more": (
            a_recipient(engaged={PUSH: LATELY}, preferences=LIKES_TEXTS),
            a_message(),
            BY_ENGAGEMENT,
            SMS,
            "preference",
        ),
        "no reaction at all": (a_recipient(), a_message(), BY_ENGAGEMENT, EMAIL, "message"),
    },
)
def test_the_channel_comes_first_that_the_person_prefers_then_where_they_reacted_last_then_that_of_the_message(
    person: Recipient, message: Message, policy: Policy, channel: Channel, because: str
) -> None:
    ruling = rule_on(person, message, policy)
    assert (ruling.channel, ruling.order) == (channel, because)


def test_every_channel_that_was_skipped_is_told_with_its_reason() -> None:
    person = a_recipient(email="", suppressed={SMS}, opted_in={"news/push"})
    assert rule_on(person, a_promotion()).tried == a_trace("email:no_address sms:address_suppressed push:passed")


def test_a_channel_that_nobody_has_set_up_is_passed_over() -> None:
    message = a_message(channels=(PUSH, EMAIL))
    assert rule_on(a_recipient(), message, off={PUSH}).tried == a_trace("push:channel_off email:passed")


def test_who_could_be_reached_by_a_channel_alone_that_nobody_has_set_up_is_told_so() -> None:
    ruling = rule_on(a_recipient(), a_message(channels=(PUSH,)), off={PUSH})
    assert (ruling.outcome, ruling.reason) == ("skipped", "channel_off")


PUSH_THEN = a_message(channels=(PUSH,), fallback=(a_fallback(SMS), a_fallback(EMAIL, unless=EngagementKind.DELIVERED)))
PUSHED = EarlierDispatch(outcome_key=f"{PACK_ID}-0", channel=PUSH, unless=EngagementKind.OPENED, within=7200, at=NOW)
TEXTED = EarlierDispatch(outcome_key=f"{PACK_ID}-1", channel=SMS, unless=EngagementKind.DELIVERED, within=600, at=NOW)
FIRST, SECOND, THIRD = (
    a_request(),
    a_request(fallbacks=1, earlier=(PUSHED,)),
    a_request(fallbacks=2, earlier=(PUSHED, TEXTED)),
)


@table(
    "person, request_, expected, stage",
    {
        "the first channel": (a_recipient(), FIRST, "push", 0),
        "no device: the fallback at once": (a_recipient(devices=()), FIRST, "sms", 1),
        "no device, no phone: the last one": (a_recipient(devices=(), phone=""), FIRST, "email", 2),
        "nobody opened the push": (a_recipient(), SECOND, "sms", 1),
        "nobody opened the push, and there is no phone": (a_recipient(phone=""), SECOND, "email", 2),
        "nothing was of any use so far": (a_recipient(), THIRD, "email", 2),
        "and there is no mail address": (a_recipient(email=""), THIRD, "no: email no_address", 0),
        "no address at all": (a_recipient(email="", phone="", devices=()), FIRST, "no: push no_address", 0),
    },
)
def test_the_channels_of_a_fallback_come_when_none_before_them_may_carry_the_message(
    person: Recipient, request_: SendRequest, expected: str, stage: int
) -> None:
    ruling = rule_on(person, PUSH_THEN, request=request_)
    assert (in_words(ruling), ruling.fallback) == (expected, stage)


def test_a_fallback_asks_the_person_for_their_preference_among_its_own_channels_only() -> None:
    message = a_message(channels=(PUSH,), fallback=(a_fallback(EMAIL, SMS),))
    person = a_recipient(preferences=LIKES_TEXTS)
    assert in_words(rule_on(person, message)) == "push"
    assert in_words(rule_on(person, message, request=SECOND)) == "sms"


def test_each_step_of_a_fallback_needs_consent_of_its_own() -> None:
    message = a_promotion(PUSH, fallback=(a_fallback(SMS), a_fallback(EMAIL)))
    person = a_subscriber(opted_in=["news/push", "news/email"])
    ruling = rule_on(person, message, request=SECOND)
    assert (ruling.channel, ruling.tried) == (EMAIL, a_trace("sms:not_consented email:passed"))


channels = st.lists(st.sampled_from(CHANNELS), max_size=3, unique=True).map(tuple)


@given(channels, st.lists(channels, max_size=3), channels, st.dictionaries(st.sampled_from(CHANNELS), st.just(NOW)))
def test_every_channel_is_tried_once_at_most_and_none_that_was_used_before(
    first: tuple[Channel, ...],
    later: list[tuple[Channel, ...]],
    preferred: tuple[Channel, ...],
    engaged: dict[Channel, object],
) -> None:
    message = a_message(channels=first, fallback=tuple(a_fallback(*some) for some in later), by_engagement=True)
    person = a_recipient(preferences=Preferences(channels=preferred), engaged=engaged)
    inputs = inputs_for(person, message, request=a_request(earlier=(PUSHED,)))
    tried = [each.channel for each in candidates(inputs, terms_of(message, Policy()))]
    assert len(tried) == len(set(tried))
    assert set(tried) == set(message.every_channel()) - {PUSH}
