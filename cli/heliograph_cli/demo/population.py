"""The people of the demo: those of `examples/shop`, and many made up by a seeded generator; none of them exists."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from random import Random

import phonenumbers

from heliograph_cli.demo.countries import COUNTRIES, Country
from heliograph_cli.local.cloud import ROOT

SHOP = ROOT / "examples/shop"
"""A shop with a few customers, events and a campaign, for people to read; the demo uses all of it."""
SEED = 20261030
PEOPLE = 1200
SEGMENT = 1000
CAMPAIGN = "spring-sale"
STRANGERS = 8  # people of the segment whom nobody knows
DOMAINS = ("example.com", "example.org", "example.net", "mail.test", "BÜCHER.test", "Example.COM")
"""Reserved for documentation and tests: RFC 2606."""
SIMULATOR = "simulator.amazonses.com"
SIMULATED = ("bounce",) * 6 + ("complaint",) * 3 + ("success",) * 9
UNREADABLE_EMAILS = ("nobody@@example.com", "at example.org", "@example.net", "anna@example..com")
UNREADABLE_PHONES = ("12", "+49 000", "call me", "+999 123456789")
WRONG_ZONES = ("Mars/Olympus", "PST", "UTC+5:30", "Europe/Atlantis")
WINDOWS = ("22:00-07:00", "21:00-09:00 12:00-13:00")
PAUSES = ("2026-01-01", "2036-01-01T09:00:00+02:00")
"""One that is over, and one that is longer than any message waits."""
WISHES = ("email", "sms", "push", "email sms", "sms email", "push sms")
Row = dict[str, str]


@dataclass(frozen=True)
class Population:
    """People to import and those of them who are in the segment, as rows; the malformed rows as text."""

    people: tuple[Row, ...]
    segment: tuple[Row, ...]
    malformed_people: tuple[str, ...] = ("has spaces,a@example.com", ",nameless@example.com", "p-short")
    malformed_segment: tuple[str, ...] = ("p-0001;platinum", "p-0002", ";gold", "no such id!;gold", 'p-0003;"gold"!')
    """Twice in the segment, too few cells, no id, no possible id, and a quote that ends too early."""


@cache
def population(seed: int = SEED) -> Population:
    """Everybody, made from a seed."""
    rng = Random(seed)  # noqa: S311  # a demo needs the same people again, not secrets
    customers, chosen = _rows(SHOP / "people.csv"), _rows(SHOP / CAMPAIGN / "segment.csv")
    crowd = [_person(rng, number) for number in range(1, PEOPLE - len(customers) + 1)]
    many = rng.sample(crowd[1:], SEGMENT - len(chosen) - STRANGERS - 1)
    ids = ["p-0001", *(person["recipient_id"] for person in many)]
    ids += [f"stranger-{number}" for number in range(1, STRANGERS + 1)]
    members = [{"recipient_id": each, "loyalty": rng.choice(("silver", "gold", "platin\nplus"))} for each in ids]
    return Population((*customers, *crowd), (*chosen, *members))


def _rows(file: Path) -> list[Row]:
    with file.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def _person(rng: Random, number: int) -> Row:
    country = rng.choice(COUNTRIES)
    offers = {channel: _answer(rng, often) for channel, often in (("email", 0.72), ("sms", 0.42))}
    row = {
        "recipient_id": f"p-{number:04}",
        "email": _email(rng, number),
        "phone": _phone(rng, country) if rng.random() < 0.6 else "",
        "devices": _devices(rng, number) if rng.random() < 0.25 else "",
        "preferred_channels": rng.choice(WISHES) if rng.random() < 0.3 else "",
        "preferred_time": f"{rng.randrange(7, 21):02}:30" if rng.random() < 0.05 else "",
        "quiet_hours": _sometimes(rng, 0.05, WINDOWS),
        "paused_until": _sometimes(rng, 0.02, PAUSES),
        "locale": country.locale if rng.random() < 0.95 else "",
        "timezone": _sometimes(rng, 0.01, WRONG_ZONES) or (rng.choice(country.zones) if rng.random() < 0.85 else ""),
        "consent.offers.email": offers["email"],
        "consent.offers.sms": offers["sms"],
        "consent.promotional.sms": "opted_out" if rng.random() < 0.03 else "",
        "consent_source": "page:newsletter",
        "consent_at": _consented_at(rng),
        "consent_text": "newsletter-2025-01",
        "consent_proof": f"form/{number:06}",
        "first_name": rng.choice(country.given),
        "last_name": rng.choice(country.family),
        "country": country.country,
    }
    if rng.random() < 0.03:
        row |= {"email": "", "phone": "", "devices": ""}
    if number <= len(SIMULATED):
        row |= _simulated(number)
    return row


def _simulated(number: int) -> Row:
    """Somebody at an address of the simulator of SES, who gets the campaign by email."""
    email = f"{SIMULATED[number - 1]}+{number}@{SIMULATOR}"
    blank = dict.fromkeys(("preferred_channels", "preferred_time", "quiet_hours", "paused_until"), "")
    return {**blank, "email": email, "consent.offers.email": "opted_in"}


def _email(rng: Random, number: int) -> str:
    if unreadable := _sometimes(rng, 0.02, UNREADABLE_EMAILS):
        return unreadable
    return f"person.{number}@{rng.choice(DOMAINS)}" if rng.random() < 0.88 else ""


def _phone(rng: Random, country: Country) -> str:
    """A number that the country's plan allows, near the one that the phonenumbers library gives as an example."""
    if unreadable := _sometimes(rng, 0.02, UNREADABLE_PHONES):
        return unreadable
    example = phonenumbers.example_number_for_type(country.country, phonenumbers.PhoneNumberType.MOBILE)
    assert example is not None, f"no mobile numbers are known in {country.country}"
    digits = str(example.national_number)
    varied = 2 if country.country in {"US", "CA"} else 4  # +1 … 555-01xx is kept for fiction
    while True:
        national = f"{digits[:-varied]}{rng.randrange(10**varied):0{varied}}"
        number = phonenumbers.PhoneNumber(country_code=example.country_code, national_number=int(national))
        if phonenumbers.is_valid_number(number):
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _devices(rng: Random, number: int) -> str:
    kinds = rng.choice((("gcm",), ("gcm",), ("apns",), ("apns",), ("gcm", "apns")))
    return " ".join(f"{kind}:{'dead-' if rng.random() < 0.06 else ''}token-{number}" for kind in kinds)


def _answer(rng: Random, often: float) -> str:
    share = rng.random()
    return "opted_in" if share < often else "opted_out" if share < often + 0.12 else ""


def _consented_at(rng: Random) -> str:
    return (datetime(2025, 1, 1, tzinfo=UTC) + timedelta(minutes=rng.randrange(500_000))).isoformat()


def _sometimes(rng: Random, often: float, values: Sequence[str]) -> str:
    return rng.choice(values) if rng.random() < often else ""


def write(folder: Path, made: Population, *, edition: str = "first") -> tuple[Path, Path]:
    """Write the import and the campaign folder; returns the path of each."""
    campaign = folder / "campaigns" / CAMPAIGN
    campaign.mkdir(parents=True, exist_ok=True)
    people = folder / "recipients.csv"
    people.write_bytes(_text(made.people, made.malformed_people, ",", "\n").encode())
    segment = _text(made.segment, made.malformed_segment, ";", "\r\n")
    (campaign / "segment.csv").write_bytes(segment.encode("utf-8-sig"))
    # The same content again would be the same run, and a demo on a running cloud is a run of its own.
    manifest = (SHOP / CAMPAIGN / "campaign.toml").read_text(encoding="utf-8")
    (campaign / "campaign.toml").write_text(f"# {edition}\nagain = true\n{manifest}", encoding="utf-8")
    return people, campaign


def _text(rows: Sequence[Row], malformed: Iterable[str], delimiter: str, end: str) -> str:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, rows[0].keys(), delimiter=delimiter, lineterminator=end)
    writer.writeheader()
    writer.writerows(rows)
    return file.getvalue() + "".join(line + end for line in malformed)
