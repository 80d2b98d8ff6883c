"""Where the links of a message may lead: to the web, a mailbox, a phone, or an app that the words themselves name."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from html import unescape
from typing import Final

SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "sms"})
"""Where data may lead people; `javascript:` runs in their browser, `data:` and `file:` show what nobody has sent."""

USUAL: Final = ("https://", "http://", "mailto:")
"""With which nearly all links begin."""

NEVER: Final = frozenset({"javascript", "vbscript", "data", "file", "blob"})

HREF: Final = re.compile(r"""href\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>]+))""")
"""A link of a page: in double quotes, in single ones, or in none."""
_DOUBTFUL: Final = re.compile(r"""href\s*=\s*["']?(?!https?://|mailto:|tel:|\#|["'])""")
"""Finds a link that has to be looked at. Names of attributes are in lower case: the desk writes them so."""
_IGNORED: Final = re.compile(r"[\x00-\x20\x7f-\x9f\u2028\u2029\ufeff]")
"""What browsers pass over in a link: `java\\nscript:` is `javascript:` to them."""
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):")
_WRITTEN: Final = re.compile(r"""\bhref\s*=\s*["']?\s*([A-Za-z][A-Za-z0-9+.-]*):""", re.IGNORECASE)


def scheme_of(link: str) -> str:
    """The scheme of a link as a browser reads it, in lower case; empty when it has none."""
    found = _SCHEME.match(_IGNORED.sub("", link))
    return found[1].lower() if found else ""


def leads_astray(link: str, schemes: Collection[str]) -> bool:
    """Whether a link leads to where no data may lead people; `schemes` are those that the words name besides."""
    if link.startswith(USUAL):
        return False
    scheme = scheme_of(link)
    return bool(scheme) and scheme not in SCHEMES and (scheme not in schemes or scheme in NEVER)


def leads_anywhere_astray(html: str, schemes: Collection[str]) -> bool:
    """Whether any link of a page does."""
    return bool(_DOUBTFUL.search(html)) and any(leads_astray(link, schemes) for link in _links(html))


def schemes_of(words: str) -> frozenset[str]:
    """The schemes that links of words name themselves, before any data: `href="shop://orders/{{ data.id }}"`."""
    return frozenset(found.lower() for found in _WRITTEN.findall(words)) - NEVER


def _links(html: str) -> Iterator[str]:
    return (unescape(next(filter(None, found), "")) for found in HREF.findall(html))
