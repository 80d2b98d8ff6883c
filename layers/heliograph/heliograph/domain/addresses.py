"""What people and files write as an address, a zone or a language, brought to the one form in which we keep it.

Every reader raises MalformedError with a reason that never quotes what was written.
The two big libraries are imported on first use, as most functions never need them.
"""

import re
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from heliograph.domain import locales
from heliograph.domain.errors import MalformedError

PLATFORMS: Final = {
    "gcm": "gcm",
    "fcm": "gcm",
    "apns": "apns",
    "apns_sandbox": "apns_sandbox",
    "adm": "adm",
    "baidu": "baidu",
}
"""As people name it -> as Pinpoint names it, in lower case."""

DEVICE_TOKEN: Final = re.compile(r"[!-~]{1,4096}")
ZONE_NAME: Final = re.compile(r"[A-Z][A-Za-z0-9_+-]*(?:/[A-Za-z0-9_+-]+){0,3}")


def email(text: str) -> str:
    """`Amara@Bücher.Example` is `Amara@xn--bcher-kva.example`: SES takes domains so, and only ASCII before the @."""
    from email_validator import EmailNotValidError, validate_email

    try:
        # Nothing is looked up; `.test` is let through, as whole systems are tried out with it.
        address = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise MalformedError("email", "is not an email address") from None
    if address.ascii_email is None:
        raise MalformedError("email", "has letters before the @ that SES cannot send to")
    return address.ascii_email


def phone(text: str, *, region: str) -> str:
    """E.164. `region` (ISO 3166-1 alpha-2) is the country of numbers that are written without one."""
    import phonenumbers

    try:
        number = phonenumbers.parse(text, region)
    except phonenumbers.NumberParseException:
        raise MalformedError("phone", "is not a phone number") from None
    if not phonenumbers.is_valid_number(number):
        raise MalformedError("phone", "is not a number that exists")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def device(text: str) -> str:
    """`<platform>:<token>`, the platform as Pinpoint names it: `FCM:abc` is `gcm:abc`."""
    platform, _, token = text.strip().partition(":")
    known = PLATFORMS.get(platform.strip().lower())
    if known is None:
        raise MalformedError("device", "names no known platform before the colon")
    if not DEVICE_TOKEN.fullmatch(token):
        raise MalformedError("device", "has no token after the colon")
    return f"{known}:{token}"


def timezone(text: str) -> str:
    """An IANA name, links such as `US/Pacific` included. Abbreviations such as `PST` name no zone."""
    name = text.strip()
    if not ZONE_NAME.fullmatch(name) or len(name) > 64:
        raise MalformedError("timezone", "is not an IANA time zone")
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a folder of the database, such as `America`
        raise MalformedError("timezone", "is not an IANA time zone") from None


def locale(text: str) -> str:
    """A BCP-47 tag in its canonical form: `en_us` is `en-US`."""
    try:
        return locales.canonical(text)
    except ValueError:
        raise MalformedError("locale", "is not a BCP-47 language tag") from None
