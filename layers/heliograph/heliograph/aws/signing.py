"""The signatures of requests to AWS: botocore's own, on headers that are read once, and not as those of a mail."""

from __future__ import annotations

import hmac
from functools import lru_cache
from hashlib import sha256
from typing import Any

from botocore.auth import AUTH_TYPE_MAPS, SIGNED_HEADERS_BLACKLIST, SigV4Auth

VERSION = "v4-plain"
"""The name under which clients ask for it (`Config.signature_version`)."""


class PlainSigV4Auth(SigV4Auth):
    """Gives the very signatures of SigV4Auth, for requests in which no header stands twice."""

    def headers_to_sign(self, request: Any) -> Any:
        """The headers that are signed, by name in lower case and in order; the host is among them (`name_host`)."""
        if "headers_to_sign" not in request.context:
            named = ((name.lower(), " ".join(value.split())) for name, value in request.headers.items())
            request.context["headers_to_sign"] = dict(
                sorted(pair for pair in named if pair[0] not in SIGNED_HEADERS_BLACKLIST)
            )
        return request.context["headers_to_sign"]

    def canonical_headers(self, headers_to_sign: Any) -> str:
        """A line for each header."""
        return "\n".join(f"{name}:{value}" for name, value in headers_to_sign.items())

    def signed_headers(self, headers_to_sign: Any) -> str:
        """Their names."""
        return ";".join(headers_to_sign)

    def payload(self, request: Any) -> str:
        """The hash of the body; botocore would put the whole request together to look at it."""
        return sha256(request.data).hexdigest() if isinstance(request.data, bytes) else str(super().payload(request))

    def signature(self, string_to_sign: str, request: Any) -> str:
        """The signature by the key of the day."""
        key = _key(self.credentials.secret_key, self.credential_scope(request))
        return hmac.digest(key, string_to_sign.encode(), "sha256").hex()

    def _modify_request_before_signing(self, request: Any) -> None:
        request.context.pop("headers_to_sign", None)  # of an earlier try
        super()._modify_request_before_signing(request)  # type: ignore[misc]  # its stubs leave it out


@lru_cache(maxsize=16)
def _key(secret: str, scope: str) -> bytes:
    """The key of a day, a region and a service."""
    key = f"AWS4{secret}".encode()
    for each in scope.split("/"):
        key = hmac.digest(key, each.encode(), "sha256")
    return key


AUTH_TYPE_MAPS[VERSION] = PlainSigV4Auth
