"""The signatures of requests to AWS: botocore's own, on headers that are read once, and not as those of a mail."""

from __future__ import annotations

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

    def _modify_request_before_signing(self, request: Any) -> None:
        request.context.pop("headers_to_sign", None)  # of an earlier try
        super()._modify_request_before_signing(request)  # type: ignore[misc]  # its stubs leave it out


AUTH_TYPE_MAPS[VERSION] = PlainSigV4Auth
