"""Unsubscribe links: signed for one person and topic, never expiring, hard to forge."""

from __future__ import annotations

from itsdangerous import URLSafeSerializer

SALT = "unsubscribe"


class UnsubscribeLinks:
    """Makes the links of promotional messages; the page behind them reads the token with the same secret."""

    def __init__(self, secret: str, base_url: str) -> None:
        self._serializer = URLSafeSerializer(secret, salt=SALT)
        self._base_url = base_url.rstrip("/")

    def url(self, recipient_id: str, topic: str) -> str:
        """The link of a person for a topic."""
        return f"{self._base_url}/{self._serializer.dumps([recipient_id, topic])}"
