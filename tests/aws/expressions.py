"""DynamoDB's expressions on items in its own JSON: conditions, keys and updates of attributes at the top of an item."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from functools import lru_cache
from typing import Any, NamedTuple

Item = dict[str, Any]
TOKEN = re.compile(r"\s*([#:]?[A-Za-z_][\w]*|<>|<=|>=|[=<>(),+-])")
COMPARISONS = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
CLAUSES = ("SET", "REMOVE", "ADD", "DELETE")


class Scope(NamedTuple):
    """What an expression is worked out with."""

    item: Item
    names: Mapping[str, str]
    values: Mapping[str, Any]


Operand = Callable[[Scope], Any]
Condition = Callable[[Scope], bool]
Action = Callable[[Scope, Item], None]
"""Changes an item by what it was before."""


class _Reader:
    """The tokens of an expression, from the left to the right."""

    def __init__(self, expression: str) -> None:
        self._tokens = TOKEN.findall(expression)
        assert "".join(self._tokens) == re.sub(r"\s", "", expression), f"cannot be read: {expression}"
        self._at = 0

    def peek(self) -> str:
        """The next token; nothing at the end."""
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def take(self) -> str:
        """The next token, which is read now."""
        self._at += 1
        return str(self._tokens[self._at - 1])

    def skip(self, *words: str) -> bool:
        """Whether the next token is one of some words; then it is read."""
        found = self.peek().upper() in words
        self._at += found
        return found

    def expect(self, word: str) -> None:
        """Read a word that must come now."""
        assert self.skip(word), f"{self._tokens} lacks {word}"


def holds(expression: str, item: Item, names: Mapping[str, str], values: Mapping[str, Any]) -> bool:
    """Whether a condition, a filter or a key condition is met."""
    return _condition(expression)(Scope(item, names, values))


def updated(expression: str, item: Item, names: Mapping[str, str], values: Mapping[str, Any]) -> Item:
    """An item after an update."""
    after, scope = dict(item), Scope(item, names, values)
    for change in _update(expression):
        change(scope, after)
    return after


@lru_cache(maxsize=4_096)
def _condition(expression: str) -> Condition:
    reader = _Reader(expression)
    found = _either(reader)
    assert not reader.peek(), f"{expression} goes on after its end"
    return found


def _either(reader: _Reader) -> Condition:
    some = [_all(reader)]
    while reader.skip("OR"):
        some.append(_all(reader))
    return some[0] if len(some) == 1 else lambda scope: any(one(scope) for one in some)


def _all(reader: _Reader) -> Condition:
    some = [_one(reader)]
    while reader.skip("AND"):
        some.append(_one(reader))
    return some[0] if len(some) == 1 else lambda scope: all(one(scope) for one in some)


def _one(reader: _Reader) -> Condition:
    if reader.skip("NOT"):
        inner = _one(reader)
        return lambda scope: not inner(scope)
    if reader.skip("("):
        inside = _either(reader)
        reader.expect(")")
        return inside
    if reader.peek().lower() in ("attribute_exists", "attribute_not_exists", "begins_with"):
        return _function(reader)
    return _comparison(reader)


def _function(reader: _Reader) -> Condition:
    name = reader.take().lower()
    reader.expect("(")
    first = _operand(reader)
    if name == "begins_with":
        reader.expect(",")
        start = _operand(reader)
        reader.expect(")")
        return lambda scope: (first(scope) or {"S": ""}).get("S", "").startswith(start(scope)["S"])
    reader.expect(")")
    return lambda scope: (first(scope) is not None) == (name == "attribute_exists")


def _comparison(reader: _Reader) -> Condition:
    left = _operand(reader)
    if reader.skip("BETWEEN"):
        low = _operand(reader)
        reader.expect("AND")
        high = _operand(reader)
        return lambda scope: _compare(left(scope), low(scope), ">=") and _compare(left(scope), high(scope), "<=")
    sign, right = reader.take(), _operand(reader)
    return lambda scope: _compare(left(scope), right(scope), sign)


def _compare(left: Any, right: Any, sign: str) -> bool:
    if left is None or right is None or left.keys() != right.keys():
        return sign == "<>"
    one, other = _ordered(left), _ordered(right)
    return bool(COMPARISONS[sign](one, other))


def _ordered(value: dict[str, Any]) -> Any:
    ((kind, inner),) = value.items()
    return Decimal(inner) if kind == "N" else inner


def _operand(reader: _Reader) -> Operand:
    token = reader.take()
    if token.startswith(":"):
        return lambda scope: scope.values[token]
    if token.lower() == "if_not_exists":
        reader.expect("(")
        path = _operand(reader)
        reader.expect(",")
        otherwise = _operand(reader)
        reader.expect(")")
        return lambda scope: otherwise(scope) if (found := path(scope)) is None else found
    return lambda scope: scope.item.get(scope.names.get(token, token))


@lru_cache(maxsize=4_096)
def _update(expression: str) -> tuple[Action, ...]:
    reader, found, clause = _Reader(expression), [], ""
    while word := reader.peek().upper():
        if word in CLAUSES:
            clause = reader.take().upper()
        elif word == ",":
            reader.take()
        else:
            found.append({"SET": _set, "REMOVE": _remove, "ADD": _add, "DELETE": _delete}[clause](reader))
    return tuple(found)


def _set(reader: _Reader) -> Action:
    name = reader.take()
    reader.expect("=")
    value = _operand(reader)
    sign = reader.take() if reader.peek() in ("+", "-") else ""
    more = _operand(reader) if sign else None

    def change(scope: Scope, after: Item) -> None:
        result = value(scope)
        if more:
            step = Decimal(more(scope)["N"])
            result = {"N": str(Decimal(result["N"]) + (step if sign == "+" else -step))}
        after[scope.names.get(name, name)] = result

    return change


def _remove(reader: _Reader) -> Action:
    name = reader.take()
    return lambda scope, after: after.pop(scope.names.get(name, name), None) and None


def _add(reader: _Reader) -> Action:
    name, value = reader.take(), _operand(reader)

    def change(scope: Scope, after: Item) -> None:
        path, added = scope.names.get(name, name), value(scope)
        ((kind, inner),) = added.items()
        before = after.get(path)
        if kind == "N":
            after[path] = {"N": str(Decimal(before["N"] if before else 0) + Decimal(inner))}
        else:
            after[path] = {kind: sorted({*(before[kind] if before else ()), *inner})}

    return change


def _delete(reader: _Reader) -> Action:
    name, value = reader.take(), _operand(reader)

    def change(scope: Scope, after: Item) -> None:
        path = scope.names.get(name, name)
        ((kind, gone),) = value(scope).items()
        if left := set(after.get(path, {}).get(kind, ())) - set(gone):
            after[path] = {kind: sorted(left)}
        else:
            after.pop(path, None)

    return change
