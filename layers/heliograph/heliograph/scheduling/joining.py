"""Packs of everybody who is due in the same minute: who goes into which is fixed before any of them is sent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

import msgspec

from heliograph.model.requests import Lane
from heliograph.model.values import Value
from heliograph.scheduling.parts import Damaged, Kind, Part
from heliograph.text import ids
from heliograph.text.bodies import INPUT_LIMIT
from heliograph.text.errors import Code, MalformedError

PACK_LIMIT: Final = 100  # people: one BatchGetItem
AT_ONCE: Final = 10  # packs whose people are fixed in one write: one SendMessageBatch


class JoinedPack(Value, frozen=True, kw_only=True):
    """On the wire a `RequestPack`: its requests are handed on as they were kept."""

    pack_id: str
    lane: Lane
    run_id: str = ""
    requests: tuple[msgspec.Raw, ...]


class Piece(NamedTuple):
    """Some of a part."""

    part: str
    """Its name."""
    which: str
    """Their positions: the bits of a hexadecimal number, as JSON's own end at 64 bits."""


class Assignment(NamedTuple):
    """Who is in a pack, for ever."""

    pack_id: str
    run_id: str
    pieces: tuple[Piece, ...]

    def pack(self, parts: Mapping[str, Part]) -> JoinedPack:
        """The pack itself, the same on every try; raises MalformedError if any of it cannot be read any more."""
        if gone := [piece.part for piece in self.pieces if piece.part not in parts]:
            raise MalformedError(Code.UNREADABLE_TEXT, gone[0], "is in a pack and cannot be read any more")
        requests = (_chosen(parts[piece.part], int(piece.which, 16)) for piece in self.pieces)
        return _joined_pack(self.pack_id, self.run_id, [one for some in requests for one in some])


class Waiting(NamedTuple):
    """Somebody who has no pack yet."""

    part: Part
    position: int
    """In the part."""
    request: msgspec.Raw
    dispatch_id: str


@dataclass
class Joint:
    """A pack that is being filled."""

    kind: Kind
    size: int = 0
    """Bytes."""
    requests: list[msgspec.Raw] = field(default_factory=list)
    pieces: dict[str, int] = field(default_factory=dict)
    dispatch_ids: set[str] = field(default_factory=set)

    def has_room(self, one: Waiting) -> bool:
        """Whether another person fits in.

        A pack holds a dispatch once, and who claims it claims it once: two tries on a pack may begin the same fallback
        in different company, under two origins.
        """
        is_light = not self.requests or self.size + len(bytes(one.request)) <= INPUT_LIMIT
        return is_light and len(self.requests) < PACK_LIMIT and one.dispatch_id not in self.dispatch_ids

    def take(self, one: Waiting) -> None:
        """Put somebody in."""
        self.size += len(bytes(one.request))
        self.requests.append(one.request)
        self.pieces[one.part.name] = self.pieces.get(one.part.name, 0) | 1 << one.position
        self.dispatch_ids.add(one.dispatch_id)


def assigned(joint: Joint, minute: datetime) -> Assignment:
    """Name a pack: nobody else ever has its first person."""
    pieces = tuple(Piece(part, f"{which:x}") for part, which in joint.pieces.items())
    pack_id = ids.derived_id(minute, "joined", *pieces[0])
    return Assignment(ids.of_fallbacks(pack_id) if joint.kind.via_fallback else pack_id, joint.kind.run_id, pieces)


def positions(assignments: Iterable[Assignment]) -> dict[str, int]:
    """Who has a pack: the bits of their positions, by part."""
    found: dict[str, int] = {}
    for each in assignments:
        for piece in each.pieces:
            found[piece.part] = found.get(piece.part, 0) | int(piece.which, 16)
    return found


def joined(
    parts: Iterable[Part | Damaged], taken: Mapping[str, int], refuse: Callable[[MalformedError], None]
) -> Iterator[Sequence[Joint]]:
    """Fill packs with those who have none yet, a few packs at a time; parts of one origin follow each other.

    An origin with a part that cannot be read is refused, and holds up no other.
    Holds the packs that are not full yet, one for each run and message, and those that it has just filled.
    """
    filling: dict[Kind, Joint] = {}
    full: list[Joint] = []
    for one in _unassigned(parts, taken, refuse):
        kind = one.part.kind
        joint = filling.setdefault(kind, Joint(kind))
        if not joint.has_room(one):
            full.append(joint)
            joint = filling[kind] = Joint(kind)
        joint.take(one)
        if len(full) == AT_ONCE:
            yield full
            full = []
    rest = [*full, *filling.values()]
    yield from (rest[start : start + AT_ONCE] for start in range(0, len(rest), AT_ONCE))


def _unassigned(
    parts: Iterable[Part | Damaged], taken: Mapping[str, int], refuse: Callable[[MalformedError], None]
) -> Iterator[Waiting]:
    """Everybody who has no pack yet, once of each origin."""
    for _, some in groupby(parts, key=lambda part: part.origin):
        try:
            waiting = _of_one_origin([*some], taken)
        except MalformedError as error:
            refuse(error)
        else:
            yield from waiting


def _of_one_origin(siblings: Sequence[Part | Damaged], taken: Mapping[str, int]) -> Sequence[Waiting]:
    """Its people who have no pack; raises MalformedError if any part cannot be read, as its people may be in others."""
    parts = [_undamaged(each) for each in siblings]
    twice = _twice(parts, taken) if len(parts) > 1 else {}
    known = {part.name: taken.get(part.name, 0) | twice.get(part.name, 0) for part in parts}
    return [
        Waiting(part, position, request, dispatch_id)
        for part in parts
        if not known[part.name] or known[part.name].bit_count() < part.people
        for position, (dispatch_id, request) in enumerate(part.identified())
        if not known[part.name] >> position & 1
    ]


def _undamaged(part: Part | Damaged) -> Part:
    if isinstance(part, Damaged):
        raise part.error
    return part


def _twice(siblings: Sequence[Part], taken: Mapping[str, int]) -> dict[str, int]:
    """Who is in another part of the same origin, too, and goes with that one: tries brought them in other company."""
    people = {part.name: part.dispatch_ids() for part in siblings}
    seen = {each for name, some in people.items() for at, each in enumerate(some) if taken.get(name, 0) >> at & 1}
    found: dict[str, int] = {}
    for name, some in people.items():
        for position, each in enumerate(some):
            if each in seen:
                found[name] = found.get(name, 0) | 1 << position
            seen.add(each)
    return found


def _chosen(part: Part, which: int) -> Iterator[msgspec.Raw]:
    return (request for position, request in enumerate(part.requests()) if which >> position & 1)


def packed(joint: Joint, assignment: Assignment) -> JoinedPack:
    """The pack of a joint that is filled."""
    return _joined_pack(assignment.pack_id, assignment.run_id, joint.requests)


def _joined_pack(pack_id: str, run_id: str, requests: Sequence[msgspec.Raw]) -> JoinedPack:
    return JoinedPack(pack_id=pack_id, lane=Lane.BULK, run_id=run_id, requests=tuple(requests))
