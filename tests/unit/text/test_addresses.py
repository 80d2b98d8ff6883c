"""Rules of addresses, zones and languages: one form, or a refusal that does not quote what was written."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heliograph.text import addresses
from heliograph.text.errors import MalformedError

READERS: dict[str, Callable[[str], str]] = {
    "email": addresses.email,
    "phone": partial(addresses.phone, region="US"),
    "device": addresses.device,
    "timezone": addresses.timezone,
    "locale": addresses.locale,
}


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        (" Amara@Example.COM ", "Amara@example.com"),
        ("amara+news@example.com", "amara+news@example.com"),
        ("amara@bücher.example", "amara@xn--bcher-kva.example"),
        ("bounce+42@simulator.amazonses.com", "bounce+42@simulator.amazonses.com"),
        ("amara@shop.test", "amara@shop.test"),
    ],
)
def test_an_email_address_keeps_its_name_and_lowers_its_domain(text: str, kept: str) -> None:
    assert addresses.email(text) == kept


@pytest.mark.parametrize(
    "text",
    [
        "",
        "amara",
        "amara@",
        "@example.com",
        "a@b@c.com",
        "Amara <amara@example.com>",
        "jürgen@example.com",
        "a@localhost",
        "a" * 65 + "@example.com",
        "a" * 300 + "@example.com",
    ],
)
def test_what_ses_cannot_send_to_is_no_email_address(text: str) -> None:
    with pytest.raises(MalformedError):
        addresses.email(text)


@pytest.mark.parametrize(
    ("text", "region", "kept"),
    [
        ("+1 (206) 555-0100", "US", "+12065550100"),
        ("206-555-0100", "US", "+12065550100"),
        ("020 7946 0958", "GB", "+442079460958"),
        ("+44 20 7946 0958", "US", "+442079460958"),
    ],
)
def test_a_phone_number_is_kept_as_e164(text: str, region: str, kept: str) -> None:
    assert addresses.phone(text, region=region) == kept


@pytest.mark.parametrize("text", ["", "nobody", "123", "020 7946 0958", "+1 206 555 010", "+999 1234567"])
def test_a_number_that_cannot_exist_is_no_phone_number(text: str) -> None:
    with pytest.raises(MalformedError):
        addresses.phone(text, region="US")


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("gcm:token", "gcm:token"),
        ("FCM:dGVzdA:APA91", "gcm:dGVzdA:APA91"),
        ("apns:00ff", "apns:00ff"),
        ("apns_sandbox:00ff", "apns_sandbox:00ff"),
    ],
)
def test_a_device_is_a_platform_and_a_token(text: str, kept: str) -> None:
    assert addresses.device(text) == kept


@pytest.mark.parametrize("text", ["", "token", "pager:token", "gcm:", "gcm:two words", ":token"])
def test_a_device_without_a_known_platform_or_a_token_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        addresses.device(text)


@pytest.mark.parametrize("name", ["Europe/Paris", "US/Pacific", "America/Argentina/Buenos_Aires", "UTC", "Etc/GMT+5"])
def test_a_time_zone_is_an_iana_name_or_a_link_to_one(name: str) -> None:
    assert addresses.timezone(name) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", "PST", "CEST", "America", "Mars/Olympus", "../etc/passwd", "/Europe/Paris", "+01:00", "a" * 300),
        *("EST", "MST", "HST", "CET", "EST5EDT", "Factory", "localtime", "posixrules"),
    ],
)
def test_what_names_no_time_zone_is_refused(name: str) -> None:
    with pytest.raises(MalformedError):
        addresses.timezone(name)


@pytest.mark.parametrize(("text", "kept"), [("en_US", "en-US"), ("EN", "en"), ("zh-hant-tw", "zh-Hant-TW")])
def test_a_language_is_kept_in_its_canonical_form(text: str, kept: str) -> None:
    assert addresses.locale(text) == kept


@pytest.mark.parametrize("text", ["", "english language", "en_US.UTF-8", "e", "-"])
def test_what_is_no_language_tag_is_refused(text: str) -> None:
    with pytest.raises(MalformedError):
        addresses.locale(text)


@pytest.mark.parametrize("name", READERS)
@given(text=st.text(max_size=60))
def test_whatever_is_written_is_read_or_refused_without_being_quoted(name: str, text: str) -> None:
    reader = READERS[name]
    try:
        kept = reader(text)
    except MalformedError as error:
        assert len(text) < 8 or text not in str(error)
    else:
        assert reader(kept) == kept
