"""An answer of AWS, as botocore gets it from urllib3."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders


class Body:
    """The bytes of an answer, whole or in parts."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, amount: int | None = None) -> bytes:
        """The next bytes."""
        content, self._content = self._content[:amount], self._content[amount or len(self._content) :]
        return content

    def stream(self, *_: object, **__: object) -> Iterator[bytes]:
        """All that is left."""
        yield self.read()


def answered(
    url: str, text: str | bytes, *, status: int = 200, headers: Mapping[str, str] | None = None
) -> AWSResponse:
    """What was answered to a request."""
    return AWSResponse(
        url,
        status,
        HTTPHeaders.from_dict(dict(headers or {})),
        Body(text if isinstance(text, bytes) else text.encode()),
    )
