"""What words may not do with the data of one person: grow without end, take for ever, or come out another way twice.

The words themselves are ours. What they are given is not: a width, a separator or a format may come from an event.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from functools import wraps
from itertools import islice
from typing import Any, Final

Filter = Callable[..., Any]

NOT_OFFERED: Final = frozenset({"attr", "pprint", "random", "xmlattr"})
"""Filters that are no use in words: they look inside of things, name attributes by data, or say another thing twice."""
NO_WORDS: Final = frozenset({"lipsum"})
"""What stands for words in a draft."""

PART_BYTES: Final = 262_144  # of a part of a message; Gmail cuts a mail off after 102 KB
UTF_8: Final = 4  # bytes of a character, at most
PIECES: Final = 100_000  # of a part: what stands between two tags, once for each turn of a loop
AT_ONCE: Final = 200  # pieces that are counted together; each may be as long as an event
NUMBER: Final = 1_000  # the largest number that a filter may take as a width, a precision or a count
TEXT: Final = 32_768  # characters that filters take which look at a text again and again
GROWN: Final = 1_000_000  # characters that replacing, joining and repeating may make
BITS: Final = 1_024  # of a product or a power; a float ends there, too

WIDE: Final = re.compile(r"\d{4}|\*|\{[^}]*\{")
"""A format that says a width of four digits, or takes its width from a value."""
NUMBERED: Final = re.compile(r"%[^%a-z]*c|\{[^}]*c\}")
"""A format that makes a character of a number: it might be half of one, which no provider takes."""
PATIENT: Final = ("indent", "striptags", "title", "urlize", "wordcount", "wordwrap")
SIZED: Final = ("batch", "center", "indent", "round", "slice", "truncate", "wordwrap")
"""Filters that take numbers."""


class TooMuchError(ValueError):
    """A person's data would make more of the words than a message can be."""


def guarded(filters: dict[str, Filter]) -> dict[str, Filter]:
    """The filters that are offered, with what keeps their results within bounds."""
    offered = {name: each for name, each in filters.items() if name not in NOT_OFFERED}
    checks: dict[str, list[Callable[..., None]]] = {name: [] for name in offered}
    for name in SIZED:
        checks[name].append(_refuse_large_numbers)
    for name in PATIENT:
        checks[name].append(_refuse_long_text)
    checks["format"].append(_refuse_wild_format)
    checks["replace"].append(_refuse_growth)
    return offered | {name: _checked(offered[name], some) for name, some in checks.items() if some} | _joining(offered)


def _checked(of: Filter, checks: list[Callable[..., None]]) -> Filter:
    """A filter that is asked only once its checks have passed; Jinja2 gives some of them an environment first."""
    first = 1 if hasattr(of, "jinja_pass_arg") else 0

    @wraps(of)
    def filtered(*given: Any, **named: Any) -> Any:
        for check in checks:
            check(*given[first:], *named.values())
        return of(*given, **named)

    return filtered


def _joining(offered: dict[str, Filter]) -> dict[str, Filter]:
    join = offered["join"]

    @wraps(join)
    def joined(evaluation: Any, value: Iterable[Any], d: Any = "", attribute: Any = None) -> Any:
        """`join`, unless the separators alone would be too much."""
        things = list(value)
        _refuse_growth("x" * len(things), d)
        return join(evaluation, things, d, attribute)

    return {"join": joined}


def refuse_large_call(of: Any, given: Iterable[Any]) -> None:
    """Refuse a method of a text that would make too much of it: `data.name.ljust(data.width)`."""
    text = getattr(of, "__self__", None)
    if not isinstance(text, str):
        return
    if getattr(of, "__name__", "") in ("format", "format_map"):
        _refuse_wild_format(text)
        return
    _refuse_large_numbers(text, *given)
    _refuse_growth(text, *(each for one in given for each in (one if isinstance(one, list | tuple) else [one])))


def refuse_large_operation(operator: str, left: Any, right: Any) -> None:
    """Refuse `*`, `**` and `%` where they would make too much of a text, a list or a number."""
    if operator == "%":
        if isinstance(left, str):
            _refuse_wild_format(left)
        return
    sized, other = (left, right) if hasattr(left, "__len__") else (right, left)
    if hasattr(sized, "__len__") and isinstance(other, int):
        if len(sized) * other > GROWN:
            raise TooMuchError("a text is repeated too often")
    elif isinstance(left, int) and isinstance(right, int):
        bits = left.bit_length() + right.bit_length() if operator == "*" else left.bit_length() * abs(right)
        if bits > BITS:
            raise TooMuchError("a number is too large")


def bounded(pieces: Iterable[str]) -> str:
    """The pieces of a part as one text, unless there are too many."""
    kept: list[str] = []
    size, rest = 0, iter(pieces)
    while some := list(islice(rest, AT_ONCE)):
        kept += some
        size += sum(map(len, some))
        if size > PART_BYTES or len(kept) > PIECES:
            raise TooMuchError("a part is too large")
    text = "".join(kept)
    if size > PART_BYTES // UTF_8 and len(text.encode()) > PART_BYTES:
        raise TooMuchError("a part is too large")
    return text


def _refuse_large_numbers(_: Any, *given: Any) -> None:
    if any(isinstance(each, int | float) and not -NUMBER <= each <= NUMBER for each in given):
        raise TooMuchError("a filter is given a number that is too large")


def _refuse_long_text(value: Any, *_: Any) -> None:
    if isinstance(value, str) and len(value) > TEXT:
        raise TooMuchError("a filter is given a text that is too long")


def _refuse_wild_format(value: Any, *_: Any) -> None:
    if WIDE.search(str(value)):
        raise TooMuchError("a format is too wide")
    if NUMBERED.search(str(value)):
        raise ValueError("a format makes a character of a number")


def _refuse_growth(value: Any, *given: Any) -> None:
    """What stands between or in the place of every character at most."""
    longest = max((len(each) for each in given if isinstance(each, str)), default=0)
    if (len(str(value)) + 1) * longest > GROWN:
        raise TooMuchError("a text would grow too long")
