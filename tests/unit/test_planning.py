"""The rules, and the decision that they make."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from builders import NOW, a_dispatch, a_message, a_recipient, a_request
from heliograph.domain.model import (
    Channel,
    Deferral,
    Dispatch,
    Message,
    Policy,
    Preferences,
    Purpose,
    QuietHours,
    Reason,
    Recipient,
    SendRequest,
    Suppression,
)
from heliograph.domain.planning import plan, recheck, spelled_out

POLICY = Policy(quiet_hours={Channel.SMS: QuietHours(start="21:00", end="08:00")})
PROMOTION = {"purpose": Purpose.PROMOTIONAL, "topic": "news"}
NIGHT = NOW.replace(hour=23)


def decide(
    *,
    request: SendRequest | None = None,
    message: Message | None = None,
    recipient: Recipient | None = None,
    now: datetime = NOW,
) -> Any:
    return plan(request or a_request(), message or a_message(), recipient, policy=POLICY, now=now)


def test_the_first_channel_of_the_message_that_may_carry_it_gets_it() -> None:
    decision = decide(recipient=a_recipient())
    assert isinstance(decision, Dispatch)
    assert (decision.channel, decision.addresses) == (Channel.EMAIL, ("amara@example.com",))


def test_the_channel_that_the_person_prefers_is_asked_first() -> None:
    decision = decide(recipient=a_recipient(preferences=Preferences(channels=(Channel.PUSH, Channel.SMS))))
    assert decision.channel is Channel.PUSH


def test_the_next_channel_is_tried_when_one_is_suppressed() -> None:
    decision = decide(recipient=a_recipient(suppressed={Channel.EMAIL}))
    assert isinstance(decision, Dispatch)
    assert (decision.channel, decision.tried) == (Channel.SMS, "email:address_suppressed sms:passed")


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (None, Reason.UNKNOWN_RECIPIENT),
        (a_recipient(email="", phone="", devices=()), Reason.NO_ADDRESS),
        (a_recipient(email="", phone="", devices=(), invalid=(Channel.EMAIL,)), Reason.NO_ADDRESS),
        (a_recipient(suppressed=tuple(Channel)), Reason.ADDRESS_SUPPRESSED),
        (a_recipient(suppressed={Channel.EMAIL}, phone="", devices=()), Reason.ADDRESS_SUPPRESSED),
    ],
)
def test_a_no_has_the_reason_of_the_channel_that_came_closest(person: Recipient | None, reason: Reason) -> None:
    decision = decide(recipient=person)
    assert isinstance(decision, Suppression)
    assert decision.reason is reason


def test_an_address_that_could_not_be_read_is_no_address() -> None:
    decision = decide(message=a_message(channels=(Channel.EMAIL,)), recipient=a_recipient(email="", invalid=("email",)))
    assert decision.reason is Reason.INVALID_ADDRESS


@pytest.mark.parametrize(
    ("opted_in", "opted_out", "purpose", "sent"),
    [
        ((), (), Purpose.TRANSACTIONAL, True),
        ((), (), Purpose.PROMOTIONAL, False),
        (("news/email",), (), Purpose.PROMOTIONAL, True),
        ((), ("news/email",), Purpose.PROMOTIONAL, False),
        ((), ("news/email",), Purpose.TRANSACTIONAL, True),
        (("other/email",), (), Purpose.PROMOTIONAL, False),
        (("news/sms",), (), Purpose.PROMOTIONAL, False),
    ],
)
def test_promotional_messages_need_consent_for_their_topic_on_the_channel(
    opted_in: tuple[str, ...], opted_out: tuple[str, ...], purpose: Purpose, *, sent: bool
) -> None:
    message = a_message(purpose=purpose, topic="news", channels=(Channel.EMAIL,))
    decision = decide(message=message, recipient=a_recipient(opted_in=opted_in, opted_out=opted_out))
    assert isinstance(decision, Dispatch) is sent


def test_promotion_in_the_quiet_hours_is_held_and_not_dropped() -> None:
    message = a_message(**PROMOTION, channels=(Channel.SMS, Channel.EMAIL))
    decision = decide(message=message, recipient=a_recipient(opted_in=("news/sms", "news/email")), now=NIGHT)
    assert isinstance(decision, Deferral)
    assert decision.until == NIGHT.replace(hour=8) + timedelta(days=1)


def test_transactional_messages_have_no_quiet_hours() -> None:
    decision = decide(message=a_message(channels=(Channel.SMS,)), recipient=a_recipient(), now=NIGHT)
    assert isinstance(decision, Dispatch)


def test_a_message_that_would_expire_while_it_is_held_takes_the_next_channel() -> None:
    message = a_message(**PROMOTION, channels=(Channel.SMS, Channel.EMAIL))
    request = a_request(not_after=NIGHT + timedelta(hours=1))
    consents = ("news/sms", "news/email")
    decision = decide(request=request, message=message, recipient=a_recipient(opted_in=consents), now=NIGHT)
    assert decision.channel is Channel.EMAIL


def test_an_expired_message_is_not_sent() -> None:
    decision = decide(request=a_request(not_after=NOW), recipient=a_recipient())
    assert decision.reason is Reason.EXPIRED


def test_a_wrong_time_zone_never_drops_a_person() -> None:
    message = a_message(**PROMOTION, channels=(Channel.SMS,))
    person = a_recipient(opted_in=("news/sms",), timezone="Mars/Olympus")
    assert isinstance(decide(message=message, recipient=person), Dispatch)


@pytest.mark.parametrize(("purpose", "sent"), [(Purpose.TRANSACTIONAL, True), (Purpose.PROMOTIONAL, False)])
def test_people_who_are_not_known_get_transactional_messages_only(purpose: Purpose, *, sent: bool) -> None:
    decision = decide(request=a_request(email="guest@example.com"), message=a_message(purpose=purpose))
    assert isinstance(decision, Dispatch) is sent


def test_somebody_of_whom_only_a_suppression_is_held_is_not_known_and_not_written_to() -> None:
    held = a_recipient(suppressed={Channel.EMAIL}).suppressed
    ghost = Recipient(recipient_id="amara", suppressed=held, known=False)
    decision = decide(request=a_request(email="amara@example.com"), recipient=ghost)
    assert decision.reason is Reason.ADDRESS_SUPPRESSED


def test_a_message_that_is_not_in_the_catalogue_is_a_no() -> None:
    decision = plan(a_request(), None, a_recipient(), policy=POLICY, now=NOW)
    assert isinstance(decision, Suppression)
    assert decision.reason is Reason.UNKNOWN_MESSAGE


def test_the_trace_spells_out_every_rule_up_to_the_one_that_objected() -> None:
    rows = spelled_out("email:no_address sms:passed")
    assert [row["result"] for row in rows if row["channel"] == "email"] == ["passed", "passed", "no_address"]
    assert {row["result"] for row in rows if row["channel"] == "sms"} == {"passed"}
    assert [row["rule"] for row in rows][-1] == "quiet_hours"


def test_just_before_delivery_the_address_of_now_is_used() -> None:
    current, reason = recheck(a_dispatch(), a_message(), a_recipient(email="new@example.com"), policy=POLICY, now=NOW)
    assert (current.addresses, reason) == (("new@example.com",), None)


@pytest.mark.parametrize(
    ("person", "reason"),
    [
        (a_recipient(opted_out=("news/email",)), Reason.NOT_CONSENTED),
        (a_recipient(opted_in=("news/email",), suppressed={Channel.EMAIL}), Reason.ADDRESS_SUPPRESSED),
        (a_recipient(opted_in=("news/email",), email=""), Reason.NO_ADDRESS),
        (None, Reason.UNKNOWN_RECIPIENT),
        (a_recipient(opted_in=("news/email",)), None),
    ],
)
def test_just_before_delivery_consent_and_suppression_are_asked_again(
    person: Recipient | None, reason: Reason | None
) -> None:
    assert recheck(a_dispatch(), a_message(**PROMOTION), person, policy=POLICY, now=NOW)[1] is reason
