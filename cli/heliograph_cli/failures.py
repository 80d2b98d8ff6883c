"""What can go wrong that nobody has to debug: one sentence of what, one of what to do next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from heliograph.aws.errors import NOT_ALLOWED
from heliograph_cli.printable import printable

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError, ClientError

BAD_CREDENTIALS = {
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidAccessKeyId",
    "InvalidClientTokenId",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
}

SIGN_IN = (
    "Start the local cloud with `heliograph up`, or name AWS: --profile NAME (`aws sso login` signs in), or --aws."
)


class Trouble(click.ClickException):
    """It could not be asked or done: exit code 2, as for wrong usage."""

    exit_code = 2

    def __init__(self, what: str, next_step: str = "") -> None:
        super().__init__(printable(f"{what} {next_step}".strip()))


class No(Trouble):
    """The question was asked and the answer is no (no such run, no such person): exit code 1."""

    exit_code = 1


def explained(error: BotoCoreError | ClientError) -> Trouble:
    """What an AWS error means to whoever typed the command."""
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        return _refused(error)
    if isinstance(error, exceptions.ProfileNotFound):
        return Trouble(f"{str(error).rstrip('.')}.", "`aws configure list-profiles` shows the ones that exist.")
    if isinstance(error, exceptions.NoRegionError):
        return Trouble("No AWS region is known.", "Name it with --region, AWS_REGION or in the profile.")
    if isinstance(error, exceptions.EndpointConnectionError | exceptions.ConnectTimeoutError):
        endpoint = error.kwargs.get("endpoint_url", "the endpoint")
        return Trouble(
            f"Nothing answers at {endpoint}.", "Check --endpoint-url, or start the local cloud: `heliograph up`."
        )
    if isinstance(error, exceptions.HTTPClientError):
        return Trouble("The connection broke.", "Run the command again; `heliograph status` shows what is running.")
    if "credential" in type(error).__name__.lower() or "token" in type(error).__name__.lower():
        return Trouble("There are no usable AWS credentials.", SIGN_IN)
    return Trouble(f"{str(error).rstrip('.')}.", "`heliograph status` shows what is running.")


def _refused(error: ClientError) -> Trouble:
    code = error.response.get("Error", {}).get("Code", "")
    said = error.response.get("Error", {}).get("Message", "").rstrip(".")
    if code in BAD_CREDENTIALS:
        return Trouble(f"AWS does not accept these credentials ({code}).", SIGN_IN)
    if code in NOT_ALLOWED:
        return Trouble(
            f"These credentials may not call {error.operation_name}.", "Ask for the right, or use --profile."
        )
    return Trouble(
        f"{error.operation_name} was refused: {code}: {said}.", "`heliograph status` shows the stack in use."
    )
