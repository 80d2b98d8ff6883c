"""What SES told within a minute: the lines of a gzip object, unpacked as they are read, within limits."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Any, Final, NamedTuple

from heliograph.text.errors import Code, MalformedError

PACKED_LIMIT: Final = 128 << 20
"""Bytes of an object as it travels: as many as Firehose may be asked to collect before it packs them."""
UNPACKED_LIMIT: Final = 512 << 20
"""Bytes of an object as it is read: Firehose may collect more than it is asked to, when it has fallen behind."""
LINE_LIMIT: Final = 1_024_000
"""Bytes of an event: Firehose takes records of 1,000 KiB."""
LINES_LIMIT: Final = 1_000_000
"""Events of an object: an event of SES takes 600 bytes at least."""
MEMBERS_LIMIT: Final = 10_000
"""Parts of an object that are a gzip each: what comes after a part is copied once for it."""
PIECE: Final = 1 << 20  # bytes that are unpacked at a time, however well they were packed
GZIP: Final = 16 + zlib.MAX_WBITS


class Line(NamedTuple):
    """An event as it came."""

    number: int
    text: bytes
    """Without its end. Of one that is longer than `LINE_LIMIT` only its beginning."""


def lines(chunks: Iterable[bytes], position: str) -> Iterator[Line]:
    """The lines of an object that hold something, in the memory of a few pieces.

    Raises MalformedError with the position when it is no gzip, ends too early, or goes beyond a limit: lines before
    that have been given already.
    """
    number, rest, is_overlong = 0, b"", False
    for piece in _unpacked(chunks, position):
        *whole, rest = (rest + piece).split(b"\n")
        for text in whole:
            number += 1
            if text.strip() and not is_overlong:
                yield Line(number, text[: LINE_LIMIT + 1])
            is_overlong = False
        if number > LINES_LIMIT:
            raise _too_large(position, f"holds more than {LINES_LIMIT} lines")
        if len(rest) > LINE_LIMIT:
            if not is_overlong:
                yield Line(number + 1, rest[: LINE_LIMIT + 1])
            rest, is_overlong = b"", True
    if rest.strip() and not is_overlong:
        yield Line(number + 1, rest)


def _unpacked(chunks: Iterable[bytes], position: str) -> Iterator[bytes]:
    """An object's content; gzip may go on with another part where one ends."""
    travelled, size, members, unpack = 0, 0, 1, zlib.decompressobj(GZIP)
    for chunk in chunks:
        packed = chunk
        travelled += len(chunk)
        if travelled > PACKED_LIMIT:
            raise _too_large(position, f"takes more than {PACKED_LIMIT} bytes")
        while packed:
            if unpack.eof:
                members, unpack = members + 1, zlib.decompressobj(GZIP)
            if members > MEMBERS_LIMIT:
                raise _too_large(position, f"holds more than {MEMBERS_LIMIT} parts")
            piece = _piece(unpack, packed, position)
            size += len(piece)
            if size > UNPACKED_LIMIT:
                raise _too_large(position, f"takes more than {UNPACKED_LIMIT} bytes unpacked")
            yield piece
            packed = unpack.unused_data or unpack.unconsumed_tail
    if not unpack.eof:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, position, "ends too early")


def _piece(unpack: Any, packed: bytes, position: str) -> bytes:
    try:
        piece: bytes = unpack.decompress(packed, PIECE)
    except zlib.error:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, position, "is no gzip") from None
    return piece


def _too_large(position: str, reason: str) -> MalformedError:
    return MalformedError(Code.UNREADABLE_PROVIDER_EVENT, position, reason)
