"""What the owner of an endpoint verifies signatures with: its secret, as the function that signs makes it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from heliograph.channels.webhook.destination import read
from heliograph.channels.webhook.signature import secret_of, spelled
from heliograph.channels.webhook.spec import NAME

HEARD_OF_AFTER: Final = timedelta(minutes=10)
"""So long after a key was added every function has heard of it (`wiring.signing_keys`)."""


class Secrets(NamedTuple):
    """The secrets of an endpoint; every request is signed with each of them."""

    endpoint: str
    """Its URL as it is kept: the secret changes with it."""
    secret: str
    """To give to its owner."""
    earlier: tuple[str, ...]
    """What owners may still have from before the signing keys were rotated."""
    signs_from: datetime
    """From then on at the latest every request carries a signature for the newest secret."""


def secrets_for(url: str, *, stack: str, client: Callable[[str], Any]) -> Secrets:
    """The secrets of an endpoint of a stack that has the channel. Raises MalformedError."""
    endpoint = read(url).url
    kept = _signing_secret(stack, client)
    *earlier, newest = (spelled(secret_of(endpoint, key)) for key in kept["SecretString"].split())
    return Secrets(endpoint, newest, tuple(earlier), kept["CreatedDate"] + HEARD_OF_AFTER)


def _signing_secret(stack: str, client: Callable[[str], Any]) -> dict[str, Any]:
    """The signing keys, a line each and the newest last, and when they were put there."""
    function = client("lambda").get_function_configuration(FunctionName=f"{stack}-deliver-{NAME}")
    name = function["Environment"]["Variables"]["HELIOGRAPH_SIGNING_SECRET"]
    kept: dict[str, Any] = client("secretsmanager").get_secret_value(SecretId=name)
    return kept
