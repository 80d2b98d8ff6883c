"""The policy that we ship: when people in several countries get a promotional text message."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

from builders import CHANNELS, EMAIL, SMS, a_message, a_promotion, a_recipient, a_zone, at, in_words, rule_on
from heliograph.model.messages import Message
from heliograph.model.people import Recipient
from heliograph.model.policy import Policy
from heliograph.text.addresses import country_timezone, phone_origin
from heliograph_cli.authoring.folder import read
from heliograph_cli.authoring.policy import compiled_policy
from tables import table
from tests_desk import DESK


@cache
def shipped() -> Policy:
    """The policy of the repository, as a build in 2026 compiles it."""
    desk, _ = read(DESK)
    assert desk
    return compiled_policy(replace(desk, years=range(2026, 2030)))


def somebody(phone: str, *, country: str = "", timezone: str = "") -> Recipient:
    """A person who opted in, of whom we know a phone number and perhaps more."""
    origin = phone_origin(phone)
    return a_recipient(
        phone=phone,
        phone_country=origin.country,
        phone_timezone=origin.timezone,
        country=country,
        country_timezone=country_timezone(country) if country else "",
        timezone=timezone,
        opted_in=[f"offers/{channel}" for channel in CHANNELS],
    )


NEW_YORK, LOS_ANGELES = somebody("+12125550100"), somebody("+12135550100")
BERLIN, PARIS, TOKYO = somebody("+493012345678"), somebody("+33142685300"), somebody("+81312345678")
ABROAD = somebody("+12125550100", country="DE")
"""An American phone number, and a postal address in Germany."""
SALE = a_promotion(SMS, topic="offers")


@table(
    "person, message, now, expected",
    {
        "New York, a minute before eight": (NEW_YORK, SALE, "2026-11-20 12:59", "later: sms quiet_hours Fri 13:00"),
        "New York, eight o'clock": (NEW_YORK, SALE, "2026-11-20 13:00", "sms"),
        "New York, a minute before nine p.m.": (NEW_YORK, SALE, "2026-11-21 01:59", "sms"),
        "New York, nine p.m.": (NEW_YORK, SALE, "2026-11-21 02:00", "later: sms quiet_hours Sat 13:00"),
        "New York, a Sunday": (NEW_YORK, SALE, "2026-11-22 15:00", "sms"),
        "New York, the night that summer time begins": (
            NEW_YORK,
            SALE,
            "2026-03-08 06:30",
            "later: sms quiet_hours Sun 12:00",
        ),
        "Los Angeles is not up yet": (LOS_ANGELES, SALE, "2026-11-20 13:00", "later: sms quiet_hours Fri 16:00"),
        "Los Angeles, eight o'clock": (LOS_ANGELES, SALE, "2026-11-20 16:00", "sms"),
        "Los Angeles, nine p.m.": (LOS_ANGELES, SALE, "2026-11-21 05:00", "later: sms quiet_hours Sat 16:00"),
        "Berlin, a working day": (BERLIN, SALE, "2026-11-20 18:59", "sms"),
        "Berlin, eight p.m.": (BERLIN, SALE, "2026-11-20 19:00", "later: sms quiet_hours Sat 07:00"),
        "Berlin, a Saturday evening": (BERLIN, SALE, "2026-11-21 19:00", "later: sms quiet_hours Mon 07:00"),
        "Berlin, a Sunday": (BERLIN, SALE, "2026-11-22 12:00", "later: sms quiet_hours Mon 07:00"),
        "Berlin, Good Friday": (BERLIN, SALE, "2026-04-03 10:00", "later: sms quiet_hours Sat 06:00"),
        "Berlin, the evening before Easter": (BERLIN, SALE, "2026-04-04 18:00", "later: sms quiet_hours Tue 06:00"),
        "Berlin, Easter Monday": (BERLIN, SALE, "2026-04-06 10:00", "later: sms quiet_hours Tue 06:00"),
        "Berlin, 25 December": (BERLIN, SALE, "2026-12-25 10:00", "later: sms quiet_hours Mon 07:00"),
        "Berlin, 25 December, a mail": (BERLIN, a_promotion(EMAIL, topic="offers"), "2026-12-25 10:00", "email"),
        "Berlin, 25 December, a parcel": (BERLIN, a_message(channels=(SMS,)), "2026-12-25 10:00", "sms"),
        "Paris works on Good Friday": (PARIS, SALE, "2026-04-03 10:00", "sms"),
        "Paris, Easter Monday": (PARIS, SALE, "2026-04-06 10:00", "later: sms quiet_hours Tue 06:00"),
        "Paris, 25 December": (PARIS, SALE, "2026-12-25 10:00", "later: sms quiet_hours Sat 07:00"),
        "Tokyo, a Sunday": (TOKYO, SALE, "2026-11-22 03:00", "sms"),
        "Tokyo, at night": (TOKYO, SALE, "2026-11-20 13:30", "later: sms quiet_hours Fri 23:00"),
        "who moved to Germany rests on Sundays": (ABROAD, SALE, "2026-11-22 15:00", "later: sms quiet_hours Mon 13:00"),
    },
)
def test_the_shipped_policy_lets_people_sleep_and_keeps_their_holidays(
    person: Recipient, message: Message, now: str, expected: str
) -> None:
    assert in_words(rule_on(person, message, shipped(), now=at(now))) == expected


@table(
    "person, expected",
    {
        "a number of one place": (NEW_YORK, "America/New_York phone"),
        "an address abroad, a number at home": (ABROAD, "America/New_York phone"),
        "a number of a country with one zone": (TOKYO, "Asia/Tokyo phone"),
        "a mobile number of all of Australia": (somebody("+61412345678"), "Australia/Sydney country"),
        "the same with an address": (somebody("+61412345678", country="FR"), "Europe/Paris country"),
        "the same with a profile": (somebody("+61412345678", timezone="America/Denver"), "America/Denver profile"),
    },
)
def test_the_time_zone_is_told_with_where_it_is_known_from(person: Recipient, expected: str) -> None:
    assert rule_on(person, SALE, shipped()).zone == a_zone(expected)
