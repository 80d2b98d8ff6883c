"""Hostile input: what stands in the place of a value, a name or a whole part of an event, drawn from a fixed seed."""

from __future__ import annotations

import copy
import json
from random import Random
from typing import Any

RAW = {
    "@@deep@@": "[" * 990 + "]" * 990,
    "@@deeper@@": '{"a":' * 3_000 + "1" + "}" * 3_000,
    "@@digits@@": "9" * 5_000,
    "@@number@@": "1e400",
    "@@nan@@": "NaN",
    "@@surrogate@@": '"\\ud800"',
    "@@twice@@": '{"a": 1, "a": 2}',
}
"""What no writer of JSON gives, put into its text in the place of a word."""
VALUES: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1e308, 10**20, 10**38, -(10**39), "", " ", "none", [], {}, [[]], [None], {"": ""}),
    *("a" * 129, "a" * 300, "w" * 5_000, "w" * 70_000, "w" * 190_000, "\x01" * 40_000, "\x1b[31m", "a\nb", "\u202e"),
    *("\uffff", "\ufffe", "\u00e9" * 200, "=cmd()", "../../x", "anna@example.com", "+4915123456789", "a b", "runs-5"),
    *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "2026-13-01T00:00:00Z"),
    *("2026-11-21T12:00:00", "22:00-09:00", "Europe/Berlin", "EST", "de-DE-x-" + "a" * 60),
    *([["a"] * 3_000], ["22:00-23:00"] * 300, {"k" * 1_100: 1}, {f"name-{number}": number for number in range(500)}),
    *RAW,
)
"""In the place of any value."""
NAMES = ("", "k" * 1_100, "\u00e9" * 600, "amara@example.com", "detail", "events", "mail", "Type", "\uffff", "\x1b[2J")
"""Names of fields that nobody expects."""


def mutated(event: dict[str, Any], rng: Random) -> str:
    """The JSON of an event of which one to three things are other than they should be."""
    event = copy.deepcopy(event)
    for _ in range(rng.randint(1, 3)):
        holder = rng.choice(list(_holders(event)))
        name = rng.choice(list(holder) or [""])
        match rng.randrange(5):
            case 0:
                holder.pop(name, None)
            case 1:
                holder[rng.choice(NAMES)] = copy.deepcopy(rng.choice(VALUES))
            case _:
                holder[name] = copy.deepcopy(rng.choice(VALUES))
    text = json.dumps(event, ensure_ascii=rng.random() < 0.5)
    for word, raw in RAW.items():
        text = text.replace(f'"{word}"', raw)
    return text[: rng.randrange(len(text))] if rng.random() < 0.01 else text


def _holders(value: Any) -> list[dict[str, Any]]:
    """Every object in an event, but those that a mutation made large."""
    found = [value] if isinstance(value, dict) and len(value) < 100 else []
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return found + [each for one in list(inner)[:20] for each in _holders(one)]
