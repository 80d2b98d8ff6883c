"""How a rule is declared: a function, and with it all that tells of it in the pages, to people, and on a timeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from heliograph.model.reasons import Reason
from heliograph.planning.cases import Case

Objection = Callable[[Case], Reason | None]
"""Why a channel may not carry the message; None when there is nothing against it."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A rule, with its row in docs/preferences.md."""

    name: str
    """That of the reason that it gives."""
    objection: Objection
    asks: str
    when: str
    """It objects when …"""
    then: str = "next channel"
    """What follows: the next channel, no, or `later: ` and until when."""
    again: bool = True
    """Whether it is asked again just before delivery."""
    about: str
    """What it looks at, as a statement on a timeline begins."""
    says: str
    """How that statement ends when it objects."""
    means: str
    """The reason in a sentence that a customer can be read."""

    @property
    def waits(self) -> bool:
        """Whether the message waits for this channel when it objects."""
        return self.then.startswith("later")


def rule(
    *,
    asks: str,
    when: str,
    then: str = "next channel",
    again: bool = True,
    about: str,
    says: str,
    means: str,
) -> Callable[[Objection], Rule]:
    """Make a rule of a function, which bears the name of its reason."""

    def declared(objection: Objection) -> Rule:
        name = getattr(objection, "__name__", "")
        return Rule(
            name=name,
            objection=objection,
            asks=asks,
            when=when,
            then=then,
            again=again,
            about=about,
            says=says,
            means=means,
        )

    return declared
