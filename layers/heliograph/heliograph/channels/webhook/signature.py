"""Signatures by the Standard Webhooks specification (1.0.0): whose a request is, and when it was made.

Every endpoint has a secret of its own, so that no receiver can pass for us at another's. It is derived from a key of
the deployment: none is kept, and none can be lost.
"""

from __future__ import annotations

import hmac
from base64 import b64encode
from collections.abc import Iterable
from datetime import datetime
from typing import Final

PURPOSE: Final = "heliograph webhook"
"""What the keys sign with here: a secret is good for nothing else."""


def secret_of(endpoint: str, key: str) -> bytes:
    """The secret of an endpoint, 32 bytes (the specification takes 24 to 64), made from one of our keys."""
    return hmac.digest(key.encode(), f"{PURPOSE} {endpoint}".encode(), "sha256")


def spelled(secret: bytes) -> str:
    """A secret as its receiver is given it: `whsec_MfKQ9r8G...`."""
    return f"whsec_{b64encode(secret).decode()}"


def headers(message_id: str, body: bytes, *, at: datetime, secrets: Iterable[bytes]) -> dict[str, str]:
    """What goes with a request; a signature for each secret, so that a receiver may change to the new one in its time.

    `message_id` is the same for every try and holds no full stop; `at` is the time of this one.
    """
    timestamp = str(int(at.timestamp()))
    signed = b".".join((message_id.encode(), timestamp.encode(), body))
    signatures = (b64encode(hmac.digest(secret, signed, "sha256")).decode() for secret in secrets)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
