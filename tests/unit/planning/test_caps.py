"""Caps: how many messages a person gets in a while, and when the next one may go."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import (
    CHANNELS,
    EMAIL,
    NOW,
    PUSH,
    REQUEST_ID,
    SMS,
    a_cap,
    a_message,
    a_promotion,
    a_recipient,
    a_request,
    a_subscriber,
    a_trace,
    at,
    hours,
    in_words,
    inputs_for,
    reserved,
    rule_on,
)
from heliograph.model.channels import Channel
from heliograph.model.decisions import Reservation, Verdict
from heliograph.model.messages import Message
from heliograph.model.people import Preferences, Recipient
from heliograph.model.policy import Cap, Policy, Purpose
from heliograph.planning.caps import reserved_after
from heliograph.planning.ruling import decide
from tables import table

NEWS, MAILED_NEWS = a_promotion(EMAIL, SMS), a_promotion(EMAIL)
MILLISECOND = timedelta(milliseconds=1)
DAY = timedelta(days=1)
TRANSACTIONAL: dict[str, Any] = {"purpose": Purpose.TRANSACTIONAL, "topic": "orders"}


def ago(time: timedelta, channel: Channel = EMAIL, **fields: Any) -> Reservation:
    """A message of news that was sent some time ago."""
    return reserved(NOW - time, channel, **fields)


@table(
    "cap, sent_before, message, expected",
    {
        "no cap": (None, [ago(timedelta()), ago(DAY)], MAILED_NEWS, "email"),
        "the first message": (a_cap(1, days=1), [], MAILED_NEWS, "email"),
        "one of two": (a_cap(2, days=1), [ago(DAY / 2)], MAILED_NEWS, "email"),
        "two of two": (a_cap(2, days=1), [ago(DAY / 2), ago(DAY / 3)], MAILED_NEWS, "no: email capped"),
        "three of two, since the cap was lowered": (
            a_cap(2, days=1),
            [ago(DAY / n) for n in (2, 3, 4)],
            MAILED_NEWS,
            "no: email capped",
        ),
        "receipts are not capped": (a_cap(1, days=1), [ago(DAY / 2)], a_message(), "email"),
        "receipts do not count": (a_cap(1, days=1), [ago(DAY / 2, **TRANSACTIONAL)], MAILED_NEWS, "email"),
        "a cap on receipts": (
            a_cap(1, days=1, purpose=Purpose.TRANSACTIONAL),
            [ago(DAY / 2, **TRANSACTIONAL)],
            a_message(),
            "no: email capped",
        ),
        "a cap over all channels": (a_cap(1, days=1), [ago(DAY / 2, PUSH)], NEWS, "no: email capped"),
        "a cap on texts: texts are full, mails are not": (
            a_cap(1, days=1, channel=SMS),
            [ago(DAY / 2, SMS)],
            a_promotion(SMS, EMAIL),
            "email",
        ),
        "a cap on mails: texts do not count": (a_cap(1, days=1, channel=EMAIL), [ago(DAY / 2, SMS)], NEWS, "email"),
        "a cap on mails: the next channel takes it": (a_cap(1, days=1, channel=EMAIL), [ago(DAY / 2)], NEWS, "sms"),
        "a cap on all topics": (a_cap(1, days=1), [ago(DAY / 2, topic="offers")], MAILED_NEWS, "no: email capped"),
        "a cap on news": (a_cap(1, days=1, topic="news"), [ago(DAY / 2)], MAILED_NEWS, "no: email capped"),
        "a cap on news: offers do not count": (
            a_cap(1, days=1, topic="news"),
            [ago(DAY / 2, topic="offers")],
            MAILED_NEWS,
            "email",
        ),
        "a cap on offers": (a_cap(1, days=1, topic="offers"), [ago(DAY / 2, topic="offers")], MAILED_NEWS, "email"),
    },
)
def test_capped_nobody_gets_more_than_the_caps_allow(
    cap: Cap | None, sent_before: list[Reservation], message: Message, expected: str
) -> None:
    policy = Policy(caps=(cap,) if cap else ())
    assert in_words(rule_on(a_subscriber(), message, policy, reserved=sent_before)) == expected


def test_capped_the_next_channel_that_the_person_prefers_is_used_when_the_first_is_over_its_cap() -> None:
    person = a_subscriber(preferences=Preferences(channels=(PUSH, SMS)))
    policy = Policy(caps=(a_cap(1, days=7, channel=PUSH),))
    ruling = rule_on(person, a_promotion(), policy, reserved=[ago(DAY, PUSH)])
    assert (ruling.channel, ruling.tried) == (SMS, a_trace("push:capped sms:passed"))


@pytest.mark.parametrize("days", [1, 7, 30])
def test_capped_a_message_leaves_a_rolling_window_exactly_its_length_later(days: int) -> None:
    policy, length = Policy(caps=(a_cap(1, days=days),)), timedelta(days=days)
    still = rule_on(a_subscriber(), MAILED_NEWS, policy, reserved=[ago(length - MILLISECOND)])
    assert (in_words(still), still.next_time) == ("no: email capped", NOW + MILLISECOND)
    assert in_words(rule_on(a_subscriber(), MAILED_NEWS, policy, reserved=[ago(length)])) == "email"


@table(
    "zone, sent, now, expected",
    {
        "the same day": ("Europe/Berlin", "2026-11-20 00:00", "2026-11-20 23:59:59.999", "2026-11-21 00:00"),
        "the next day": ("Europe/Berlin", "2026-11-20 23:59:59.999", "2026-11-21 00:00", None),
        "the same day there, the next in UTC": (
            "America/New_York",
            "2026-11-20 18:00",
            "2026-11-20 20:00",
            "2026-11-21 00:00",
        ),
        "the same day in UTC, the next there": ("Asia/Tokyo", "2026-11-20 23:00", "2026-11-21 01:00", None),
        "a day of 23 hours": ("Europe/Berlin", "2026-03-29 00:00", "2026-03-29 23:59:59", "2026-03-30 00:00"),
        "23 hours later, on that day": ("Europe/Berlin", "2026-03-29 00:00", "2026-03-30 00:00", None),
        "a day of 25 hours": ("Europe/Berlin", "2026-10-25 00:00", "2026-10-25 23:59:59", "2026-10-26 00:00"),
        "25 hours later, on that day": ("Europe/Berlin", "2026-10-25 00:00", "2026-10-26 00:00", None),
        "a day that begins at one": ("Africa/Cairo", "2026-04-23 12:00", "2026-04-23 22:00", "2026-04-24 01:00"),
        "29 February": ("Europe/Berlin", "2028-02-29 08:00", "2028-02-29 22:00", "2028-03-01 00:00"),
        "Samoa skips a day": ("Pacific/Apia", "2011-12-29 08:00", "2011-12-29 22:00", "2011-12-31 00:00"),
    },
)
def test_capped_a_calendar_day_is_that_of_the_person(zone: str, sent: str, now: str, expected: str | None) -> None:
    policy = Policy(caps=(a_cap(1),))
    ruling = rule_on(
        a_subscriber(timezone=zone), MAILED_NEWS, policy, reserved=[reserved(at(sent, zone))], now=at(now, zone)
    )
    assert ruling.next_time == (at(expected, zone) if expected else None)
    assert (ruling.outcome is Verdict.DISPATCHED) is (expected is None)


BY_DAY = hours(allowed=("08:00-20:00",))
CLOSED_ON_SUNDAYS = hours(days=(6,), allowed=())


@table(
    "policy, sent_before, now, expected",
    {
        "room in the afternoon": (
            Policy(caps=(a_cap(1, days=1),), hours=(BY_DAY,)),
            "2026-11-19 15:00",
            "2026-11-20 10:00",
            "2026-11-20 15:00",
        ),
        "room at night": (
            Policy(caps=(a_cap(1, days=1),), hours=(BY_DAY,)),
            "2026-11-19 21:30",
            "2026-11-20 10:00",
            "2026-11-21 08:00",
        ),
        "room at midnight": (
            Policy(caps=(a_cap(1),), hours=(BY_DAY,)),
            "2026-11-20 09:00",
            "2026-11-20 10:00",
            "2026-11-21 08:00",
        ),
        "room on a closed Sunday": (
            Policy(caps=(a_cap(1, days=2),), hours=(BY_DAY, CLOSED_ON_SUNDAYS)),
            "2026-11-20 09:00",
            "2026-11-21 10:00",
            "2026-11-23 08:00",
        ),
        "the cap that is full for longest": (
            Policy(caps=(a_cap(1), a_cap(1, days=7))),
            "2026-11-20 09:00",
            "2026-11-20 10:00",
            "2026-11-27 09:00",
        ),
        "hours that never come": (
            Policy(caps=(a_cap(1),), hours=(hours(allowed=()),)),
            "2026-11-20 09:00",
            "2026-11-20 10:00",
            None,
        ),
    },
)
def test_capped_who_gets_nothing_is_told_when_a_message_could_go(
    policy: Policy, sent_before: str, now: str, expected: str | None
) -> None:
    ruling = rule_on(a_subscriber(), MAILED_NEWS, policy, reserved=[reserved(sent_before)], now=at(now))
    assert ruling.outcome is Verdict.SKIPPED
    assert ruling.next_time == (at(expected) if expected else None)


def test_capped_the_earliest_time_of_all_channels_is_told() -> None:
    policy = Policy(caps=(a_cap(1, days=7, channel=EMAIL), a_cap(1, days=1, channel=SMS)))
    ruling = rule_on(a_subscriber(), NEWS, policy, reserved=[ago(DAY / 2, EMAIL), ago(DAY / 4, SMS)])
    assert ruling.next_time == NOW + DAY * 3 / 4


@table(
    "sent_before, expected",
    {
        "full now, room when the quiet hours end": ("2026-11-20 00:00", "later: email quiet_hours Sat 08:00"),
        "room when they have just ended": ("2026-11-20 08:00", "later: email quiet_hours Sat 08:00"),
        "no room yet when they end": ("2026-11-20 08:00:01", "no: email capped"),
    },
)
def test_capped_is_asked_for_the_time_at_which_a_waiting_message_would_go(sent_before: str, expected: str) -> None:
    policy = Policy(caps=(a_cap(1, days=1),), hours=(BY_DAY,))
    ruling = rule_on(a_subscriber(), MAILED_NEWS, policy, reserved=[reserved(sent_before)], now=at("2026-11-20 22:00"))
    assert in_words(ruling) == expected


def test_capped_a_message_that_was_waited_too_long_is_told_a_time_at_which_there_is_room() -> None:
    policy = Policy(caps=(a_cap(1, days=1),), hours=(BY_DAY,), wait_at_most=3600)
    ruling = rule_on(
        a_subscriber(), MAILED_NEWS, policy, reserved=[reserved("2026-11-20 18:00")], now=at("2026-11-20 22:00")
    )
    assert (in_words(ruling), ruling.next_time) == ("no: email waited_too_long", at("2026-11-21 18:00"))


OWN = f"{REQUEST_ID}-0"


def test_capped_a_request_does_not_stand_in_its_own_way() -> None:
    policy = Policy(caps=(a_cap(1, days=1),))
    mine = reserved(NOW, EMAIL, dispatch_id=OWN)
    assert in_words(rule_on(a_subscriber(), MAILED_NEWS, policy, reserved=[mine])) == "email"


@table(
    "person",
    {
        "nothing has changed": (a_subscriber(),),
        "another channel is preferred": (a_subscriber(preferences=Preferences(channels=(EMAIL,))),),
        "they opted out": (a_recipient(opted_out=["news/sms"]),),
        "they want to be left alone": (a_subscriber(preferences=Preferences(paused_until=NOW + DAY)),),
    },
)
def test_what_an_earlier_try_reserved_is_followed_until_delivery_asks_again(person: Recipient) -> None:
    policy = Policy(caps=(a_cap(1, days=1),))
    ruling = rule_on(person, NEWS, policy, reserved=[ago(DAY / 2, SMS, dispatch_id=OWN)])
    assert (in_words(ruling), ruling.reason) == ("sms", None)


@table(
    "before, person, expected",
    {
        "sent: it counts": ([], a_subscriber(), [OWN]),
        "sent: old ones are forgotten": ([ago(DAY)], a_subscriber(), [OWN]),
        "sent: others count on": ([ago(DAY - MILLISECOND, dispatch_id="other")], a_subscriber(), ["other", OWN]),
        "decided again: it counts once": ([ago(DAY / 2, dispatch_id=OWN)], a_subscriber(), [OWN]),
        "not sent: it does not count": ([], a_recipient(), []),
        "dispatched before: only delivery takes it back": ([ago(DAY / 2, dispatch_id=OWN)], a_recipient(), [OWN]),
    },
)
def test_what_is_sent_is_reserved_once(before: list[Reservation], person: Recipient, expected: list[str]) -> None:
    policy = Policy(caps=(a_cap(2, days=1),))
    inputs = inputs_for(person, MAILED_NEWS, policy=policy, reserved=before)
    after = reserved_after(inputs, decide(inputs, MAILED_NEWS, policy), MAILED_NEWS, policy)
    assert [each.dispatch_id for each in after] == expected


@given(
    st.lists(st.tuples(st.integers(0, 20 * 24 * 60), st.sampled_from(CHANNELS)), min_size=1, max_size=40),
    st.integers(1, 3),
    st.sampled_from([None, 1, 7]),
    st.sampled_from([None, *CHANNELS]),
    st.sampled_from(["UTC", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati"]),
)
def test_whatever_is_asked_for_no_window_ever_holds_more_than_the_cap(
    asked: list[tuple[int, Channel]], limit: int, days: int | None, channel: Channel | None, zone: str
) -> None:
    cap = a_cap(limit, days=days, channel=channel)
    policy, person = Policy(caps=(cap,)), a_subscriber(timezone=zone)
    account: tuple[Reservation, ...] = ()
    sent: list[datetime] = []
    for number, (minute, wanted) in enumerate(sorted(asked)):
        now, message = at("2026-10-20 00:00") + timedelta(minutes=minute), a_promotion(wanted)
        request = a_request(request_id=f"request-{number}", requested_at=now)
        inputs = inputs_for(person, message, request=request, policy=policy, now=now, reserved=account)
        ruling = decide(inputs, message, policy)
        account = reserved_after(inputs, ruling, message, policy)
        if ruling.channel in (cap.channel or ruling.channel,) and ruling.outcome is Verdict.DISPATCHED:
            sent.append(now)
    assert all(count <= limit for count in counts(sent, days, zone))


def counts(sent: list[datetime], days: int | None, zone: str) -> list[int]:
    """How many were sent in each window that ends with one of them, counted in another way than the caps do."""
    if days is None:
        dates = [local_day(each, zone) for each in sent]
        return [dates.count(date) for date in dates]
    return [sum(last - timedelta(days=days) < each <= last for each in sent) for last in sent]


def local_day(moment: datetime, zone: str) -> str:
    """The date that clocks in a time zone show."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d}"


@given(
    st.lists(st.integers(0, 40 * 24 * 60), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from([None, 1, 7, 30])), min_size=1, max_size=3),
    st.sampled_from(["UTC", "Europe/Berlin", "Africa/Cairo"]),
)
def test_a_message_goes_at_the_next_time_that_a_no_has_told_and_not_a_millisecond_before(
    minutes: list[int], limits: list[tuple[int, int | None]], zone: str
) -> None:
    policy = Policy(caps=tuple(a_cap(limit, days=days) for limit, days in limits))
    before = [reserved(NOW - timedelta(minutes=minute), dispatch_id=f"{n}") for n, minute in enumerate(minutes)]
    person = a_subscriber(timezone=zone)
    ruling = rule_on(person, MAILED_NEWS, policy, reserved=before)
    if next_time := ruling.next_time:
        early = rule_on(person, MAILED_NEWS, policy, reserved=before, now=next_time - MILLISECOND)
        assert in_words(early) == "no: email capped"
        assert in_words(rule_on(person, MAILED_NEWS, policy, reserved=before, now=next_time)) == "email"
