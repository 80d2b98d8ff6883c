"""Which translation a person reads: BCP-47 tags, and RFC 4647 lookup among those that there are."""

import re
from collections.abc import Sequence
from typing import Final

from heliograph.text.limits import LOCALE

LANGUAGE_TAG = re.compile(
    r"""(?:
        (?P<language>[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})
        (?:-(?P<script>[a-z]{4}))?
        (?:-(?P<region>[a-z]{2}|[0-9]{3}))?
        (?:-(?:[a-z0-9]{5,8}|[0-9][a-z0-9]{3}))*
        (?:-[0-9a-wy-z](?:-[a-z0-9]{2,8})+)*
        (?:-x(?:-[a-z0-9]{1,8})+)?
    )""",
    re.IGNORECASE | re.VERBOSE,
)
"""A well-formed tag (RFC 5646, 2.1), without the grandfathered ones."""


TODAY: Final = {"iw": "he", "in": "id", "ji": "yi"}
"""Codes that ISO 639 gave up in 1989, and that Java and Android still send."""


def canonical(tag: str) -> str:
    """Spell a tag as RFC 5646 does: `en_us` is `en-US`, `iw` is `he`. Any other text raises ValueError."""
    spelled = tag.strip().replace("_", "-")
    if len(spelled) > LOCALE or not LANGUAGE_TAG.fullmatch(spelled):
        raise ValueError("not a BCP-47 language tag")
    subtags = _subtags(spelled)
    singleton = next((index for index, subtag in enumerate(subtags) if len(subtag) == 1), len(subtags))
    return "-".join(_cased(subtag) if 0 < index < singleton else subtag for index, subtag in enumerate(subtags))


def _subtags(tag: str) -> list[str]:
    """The parts of a tag, the language by its code of today."""
    language, *rest = tag.lower().split("-")
    return [TODAY.get(language, language), *rest]


def _cased(subtag: str) -> str:
    """Regions are in capitals, scripts have one, all else is in lower case."""
    if len(subtag) == 2:
        return subtag.upper()
    return subtag.title() if len(subtag) == 4 and subtag.isalpha() else subtag


def lookup(wanted: str, available: Sequence[str]) -> str:
    """The best of the available tags (RFC 4647, 3.4): as wanted, else ever more general, else the first."""
    spelled = {"-".join(_subtags(tag)): tag for tag in available}
    subtags = _subtags(wanted.strip().replace("_", "-")) if len(wanted) <= LOCALE else []
    while subtags:
        found = spelled.get("-".join(subtags))
        if found is not None:
            return found
        subtags.pop()
        if subtags and len(subtags[-1]) == 1:
            subtags.pop()
    return available[0]
