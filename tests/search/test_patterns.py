"""Filters of triggers, mutated: what is refused has its place and reason, what is taken stays within its trigger."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Iterator
from random import Random
from typing import TYPE_CHECKING, Any

from heliograph_cli.authoring import pattern
from search.budget import budget

if TYPE_CHECKING:
    from search.conftest import Tally

INPUTS = budget(10_000)
SEEDS: list[dict[str, Any]] = [
    {"detail": {"status": ["shipped", 1, True, None], "total": [{"numeric": [">", 0, "<=", 5]}]}},
    {"detail": {"$or": [{"a": [1]}, {"b": {"c": [{"wildcard": "a*b"}]}}, {"d": [{"exists": False}]}]}},
    {"$or": [{"account": ["1"]}, {"detail": {"a": [{"prefix": {"equals-ignore-case": "x"}}]}}]},
    {"detail": {"a": [{"anything-but": ["x", "y"]}, {"anything-but": {"suffix": [".png"]}}, {"cidr": "10.0.0.0/8"}]}},
    {"resources": [{"suffix": "x"}, {"equals-ignore-case": "y"}, {"anything-but": [1, 2]}, {"numeric": ["=", 3]}]},
]
NAMES = ["source", "detail-type", "detail", "$or", "a", "", "prefix", "numeric", "exists", "cidr", "=", "exactly", "😀"]
VALUES: list[Any] = [
    None, True, False, 0, -1, 10**400, 6e9, math.inf, math.nan, "", "x", "**", "\\", r"\*", "10.0.0.0/33", "::/0", "=",
    "<", ">", [], {}, [[]], [{}], ["x", 1], [{"prefix": ""}], {"prefix": ""}, {"exists": 1}, {"anything-but": []},
    [{"source": ["x"]}, {"b": [1]}], object(), b"x", "a" * 3000, "\ud800",
]  # fmt: skip


def holders(node: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a pattern where something stands: its container and its name or number there."""
    entries = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for key, inner in entries:
        yield node, key
        yield from holders(inner)


def mutated(random: Random) -> dict[str, Any]:
    fields = copy.deepcopy(random.choice(SEEDS))
    for _ in range(random.randint(1, 4)):
        container, key = random.choice([*holders(fields), (fields, random.choice(NAMES))])
        chosen = copy.deepcopy(random.choice(VALUES))
        change = random.randrange(4)
        if change == 0 and isinstance(container, dict):
            container[random.choice(NAMES)] = container.pop(key, chosen)
        elif change == 1 and isinstance(container, list):
            container.insert(random.randint(0, len(container)), chosen)
        elif change == 2 and isinstance(container, dict):
            container[random.choice(NAMES)] = copy.deepcopy(random.choice(SEEDS))
        else:
            container[key] = chosen
    return fields


def names_at_the_top(fields: dict[str, Any]) -> set[str]:
    """The fields that a pattern decides about, whichever alternative is taken."""
    inside = [names_at_the_top(one) for one in fields.get("$or", [])]
    return {*fields, *(name for names in inside for name in names)}


def test_patterns(tally: Tally) -> None:
    random, taken = Random(7), 0
    for _ in range(INPUTS):
        fields = mutated(random)
        tally.inputs += 1
        try:
            found = pattern.checked(fields)
            json.dumps(found, allow_nan=False)
            taken += 1
            if names_at_the_top(found) & pattern.OURS:
                tally.harmed.append(f"another source gets in: {fields!r:.200}")
        except ValueError as refused:
            place, _, reason = str(refused).partition(" ")
            if not place.startswith("filter") or len(reason) < 10:
                tally.lost.append(f"no place or reason: {refused}")
        except Exception as unhandled:  # noqa: BLE001  (that is what is searched for)
            tally.unhandled.append(f"{unhandled!r}: {fields!r:.200}")
    assert 0.02 * INPUTS < taken < 0.98 * INPUTS, "the search must try both what is taken and what is refused"
