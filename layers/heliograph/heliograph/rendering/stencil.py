"""A stencil: the texts of a message with holes in the places of what differs from person to person.

It is cut by rendering with probes in the places of the values. A probe has all that words might change: letters of
both cases, spaces, and what HTML escapes. So where a probe comes out whole, a value comes out as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Final, NamedTuple

from markupsafe import escape

from heliograph.rendering.destinations import HREF, USUAL, leads_astray, scheme_of

OPEN, CLOSE, HOLE = "\ue000", "\ue001", "\ue002"
"""Characters for private use: a probe begins and ends with the first two; the third stands for a hole."""
PROBES: Final = (f"Aa {OPEN}{{}} &<\"'> b{CLOSE}", f"zZ\t{OPEN}Of another length {{}}'&>\"<  q{CLOSE}")
"""Two of them: what is made of both in the same way depends on neither their lengths nor their order."""

ESCAPED: Final = re.compile("[&<>\"']")
"""What HTML escapes."""

Values = Sequence[str]
"""What goes into the holes, by their numbers."""


def probes(number: int) -> Iterator[list[str]]:
    """The values of so many holes to render with, twice."""
    for probe in PROBES:
        yield [probe.format(hole) for hole in range(number)]


class Cut(NamedTuple):
    """A text, cut at its holes."""

    pieces: tuple[str, ...]
    """What is the same for everybody, and between two of these the empty place of a hole."""
    holes: tuple[int, ...]
    """The numbers of the values that belong there."""

    def filled(self, values: Values) -> str:
        """The text with values in its holes."""
        pieces = list(self.pieces)
        pieces[1::2] = [values[hole] for hole in self.holes]
        return "".join(pieces)

    @property
    def begins_with_a_hole(self) -> bool:
        """Whether nothing stands before the first of them."""
        return not self.pieces[0]

    @property
    def literals(self) -> tuple[str, ...]:
        """What is the same for everybody: one more than holes."""
        return self.pieces[::2]


def _joined(literals: Sequence[str], holes: Sequence[int]) -> Cut:
    pieces = [""] * (len(literals) + len(holes))
    pieces[::2] = literals
    return Cut(tuple(pieces), tuple(holes))


class Links(NamedTuple):
    """What has to be looked at in the links of a text, once those without holes are known to be good."""

    beginning: tuple[Cut, ...]
    """Links whose scheme may come out of a hole."""
    outside: tuple[int, ...] | None
    """The holes that are in no link. None: a hole may be a part of anything."""

    def may_lead_astray(self, values: Values, schemes: frozenset[str]) -> bool:
        """Whether any link leads where no data may lead people, or a value could make a link where there was none."""
        if self.outside is None or "=" in "".join([values[hole] for hole in self.outside]):
            return True
        return any(
            not (link.begins_with_a_hole and values[link.holes[0]].startswith(USUAL))
            and leads_astray(unescape(link.filled(values)), schemes)
            for link in self.beginning
        )


class Filled(NamedTuple):
    """The texts of a message to one person."""

    texts: dict[str, str]
    is_doubtful: bool
    """Whether their links have to be looked at."""


class Stencil(NamedTuple):
    """The texts of a message as one branch of its words says them."""

    texts: Mapping[str, Cut]
    """By part."""
    links: Mapping[str, Links]
    """Of the parts that hold markup: what goes into them is escaped."""
    has_open_link: bool
    """Whether a value is in a part that is a link as a whole, such as the one that a notification opens."""

    @property
    def size(self) -> int:
        """Characters."""
        return sum(len(literal) for cut in self.texts.values() for literal in cut.literals)

    def filled(self, values: Values, schemes: frozenset[str]) -> Filled:
        """The texts with values in their holes; `schemes` are those to which the words themselves lead."""
        escaped = [escape(value) for value in values] if ESCAPED.search("".join(values)) else values
        texts = {part: cut.filled(escaped if part in self.links else values) for part, cut in self.texts.items()}
        is_doubtful = self.has_open_link or any(each.may_lead_astray(escaped, schemes) for each in self.links.values())
        return Filled(texts, is_doubtful)


def cut(text: str, values: Values, *, is_html: bool) -> Cut | None:
    """A text cut where probes stand in it; None when one of them did not come out as it is."""
    spelled = [str(escape(value)) for value in values] if is_html else values
    numbers = {value: number for number, value in enumerate(spelled)}
    pieces = re.split("|".join(map(re.escape, spelled)).join("()"), text) if spelled else [text]
    literals = pieces[::2]
    if any(mark in literal for literal in literals for mark in (OPEN, CLOSE, HOLE)):
        return None
    return _joined(literals, [numbers[piece] for piece in pieces[1::2]])


def links(html: Cut) -> Links:
    """The links of markup, and the holes that are in none."""
    text = HOLE.join(html.literals)
    beginning: list[Cut] = []
    within: set[int] = set()
    for found in HREF.finditer(text):
        link = found[1] or found[2] or ""
        if found[0].count(HOLE) != link.count(HOLE):
            return Links((), None)
        first = text.count(HOLE, 0, found.start())
        places = range(first, first + link.count(HOLE))
        within.update(places)
        literals = link.split(HOLE)
        if places and not is_settled_by(literals[0]):
            beginning.append(_joined(literals, [html.holes[place] for place in places]))
    outside = [place for place in range(len(html.holes)) if place not in within]
    if any(html.literals[place + 1].lstrip().startswith("=") for place in outside):
        return Links((), None)
    return Links(tuple(beginning), tuple({html.holes[place] for place in outside}))


def is_settled_by(beginning: str) -> bool:
    """Whether the scheme of a link stands in its beginning, whatever follows; an entity might go on in what follows."""
    return "&" not in beginning and bool(scheme_of(beginning))
