"""Providers' ids of messages as bytes: those of one call share their beginning and their end, which are kept once."""

from __future__ import annotations

import re
from collections.abc import Sequence

DIGITS = (
    (16, 8, 4, 4, 4, 12, 6),  # SES: a time and a UUID
    (8, 4, 4, 4, 12),  # a UUID, such as End User Messaging gives
)
"""Hexadecimal digits between the dashes of ids, by their form."""
FORMS = tuple(re.compile("-".join(f"[0-9a-f]{{{digits}}}" for digits in each)) for each in DIGITS)


def packed(ids: Sequence[str]) -> bytes | None:
    """Ids of one form as bytes (form, lengths of what they share, that itself, the rest of each); None for others."""
    form = next((number for number, form in enumerate(FORMS) if all(map(form.fullmatch, ids))), None)
    if form is None:
        return None
    raw = [bytes.fromhex(each.replace("-", "")) for each in ids]
    head = _shared(raw)
    tail = _shared([each[head:][::-1] for each in raw])
    end = len(raw[0]) - tail
    rest = b"".join(each[head:end] for each in raw)
    return bytes((form, head, tail)) + raw[0][:head] + raw[0][end:] + rest


def _shared(some: Sequence[bytes]) -> int:
    """With how many bytes all of them begin; all are equally long."""
    first, last = min(some), max(some)
    return next((length for length in range(len(first)) if first[length] != last[length]), len(first))


def unpacked(kept: bytes, count: int) -> list[str]:
    """So many ids as they were before they were packed."""
    form, head, tail = kept[:3]
    begins, ends, rest = kept[3 : 3 + head], kept[3 + head : 3 + head + tail], kept[3 + head + tail :]
    width = len(rest) // count
    raw = (begins + rest[width * number : width * (number + 1)] + ends for number in range(count))
    return [_dashed(each.hex(), DIGITS[form]) for each in raw]


def _dashed(digits: str, groups: Sequence[int]) -> str:
    ends = [sum(groups[: number + 1]) for number in range(len(groups))]
    return "-".join(digits[end - size : end] for size, end in zip(groups, ends, strict=True))
