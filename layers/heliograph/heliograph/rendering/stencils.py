"""The messages of campaigns: each branch of the words is rendered once, and then filled in for every person.

What people get is, to the byte, what `Templates.render` makes. The desk says which values are only written down
(`Reads`). A stencil is taken into use only after two renderings with probes, and one for a person, have proved it;
early uses, and then one in `CHECKED_EVERY`, are compared again. Whatever no stencil can do is rendered.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple

import msgspec

from heliograph.channels.registry import spec
from heliograph.channels.spec import Holds
from heliograph.model.channels import Channel
from heliograph.model.messages import Message
from heliograph.rendering.guards import PART_BYTES, UTF_8
from heliograph.rendering.stencil import Stencil, cut, links, probes
from heliograph.rendering.templates import Context, Reads, Templates, finished
from heliograph.text.errors import UndeliverableError

SHEETS: Final = 16  # of stencils in a process; the oldest makes room
STENCILS: Final = 64  # of a sheet; whoever needs another one is rendered
SHEET_SIZE: Final = 2_000_000  # characters of all stencils of a sheet, and of what leads to them
CHECKED_EVERY: Final = 1_000  # uses of a stencil, at the latest
RECIPIENT: Final = "recipient."  # with which the path of an attribute begins
SAFE_LENGTH: Final = PART_BYTES // UTF_8
"""Characters of a part that is not too large, whatever they are."""

Signature = tuple[object, ...]
"""What decides which way the words go: of a hole True; of a value that they go by, or that is no text, how Python
spells it; of one that is missing None."""


Differed = Callable[[Message, Channel], None]
"""Hears of a stencil that was found to say something else than its words."""


class Paths(NamedTuple):
    """Where values of a person stand in a context."""

    own: tuple[str, ...]
    """In `recipient`."""
    outer: tuple[str, ...]
    """Beside it."""

    @classmethod
    def of(cls, paths: Collection[str]) -> Paths:
        """Those of `Reads`."""
        own = {path for path in paths if path.startswith(RECIPIENT)}
        return cls(tuple(sorted(path.removeprefix(RECIPIENT) for path in own)), tuple(sorted({*paths} - own)))

    def read(self, context: Context) -> list[object]:
        """The values; None for one that is missing."""
        return [*map(context["recipient"].get, self.own), *map(context.get, self.outer)]

    def put(self, context: Context, values: Mapping[int, str]) -> Context:
        """A context with other values in some places."""
        own = {name: values[place] for place, name in enumerate(self.own) if place in values}
        outer = {name: values[place] for place, name in enumerate(self.outer, len(self.own)) if place in values}
        return {**context, **outer, "recipient": {**context["recipient"], **own}}


class Look(NamedTuple):
    """What the words see of a person."""

    signature: Signature
    values: list[str]
    """Those of the holes."""


class Sheet:
    """The stencils of a message on a channel, in a language, with the same data."""

    def __init__(self, templates: Templates, message: Message, channel: Channel, reads: Sequence[Reads]) -> None:
        self._templates = templates
        self._message = message
        self._channel = channel
        computed = {path for each in reads for path in each.computed}
        told_apart = {path: set[str]() for each in reads for path in each.holes.keys() - computed}
        for path, texts in told_apart.items():
            texts.update(*(each.holes.get(path, ()) for each in reads))
        self._computed, self._holes = Paths.of(computed), Paths.of(told_apart)
        self._computes = bool(computed)
        self._told_apart = [told_apart[path] for path in _spelled(self._holes)]
        self._stencils: dict[Signature, Stencil | None] = {}
        self._uses: dict[Signature, int] = {}
        self._room = SHEET_SIZE

    def render(self, context: Context, differed: Differed) -> dict[str, str]:
        """The parts of the content for one person; raises UndeliverableError."""
        look = self._look(context)
        stencil = self._stencils.get(look.signature)
        filled = stencil.filled(look.values, self._templates.schemes) if stencil else None
        if filled is None or max(map(len, filled.texts.values())) > SAFE_LENGTH:
            return self._rendered(look, context)
        content = finished(self._channel, filled.texts)
        if self._is_due(look.signature) and (rendered := self._plainly(context)) != content:
            self._stencils[look.signature] = None
            differed(self._message, self._channel)
            return rendered
        if filled.is_doubtful:
            self._templates.refuse_astray(self._message, self._channel, content)
        return content

    def _look(self, context: Context) -> Look:
        signature: list[object] = []
        values: list[str] = []
        for value, told_apart in zip(self._holes.read(context), self._told_apart, strict=True):
            if type(value) is str and value and value not in told_apart:
                signature.append(True)
                values.append(value)
            else:
                signature.append(None if value is None else repr(value))
        if self._computes:
            signature += map(repr, self._computed.read(context))
        return Look(tuple(signature), values)

    def _is_due(self, signature: Signature) -> bool:
        """Whether this use of a stencil is to be compared: its first, second, fourth, eighth, and so on."""
        uses = self._uses[signature] = self._uses.get(signature, 0) + 1
        return uses & (uses - 1) == 0 or uses % CHECKED_EVERY == 0

    def _plainly(self, context: Context) -> dict[str, str]:
        return self._templates.rendered(self._message, self._channel, context)

    def _rendered(self, look: Look, context: Context) -> dict[str, str]:
        """As the templates render it; a stencil for the next person who looks the same is made on the way."""
        content = self._plainly(context)
        if look.signature not in self._stencils and len(self._stencils) < STENCILS and self._room > 0:
            stencil = self._proved(look, context, content)
            self._stencils[look.signature] = stencil
            self._room -= len(str(look.signature)) + (stencil.size if stencil else 0)
        return content

    def _proved(self, look: Look, context: Context, content: Mapping[str, str]) -> Stencil | None:
        """A stencil that says to this person what the templates say; None when there is no such."""
        places = [place for place, kind in enumerate(look.signature) if kind is True]
        try:
            first, second = (
                self._cut(self._holes.put(context, dict(zip(places, values, strict=True))), values)
                for values in probes(len(places))
            )
        except UndeliverableError:  # with a probe it would be too large
            return None
        if first is None or first != second:
            return None
        filled = first.filled(look.values, self._templates.schemes)
        return first if finished(self._channel, filled.texts) == content else None

    def _cut(self, context: Context, values: list[str]) -> Stencil | None:
        texts, parts = self._templates.texts(self._message, self._channel, context), spec(self._channel).parts
        markup = {name for name in texts if parts[name].holds is Holds.MARKUP}
        cuts = {
            name: cut(text if parts[name].is_one_line else text.strip(), values, is_html=name in markup)
            for name, text in texts.items()
        }
        whole = {name: each for name, each in cuts.items() if each is not None}
        if len(whole) < len(cuts):
            return None
        has_open_link = any(each.holes for name, each in whole.items() if parts[name].holds is Holds.LINK)
        return Stencil(whole, {name: links(whole[name]) for name in markup}, has_open_link)


class Stencils:
    """Renders the messages of campaigns, whose data is the same for many people."""

    def __init__(self, templates: Templates, differed: Differed) -> None:
        self._templates = templates
        self._differed = differed
        self._sheets: dict[tuple[str, Channel, str, bytes], Sheet | None] = {}

    def render(
        self,
        message: Message,
        channel: Channel,
        *,
        locale: str,
        recipient: Mapping[str, Any],
        data: Mapping[str, Any],
        unsubscribe_url: str,
        timezone: str = "",
    ) -> dict[str, str]:
        """What `Templates.render` makes; raises what it raises."""
        found = self._templates.locale_for(message, channel, locale)
        context = self._templates.context(found, recipient, data, unsubscribe_url=unsubscribe_url, timezone=timezone)
        sheet = self._sheet(message, channel, found, data)
        if sheet is None:
            return self._templates.rendered(message, channel, context)
        return sheet.render(context, self._differed)

    def _sheet(self, message: Message, channel: Channel, locale: str, data: Mapping[str, Any]) -> Sheet | None:
        """The sheet of a message and its data; None when a stencil can never be made."""
        key = (message.name, channel, locale, msgspec.json.encode(data))
        if key not in self._sheets:
            if len(self._sheets) >= SHEETS:
                del self._sheets[next(iter(self._sheets))]
            self._sheets[key] = self._new_sheet(message, channel, locale)
        return self._sheets[key]

    def _new_sheet(self, message: Message, channel: Channel, locale: str) -> Sheet | None:
        names = [template.name or "" for _, template in self._templates.parts(message, channel, locale)]
        reads = [self._templates.reads[name] for name in names if name in self._templates.reads]
        return Sheet(self._templates, message, channel, reads) if len(reads) == len(names) else None


def _spelled(paths: Paths) -> list[str]:
    return [*(RECIPIENT + name for name in paths.own), *paths.outer]
