"""EventBridge event patterns: is the filter of a trigger one, and does it stay within its trigger?"""

import json
import math
from collections.abc import Mapping
from typing import Any

from heliograph_cli.authoring.matchers import COMPARISONS, MATCHERS, check_matcher, is_number

SIZE_LIMIT = 2048  # bytes of an event pattern
DEPTH_LIMIT = 100  # tables within tables; a pattern of 2,048 bytes has no use for more
COMBINATIONS = 1000  # that the alternatives of all $or of a pattern may make
OURS = frozenset({"source", "detail-type"})
RESERVED = frozenset({
    *MATCHERS, *COMPARISONS, "exactly", "regex", "not-wildcard", "not-equals-ignore-case", "date-after",
    "date-on-or-after", "date-before", "date-on-or-before", "in-date-range", "ip-address-in-range",
    "ip-address-not-in-range",
})  # fmt: skip
"""Names that no field inside $or may bear."""


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The filter of a trigger; what is not an event pattern raises ValueError with its position."""
    if _Fields(ours=OURS).combinations(fields, "filter") > COMBINATIONS:
        raise ValueError(f"filter: the alternatives of $or make more than {COMBINATIONS} combinations")
    return dict(fields)


def size(pattern: Mapping[str, Any]) -> int:
    """The bytes of a pattern as EventBridge counts them: JSON in UTF-8, without spaces between."""
    return len(json.dumps(pattern, ensure_ascii=False, separators=(",", ":")).encode())


class _Fields:
    """A table of fields at a depth, inside or outside of `$or`."""

    def __init__(self, *, ours: frozenset[str] = frozenset(), alternative: bool = False, depth: int = 0) -> None:
        self.ours = ours
        """Fields that are said in [trigger], at the top and in each `$or` of the top."""
        self.alternative = alternative
        self.depth = depth

    def combinations(self, fields: Mapping[str, Any], position: str) -> int:
        """In how many combinations of alternatives a table matches; refuses what is no pattern."""
        if not fields:
            raise ValueError(f"{position} is empty; name a field or leave it out")
        if self.depth > DEPTH_LIMIT:
            raise ValueError(f"{position[:80]}… is deeper than {DEPTH_LIMIT} tables")
        return math.prod(self._field(name, value, f"{position}.{name}") for name, value in fields.items())

    def _field(self, name: str, value: object, position: str) -> int:
        if name == "$or":
            return self._alternatives(value, position)
        if name in self.ours:
            raise ValueError(f"{position}: {name} is said in [trigger] itself; remove it from the filter")
        if self.alternative and name in RESERVED:
            raise ValueError(f"{position}: inside $or, EventBridge reserves the name {name}")
        if isinstance(value, dict):
            return _Fields(alternative=self.alternative, depth=self.depth + 1).combinations(value, position)
        if not isinstance(value, list) or not value:
            raise ValueError(f'{position} must be a list of allowed values, such as ["shipped"]')
        for alternative in value:
            _check_value(alternative, position)
        return 1

    def _alternatives(self, value: object, position: str) -> int:
        if not isinstance(value, list) or len(value) < 2 or not all(isinstance(one, dict) for one in value):
            raise ValueError(f"{position} must list two or more tables")
        inside = _Fields(ours=self.ours, alternative=True, depth=self.depth + 1)
        return sum(inside.combinations(one, position) for one in value)


def _check_value(value: object, position: str) -> None:
    if value is None or isinstance(value, str | bool) or is_number(value):
        return
    if isinstance(value, int | float):
        raise ValueError(f"{position} holds a number that JSON cannot hold: inf, nan, or longer than 300 digits")
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(f"{position} may hold text, numbers, true, false, or a table with one matcher")
    [(matcher, operand)] = value.items()
    try:
        check_matcher(matcher, operand)
    except ValueError as error:
        raise ValueError(f"{position}: {error}") from error
