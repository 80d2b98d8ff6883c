"""The made-up people of the demo."""

from __future__ import annotations

import unicodedata
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from builders import SMS
from heliograph.people.changes import RecipientChange, from_row
from heliograph.text import ids
from heliograph.text.csv import Row, read_rows
from heliograph.text.errors import MalformedError
from heliograph_cli.demo.countries import COUNTRIES
from heliograph_cli.demo.population import PEOPLE, SEGMENT, SHOP, population, write
from heliograph_cli.runs import checked_folder

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return write(tmp_path_factory.mktemp("demo"), population())


@pytest.fixture(scope="module")
def people(files: tuple[Path, Path]) -> list[RecipientChange]:
    changes = []
    for row in read(files[0]):
        if row.refused:
            continue
        try:
            changes.append(from_row(row.values, region="DE", double_opt_in=(), source="import:test", at=NOW))
        except MalformedError:
            continue
    return changes


def read(path: Path) -> list[Row]:
    with path.open(encoding="utf-8", newline="") as lines:
        return list(read_rows(lines))


def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(tmp_path: Path, files: tuple[Path, Path]) -> None:
    population.cache_clear()
    again = write(tmp_path / "again", population())
    other = write(tmp_path / "other", population(7))
    for name in ("segment.csv", "campaign.toml"):
        assert (again[1] / name).read_bytes() == (files[1] / name).read_bytes()
    assert again[0].read_bytes() == files[0].read_bytes() != other[0].read_bytes()


def test_everybody_is_imported_but_the_malformed_rows(people: list[RecipientChange], files: tuple[Path, Path]) -> None:
    assert len({change.recipient_id for change in people}) == len(people) == PEOPLE
    assert len(read(files[0])) == PEOPLE + len(population().malformed_people)


def test_the_segment_has_a_thousand_good_rows_and_some_that_are_refused(files: tuple[Path, Path]) -> None:
    rows = read(files[1] / "segment.csv")
    good = {
        row.values["recipient_id"] for row in rows if not row.refused and ids.is_identifier(row.values["recipient_id"])
    }
    assert len(good) == SEGMENT
    assert len(rows) == SEGMENT + len(population().malformed_segment)


def test_the_campaign_folder_can_be_submitted(files: tuple[Path, Path]) -> None:
    assert checked_folder(files[1]).message == "spring_sale"


def test_the_example_of_a_shop_is_part_of_the_demo(people: list[RecipientChange], files: tuple[Path, Path]) -> None:
    imported = {change.recipient_id for change in people}
    assert {row.values["recipient_id"] for row in read(SHOP / "people.csv")} < imported
    segment = [row.values for row in read(files[1] / "segment.csv") if not row.refused]
    assert [row.values for row in read(SHOP / "spring-sale/segment.csv")] == segment[
        : len(read(SHOP / "spring-sale/segment.csv"))
    ]
    assert (SHOP / "spring-sale/campaign.toml").read_text() in (files[1] / "campaign.toml").read_text()


def test_names_come_in_many_scripts(people: list[RecipientChange]) -> None:
    scripts = {unicodedata.name(change.attributes["first_name"][0]).split()[0] for change in people}
    assert scripts >= {
        "LATIN", "ARABIC", "CYRILLIC", "GREEK", "HEBREW", "CJK", "HIRAGANA", "HANGUL", "DEVANAGARI", "THAI", "TAMIL",
        "BENGALI", "ETHIOPIC", "GEORGIAN", "ARMENIAN",
    }  # fmt: skip


def test_zones_come_from_every_continent_and_some_are_half_an_hour_off(people: list[RecipientChange]) -> None:
    zones = {change.timezone for change in people if change.timezone}
    assert {zone.partition("/")[0] for zone in zones} >= {"Africa", "America", "Asia", "Australia", "Europe", "Pacific"}
    assert any((ZoneInfo(zone).utcoffset(NOW) or NOW - NOW).seconds % 3600 for zone in zones)


def test_every_kind_of_person_is_there(people: list[RecipientChange]) -> None:
    kinds = Counter[str]()
    for person in people:
        kinds["nowhere"] += not (person.addresses or person.invalid)
        kinds["phone"] += "phone" in person.addresses
        kinds["bad email"] += "email" in person.invalid
        kinds["bad phone"] += "phone" in person.invalid
        kinds["bad zone"] += any(problem.column == "timezone" for problem in person.problems)
        kinds["dead device"] += any("dead" in device for device in person.addresses.get("device", ()))
        kinds["no zone"] += not person.timezone
        kinds["zone of the number only"] += not person.timezone and bool(person.phone_timezone)
        kinds["zone of the country only"] += not person.timezone and not person.phone_timezone
        kinds["prefers a time"] += bool(person.preferred_time)
        kinds["quiet hours"] += bool(person.quiet_hours)
        kinds["wants a pause"] += person.paused_until is not None and person.paused_until > NOW
        kinds["wants no promotion by SMS"] += "promotional/sms" in person.consents
        kinds["prefers sms"] += person.preferred_channels[:1] == (SMS,)
        kinds["simulator"] += "simulator" in person.addresses.get("email", ("",))[0]
        for channel in ("email", "sms"):
            consent = person.consents.get(f"offers/{channel}")
            kinds[f"{channel} {consent.state if consent else 'not set'}"] += 1
    assert min(kinds.values()) >= 3, kinds
    assert kinds["phone"] > PEOPLE / 3


@pytest.mark.parametrize("country", COUNTRIES, ids=lambda country: country.country)
def test_every_zone_of_a_place_exists(country: object) -> None:
    for zone in country.zones:  # type: ignore[attr-defined]  # parametrised
        ZoneInfo(zone)
