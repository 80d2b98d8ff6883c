"""What a text message costs: its encoding, its length in that encoding, and how many parts it is billed as.

Written here because none of the libraries that we tried (gsm0338, pygsm7, smssafe) counts parts right: they divide and
round up, but a part never splits an escaped character or a surrogate pair, which can cost one part more.
Source: 3GPP TS 23.038 (alphabets) and TS 23.040 (a header of 6 bytes in every part of a longer message).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENSION = frozenset("\f^{}\\[~]|€")
WIDTHS = dict.fromkeys(BASIC, 1) | dict.fromkeys(EXTENSION, 2)
"""Septets that a character takes in GSM-7: an extension character is escaped."""

SPELLED_OTHERWISE = str.maketrans(
    dict.fromkeys("\u2018\u2019\u201a\u201b\u2032\u02bc\u0060\u00b4", "'")  # ‘ ’ ‚ ‛ ′ ʼ ` ´
    | dict.fromkeys("\u201c\u201d\u201e\u201f\u2033\u00ab\u00bb", '"')  # “ ” „ ‟ ″ « »
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")  # hyphens, dashes, the minus
    | dict.fromkeys("\t\u00a0\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000", " ")
    | dict.fromkeys("\u00ad\u180e\u200b\u200c\u200d\u2060\ufeff", "")  # seen by nobody: soft hyphen, joiners, marks
    | dict.fromkeys("\u2028\u2029", "\n")
    | {"\u2039": "<", "\u203a": ">", "\u2026": "...", "\u00e7": "c"}  # ‹ › … ç
)
"""Characters that have a like one in GSM-7. One of them can double the bill; GOV.UK Notify replaces them as well."""


class Encoding(StrEnum):
    """How a text travels; one character outside GSM-7 makes all of it UCS-2."""

    GSM_7 = "GSM-7"
    UCS_2 = "UCS-2"


LIMITS = {Encoding.GSM_7: (160, 153), Encoding.UCS_2: (70, 67)}
"""Units in a message of one part, and in each part of a longer one."""


@dataclass(frozen=True, slots=True)
class SmsText:
    """The measure of a text."""

    encoding: Encoding
    units: int
    """Septets in GSM-7, UTF-16 code units in UCS-2."""
    parts: int
    offenders: tuple[str, ...]
    """The characters outside GSM-7, each once, in order: without them the text would be GSM-7."""


def economical(text: str) -> str:
    """A text as it is sent: in GSM-7 if that only takes other quotes, dashes and spaces; otherwise as it is written."""
    replaced = text.translate(SPELLED_OTHERWISE)
    return replaced if all(character in WIDTHS for character in replaced) else text


def measure(text: str) -> SmsText:
    """Count the parts of a text; an empty one is still one part."""
    offenders = tuple(dict.fromkeys(character for character in text if character not in WIDTHS))
    encoding = Encoding.UCS_2 if offenders else Encoding.GSM_7
    widths = [_utf16_units(character) for character in text] if offenders else [WIDTHS[character] for character in text]
    return SmsText(encoding=encoding, units=sum(widths), parts=_parts(widths, *LIMITS[encoding]), offenders=offenders)


def _utf16_units(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1


def _parts(widths: Sequence[int], alone: int, each: int) -> int:
    """Fill part after part; a character that does not fit whole moves on to the next."""
    if sum(widths) <= alone:
        return 1
    parts, room = 1, each
    for width in widths:
        if width > room:
            parts, room = parts + 1, each
        room -= width
    return parts
