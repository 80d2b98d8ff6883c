"""Rules of destinations: webhooks go to public addresses over HTTPS, whatever anybody writes into a profile."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heliograph.channels.webhook.destination import URL_LIMIT, address, is_public, is_url, read
from heliograph.text.errors import MalformedError


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("https://hooks.example.com/a/b?c=d%20e", "https://hooks.example.com/a/b?c=d%20e"),
        ("HTTPS://Hooks.Example.COM", "https://hooks.example.com/"),
        ("https://hooks.example.com.:443/", "https://hooks.example.com/"),
        ("https://hooks.example.com:8443/", "https://hooks.example.com:8443/"),
        ("https://xn--bcher-kva.example/", "https://xn--bcher-kva.example/"),
        ("https://93.184.216.34/x", "https://93.184.216.34/x"),
        ("https://[2606:2800:220:1::1]:8443?x", "https://[2606:2800:220:1::1]:8443/?x"),
    ],
)
def test_an_endpoint_is_kept_in_one_spelling(written: str, kept: str) -> None:
    assert read(written).url == kept
    assert read(kept).url == kept


@pytest.mark.parametrize(
    "written",
    [
        "",
        "hooks.example.com",
        "//hooks.example.com",
        "http://hooks.example.com/",
        "file:///etc/passwd",
        "https://",
        "https:///path",
        "https://user@hooks.example.com/",
        "https://user:secret@hooks.example.com/",
        "https://good.example@evil.example/",
        "https://good.example\\@evil.example/",
        "https://hooks.example.com/#fragment",
        "https://hooks.example.com:0/",
        "https://hooks.example.com:22/",
        "https://hooks.example.com:80/",
        "https://hooks.example.com:65536/",
        "https://hooks.example.com:x/",
        "https://hooks.example.com/a b",
        "https://hooks.example.com/\r\nHost: evil.example",
        "https://hooks.example.com/\x00",
        " https://hooks.example.com/",
        "https://bücher.example/",
        "https://ｅxample.com/",
        "https://hooks..example.com/",
        "https://hooks%2eexample.com/",
        "https://[::1/",
        "https://[fe80::1%25eth0]/",
        "https://[not an address]/",
        f"https://hooks.example.com/{'x' * URL_LIMIT}",
        f"https://hooks.example.com?{'x' * URL_LIMIT}"[:URL_LIMIT],
    ],
)
def test_what_is_no_plain_https_url_is_refused_without_quoting_it(written: str) -> None:
    with pytest.raises(MalformedError) as refused:
        read(written)
    assert len(written) < 9 or written not in str(refused.value)


def test_an_address_is_a_url_or_names_a_function() -> None:
    for written, kept in (
        (" chatbot:-1001234/7 ", "chatbot:-1001234/7"),
        ("HTTPS://Hooks.Example.com", "https://hooks.example.com/"),
    ):
        assert address(written) == kept
        assert is_url(kept) is kept.startswith("https:")


@pytest.mark.parametrize(
    "written", ["", ":", "chatbot:", ":42", "chat bot:42", "chatbot:a b", "a/b:42", "42", f"c:{'x' * 257}"]
)
def test_an_address_that_names_neither_is_refused(written: str) -> None:
    with pytest.raises(MalformedError):
        address(written)


@pytest.mark.parametrize(
    "written", ["http://hooks.example.com/", "ftp://hooks.example.com/", "https://user@example.com/"]
)
def test_no_url_passes_for_a_function(written: str) -> None:
    with pytest.raises(MalformedError):
        address(written)


INSIDE = {
    "this network": "0.0.0.0",
    "loopback": "127.0.0.1 127.255.255.254 ::1",
    "unspecified": "::",
    "private": "10.0.0.1 172.16.0.1 172.31.255.254 192.168.1.1",
    "carrier-grade NAT": "100.64.0.1 100.127.255.254",
    "link-local": "169.254.0.1 fe80::1 fe80::1%eth0",
    "of AWS, such as metadata": "169.254.169.254 169.254.169.123 169.254.169.253 169.254.170.2 fd00:ec2::254",
    "unique local": "fc00::1 fdff::1",
    "site-local": "fec0::1",
    "protocol assignments": "192.0.0.1 192.0.0.9 192.0.0.170",
    "documentation": "192.0.2.1 198.51.100.1 203.0.113.1 2001:db8::1 3fff::1",
    "benchmarks": "198.18.0.1 198.19.255.254 2001:2::1",
    "multicast": "224.0.0.1 239.255.255.255 ff02::1 ff0e::1",
    "reserved": "240.0.0.1 255.255.255.255 4000::1",
    "mapped IPv4": "::ffff:127.0.0.1 ::ffff:169.254.169.254 ::ffff:8.8.8.8",
    "compatible IPv4": "::127.0.0.1 ::8.8.8.8",
    "6to4": "2002:7f00:1::1 2002:a9fe:a9fe::1 192.88.99.1",
    "Teredo": "2001:0:7f00:1::1",
    "NAT64": "64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1",
    "discard": "100::1",
    "ORCHID": "2001:10::1 2001:20::1",
}


@pytest.mark.parametrize("addresses", INSIDE.values(), ids=INSIDE)
def test_an_address_that_is_not_public_is_refused(addresses: str) -> None:
    assert [one for one in addresses.split() if is_public(one)] == []


@pytest.mark.parametrize("one", ["8.8.8.8", "93.184.216.34", "52.94.236.248", "2606:4700::1111", "2a05:d000::1"])
def test_an_address_on_the_internet_is_permitted(one: str) -> None:
    assert is_public(one)


@settings(deadline=None)
@given(st.ip_addresses(v=4))
def test_no_ipv6_address_hides_an_ipv4_address(inner: IPv4Address) -> None:
    number = int(inner)
    hiding = [
        IPv6Address(number),
        IPv6Address(0xFFFF << 32 | number),
        IPv6Address(0x64FF9B << 96 | number),
        IPv6Address(0x2002 << 112 | number << 80 | 1),
        IPv6Address(0x20010000 << 96 | number),
        IPv6Address(0x20010000 << 96 | (number ^ 0xFFFFFFFF)),
    ]
    assert [one for one in hiding if is_public(str(one))] == []
