"""The decision: what follows from the rules' answer, how it is told, and what is asked again before delivery."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from builders import (
    EMAIL,
    NOW,
    PUSH,
    SMS,
    a_cap,
    a_dispatch,
    a_fallback,
    a_message,
    a_promotion,
    a_recipient,
    a_request,
    a_subscriber,
    a_trace,
    hours,
    in_words,
    plan,
    rule_on,
)
from heliograph.model.decisions import Scheduled, Skipped
from heliograph.model.dispatches import Dispatch
from heliograph.model.engagement import EngagementKind
from heliograph.model.messages import Message
from heliograph.model.people import Preferences, Recipient
from heliograph.model.policy import Policy
from heliograph.model.reasons import Reason
from heliograph.model.traces import Confirmation
from heliograph.planning.decisions import recheck
from heliograph.planning.rules import RULES
from heliograph.planning.ruling import spelled_out
from tables import table

BY_DAY = Policy(hours=(hours(quiet=("21:00-08:00",)),))
NIGHT = NOW.replace(hour=23)
NEWS = a_promotion(EMAIL)


def test_a_yes_is_a_dispatch_to_the_live_addresses_on_the_channel() -> None:
    gone = a_recipient(devices=("gcm:gone",), suppressed={PUSH})
    one_gone = msgspec.structs.replace(a_recipient(devices=("gcm:gone", "gcm:here")), suppressed=gone.suppressed)
    decision = plan(a_request(), a_message(channels=(PUSH,)), one_gone)
    assert isinstance(decision, Dispatch)
    assert (decision.channel, decision.addresses) == (PUSH, ("gcm:here",))


def test_a_later_is_scheduled_for_the_time_at_which_it_is_planned_again() -> None:
    decision = plan(a_request(requested_at=NIGHT), NEWS, a_subscriber(), policy=BY_DAY, now=NIGHT)
    assert isinstance(decision, Scheduled)
    assert (decision.until, decision.reason) == (NIGHT + timedelta(hours=9), Reason.QUIET_HOURS)


def test_a_no_is_a_suppression_with_its_reason_and_channel() -> None:
    decision = plan(a_request(), NEWS, a_recipient())
    assert isinstance(decision, Skipped)
    assert (decision.reason, decision.channel) == (Reason.NOT_CONSENTED, EMAIL)


def test_a_message_that_is_not_in_the_catalogue_is_a_no() -> None:
    decision = plan(a_request(), None, a_recipient())
    assert isinstance(decision, Skipped)
    assert decision.reason is Reason.UNKNOWN_MESSAGE


def test_a_dispatch_says_which_fallback_it_belongs_to() -> None:
    message = a_message(channels=(PUSH,), fallback=(a_fallback(SMS),))
    decision = plan(a_request(), message, a_recipient(devices=()))
    assert isinstance(decision, Dispatch)
    assert (decision.channel, decision.request.fallbacks, decision.tried) == (
        SMS,
        1,
        a_trace("push:no_address sms:passed"),
    )


def test_people_who_are_not_known_are_reached_at_the_address_of_the_event_in_its_language() -> None:
    request = a_request(email="guest@example.com", locale="de-AT")
    decision = plan(request, a_message(locales={EMAIL: ("en", "de")}), None)
    assert isinstance(decision, Dispatch)
    assert (decision.addresses, decision.locale, decision.known) == (("guest@example.com",), "de", False)


def test_a_rule_bears_the_name_of_the_reason_that_it_gives() -> None:
    order = [reason.value for reason in Reason]
    assert [rule.name for rule in RULES] == order[1 : len(RULES) + 1]


def test_the_trace_spells_out_every_rule_up_to_the_one_that_objected() -> None:
    rows = spelled_out(a_trace("email:no_address sms:passed"))
    mail = [(row["rule"], row["result"]) for row in rows if row["channel"] == "email"]
    assert mail[-2:] == [("invalid_address", "passed"), ("no_address", "no_address")]
    text = [(row["rule"], row["result"]) for row in rows if row["channel"] == "sms"]
    assert text == [(rule.name, "passed") for rule in RULES]


LATER = NOW + timedelta(hours=13)
"""When the rules are asked again: at night."""


@table(
    "person_now, policy, expected",
    {
        "all is as it was": (a_subscriber(), Policy(), "email"),
        "consent was withdrawn": (a_recipient(opted_out={"news/email"}), Policy(), "no: email not_consented"),
        "STOP came in": (a_subscriber(opted_out={"promotional/email"}), Policy(), "no: email not_consented"),
        "the address bounced": (a_subscriber(suppressed={EMAIL}), Policy(), "no: email address_suppressed"),
        "the address was taken away": (a_subscriber(email=""), Policy(), "no: email no_address"),
        "the person was deleted": (None, Policy(), "no: email unknown_recipient"),
        "the person asked for a pause": (
            a_subscriber(preferences=Preferences(paused_until=LATER + timedelta(days=1))),
            Policy(),
            "later: email paused Sun 23:00",
        ),
        "it has become night": (a_subscriber(), BY_DAY, "later: email quiet_hours Sun 08:00"),
        "the preferred time was seen to before": (
            a_subscriber(preferences=Preferences(time="18:30")),
            Policy(),
            "email",
        ),
        "the room under the cap was reserved before": (a_subscriber(), Policy(caps=(a_cap(1, days=1),)), "email"),
        "another channel is preferred by now": (
            a_subscriber(preferences=Preferences(channels=(SMS,))),
            Policy(),
            "email",
        ),
    },
)
def test_just_before_delivery_the_rules_are_asked_again_on_what_is_known_then(
    person_now: Recipient | None, policy: Policy, expected: str
) -> None:
    message = a_promotion(EMAIL, SMS, fallback=(a_fallback(PUSH),))
    _, ruling = recheck(a_dispatch(message="news"), message, person_now, policy=policy, now=LATER)
    assert in_words(ruling) == expected


def test_just_before_delivery_the_address_of_now_is_used() -> None:
    current, ruling = recheck(a_dispatch(), a_message(), a_recipient(email="new@example.com"), policy=Policy(), now=NOW)
    assert (current.addresses, ruling.reason) == (("new@example.com",), None)


def test_just_before_delivery_an_expired_message_is_skipped() -> None:
    _, ruling = recheck(a_dispatch(not_after=NOW), a_message(), a_recipient(), policy=Policy(), now=NOW)
    assert in_words(ruling) == "no: email expired"


def test_just_before_delivery_a_fallback_is_skipped_when_an_earlier_one_was_confirmed() -> None:
    confirmed_by = Confirmation(PUSH, EngagementKind.OPENED)
    dispatch, message = a_dispatch(SMS, fallbacks=1), a_message(channels=(PUSH,), fallback=(a_fallback(SMS),))
    _, ruling = recheck(dispatch, message, a_recipient(), policy=Policy(), now=NOW, confirmed_by=confirmed_by)
    assert in_words(ruling) == "no: sms confirmed"


def test_just_before_delivery_people_who_are_not_known_keep_the_address_of_the_event() -> None:
    dispatch = a_dispatch(addresses=("guest@example.com",), known=False, email="guest@example.com")
    current, ruling = recheck(dispatch, a_message(), None, policy=Policy(), now=NOW)
    assert (current.addresses, in_words(ruling)) == (("guest@example.com",), "email")


def test_just_before_delivery_a_suppression_stops_a_message_to_somebody_who_is_not_known() -> None:
    suppressed = a_recipient(email="guest@example.com", suppressed={EMAIL}).suppressed
    ghost = Recipient(recipient_id="amara", suppressed=suppressed, known=False)
    dispatch = a_dispatch(addresses=("guest@example.com",), known=False, email="guest@example.com")
    _, ruling = recheck(dispatch, a_message(), ghost, policy=Policy(), now=NOW)
    assert in_words(ruling) == "no: email address_suppressed"


@pytest.mark.parametrize("person", [None, a_recipient(email="", phone="", devices=())], ids=["unknown", "no address"])
@pytest.mark.parametrize("message", [a_message(), a_promotion()], ids=["receipt", "news"])
def test_people_with_no_address_at_all_get_a_no_and_never_an_error(person: Recipient | None, message: Message) -> None:
    assert in_words(rule_on(person, message)).startswith("no: email ")
