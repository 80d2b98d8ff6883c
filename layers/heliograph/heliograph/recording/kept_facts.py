"""Facts of a pack as attributes of an item, few and short: an update costs by the whole item, for every KB.

What a provider reports of many messages in the same second is one set of slots: `d.t4x2k9` = {3, 17, 42}. The receipts
of a call are one attribute: `a.t4x2k9.0-1d` = their ids. All else is by slot: `bh` = "t4x2k9 Permanent/General".
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import Happened, SlotFacts
from heliograph.recording.facts import Fact
from heliograph.recording.receipts import packed, unpacked

INITIALS: dict[str, str] = {
    Fact.RETRY: "r",
    Fact.ACCEPTED: "a",
    Fact.FAILED: "f",
    Fact.SKIPPED: "k",
    Fact.SCHEDULED: "w",
    Fact.UNKNOWN: "u",
    Fact.SETTLED: "t",
    EngagementKind.SENT: "s",
    EngagementKind.DELAYED: "y",
    EngagementKind.DELIVERED: "d",
    EngagementKind.OPENED: "o",
    EngagementKind.CLICKED: "c",
    EngagementKind.UNDELIVERED: "n",
    EngagementKind.BOUNCED: "b",
    EngagementKind.COMPLAINED: "x",
    EngagementKind.UNSUBSCRIBED: "q",
}
"""With which the name of an attribute begins, by the kind of its facts."""
KINDS = {initial: kind for kind, initial in INITIALS.items()}
TOGETHER = frozenset({EngagementKind.SENT.value, EngagementKind.DELIVERED.value})
"""What happens once to a message, and to many in the same seconds."""
BASE_36 = "0123456789abcdefghijklmnopqrstuvwxyz"
OTHERS = frozenset({"part", "item", "expires_at"})
"""The attributes of an item that are no facts."""

Attribute = dict[str, Any]
"""A value in DynamoDB's own JSON."""


class Attributes(NamedTuple):
    """Facts as attributes, by their names."""

    once: dict[str, Attribute]
    """Each is set unless it is there."""
    sets: dict[str, Attribute]
    """What is added to each set."""


def attributes(slots: SlotFacts) -> Attributes:
    """The attributes that hold facts; to the second."""
    once: dict[str, Attribute] = {}
    sets: defaultdict[str, list[int]] = defaultdict(list)
    receipts: defaultdict[tuple[str, str], dict[int, str]] = defaultdict(dict)
    for slot, kinds in slots.items():
        for kind, fact in kinds.items():
            second = base_36(int(fact.at.timestamp()))
            if kind in TOGETHER and not (fact.detail or fact.about):
                sets[f"{INITIALS[kind]}.{second}"].append(slot)
            elif kind == Fact.ACCEPTED and fact.detail:
                receipts[second, fact.about][slot] = fact.detail
            else:
                once[name_of(kind, slot)] = spelled(fact, second)
    once |= {
        f"{INITIALS[Fact.ACCEPTED]}.{second}.{_ranges(ids)}": _receipts(about, ids)
        for (second, about), ids in receipts.items()
    }
    return Attributes(once, {name: {"NS": list(map(str, some))} for name, some in sets.items()})


def name_of(kind: str, slot: int) -> str:
    """The attribute that holds what a fact says of one slot alone."""
    return f"{INITIALS[kind]}{base_36(slot)}"


def spelled(fact: Happened, second: str = "") -> Attribute:
    """`<second> <detail>`, and what it is about beside it."""
    second = second or base_36(int(fact.at.timestamp()))
    text = {"S": f"{second} {fact.detail}" if fact.detail else second}
    return {"L": [text, {"S": fact.about}]} if fact.about else text


def facts_in(item: Mapping[str, Attribute]) -> SlotFacts:
    """The facts that an item holds. Where there are two of a kind, the one that says more counts, then the first.

    Kinds that we do not know are passed over: a newer version wrote them, and was taken back.
    """
    slots: SlotFacts = {}
    for name, value in item.items():
        kind = KINDS.get(name[0])
        if kind is None or name in OTHERS:
            continue
        for slot, fact in _read(name, value):
            facts = slots.setdefault(slot, {})
            facts[kind] = min(facts[kind], fact, key=_rank) if kind in facts else fact
    return slots


def _rank(fact: Happened) -> tuple[bool, datetime, str]:
    return not fact.detail, fact.at, fact.detail


def _read(name: str, value: Attribute) -> Iterator[tuple[int, Happened]]:
    """The slots of which an attribute speaks, and what it says."""
    if "NS" in value:
        said = Happened(_moment(name[2:]))
        yield from ((int(slot), said) for slot in value["NS"])
    elif name[1] == ".":
        _, second, ranges = name.split(".")
        at, slots = _moment(second), _slots(ranges)
        about, ids = _ids(value["L"], len(slots))
        yield from ((slot, Happened(at, each, about)) for slot, each in zip(slots, ids, strict=True))
    else:
        text, *more = value.get("L", [value])
        second, _, detail = text["S"].partition(" ")
        yield int(name[1:], 36), Happened(_moment(second), detail, *(each["S"] for each in more))


def _receipts(about: str, ids: Mapping[int, str]) -> Attribute:
    """Who took them, and the ids in the order of their slots: as bytes, if they have a form that we know."""
    ordered = [ids[slot] for slot in sorted(ids)]
    content = packed(ordered)
    return {
        "L": [{"S": about}, *({"S": each} for each in ordered)] if content is None else [{"S": about}, {"B": content}]
    }


def _ids(kept: list[Attribute], count: int) -> tuple[str, list[str]]:
    about, *rest = kept
    if "B" not in rest[0]:
        return about["S"], [each["S"] for each in rest]
    content = rest[0]["B"]
    raw = content if isinstance(content, bytes) else base64.b64decode(content)  # a stream's images are JSON
    return about["S"], unpacked(raw, count)


def _moment(second: str) -> datetime:
    return datetime.fromtimestamp(int(second, 36), UTC)


def base_36(number: int) -> str:
    """A number as Python's `int(text, 36)` reads it."""
    digits, rest = "", abs(number)
    while rest or not digits:
        rest, digit = divmod(rest, 36)
        digits = BASE_36[digit] + digits
    return f"-{digits}" if number < 0 else digits


def _ranges(slots: Iterable[int]) -> str:
    """`0-1d,1f`: slots in order, those that follow each other by the first and the last."""
    ranges: list[list[int]] = []
    for slot in sorted(slots):
        if ranges and slot == ranges[-1][-1] + 1:
            ranges[-1][1:] = [slot]
        else:
            ranges.append([slot])
    return ",".join("-".join(map(base_36, each)) for each in ranges)


def _slots(ranges: str) -> list[int]:
    ends = ([int(end, 36) for end in each.split("-")] for each in ranges.split(","))
    return [slot for each in ends for slot in range(each[0], each[-1] + 1)]
