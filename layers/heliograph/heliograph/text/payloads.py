"""How much an event may carry: bounds on the bytes, depth, names and numbers of raw data, on keys and on references.

What is beyond a bound is refused at the door, with its position: behind it, nothing would fail but after ten tries.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from heliograph.text.bodies import REQUEST_LIMIT
from heliograph.text.errors import Code, MalformedError

FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
LAST: Final = datetime(2100, 1, 1, tzinfo=UTC)
"""Between which an event may have happened: what is older or newer is an error of a clock, or an attack."""
DATA_BYTES: Final = REQUEST_LIMIT - 10_000  # as JSON; the rest is for the addresses and names beside it
DEPTH: Final = 32  # DynamoDB: levels of a document
NAME_BYTES: Final = 1_024  # of the name of a field
DIGITS: Final = 38  # DynamoDB: of a number
KEY_BYTES: Final = 255  # of an idempotency key; as Stripe's
REFERENCE_BYTES: Final = 128
LOCALE_BYTES: Final = 35  # RFC 5646, 4.4.1
SOURCE_BYTES: Final = 256  # EventBridge: of a source
EVENT_ID_BYTES: Final = 128  # EventBridge's ids are UUIDs of 36
QUOTED: Final = re.compile(
    r"""(?P<what>unknown\ field|value)\ (?P<quote>[`'"])(?P<text>.*?)(?P=quote)
    (?P<position>(?:\ -\ at\ `[^`]*`(?:\ in\ `[^`]*`)?)?)$""",
    re.DOTALL | re.VERBOSE,
)
NAMED: Final = re.compile(r"(declare|namespace|key) \(?['\"].*['\"],?\)?(?= twice| \(at )", re.DOTALL)
"""How readers of TOML name a table or a key."""
WORD: Final = re.compile(r"[A-Za-z_]{1,40}")
"""What reads like the name of a field, perhaps a misspelled one."""


def fitting(data: dict[str, Any], position: str) -> dict[str, Any]:
    """Raw data, if it keeps within the bounds; raises MalformedError with its position and which bound it breaks."""
    size = _size(data, position)
    if size > DATA_BYTES:
        raise MalformedError(
            Code.CARRIES_TOO_MUCH, position, f"takes {size} bytes as JSON; a message is made of {DATA_BYTES} at most"
        )
    level: list[Any] = [data]
    for _ in range(DEPTH):
        level = [inner for each in level for inner in _inside(each, position)]
        if not level:
            return data
    raise MalformedError(Code.CARRIES_TOO_MUCH, position, f"is nested more than {DEPTH} levels deep")


def _size(data: dict[str, Any], position: str) -> int:
    """Bytes of the data as JSON."""
    try:
        return len(msgspec.json.encode(data))
    except (RecursionError, UnicodeEncodeError):
        raise MalformedError(
            Code.CARRIES_TOO_MUCH, position, f"is nested more than {DEPTH} levels deep, or no text that can travel"
        ) from None


def unquoted(error: msgspec.DecodeError) -> str:
    """What msgspec says is wrong, and where, without values and odd names that others chose: they may be an address.

    The names of missing fields and of positions are our own.
    """

    def said(found: re.Match[str]) -> str:
        is_name = found["what"] != "value" and WORD.fullmatch(found["text"])
        return found[0] if is_name else found["what"] + found["position"]

    return QUOTED.sub(said, str(error))


def unquoted_toml(error: Exception) -> str:
    """What is wrong with a TOML file, and in which line, likewise."""
    if isinstance(error, msgspec.ValidationError):
        return unquoted(error)
    return NAMED.sub(r"\1 …", str(error)).partition(": value has")[0]


def _inside(value: Any, position: str) -> list[Any]:
    """What is in an object or a list, and may hold something itself."""
    match value:
        case dict():
            if any(len(name.encode()) > NAME_BYTES for name in value):
                raise MalformedError(Code.CARRIES_TOO_MUCH, position, f"has a name of more than {NAME_BYTES} bytes")
            inner = list(value.values())
        case list():
            inner = value
        case _:
            return []
    if any(type(each) is int and abs(each) >= 10**DIGITS for each in inner):
        raise MalformedError(Code.CARRIES_TOO_MUCH, position, f"has a number of more than {DIGITS} digits")
    return [each for each in inner if isinstance(each, dict | list)]


def short(text: str, position: str, most: int) -> str:
    """A text of some bytes at most, of one line; raises MalformedError with its position."""
    if len(text.encode(errors="surrogatepass")) > most:
        raise MalformedError(Code.CARRIES_TOO_MUCH, position, f"is longer than {most} bytes")
    if not text.isprintable():
        raise MalformedError(Code.BAD_FIELD, position, "has a line break, or another character that cannot be shown")
    return text
