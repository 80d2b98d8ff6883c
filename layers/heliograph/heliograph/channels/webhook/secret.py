"""What the owner of an endpoint verifies signatures with: its secret, as the function that signs makes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from heliograph.channels.webhook.destination import read
from heliograph.channels.webhook.signature import secret_of, spelled
from heliograph.channels.webhook.spec import NAME
from heliograph.text.errors import NotFoundError


class Secrets(NamedTuple):
    """The secrets of an endpoint; every request is signed with each of them."""

    endpoint: str
    """Its URL as it is kept: the secret changes with it."""
    secret: str
    """To give to its owner."""
    earlier: tuple[str, ...]
    """What owners may still have from before the signing keys were rotated."""


def secrets_for(url: str, *, stack: str, client: Callable[[str], Any]) -> Secrets:
    """The secrets of an endpoint of a stack. Raises MalformedError, and NotFoundError without the channel."""
    endpoint = read(url).url
    *earlier, newest = (spelled(secret_of(endpoint, key)) for key in _keys(stack, client))
    return Secrets(endpoint, newest, tuple(earlier))


def _keys(stack: str, client: Callable[[str], Any]) -> list[str]:
    """The signing keys, the newest last: those that the function has which signs."""
    try:
        function = client("lambda").get_function_configuration(FunctionName=f"{stack}-deliver-{NAME}")
    except ClientError as error:
        if error.response["Error"].get("Code") != "ResourceNotFoundException":
            raise
        raise NotFoundError(
            f"The stack {stack} has no channel {NAME}.",
            f"Add it to the parameter Channels and deploy: email,sms,push,{NAME}.",
        ) from error
    name = function["Environment"]["Variables"]["HELIOGRAPH_SIGNING_SECRET"]
    keys: list[str] = client("secretsmanager").get_secret_value(SecretId=name)["SecretString"].split()
    return keys
