"""The tokens that travel with push messages, so that nobody but the device that got one can report it opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from itsdangerous import Signer

SALT = "push-opened"
SIGNED = ("dispatch_id", "recipient_id", "outcome_key", "message", "run_id")
"""The tags that a token stands for: none of them can be exchanged for another."""


class OpenTokens:
    """Signs the tags of push messages with the last key, and tells whether a report is about such a message."""

    def __init__(self, keys: Sequence[str]) -> None:
        self._signer = Signer(list(keys), salt=SALT)

    def token(self, tags: Mapping[str, str]) -> str:
        """The token for the tags of a message: 27 characters."""
        return self._signer.get_signature(_signed(tags)).decode()

    def is_genuine(self, tags: Mapping[str, str], token: str) -> bool:
        """Whether we have made this token for these tags."""
        return token.isascii() and self._signer.verify_signature(_signed(tags), token)


def _signed(tags: Mapping[str, str]) -> bytes:
    return "\x1f".join(tags.get(name, "") for name in SIGNED).encode(errors="surrogatepass")
