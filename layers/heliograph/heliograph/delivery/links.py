"""Unsubscribe links: signed for one person and topic, never expiring, hard to forge."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

import msgspec
from itsdangerous import URLSafeSerializer
from itsdangerous.encoding import base64_encode

SALT = "unsubscribe"

_encode = msgspec.json.Encoder().encode


class UnsubscribeLinks:
    """Makes the links of promotional messages; what takes them reads the token with the same keys. The last one signs.

    Without the URL of a page they are mails to `mailto`, with the token as subject; a stack names one or the other.
    """

    def __init__(self, keys: Sequence[str], *, base_url: str, mailto: str) -> None:
        self._key = URLSafeSerializer(list(keys), salt=SALT).make_signer(SALT).derive_key()
        self._prefix = f"{base_url.rstrip('/')}/" if base_url else f"mailto:{mailto}?subject=unsubscribe%20"

    def url(self, recipient_id: str, topic: str) -> str:
        """The link of a person for a topic: the token of itsdangerous' URLSafeSerializer, whose key is derived once."""
        payload = base64_encode(_encode([recipient_id, topic]))
        signature = base64_encode(hmac.digest(self._key, payload, "sha1"))
        return f"{self._prefix}{payload.decode()}.{signature.decode()}"
