"""The matchers of EventBridge event patterns, such as `{ prefix = "a" }`: what EventBridge takes and what it refuses.

The rules are those of its pattern compiler, https://github.com/aws/event-ruler; ValueError says which one is broken.
"""

import ipaddress
import math
import re
from collections.abc import Callable

NUMBERS = 5_000_000_000  # EventBridge compares numbers from -5.0e9 to 5.0e9
COMPARISONS = ("=", "<", "<=", ">", ">=")
ADDRESS = re.compile(r"[0-9.]+|[0-9A-Fa-f:]+")  # no IPv4 inside IPv6
WIDEST = {4: 31, 6: 127}  # bits of a network: a single address is written without a slash


def check_matcher(name: str, operand: object) -> None:
    """Refuse a matcher that EventBridge does not know, or a value that it does not take there."""
    if name not in MATCHERS:
        raise ValueError(f"{name} is not a matcher; EventBridge knows {', '.join(sorted(MATCHERS))}")
    MATCHERS[name](operand)


def is_number(value: object) -> bool:
    """Whether this is a number that JSON can hold: neither true nor false, neither inf nor nan."""
    try:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    except OverflowError:  # an integer that no double holds
        return False


def _text(matcher: str) -> Callable[[object], None]:
    def check(operand: object) -> None:
        if not isinstance(operand, str):
            raise ValueError(f'{matcher} takes one text, such as "a"')

    return check


def _affix(matcher: str) -> Callable[[object], None]:
    """A text, or `{ equals-ignore-case = "a" }`."""

    def check(operand: object) -> None:
        inner = operand
        if isinstance(operand, dict):
            if list(operand) != ["equals-ignore-case"]:
                raise ValueError(f"{matcher} takes a text, or a table with equals-ignore-case and nothing else")
            [inner] = operand.values()
        _text(matcher)(inner)

    return check


def _wildcard(operand: object) -> None:
    if not isinstance(operand, str):
        raise ValueError('wildcard takes one text, such as "a*b"')
    rest = re.sub(r"\\[\\*]", "_", operand)  # an escaped star, an escaped backslash
    if "\\" in rest:
        raise ValueError("wildcard has a backslash that escapes neither * nor a backslash")
    if "**" in rest:
        raise ValueError("wildcard has two stars in a row; one stands for any text")


def _exists(operand: object) -> None:
    if not isinstance(operand, bool):
        raise ValueError("exists takes true or false, without quotes")


def _numeric(operand: object) -> None:
    if not isinstance(operand, list) or len(operand) not in (2, 4):
        raise ValueError(
            'numeric takes a comparison and a number, such as [">", 0], or a range, such as [">", 0, "<", 9]'
        )
    signs, bounds = operand[::2], operand[1::2]
    for bound in bounds:
        _comparable("numeric", bound)
    if signs[0] not in COMPARISONS:
        raise ValueError(f"numeric compares with {', '.join(COMPARISONS)}")
    if len(signs) == 2:
        _range(signs, bounds)


def _range(signs: list[object], bounds: list[float]) -> None:
    if signs[0] not in (">", ">=") or signs[1] not in ("<", "<="):
        raise ValueError('a range begins with > or >= and ends with < or <=, such as [">", 0, "<=", 9]')
    if bounds[0] >= bounds[1]:
        raise ValueError("the range is empty: its first number must be less than its second")


def _comparable(matcher: str, value: object) -> None:
    if not is_number(value):
        raise ValueError(f"{matcher} takes numbers without quotes, never true, inf or nan")
    if abs(value) > NUMBERS:  # type: ignore[arg-type]  # it is a number
        raise ValueError(
            f"{matcher} takes numbers from -{NUMBERS} to {NUMBERS}; write a longer one as the value itself"
        )


def _cidr(operand: object) -> None:
    address, slash, bits = operand.partition("/") if isinstance(operand, str) else ("", "", "")
    if not slash or not re.fullmatch("[0-9]{1,3}", bits) or not ADDRESS.fullmatch(address):
        raise ValueError('cidr takes an address, a slash and a number of bits, such as "10.0.0.0/24"')
    try:
        version = ipaddress.ip_address(address).version
    except ValueError as error:
        raise ValueError("cidr has an address that does not exist") from error
    if int(bits) > WIDEST[version]:
        raise ValueError(f"cidr takes 0 to {WIDEST[version]} bits here; write a single address without a slash")


def _anything_but(operand: object) -> None:
    if isinstance(operand, dict):
        return _anything_but_like(operand)
    values = operand if isinstance(operand, list) else [operand]
    if not values or not all(isinstance(value, str) or is_number(value) for value in values):
        raise ValueError("anything-but takes texts or numbers, one or a list, never true, false, null or tables")
    if len({isinstance(value, str) for value in values}) == 2:
        raise ValueError("anything-but takes a list of texts or a list of numbers, never both in one list")
    for value in values:
        if not isinstance(value, str):
            _comparable("anything-but", value)
    return None


def _anything_but_like(operand: dict[str, object]) -> None:
    """`{ anything-but = { prefix = "a" } }`: the matcher inside takes a text or a list of texts."""
    if len(operand) != 1 or not operand.keys() <= {"prefix", "suffix", "equals-ignore-case", "wildcard"}:
        raise ValueError("anything-but takes a table with one of prefix, suffix, equals-ignore-case, wildcard")
    [(matcher, inner)] = operand.items()
    texts = inner if isinstance(inner, list) else [inner]
    if not texts or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"{matcher} in anything-but takes a text or a list of texts")
    if matcher != "equals-ignore-case" and "" in texts:
        raise ValueError(f"{matcher} in anything-but cannot be empty: nothing would ever match")
    for text in texts if matcher == "wildcard" else []:
        _wildcard(text)


MATCHERS: dict[str, Callable[[object], None]] = {
    "prefix": _affix("prefix"),
    "suffix": _affix("suffix"),
    "equals-ignore-case": _text("equals-ignore-case"),
    "wildcard": _wildcard,
    "anything-but": _anything_but,
    "numeric": _numeric,
    "exists": _exists,
    "cidr": _cidr,
}
