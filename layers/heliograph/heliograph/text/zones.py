"""In which time zone a person lives, and how we know."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from heliograph.model.people import Recipient, Zone, ZoneSource
from heliograph.text.addresses import country_timezone

SOURCES = tuple(ZoneSource)
"""The best first."""


class FoundZone(NamedTuple):
    """A time zone, and where it is known from."""

    zone: ZoneInfo
    source: ZoneSource

    @property
    def named(self) -> Zone:
        """As it is kept."""
        return Zone(self.zone.key, self.source)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo | None:
    """The time zone of a name; None when there is no such zone."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError, OSError):  # OSError: a name that is a folder of the zone database
        return None


def zones_of(recipient: Recipient) -> dict[ZoneSource, str]:
    """Every time zone that is known of a person; of a number that can be in several, the one of its country counts."""
    country = recipient.country or ("" if recipient.phone_timezone else recipient.phone_country)
    known = {
        ZoneSource.PROFILE: recipient.timezone,
        ZoneSource.PHONE: recipient.phone_timezone,
        ZoneSource.COUNTRY: recipient.country_timezone or country_timezone(country),
    }
    return {source: name for source, name in known.items() if name}


def best_zone(zones: Mapping[ZoneSource, str], default: str) -> FoundZone:
    """The best of a person's zones, else the default: one bad zone never drops a person."""
    for source in SOURCES:
        if zone := zone_of(zones.get(source, "")):
            return FoundZone(zone, source)
    return FoundZone(zone_of(default) or ZoneInfo("UTC"), ZoneSource.DEFAULT)
