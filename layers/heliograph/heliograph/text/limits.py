"""How much may be said about a person, and for when: every bound on what is read from outside, with its source.

`docs/limits.md` says what happens beyond each of them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

EARLIEST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""No message is older than the one, nor waits for the other. Whoever writes the year 9999 means "for ever"."""

ATTRIBUTES: Final = 100
ATTRIBUTES_BYTES: Final = 65_536  # names and values together; an item of DynamoDB holds 400 KB
NAME: Final = 128  # characters of the name of an attribute, as of an identifier
CELL: Final = 4_096  # characters of an attribute in a file
FIELD: Final = 65_536  # characters of any other field, lists included
CONSENTS: Final = 100  # answers in one row or event: 33 topics on every channel
PROOF: Final = 256  # characters of the source, the text and the proof of a consent
DEVICES: Final = 15  # Pinpoint: endpoints of a user
DEVICE_TOKEN: Final = 4_096  # SNS: bytes of a token
QUIET_WINDOWS: Final = 14  # two for every day of a week
CHANNELS: Final = 20
EMAIL: Final = 254  # RFC 5321, 4.5.3.1.3, without the angle brackets
LOCAL_PART: Final = 64  # RFC 5321, 4.5.3.1.1
PHONE: Final = 64  # E.164 has 15 digits; people write brackets, blanks and an extension
LOCALE: Final = 35  # RFC 5646, 4.4.1
ZONE: Final = 64  # the longest name in the database has 32
VARIABLE: Final = 100  # characters of the name of a variable that is missing


def within_years(at: datetime) -> datetime:
    """A time, or the nearest one between the years 2000 and 2100."""
    return min(max(at, EARLIEST), LATEST)


def is_within_years(at: datetime) -> bool:
    """Whether a time is between the years 2000 and 2100."""
    return EARLIEST <= at <= LATEST
