"""Rules on who may be written to, one table each: what we know of the person, what is sent, what becomes of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from builders import (
    CHANNELS,
    EMAIL,
    NOW,
    PUSH,
    SMS,
    a_fallback,
    a_message,
    a_promotion,
    a_recipient,
    a_request,
    a_subscriber,
    in_words,
    rule_on,
)
from heliograph.model.channels import Channel
from heliograph.model.engagement import EngagementKind
from heliograph.model.messages import Message
from heliograph.model.people import ConsentState, Recipient
from heliograph.model.policy import Enforcement, Policy, Purpose
from heliograph.model.requests import SendRequest
from heliograph.model.traces import Achieved, Confirmation
from heliograph.planning.terms import enforcement_of
from tables import table

NEWS = a_promotion(EMAIL, SMS)
TEXT, TEXTED_NEWS = a_message(channels=(SMS,)), a_promotion(SMS)
RECEIPT = a_message(channels=(EMAIL, SMS))
GUEST = a_request(email="guest@example.com")
GHOST = a_recipient(known=False, email="", phone="", devices=(), suppressed=())


@table(
    "person, request_, message, expected",
    {
        "a known person": (a_subscriber(), a_request(), NEWS, "email"),
        "nobody of that id": (None, a_request(), RECEIPT, "no: email unknown_recipient"),
        "a guest whose order brought an address": (None, GUEST, RECEIPT, "email"),
        "a guest gets no promotion": (None, GUEST, NEWS, "no: email unknown_recipient"),
        "a guest without that channel": (None, GUEST, a_message(channels=(SMS,)), "no: sms unknown_recipient"),
        "a guest whose address cannot be read": (
            None,
            a_request(invalid=("email",)),
            RECEIPT,
            "no: email unknown_recipient",
        ),
        "somebody of whom only a suppression is known": (GHOST, a_request(), RECEIPT, "no: email unknown_recipient"),
        "the same one as a guest": (GHOST, GUEST, RECEIPT, "email"),
    },
)
def test_unknown_recipient_people_who_are_not_known_get_transactional_messages_to_the_address_of_the_event(
    person: Recipient | None, request_: SendRequest, message: Message, expected: str
) -> None:
    assert in_words(rule_on(person, message, request=request_)) == expected


WITH_FALLBACK = a_message(channels=(PUSH,), fallback=(a_fallback(SMS, EMAIL),))
SECOND = a_request(fallbacks=1)


@table(
    "before, request_, expected",
    {
        "nothing was sent before": (Achieved(), a_request(), "push"),
        "the push was opened": (Achieved(Confirmation(PUSH, EngagementKind.OPENED)), SECOND, "no: sms confirmed"),
        "the push has time left": (
            Achieved(None, NOW + timedelta(hours=2)),
            SECOND,
            "later: sms awaiting_confirmation Sat 12:00",
        ),
        "the push has a millisecond left": (
            Achieved(None, NOW + timedelta(milliseconds=1)),
            SECOND,
            "later: sms awaiting_confirmation Sat 10:00",
        ),
        "its time is over": (Achieved(None, NOW), SECOND, "sms"),
        "nobody reacted": (Achieved(), SECOND, "sms"),
    },
)
def test_confirmed_and_awaiting_confirmation_a_fallback_comes_when_the_earlier_one_has_had_its_time(
    before: Achieved, request_: SendRequest, expected: str
) -> None:
    assert in_words(rule_on(a_recipient(), WITH_FALLBACK, request=request_, achieved=before)) == expected


@table(
    "person, message, expected",
    {
        "an address on every channel": (a_recipient(), RECEIPT, "email"),
        "a mail address that cannot be read": (a_recipient(email="", invalid=("email",)), RECEIPT, "sms"),
        "nothing but that": (
            a_recipient(email="", phone="", invalid=("email",)),
            a_message(channels=(EMAIL,)),
            "no: email invalid_address",
        ),
        "no mail address": (a_recipient(email=""), RECEIPT, "sms"),
        "no address at all": (a_recipient(email="", phone="", devices=()), a_message(), "no: email no_address"),
        "no address at all, for promotions": (
            a_subscriber(email="", phone="", devices=()),
            a_promotion(),
            "no: email no_address",
        ),
        "no device": (a_recipient(devices=()), a_message(channels=(PUSH,)), "no: push no_address"),
        "a mail bounced": (a_recipient(suppressed={EMAIL}), RECEIPT, "sms"),
        "every address is dead": (a_recipient(suppressed=CHANNELS), a_message(), "no: email address_suppressed"),
        "one of two devices is gone": (
            a_recipient(devices=("gcm:1", "gcm:2"), suppressed=()),
            a_message(channels=(PUSH,)),
            "push",
        ),
        "who complained gets no receipts either": (
            a_recipient(suppressed={EMAIL}, phone=""),
            RECEIPT,
            "no: email address_suppressed",
        ),
    },
)
def test_invalid_address_no_address_and_address_suppressed_a_channel_needs_an_address_that_is_alive(
    person: Recipient, message: Message, expected: str
) -> None:
    assert in_words(rule_on(person, message)) == expected


R, N, D = Enforcement.OPT_IN, Enforcement.OPT_OUT, Enforcement.OFF
ANSWERS = {"says nothing": None} | {state.replace("_", " "): state for state in ConsentState}
IN, OUT = "opted in", "opted out"
UNSET = ("says nothing", "not set", "pending")
ALLOWED = {
    (R, topic, purpose) for topic in (IN,) for purpose in (IN, *UNSET)
} | {
    (N, topic, purpose) for topic in (IN, *UNSET) for purpose in (IN, *UNSET)
} | {
    (D, topic, purpose) for topic in ANSWERS for purpose in ANSWERS
}  # fmt: skip
"""Enforcement, answer to the topic, answer to the purpose: only these may be written to."""


@pytest.mark.parametrize("of_purpose", ANSWERS, ids=lambda answer: f"purpose {answer}")
@pytest.mark.parametrize("of_topic", ANSWERS, ids=lambda answer: f"topic {answer}")
@pytest.mark.parametrize("enforcement", Enforcement)
@pytest.mark.parametrize("purpose", Purpose)
@pytest.mark.parametrize("channel", CHANNELS)
def test_not_consented_topic_and_purpose_must_both_allow_it_as_strictly_as_the_policy_says(
    channel: Channel, purpose: Purpose, enforcement: Enforcement, of_topic: str, of_purpose: str
) -> None:
    policy = Policy(enforcement={purpose: {channel: enforcement}})
    message = a_message(topic="news", purpose=purpose, channels=(channel,))
    said = {f"news/{channel}": ANSWERS[of_topic], f"{purpose}/{channel}": ANSWERS[of_purpose]}
    sent = rule_on(who_says(**said), message, policy).reason is None
    assert sent is ((enforcement, of_topic, of_purpose) in ALLOWED)


def who_says(**said: ConsentState | None) -> Recipient:
    """A person with these answers."""
    answers: dict[ConsentState, list[str]] = {state: [] for state in ConsentState}
    for key, state in said.items():
        if state:
            answers[state].append(key)
    return a_recipient(
        opted_in=answers[ConsentState.OPTED_IN],
        opted_out=answers[ConsentState.OPTED_OUT],
        pending=answers[ConsentState.PENDING],
        not_set=answers[ConsentState.NOT_SET],
    )


STOP = "promotional/sms"
NO_TEXTS_AT_ALL = "transactional/sms"
UNSTOPPABLE = Policy(enforcement={Purpose.TRANSACTIONAL: {SMS: D}})


@table(
    "person, policy, message, expected",
    {
        "nothing said, a receipt": (a_recipient(), Policy(), TEXT, "sms"),
        "nothing said, news": (a_recipient(), Policy(), TEXTED_NEWS, "no: sms not_consented"),
        "news by text, please": (a_recipient(opted_in={"news/sms"}), Policy(), TEXTED_NEWS, "sms"),
        "news by email says nothing about texts": (
            a_recipient(opted_in={"news/email"}),
            Policy(),
            TEXTED_NEWS,
            "no: sms not_consented",
        ),
        "another topic says nothing about news": (
            a_recipient(opted_in={"offers/sms"}),
            Policy(),
            TEXTED_NEWS,
            "no: sms not_consented",
        ),
        "promotions in general are no opt-in to news": (
            a_recipient(opted_in={STOP}),
            Policy(),
            TEXTED_NEWS,
            "no: sms not_consented",
        ),
        "not confirmed yet": (a_recipient(pending={"news/sms"}), Policy(), TEXTED_NEWS, "no: sms not_consented"),
        "STOP ends promotions by text": (
            a_recipient(opted_in={"news/sms"}, opted_out={STOP}),
            Policy(),
            TEXTED_NEWS,
            "no: sms not_consented",
        ),
        "STOP ends no receipts": (a_recipient(opted_out={STOP}), Policy(), TEXT, "sms"),
        "STOP ends no email": (
            a_recipient(opted_in={"news/email"}, opted_out={STOP}),
            Policy(),
            a_promotion(SMS, EMAIL),
            "email",
        ),
        "no texts at all, please": (a_recipient(opted_out={NO_TEXTS_AT_ALL}), Policy(), TEXT, "no: sms not_consented"),
        "no texts at all, but the policy enforces nothing": (
            a_recipient(opted_out={NO_TEXTS_AT_ALL}),
            UNSTOPPABLE,
            TEXT,
            "sms",
        ),
        "no texts about orders": (a_recipient(opted_out={"orders/sms"}), Policy(), RECEIPT, "email"),
    },
)
def test_not_consented_stop_silences_promotions_and_nothing_else_unless_the_person_says_so(
    person: Recipient, policy: Policy, message: Message, expected: str
) -> None:
    assert in_words(rule_on(person, message, policy)) == expected


def test_without_a_word_in_the_policy_promotions_need_an_opt_in_and_other_messages_do_not() -> None:
    found = {purpose: {enforcement_of(purpose, channel, Policy()) for channel in CHANNELS} for purpose in Purpose}
    assert found == {Purpose.PROMOTIONAL: {R}, Purpose.TRANSACTIONAL: {N}}


def test_a_no_names_the_channel_and_the_rule_that_came_closest_to_a_yes() -> None:
    person = a_recipient(email="", opted_in={"news/push"}, suppressed={PUSH})
    assert in_words(rule_on(person, a_promotion(PUSH, EMAIL, SMS))) == "no: sms not_consented"
