"""Unsubscribe links: signed for one person and topic, never expiring, hard to forge."""

from __future__ import annotations

from collections.abc import Sequence

from itsdangerous import URLSafeSerializer

SALT = "unsubscribe"


class UnsubscribeLinks:
    """Makes the links of promotional messages; what takes them reads the token with the same keys. The last one signs.

    Without the URL of a page they are mails to `mailto`, with the token as subject; a stack names one or the other.
    """

    def __init__(self, keys: Sequence[str], *, base_url: str, mailto: str) -> None:
        self._serializer = URLSafeSerializer(list(keys), salt=SALT)
        self._prefix = f"{base_url.rstrip('/')}/" if base_url else f"mailto:{mailto}?subject=unsubscribe%20"

    def url(self, recipient_id: str, topic: str) -> str:
        """The link of a person for a topic."""
        return f"{self._prefix}{self._serializer.dumps([recipient_id, topic])}"
