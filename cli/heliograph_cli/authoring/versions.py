"""Versions: what tells two states of a message or of the policy apart."""

import hashlib
from collections.abc import Iterable

LENGTH = 16  # hexadecimal digits: 64 bits tell all versions apart


def hashed(texts: Iterable[str]) -> str:
    """The version of everything that something is made of."""
    digest = hashlib.sha256()
    for text in texts:
        digest.update(f"{text}\0".encode())
    return digest.hexdigest()[:LENGTH]
