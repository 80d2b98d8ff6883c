"""Rules on when a message may be sent, and how long it waits, one table each."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from builders import EMAIL, NOW, SMS, a_message, a_promotion, a_request, a_subscriber, hours, in_words, rule_on
from heliograph.model.messages import Message
from heliograph.model.people import Preferences, Recipient
from heliograph.model.policy import Policy, Purpose
from heliograph.model.requests import SendRequest
from heliograph.text.zones import best_zone
from tables import table

NEWS, TEXTED_NEWS = a_promotion(EMAIL, SMS), a_promotion(SMS)
HASTY = a_promotion(wait_at_most=3600)
RECEIPT = a_message(channels=(EMAIL, SMS))
NIGHT = NOW.replace(hour=23)
"""A Saturday; people without a time zone live in UTC."""
BY_DAY = Policy(hours=(hours(quiet=("21:00-08:00",)),))
NO_TEXTS_AT_NIGHT = Policy(hours=(hours(channels=(SMS,), quiet=("21:00-08:00",)),))


@table(
    "request_, message, policy, now, expected",
    {
        "no deadline": (a_request(), RECEIPT, Policy(), NOW, "email"),
        "a millisecond before the deadline": (
            a_request(not_after=NOW + timedelta(milliseconds=1)),
            RECEIPT,
            Policy(),
            NOW,
            "email",
        ),
        "at the deadline": (a_request(not_after=NOW), RECEIPT, Policy(), NOW, "no: email expired"),
        "quiet until after the deadline": (
            a_request(not_after=NIGHT + timedelta(hours=1)),
            TEXTED_NEWS,
            BY_DAY,
            NIGHT,
            "no: sms expired",
        ),
        "quiet until the deadline": (
            a_request(not_after=NIGHT + timedelta(hours=9)),
            TEXTED_NEWS,
            BY_DAY,
            NIGHT,
            "no: sms expired",
        ),
        "quiet until just before it": (
            a_request(not_after=NIGHT + timedelta(hours=9, seconds=1)),
            TEXTED_NEWS,
            BY_DAY,
            NIGHT,
            "later: sms quiet_hours Sun 08:00",
        ),
        "the next channel is not quiet": (
            a_request(not_after=NIGHT + timedelta(hours=1)),
            a_promotion(SMS, EMAIL),
            NO_TEXTS_AT_NIGHT,
            NIGHT,
            "email",
        ),
    },
)
def test_expired_a_message_is_not_sent_when_it_is_worthless_nor_waits_until_then(
    request_: SendRequest, message: Message, policy: Policy, now: datetime, expected: str
) -> None:
    assert in_words(rule_on(a_subscriber(), message, policy, request=request_, now=now)) == expected


NEVER = Policy(hours=(hours(allowed=()),))


def waiting(hours: float) -> Policy:
    """Quiet by night, and a message waits for so many hours."""
    return Policy(hours=BY_DAY.hours, wait_at_most=int(hours * 3600))


@table(
    "message, policy, expected",
    {
        "nine hours of quiet, three days by default": (TEXTED_NEWS, BY_DAY, "later: sms quiet_hours Sun 08:00"),
        "as long as the policy allows": (TEXTED_NEWS, waiting(9), "later: sms quiet_hours Sun 08:00"),
        "longer than the policy allows": (TEXTED_NEWS, waiting(8.99), "no: sms waited_too_long"),
        "longer than the message allows": (a_promotion(SMS, wait_at_most=60), BY_DAY, "no: sms waited_too_long"),
        "the message allows more than the policy": (
            a_promotion(SMS, wait_at_most=86_400),
            waiting(1),
            "later: sms quiet_hours Sun 08:00",
        ),
        "the next channel is not quiet": (a_promotion(SMS, EMAIL, wait_at_most=60), NO_TEXTS_AT_NIGHT, "email"),
        "hours that never come": (TEXTED_NEWS, NEVER, "no: sms waited_too_long"),
        "nothing holds it": (a_promotion(EMAIL, wait_at_most=0), NO_TEXTS_AT_NIGHT, "email"),
    },
)
def test_waited_too_long_a_message_waits_until_its_deadline_and_not_longer(
    message: Message, policy: Policy, expected: str
) -> None:
    assert in_words(rule_on(a_subscriber(), message, policy, now=NIGHT)) == expected


def test_waited_too_long_the_deadline_runs_from_the_request_and_not_from_the_last_decision() -> None:
    request = a_request(requested_at=NIGHT - timedelta(days=3), step=4)
    ruling = rule_on(a_subscriber(), TEXTED_NEWS, BY_DAY, request=request, now=NIGHT)
    assert in_words(ruling) == "no: sms waited_too_long"
    assert ruling.next_time == NIGHT + timedelta(hours=9)


@table(
    "until, message, policy, expected",
    {
        "never asked for a pause": (None, NEWS, Policy(), "email"),
        "until tomorrow": (NOW + timedelta(days=1), NEWS, Policy(), "later: email paused Sun 10:00"),
        "receipts are not paused": (NOW + timedelta(days=1), RECEIPT, Policy(), "email"),
        "it ends now": (NOW, NEWS, Policy(), "email"),
        "it ends at night": (NIGHT, NEWS, BY_DAY, "later: email paused Sun 08:00"),
        "longer than a message waits": (NOW + timedelta(days=4), NEWS, Policy(), "no: email waited_too_long"),
    },
)
def test_paused_promotions_wait_while_a_person_wants_to_be_left_alone(
    until: datetime | None, message: Message, policy: Policy, expected: str
) -> None:
    person = a_subscriber(preferences=Preferences(paused_until=until))
    assert in_words(rule_on(person, message, policy)) == expected


IN_GERMANY = Policy(hours=(hours(countries=("DE",), quiet=("21:00-08:00",)),))
TRANSACTIONAL_HOURS = Policy(hours=(hours(purpose=Purpose.TRANSACTIONAL, quiet=("21:00-08:00",)),))
LATE_RISER = Preferences(quiet=("22:00-11:00",))


@table(
    "person, policy, message, expected",
    {
        "no rules on hours": (a_subscriber(), Policy(), NEWS, "email"),
        "it is night": (a_subscriber(), BY_DAY, NEWS, "later: email quiet_hours Sun 08:00"),
        "receipts know no night": (a_subscriber(), BY_DAY, RECEIPT, "email"),
        "unless a rule is about receipts": (
            a_subscriber(),
            TRANSACTIONAL_HOURS,
            RECEIPT,
            "later: email quiet_hours Sun 08:00",
        ),
        "which says nothing about news": (a_subscriber(), TRANSACTIONAL_HOURS, NEWS, "email"),
        "a rule for texts says nothing about email": (a_subscriber(), NO_TEXTS_AT_NIGHT, NEWS, "email"),
        "it is waited for the first channel": (
            a_subscriber(),
            NO_TEXTS_AT_NIGHT,
            a_promotion(SMS, EMAIL),
            "later: sms quiet_hours Sun 08:00",
        ),
        "a rule for Germany, by postal address": (
            a_subscriber(country="DE", phone_country="US"),
            IN_GERMANY,
            NEWS,
            "later: email quiet_hours Sun 07:00",
        ),
        "a rule for Germany, by phone number": (
            a_subscriber(phone_country="DE"),
            IN_GERMANY,
            NEWS,
            "later: email quiet_hours Sun 07:00",
        ),
        "a rule for Germany, elsewhere": (a_subscriber(country="AT", phone_country="DE"), IN_GERMANY, NEWS, "email"),
        "a rule for Germany, country unknown": (a_subscriber(), IN_GERMANY, NEWS, "email"),
        "by day where the person lives": (a_subscriber(timezone="America/Los_Angeles"), BY_DAY, NEWS, "email"),
        "by night where the person lives": (a_subscriber(timezone="Asia/Tokyo"), BY_DAY, NEWS, "email"),
        "the person's own quiet hours": (
            a_subscriber(preferences=LATE_RISER),
            Policy(),
            NEWS,
            "later: email quiet_hours Sun 11:00",
        ),
        "on top of those of the policy": (
            a_subscriber(preferences=LATE_RISER),
            BY_DAY,
            NEWS,
            "later: email quiet_hours Sun 11:00",
        ),
        "not for receipts": (a_subscriber(preferences=LATE_RISER), Policy(), RECEIPT, "email"),
    },
)
def test_quiet_hours_messages_wait_for_an_hour_that_is_allowed_where_the_person_lives(
    person: Recipient, policy: Policy, message: Message, expected: str
) -> None:
    assert in_words(rule_on(person, message, policy, now=NIGHT)) == expected


EVENING = "18:30"


@table(
    "time, now, asked, policy, expected",
    {
        "before the time": (EVENING, NOW, {}, Policy(), "later: email preferred_time Sat 18:30"),
        "at the time": (EVENING, NOW.replace(hour=18, minute=30), {}, Policy(), "email"),
        "within an hour after it": (EVENING, NOW.replace(hour=19, minute=29), {}, Policy(), "email"),
        "an hour after it": (
            EVENING,
            NOW.replace(hour=19, minute=30),
            {},
            Policy(),
            "later: email preferred_time Sun 18:30",
        ),
        "its hour spans midnight": ("23:30", NOW.replace(hour=0, minute=15), {}, Policy(), "email"),
        "it would come after the hold ends": (
            EVENING,
            NOW,
            {"message": HASTY},
            Policy(),
            "email",
        ),
        "it would come when the message is worthless": (
            EVENING,
            NOW,
            {"not_after": NOW.replace(hour=18, minute=30)},
            Policy(),
            "email",
        ),
        "it comes just before that": (
            EVENING,
            NOW,
            {"not_after": NOW.replace(hour=18, minute=31)},
            Policy(),
            "later: email preferred_time Sat 18:30",
        ),
        "receipts do not wait for it": (EVENING, NOW, {"message": RECEIPT}, Policy(), "email"),
        "hours open within its hour": ("07:30", NOW, {}, BY_DAY, "later: email preferred_time Sun 08:00"),
        "it lies in the quiet hours": ("22:00", NOW, {}, BY_DAY, "email"),
        "it is night, and it lies in the quiet hours": (
            "22:00",
            NIGHT,
            {},
            BY_DAY,
            "later: email quiet_hours Sun 08:00",
        ),
        "it is night": (EVENING, NIGHT, {}, BY_DAY, "later: email quiet_hours Sun 18:30"),
        "tomorrow is closed": (
            EVENING,
            NOW.replace(hour=20),
            {},
            Policy(hours=(hours(days=(6,), allowed=()),)),
            "later: email preferred_time Mon 18:30",
        ),
    },
)
def test_preferred_time_promotions_wait_for_the_time_of_day_that_a_person_likes_if_it_comes_in_time(
    time: str, now: datetime, asked: dict[str, Any], policy: Policy, expected: str
) -> None:
    person = a_subscriber(preferences=Preferences(time=time))
    request = a_request(requested_at=now, not_after=asked.get("not_after"))
    assert in_words(rule_on(person, asked.get("message", NEWS), policy, request=request, now=now)) == expected


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2028-02-29"])
def test_preferred_time_is_that_of_the_clock_where_the_person_lives(day: str) -> None:
    person = a_subscriber(timezone="Europe/Berlin", preferences=Preferences(time=EVENING))
    until = rule_on(person, NEWS, now=datetime.fromisoformat(f"{day}T00:00:00+00:00")).until
    assert until
    assert f"{until.astimezone(best_zone({}, 'Europe/Berlin').zone):%Y-%m-%d %H:%M}" == f"{day} {EVENING}"
