"""What a failed provider call means for a message: refused for good, certainly not taken, or in doubt.

Final is what is about this person or this message; those codes are listed at each call. What is about our set-up or the
provider's state is tried again, then parked, so that it can be redriven once it is mended.
Clients that send must not try by themselves (`total_max_attempts` 1): a second try might be a second message.
"""

from collections.abc import Mapping
from typing import Any, Final, cast

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    HTTPClientError,
    ProxyConnectionError,
)

from heliograph.model.outcomes import Failed, FailureCode, InDoubt, NotSent

ProviderError = ClientError | BotoCoreError
PROVIDER_ERRORS: Final = (ClientError, BotoCoreError)
"""What a call to a provider may raise; nothing else is caught."""

BEFORE_SENDING: Final = (EndpointConnectionError, ConnectTimeoutError, ProxyConnectionError)
"""No connection came about, so no request left."""


def outcome_of(
    error: ProviderError, dispatch_id: str, *, final: Mapping[str, FailureCode]
) -> Failed | NotSent | InDoubt:
    """What became of a message whose call failed with this error."""
    code = code_of(error)
    if code in final:
        return Failed(dispatch_id=dispatch_id, code=final[code])
    if _may_have_arrived(error):
        return InDoubt(dispatch_id=dispatch_id, cause=code)
    return NotSent(dispatch_id=dispatch_id, cause=code)


def code_of(error: ProviderError) -> str:
    """The provider's code, or its reason where it gives one (End User Messaging), or the exception's name."""
    if not isinstance(error, ClientError):
        return type(error).__name__
    response = cast("dict[str, Any]", error.response)
    return str(response.get("Reason") or response.get("Error", {}).get("Code", "Unknown"))


def _may_have_arrived(error: ProviderError) -> bool:
    """A 4xx is a clear no. A 5xx, a time-out or a connection lost after sending says nothing."""
    if isinstance(error, ClientError):
        return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500
    return isinstance(error, HTTPClientError) and not isinstance(error, BEFORE_SENDING)
