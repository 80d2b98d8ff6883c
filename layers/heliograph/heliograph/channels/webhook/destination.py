"""Where a webhook may go: to a public address over HTTPS, and nowhere inside (server-side request forgery).

Endpoints come from profiles and events, so that anybody may have written them.
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from heliograph.text.errors import Code, MalformedError

URL_LIMIT: Final = 1_024  # characters; addresses are keys of the tables, which hold 2,048 bytes
HTTPS: Final = 443
UNPRIVILEGED: Final = 1_024  # ports from here on may be anything; below it, only that of HTTPS is

FUNCTION: Final = re.compile(r"[A-Za-z0-9_-]{1,32}:(?!//)[!-~]{1,256}")
"""The end of a function's name, and what that function knows somebody by."""
VISIBLE: Final = re.compile(r"[!-~]+")
HOST: Final = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*|[0-9a-f:.]*:[0-9a-f:.]*")
"""A name, an IPv4 address, or an IPv6 address without a zone."""
BACKSLASH: Final = "\\"

UNICAST: Final = IPv6Network("2000::/3")
"""What IANA has given out for hosts so far. Outside of it are ::1, fc00::/7 (with AWS's fd00:ec2::254), fe80::/10,
ff00::/8, and addresses that hide an IPv4 one: ::ffff:0:0/96 and ::/96 (mapped), 64:ff9b::/32 (NAT64)."""

NOT_PUBLIC: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT
            "192.0.0.0/24",
            "192.88.99.0/24",  # relays of 6to4
            "198.18.0.0/15",  # benchmarks
            "2001::/23",  # Teredo among them, which hides an IPv4 address
            "2001:db8::/32",
            "2002::/16",  # 6to4: hides an IPv4 address
            "3fff::/20",
        ),
    )
)
"""From IANA's registries of special addresses: what the `ipaddress` of some Python that we run on does not know."""


class Destination(NamedTuple):
    """An endpoint's URL in its parts."""

    host: str
    """In lower case; an IPv6 address without its brackets."""
    port: int
    target: str
    """Path and query, as they are asked for."""

    @property
    def authority(self) -> str:
        """What the Host header says."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == HTTPS else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The URL, written in the one way in which we keep it."""
        return f"https://{self.authority}{self.target}"


def address(text: str) -> str:
    """What a profile may hold: the URL of an endpoint, or a function and whom it knows, such as `chatbot:42`.

    Raises MalformedError.
    """
    text = text.strip()
    return text if FUNCTION.fullmatch(text) else read(text).url


def is_url(kept: str) -> bool:
    """Which of the two an address is."""
    return kept.startswith("https://")


def read(text: str) -> Destination:
    """Read the URL of an endpoint. Raises MalformedError with a reason that does not quote it."""
    if len(text) > URL_LIMIT:
        raise MalformedError(Code.BAD_ADDRESS, "endpoint", f"is longer than {URL_LIMIT} characters")
    if not VISIBLE.fullmatch(text) or BACKSLASH in text:
        raise MalformedError(Code.BAD_ADDRESS, "endpoint", "is not a URL: encode what is not ASCII, and hosts as xn--")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise MalformedError(Code.BAD_ADDRESS, "endpoint", "is not a URL") from None
    if parts.scheme != "https":
        raise MalformedError(Code.BAD_ADDRESS, "endpoint", "does not begin with https://")
    if "@" in parts.netloc:
        raise MalformedError(Code.BAD_ADDRESS, "endpoint", "has a name or a password before its host")
    if "#" in text:
        raise MalformedError(Code.BAD_ADDRESS, "endpoint", "has a fragment, which no server sees")
    host = (parts.hostname or "").removesuffix(".")
    if not HOST.fullmatch(host):
        raise MalformedError(Code.BAD_ADDRESS, "endpoint", "has no host that can be asked")
    if port is not None and port != HTTPS and port < UNPRIVILEGED:
        raise MalformedError(
            Code.BAD_ADDRESS, "endpoint", f"uses a port other than {HTTPS} and those from {UNPRIVILEGED} up"
        )
    query = f"?{parts.query}" if parts.query else ""
    found = Destination(host, HTTPS if port is None else port, (parts.path or "/") + query)
    if len(found.url) > URL_LIMIT:
        raise MalformedError(Code.BAD_ADDRESS, "endpoint", f"is longer than {URL_LIMIT} characters")
    return found


def is_public(address: str) -> bool:
    """Whether an IP address is somebody's on the internet: not ours, not the machine's, not its cloud's."""
    ip = ip_address(address)
    if isinstance(ip, IPv6Address) and ip not in UNICAST:
        return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in NOT_PUBLIC)
