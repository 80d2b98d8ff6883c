"""One person's facts stop nobody else: what the rules cannot work with is skipped alone, with a reason."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from builders import (
    EMAIL,
    NOW,
    SMS,
    a_change,
    a_dispatch,
    a_promotion,
    a_request,
    a_subscriber,
    hours,
    in_words,
    inputs_for,
    reserved,
    rule_on,
)
from heliograph.model.decisions import Inputs, Verdict
from heliograph.model.people import Preferences
from heliograph.model.policy import Policy
from heliograph.model.reasons import Reason
from heliograph.model.requests import SendRequest
from heliograph.operations.replay.decisions import Replay
from heliograph.people.items_store import item_of, recipient_of
from heliograph.planning.decisions import recheck
from heliograph.planning.hours import next_permitted
from heliograph.planning.ruling import decide
from heliograph.reporting.why.work import seen
from heliograph.text import limits
from random_decisions import a_case
from tables import table

HOURS = Policy(hours=(hours(quiet=("21:00-08:00",)),))
CLOSED = Policy(hours=(hours(allowed=()),))
FOREVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
WINDOWS = tuple(f"{m // 60:02d}:{m % 60:02d}-{m // 60:02d}:{m % 60 + 4:02d}" for m in range(0, 24 * 60, 5))

UNWORKABLE: dict[str, tuple[dict[str, Any]]] = {
    "a pause beyond the calendar": ({"preferences": Preferences(paused_until=FOREVER)},),
    "quiet hours that are none": ({"preferences": Preferences(quiet=("at night",))},),
    "a preferred time that is none": ({"preferences": Preferences(time="noon")},),
    "an item that cannot be read": ({"readable": False},),
}


@table("facts", UNWORKABLE)
def test_what_the_rules_cannot_work_with_is_a_no_with_its_reason(facts: dict[str, Any]) -> None:
    ruling = rule_on(a_subscriber(**facts), a_promotion(), HOURS)
    assert (ruling.outcome, ruling.reason) == (Verdict.SKIPPED, Reason.UNDECIDABLE)


@table("facts", {name: facts for name, facts in UNWORKABLE.items() if "preferred" not in name})
def test_what_became_unworkable_is_skipped_before_delivery(facts: dict[str, Any]) -> None:
    message, person = a_promotion(), a_subscriber(**facts)
    _, ruling = recheck(a_dispatch(message=message.name), message, person, policy=HOURS, now=NOW)
    assert ruling.reason is Reason.UNDECIDABLE


def test_a_request_of_the_year_9999_is_undecidable() -> None:
    request, night = a_request(requested_at=FOREVER), NOW.replace(hour=23)
    assert rule_on(a_subscriber(), a_promotion(), HOURS, request=request, now=night).reason is Reason.UNDECIDABLE


def test_what_an_earlier_try_has_given_to_a_channel_is_followed_even_if_it_is_undecidable_now() -> None:
    inputs = inputs_for(a_subscriber(readable=False), a_promotion())
    mine = reserved(NOW, SMS, dispatch_id=inputs.dispatch_id)
    ruling = decide(msgspec.structs.replace(inputs, reserved=(mine,)), a_promotion(), Policy())
    assert (ruling.outcome, ruling.channel) == (Verdict.DISPATCHED, SMS)


@table("facts", UNWORKABLE)
def test_an_undecidable_decision_is_made_again_the_same_and_can_be_told(facts: dict[str, Any]) -> None:
    message, policy = a_promotion(), HOURS
    inputs = inputs_for(a_subscriber(**facts), message, policy=policy)
    ruling = decide(inputs, message, policy)
    back = msgspec.json.decode(msgspec.json.encode(inputs), type=Inputs)
    assert decide(back, message, policy) == ruling
    told = Replay(inputs, message, policy, ruling, is_genuine=True, differences=())
    assert seen(told) == {"order": [], "caps": [], "hours": []}


def test_nobody_who_can_be_read_is_ever_undecidable() -> None:
    rng = Random(11)
    reasons = {
        decide(inputs, message, policy).reason
        for inputs, message, policy, _ in (a_case(rng) for _ in range(3_000))
        if inputs.readable
    }
    assert Reason.UNDECIDABLE not in reasons


# ---- what is kept already, beyond what may be said today ----------------------------------------------------


def test_a_pause_that_was_kept_for_ever_holds_for_as_long_as_anything() -> None:
    item = item_of(a_change("amara")) | {"paused_until": {"S": FOREVER.isoformat()}}
    assert recipient_of(item).preferences.paused_until == limits.LATEST
    person = a_subscriber(preferences=recipient_of(item).preferences)
    assert in_words(rule_on(person, a_promotion(), HOURS)).endswith("waited_too_long")


def test_of_many_windows_that_were_kept_the_first_ones_hold() -> None:
    item = item_of(a_change("amara", quiet_hours=WINDOWS))
    assert recipient_of(item).preferences.quiet == WINDOWS[: limits.QUIET_WINDOWS]


UNREADABLE: dict[str, tuple[str, dict[str, Any]]] = {
    "a consent of another version": ("consent#news/email", {"M": {"state": {"S": "maybe"}, "at": {"S": "2026-01-01"}}}),
    "a consent that is text": ("consent#news/email", {"S": "yes"}),
    "a time that is none": ("paused_until", {"S": "soon"}),
    "a number for a text": ("email", {"N": "7"}),
    "an attribute that is no JSON": ("attribute#plan", {"M": {"json": {"S": "{"}}}),
    "a suppression without a reason": ("suppressed#a@example.com", {"M": {}}),
}


@table("name, value", UNREADABLE)
def test_an_item_that_cannot_be_read_is_a_person_to_whom_nothing_is_sent(name: str, value: dict[str, Any]) -> None:
    item = item_of(a_change("amara", email="amara@example.com")) | {name: value}
    person = recipient_of(item)
    assert (person.recipient_id, person.readable, person.addresses) == ("amara", False, {})
    assert rule_on(person).reason is Reason.UNDECIDABLE


def test_a_channel_of_a_newer_version_is_passed_over() -> None:
    item = item_of(a_change("amara", preferred_channels=(SMS,)))
    item["preferred_channels"]["L"].append({"S": "voice"})
    person = recipient_of(item | {"engaged#voice": {"S": "2026-01-01T00:00:00+00:00"}})
    assert (person.preferences.channels, person.engaged, person.readable) == ((SMS,), {}, True)


# ---- a decision has an end -----------------------------------------------------------------------------------

LONG: dict[str, tuple[Preferences, Policy, SendRequest]] = {
    "every five minutes quiet, and no hour of the year open": (Preferences(quiet=WINDOWS), CLOSED, a_request()),
    "a preferred time that never comes": (Preferences(time="03:00", quiet=("02:00-09:00",)), HOURS, a_request()),
    "a preferred time in a closed year": (Preferences(time="03:00"), CLOSED, a_request()),
    "waiting until the year 9000": (
        Preferences(time="03:00", quiet=("02:00-09:00",)),
        HOURS,
        a_request(requested_at=datetime(9000, 1, 1, tzinfo=UTC)),
    ),
    "a pause of 73 years": (Preferences(paused_until=limits.LATEST, time="03:00"), HOURS, a_request()),
}


@table("preferences, policy, request_", LONG)
def test_a_decision_takes_a_bounded_number_of_steps(
    preferences: Preferences, policy: Policy, request_: SendRequest
) -> None:
    person = a_subscriber(preferences=preferences, timezone="Europe/Berlin")
    message = a_promotion(wait_at_most=30 * 86_400)
    assert steps(lambda: rule_on(person, message, policy, request=request_)) < 500_000


def steps(what: Callable[[], object]) -> int:
    """How many functions are called, which is the same on every machine."""
    number = 0

    def count(*_: object) -> None:
        nonlocal number
        number += 1

    sys.setprofile(count)
    try:
        what()
    finally:
        sys.setprofile(None)
    return number


@pytest.mark.parametrize("wanted", ["03:00", "12:00", "23:59", "00:00"])
@pytest.mark.parametrize("quiet", [(), ("02:00-09:00",), ("12:00-13:30", "22:00-06:00")])
@pytest.mark.parametrize("days", [(), (6,), (0, 1, 2, 3, 4)])
def test_a_preferred_time_is_the_first_that_is_permitted_of_the_days_until_the_wait_ends(
    wanted: str, quiet: tuple[str, ...], days: tuple[int, ...]
) -> None:
    """Passing over days changes nothing: the same as looking at every day."""
    zone = ZoneInfo("Europe/Berlin")
    rules = (hours(allowed=("08:00-20:00",), days=days), hours(days=(6,), allowed=()))
    person = a_subscriber(preferences=Preferences(time=wanted, quiet=quiet), timezone=zone.key)
    message, policy = a_promotion(EMAIL, wait_at_most=10 * 86_400), Policy(hours=rules)
    ruling = rule_on(person, message, policy)
    every = (*rules, hours(quiet=quiet))
    start = next_permitted(every, "", NOW, zone) or NOW
    expected = start
    for number in range(-1, 11):
        day = start.astimezone(zone).date() + timedelta(days=number)
        wall = datetime.combine(day, time.fromisoformat(wanted), tzinfo=zone).astimezone(UTC)
        ready = next_permitted(every, "", max(start, wall), zone)
        if ready and ready < wall + timedelta(hours=1) and wall <= NOW + timedelta(days=10):
            expected = ready if ready <= NOW + timedelta(days=10) else start
            break
    assert (ruling.until or NOW) == expected
