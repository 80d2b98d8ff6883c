"""Text as a terminal may show it: what would move its cursor, recolour it or turn its words round is left out."""

from __future__ import annotations

import re

UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 but tab and line feed, DEL, C1: escape sequences begin with one of these
    "\u2028\u2029"  # line and paragraph separators
    "\u202a-\u202e\u2066-\u2069"  # embeddings, overrides and isolates of bidirectional text
    "\ud800-\udfff]"  # half characters, which no terminal can be given
)
INSTEAD = "\ufffd"


def printable(text: str) -> str:
    """The text with a replacement character for each that is no letter but an order to the terminal."""
    return UNPRINTABLE.sub(INSTEAD, text.replace("\r\n", "\n"))


def printable_json(text: str) -> str:
    """JSON that says the same, with such characters spelled out; they stand within its strings only."""
    return UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
