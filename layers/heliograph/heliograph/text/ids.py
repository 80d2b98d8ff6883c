"""Identifiers that are derived, never drawn, so that every hop may run twice and names the same thing the same."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from datetime import datetime

from heliograph.text.errors import Code, MalformedError

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
IDENTIFIER = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""The alphabet of SES tags, so that a provider can carry every id of ours."""

DERIVED = re.compile(f"[{CROCKFORD}]{{26}}")
"""What `derived_id` gives: the id of a request, a pack or a run."""
DISPATCH = re.compile(rf"{DERIVED.pattern}-(?:0|[1-9][0-9]{{0,3}})")
OUTCOME_KEY = re.compile(rf"({DERIVED.pattern}f?)-(0|[1-9][0-9]?)")
"""A pack has at most 100 slots (`segments.PACK_LIMIT`)."""

_PAIRS = [a + b for a in CROCKFORD for b in CROCKFORD]


def is_identifier(text: str) -> bool:
    """Whether a text can be a recipient id, a message name or any other id of ours."""
    return IDENTIFIER.fullmatch(text) is not None


def is_derived(text: str) -> bool:
    """Whether a text can be the id of a request, a pack or a run."""
    return DERIVED.fullmatch(text) is not None


def is_dispatch_id(text: str) -> bool:
    """Whether a text can be the id of a decision on a request."""
    return DISPATCH.fullmatch(text) is not None


def derived_id(at: datetime, *parts: str) -> str:
    """26 characters that sort by time (48 bits of milliseconds) and are unique by what they are derived from (80 bits).

    The same shape as a ULID, with a hash in the place of the randomness.
    """
    return deriving(at, *parts[:-1])("".join(parts[-1:]))


def deriving(at: datetime, *beginning: str) -> Callable[[str], str]:
    """Makes `derived_id`s of one time and beginning, many of them: only the last part is hashed anew."""
    head = "\x1f".join([*beginning, ""])
    begun = hashlib.blake2b(head.encode(), digest_size=10)
    time = _spelled(int(at.timestamp() * 1000), bits=50)

    def derived(last: str) -> str:
        hashed = begun.copy()
        hashed.update(last.encode())
        return time + _spelled(int.from_bytes(hashed.digest()), bits=80)

    return derived


def _spelled(number: int, *, bits: int) -> str:
    """A number in base 32, ten bits at a time."""
    return "".join([_PAIRS[number >> shift & 1023] for shift in range(bits - 10, -1, -10)])


def dispatch_id(request_id: str, step: int) -> str:
    """The id of the decision number `step` on a request."""
    return f"{request_id}-{step}"


def outcome_key(pack_id: str, slot: int) -> str:
    """Where the outcome of a dispatch is kept: in the record of its pack, under its slot."""
    return f"{pack_id}-{slot}"


def of_fallbacks(pack_id: str) -> str:
    """The id of a pack of fallbacks: its people were counted in the pack that it follows."""
    return f"{pack_id}f"


def is_of_fallbacks(pack_id: str) -> bool:
    """Whether a pack is one of fallbacks."""
    return pack_id.endswith("f")


def split_outcome_key(text: str) -> tuple[str, int]:
    """The pack and the slot of an outcome key; raises MalformedError for anything else."""
    found = OUTCOME_KEY.fullmatch(text)
    if found is None:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, "outcome_key", "is not <pack id>-<slot>")
    return found[1], int(found[2])


def address_recipient_id(address: str) -> str:
    """The recipient id of a person who is known by an address only."""
    return "address-" + hashlib.blake2b(address.encode(), digest_size=16).hexdigest()
