"""What people and files write as an address, a zone, a country, a time or a language, in the form that we keep.

Every reader raises MalformedError with a reason that never quotes what was written.
The two big libraries are imported on first use, as most functions never need them.
"""

import re
from datetime import UTC, datetime
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from heliograph.text import limits, locales
from heliograph.text.errors import Code, MalformedError

PLATFORMS: Final = {
    "gcm": "gcm",
    "fcm": "gcm",
    "apns": "apns",
    "apns_sandbox": "apns_sandbox",
    "adm": "adm",
    "baidu": "baidu",
}
"""As people name it -> as Pinpoint names it, in lower case."""

DEVICE_TOKEN: Final = re.compile(rf"[!-~]{{1,{limits.DEVICE_TOKEN}}}")
MOST_PEOPLE: Final = {
    "AU": "Australia/Sydney",
    "BR": "America/Sao_Paulo",
    "CA": "America/Toronto",
    "RU": "Europe/Moscow",
    "UA": "Europe/Kyiv",
}
"""Where most people of a country live, if that is not the first of its zones in zone.tab."""

ABBREVIATIONS: Final = frozenset(
    {
        *("CET", "EET", "EST", "HST", "MET", "MST", "WET"),
        *("CST6CDT", "EST5EDT", "MST7MDT", "PST8PDT"),
        *("Factory", "localtime"),
    }
)
"""Names of the zone database that say no place: `EST` has no summer, wherever somebody who writes it lives."""

ZONE_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,3}")


class Origin(NamedTuple):
    """Where a phone number is from; empty where the number does not say."""

    country: str
    """ISO 3166-1 alpha-2."""
    timezone: str


def email(text: str) -> str:
    """`Amara@Bücher.Example` is `Amara@xn--bcher-kva.example`: SES takes domains so, and only ASCII before the @."""
    from email_validator import EmailNotValidError, validate_email

    if len(text.strip()) > limits.EMAIL:
        raise MalformedError(Code.BAD_ADDRESS, "email", f"is longer than {limits.EMAIL} characters")
    try:
        # Nothing is looked up; `.test` is let through, as whole systems are tried out with it.
        address = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise MalformedError(Code.BAD_ADDRESS, "email", "is not an email address") from None
    if address.ascii_email is None:
        raise MalformedError(Code.BAD_ADDRESS, "email", "has letters before the @ that SES cannot send to")
    if len(address.ascii_email.rpartition("@")[0]) > limits.LOCAL_PART:
        raise MalformedError(Code.BAD_ADDRESS, "email", f"has more than {limits.LOCAL_PART} characters before the @")
    return address.ascii_email


def phone(text: str, *, region: str) -> str:
    """E.164. `region` (ISO 3166-1 alpha-2) is the country of numbers that are written without one."""
    import phonenumbers

    if len(text) > limits.PHONE:
        raise MalformedError(Code.BAD_ADDRESS, "phone", f"is longer than {limits.PHONE} characters")
    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise MalformedError(Code.BAD_ADDRESS, "phone", "is not a phone number") from None
    if not phonenumbers.is_valid_number(number):
        raise MalformedError(Code.BAD_ADDRESS, "phone", "is not a number that exists")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def phone_origin(number: str) -> Origin:
    """The country of a number (E.164), and its time zone if it can be in one only: zones of one time count once."""
    import phonenumbers
    from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

    parsed = phonenumbers.parse(number)
    region = phonenumbers.region_code_for_number(parsed) or ""
    code = region if region.isalpha() else ""  # `001` is a network that belongs to no country
    zones = [zone for zone in time_zones_for_number(parsed) if zone != UNKNOWN_TIMEZONE]
    if len({_rules_of(zone) for zone in zones}) != 1:
        return Origin(code, "")
    own = country_timezone(code)
    return Origin(code, own if own in zones else zones[0])


def country(text: str) -> str:
    """ISO 3166-1 alpha-2: `de` is `DE`."""
    code = text.strip().upper()
    if code not in _countries():
        raise MalformedError(Code.BAD_FIELD, "country", "is not a country code of two letters (ISO 3166-1)")
    return code


def country_timezone(code: str) -> str:
    """The time zone in which most people of a country live; empty if nobody does."""
    return MOST_PEOPLE.get(code) or _first_zones().get(code, "")


def device(text: str) -> str:
    """`<platform>:<token>`, the platform as Pinpoint names it: `FCM:abc` is `gcm:abc`."""
    platform, _, token = text.strip().partition(":")
    known = PLATFORMS.get(platform.strip().lower())
    if known is None:
        raise MalformedError(Code.BAD_ADDRESS, "device", "names no known platform before the colon")
    if not DEVICE_TOKEN.fullmatch(token):
        raise MalformedError(Code.BAD_ADDRESS, "device", "has no token after the colon")
    return f"{known}:{token}"


def timezone(text: str) -> str:
    """An IANA name, links such as `US/Pacific` included. Abbreviations such as `PST` and `EST` name no zone."""
    name = text.strip()
    if len(name) > limits.ZONE or not ZONE_NAME.fullmatch(name) or name in ABBREVIATIONS:
        raise MalformedError(Code.BAD_FIELD, "timezone", "is not an IANA time zone")
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of the database, such as `America`
        raise MalformedError(Code.BAD_FIELD, "timezone", "is not an IANA time zone") from None


def moment(text: str) -> datetime:
    """ISO 8601, between the years 2000 and 2100; without a time zone it is UTC."""
    found = _moment(text)
    if not limits.is_within_years(found):
        raise MalformedError(Code.BAD_TIME, "time", "is not between the years 2000 and 2100")
    return found.astimezone(UTC)


def until(text: str) -> datetime:
    """ISO 8601; the year 9999 means for ever, which is 2100, and what is before the year 2000 is over."""
    return limits.within_years(_moment(text)).astimezone(UTC)


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise MalformedError(Code.BAD_TIME, "time", "is not an ISO 8601 time") from None
    return found.replace(tzinfo=found.tzinfo or UTC)


def locale(text: str) -> str:
    """A BCP-47 tag in its canonical form: `en_us` is `en-US`."""
    try:
        return locales.canonical(text)
    except ValueError:
        raise MalformedError(Code.BAD_FIELD, "locale", "is not a BCP-47 language tag") from None


@cache
def _countries() -> frozenset[str]:
    return frozenset(row[0] for row in _rows("iso3166.tab"))


@cache
def _first_zones() -> dict[str, str]:
    """zone.tab names the main zone of nearly every country first."""
    return {row[0]: row[2] for row in reversed(_rows("zone.tab"))}


@cache
def _rules_of(zone: str) -> bytes:
    """The zone's clock changes: a link, such as Europe/Guernsey, has those of the zone that it points to."""
    return files("tzdata").joinpath("zoneinfo", *zone.split("/")).read_bytes()


def _rows(table: str) -> list[list[str]]:
    lines = files("tzdata").joinpath("zoneinfo", table).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]
