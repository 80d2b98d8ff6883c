"""The AWS clients, made in this one place, on first use."""

from __future__ import annotations

from functools import cache
from typing import Any

import botocore.session
from botocore.config import Config

_LEAN: dict[str, Any] = {
    "parameter_validation": False,  # a fifth of a call; what we send is built by typed code
    "user_agent": "heliograph",  # botocore would put its own together anew for every call
    "request_checksum_calculation": "when_required",
    "response_checksum_validation": "when_required",
    "disable_request_compression": True,
}
"""What every call would pay for and nobody needs; docs/decisions/packing-and-cost.md has the figures."""

READ = Config(connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 3}, **_LEAN)
"""For calls that may be made twice: reads, conditional writes, messages with derived ids."""

SEND = Config(connect_timeout=2, read_timeout=20, retries={"total_max_attempts": 1}, **_LEAN)
"""For providers: a send that timed out may have been taken, so nothing below us may try it again."""


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


@cache
def client(service: str) -> Any:
    """A client of an AWS service, for calls that may be made twice."""
    return _session().create_client(service, config=READ)


@cache
def provider(service: str) -> Any:
    """A client of a message provider; it never tries a call twice by itself."""
    return _session().create_client(service, config=SEND)
