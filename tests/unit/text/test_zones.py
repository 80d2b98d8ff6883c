"""Time zones: in which one a person lives, and how we know."""

from __future__ import annotations

from typing import Any

import pytest

from builders import NOW, a_promotion, a_recipient, a_subscriber, a_zone, hours, in_words, rule_on
from heliograph.model.people import ZoneSource
from heliograph.model.policy import Policy
from heliograph.text.zones import best_zone, zone_of
from tables import table

BERLIN = Policy(default_timezone="Europe/Berlin")
EVERYWHERE: dict[str, Any] = {
    "timezone": "Asia/Tokyo",
    "phone_timezone": "America/New_York",
    "country_timezone": "Europe/Paris",
}
NO_ZONES = ["Mars/Olympus", "PST8", "America", "../etc", "a\0b", "Europe/Berlin ", "UTC+2", "x" * 300, " "]


def without(*names: str, **fields: str) -> dict[str, Any]:
    """A person's time zones but for some."""
    return {name: zone for name, zone in EVERYWHERE.items() if name not in names} | fields


@table(
    "known, expected",
    {
        "everything is known: the profile": (EVERYWHERE, "Asia/Tokyo profile"),
        "no profile: the phone number": (without("timezone"), "America/New_York phone"),
        "no phone number either: the country": (without("timezone", "phone_timezone"), "Europe/Paris country"),
        "a number that can be in several: its country": ({"phone_country": "AU"}, "Australia/Sydney country"),
        "the postal country counts more than that": (
            {"phone_country": "AU", "country_timezone": "Europe/Paris"},
            "Europe/Paris country",
        ),
        "a number of no country": ({"phone_country": ""}, "Europe/Berlin default"),
        "nothing is known: the policy's": ({}, "Europe/Berlin default"),
        "a profile that makes no sense": (without(timezone="Mars/Olympus"), "America/New_York phone"),
        "a zone that is gone, and nothing else": ({"timezone": "Mars/Olympus"}, "Europe/Berlin default"),
        "an old name of a zone": ({"timezone": "Asia/Calcutta"}, "Asia/Calcutta profile"),
    },
)
def test_the_best_time_zone_that_is_known_is_used_and_told(known: dict[str, Any], expected: str) -> None:
    assert rule_on(a_recipient(**known), policy=BERLIN).zone == a_zone(expected)


def test_a_no_tells_the_time_zone_as_well() -> None:
    assert rule_on(a_recipient(timezone="Asia/Tokyo"), a_promotion(), BERLIN).zone == a_zone("Asia/Tokyo profile")


def test_people_with_no_address_at_all_have_a_time_zone() -> None:
    assert rule_on(a_recipient(email="", phone="", devices=(), **EVERYWHERE)).zone == a_zone("Asia/Tokyo profile")


def test_people_who_are_not_known_live_where_the_policy_says() -> None:
    assert rule_on(None, policy=BERLIN).zone == a_zone("Europe/Berlin default")


@pytest.mark.parametrize("name", NO_ZONES)
def test_a_wrong_time_zone_never_drops_a_person(name: str) -> None:
    assert zone_of(name) is None
    by_day = Policy(default_timezone="Asia/Tokyo", hours=(hours(allowed=("19:00-20:00",)),))
    ruling = rule_on(a_subscriber(timezone=name), a_promotion(), by_day, now=NOW)
    assert (in_words(ruling), ruling.zone) == ("email", a_zone("Asia/Tokyo default"))


def test_a_wrong_default_is_universal_time() -> None:
    assert best_zone({}, "Mars/Olympus").named == a_zone("UTC default")
    assert best_zone({ZoneSource.COUNTRY: "Mars/Olympus"}, "").zone.key == "UTC"
