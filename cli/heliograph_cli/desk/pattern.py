"""EventBridge event patterns, JMESPath and time zones: is what somebody wrote one?"""

import ipaddress
import json
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

import jmespath

PATTERN_LIMIT = 2048  # characters of an EventBridge event pattern
OURS = {"source", "detail-type"}
COMPARISONS = {"=", "<", "<=", ">", ">="}


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The filter of a trigger; what is not an event pattern raises ValueError with its place."""
    if taken := OURS & fields.keys():
        raise ValueError(f"{', '.join(sorted(taken))} is said in [trigger] itself; remove it from the filter")
    _fields(fields, "filter")
    return dict(fields)


def fits(pattern: Mapping[str, Any]) -> bool:
    """Whether EventBridge takes a pattern of this size."""
    return len(json.dumps(pattern)) <= PATTERN_LIMIT


def _fields(fields: Mapping[str, Any], place: str) -> None:
    if not fields:
        raise ValueError(f"{place} is empty; name a field or leave it out")
    for name, value in fields.items():
        _field(name, value, f"{place}.{name}")


def _field(name: str, value: object, place: str) -> None:
    if isinstance(value, dict):
        return _fields(value, place)
    if not isinstance(value, list) or not value:
        raise ValueError(f'{place} must be a list of allowed values, such as ["shipped"]')
    if name == "$or":
        return _alternatives(value, place)
    for alternative in value:
        _value(alternative, place)
    return None


def _alternatives(value: list[Any], place: str) -> None:
    if len(value) < 2 or not all(isinstance(alternative, dict) for alternative in value):
        raise ValueError(f"{place} must list two or more tables")
    for alternative in value:
        _fields(alternative, place)


def _value(value: object, place: str) -> None:
    if value is None or isinstance(value, str | int | float | bool):
        return
    if not isinstance(value, dict) or len(value) != 1:
        raise ValueError(f"{place} may hold text, numbers, true, false, or a table with one matcher")
    [(matcher, operand)] = value.items()
    if matcher not in MATCHERS:
        raise ValueError(f"{place}: {matcher} is not a matcher; EventBridge knows {', '.join(sorted(MATCHERS))}")
    if not MATCHERS[matcher](operand):
        raise ValueError(f"{place}: {matcher} cannot be used with this value")


def _is_text(operand: object) -> bool:
    return isinstance(operand, str) and bool(operand)


def _is_affix(operand: object) -> bool:
    return _is_text(operand) or _is_one(operand, {"equals-ignore-case"})


def _is_one(operand: object, allowed: set[str]) -> bool:
    if not isinstance(operand, dict) or len(operand) != 1:
        return False
    [(matcher, inner)] = operand.items()
    texts = inner if isinstance(inner, list) else [inner]
    return matcher in allowed and bool(texts) and all(_is_text(text) for text in texts)


def _is_anything_but(operand: object) -> bool:
    if isinstance(operand, dict):
        return _is_one(operand, {"prefix", "suffix", "equals-ignore-case", "wildcard"})
    values = operand if isinstance(operand, list) else [operand]
    return bool(values) and all(isinstance(value, str | int | float) for value in values)


def _is_range(operand: object) -> bool:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        return False
    signs, bounds = operand[::2], operand[1::2]
    numbers = all(isinstance(bound, int | float) and not isinstance(bound, bool) for bound in bounds)
    return numbers and all(isinstance(sign, str) and sign in COMPARISONS for sign in signs)


def _is_network(operand: object) -> bool:
    try:
        ipaddress.ip_network(str(operand), strict=False)
    except ValueError:
        return False
    return True


MATCHERS: dict[str, Callable[[object], bool]] = {
    "prefix": _is_affix,
    "suffix": _is_affix,
    "anything-but": _is_anything_but,
    "numeric": _is_range,
    "exists": lambda operand: isinstance(operand, bool),
    "equals-ignore-case": _is_text,
    "cidr": _is_network,
    "wildcard": lambda operand: _is_text(operand) and "**" not in str(operand),
}


def jmespath_expression(text: str) -> str:
    """A JMESPath expression, or empty."""
    if not text:
        return text
    try:
        jmespath.compile(text)
    except jmespath.exceptions.JMESPathError as error:
        raise ValueError('is not a JMESPath expression; quote odd names, as in "\\"detail-type\\""') from error
    return text


def time_zone(name: str) -> str:
    """An IANA time zone."""
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError) as error:
        raise ValueError("is not an IANA time zone") from error
    return name
