"""The AWS clients, made in this one place, on first use."""

from __future__ import annotations

from functools import cache
from typing import Any
from urllib.parse import urlsplit

import botocore.session
from botocore.config import Config
from botocore.handlers import add_retry_headers

from heliograph.aws import signing, spelling
from heliograph.aws.transport import Transport

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

HOT = ("dynamodb", "sqs", "sesv2")
"""Services that are called for every message; each has one address."""


@cache
def _session() -> Any:
    session: Any = botocore.session.get_session()  # its types know no handler whose parameters have names
    session.unregister("request-created", add_retry_headers)  # AWS asks nobody to number the tries of a call
    events = session.get_component("event_emitter")
    transport = Transport(session.get_config_variable("ca_bundle"))
    for service in HOT:
        events.register(f"before-call.{service}", name_host)
        events.register_last(f"before-send.{service}", transport.send)
    spelling.register(events)
    return session


def name_host(params: dict[str, Any], **_: Any) -> None:
    """Name the host of a request: botocore would work it out of the address twice for each signature."""
    params["headers"]["Host"] = urlsplit(params["url"]).netloc


@cache
def client(service: str) -> Any:
    """A client of an AWS service, for calls that may be made twice."""
    return _session().create_client(service, config=_signing(READ, service))


@cache
def provider(service: str) -> Any:
    """A client of a message provider; it never tries a call twice by itself."""
    return _session().create_client(service, config=_signing(SEND, service))


def _signing(config: Config, service: str) -> Config:
    """Hot services are signed for with less ado."""
    return config.merge(Config(signature_version=signing.VERSION)) if service in HOT else config
