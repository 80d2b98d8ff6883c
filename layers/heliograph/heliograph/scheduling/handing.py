"""A minute is handed on in packs: what cannot be read, and a pack that is not taken, hold up nobody else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import chain
from typing import Final

from heliograph.model.requests import Lane
from heliograph.runtime import wiring
from heliograph.runtime.handlers import log_failure, may_be_the_fault_of_one, refusal
from heliograph.runtime.observe import logger
from heliograph.scheduling.joining import AT_ONCE, Assignment, JoinedPack, assigned, joined, packed, positions
from heliograph.scheduling.parts import Damaged, Part
from heliograph.scheduling.store import Fixed
from heliograph.text.errors import MalformedError

ENOUGH: Final = 15.0
"""Seconds that must be left to begin with another batch of packs; the next tick goes on."""


class NotHandedOnError(Exception):
    """Some minutes, or some of a minute, are tried again by every tick."""


def hand_on(minute: datetime) -> bool:
    """Send everybody who waits for a minute, in packs; False when time ran out before the end.

    Who is in a pack is kept before it is sent, so that a pack is the same however often this is tried. Raises
    NotHandedOnError when all were handed on but some, and OvertakenError when another tick is at it.
    """
    waiting = wiring.minutes().parts(minute)
    first = next(waiting, None)
    if first is None:
        return True
    attempt = Attempt(minute, wiring.minutes().fixed(minute))
    everybody = chain([first], waiting)
    if not (attempt.send_fixed() and attempt.send_rest(everybody)):
        return False
    attempt.send_left()
    attempt.conclude()
    return True


class Attempt:
    """One try of a tick to hand a minute on."""

    def __init__(self, minute: datetime, fixed: Fixed) -> None:
        self._minute = minute
        self._fixed = fixed
        self._batches = fixed.sent
        """How many were sent; the number of the next one."""
        self._packs = sum(map(len, fixed.batches[: fixed.sent]))
        """How many there are in them; the number of the next one."""
        self._left = [*fixed.left]
        """The numbers of those that were not taken, in the order in which they are tried again."""
        self._refused = 0
        """Parts and packs that could not be read."""

    def send_fixed(self) -> bool:
        """Send the packs that an earlier try has fixed and not sent; False when time ran out."""
        for batch in self._fixed.batches[self._fixed.sent :]:
            self._go_on(len(batch), self._not_sent(dict(enumerate(batch, start=self._packs))))
            if wiring.time_left() < ENOUGH:
                return False
        return True

    def send_rest(self, parts: Iterable[Part | Damaged]) -> bool:
        """Send everybody who has no pack yet; False when time ran out."""
        taken = positions(each for batch in self._fixed.batches for each in batch)
        for joints in joined(parts, taken, self._refuse):
            if wiring.time_left() < ENOUGH:
                return False
            named = [assigned(joint, self._minute) for joint in joints]
            wiring.minutes().fix(self._minute, self._batches, named)
            packs = [packed(joint, each) for joint, each in zip(joints, named, strict=True)]
            self._go_on(len(packs), _not_taken(dict(enumerate(packs, start=self._packs))))
        return True

    def send_left(self) -> None:
        """Send what earlier tries have left, until time runs out or none of ten is taken.

        What is left once more comes after all others at the next try.
        """
        known = [each for batch in self._fixed.batches for each in batch]
        count = len(self._fixed.left)
        while count and wiring.time_left() >= ENOUGH:
            some = self._left[: min(count, AT_ONCE)]
            failed = self._not_sent({number: known[number] for number in some})
            self._left = self._left[len(some) :]
            self._go_on(0, failed)
            count = count - len(some) if len(failed) < len(some) else 0

    def conclude(self) -> None:
        """Raise NotHandedOnError if anybody was left behind."""
        if self._left or self._refused:
            raise NotHandedOnError(f"{len(self._left)} packs were not taken, {self._refused} parts not read")

    def _go_on(self, packs: int, left: Iterable[int]) -> None:
        """Remember that so many more packs, one batch if any, were sent, but for those that are left."""
        self._batches += bool(packs)
        self._packs += packs
        self._left += left
        wiring.minutes().mark_sent(self._minute, self._batches, self._left)

    def _not_sent(self, wanted: Mapping[int, Assignment]) -> list[int]:
        """Make packs again and send them; which were not."""
        names = (piece.part for each in wanted.values() for piece in each.pieces)
        parts = wiring.minutes().read(self._minute, names)
        packs: dict[int, JoinedPack] = {}
        for number, each in wanted.items():
            try:
                packs[number] = each.pack(parts)
            except MalformedError as error:
                self._refuse(error)
        return [*(number for number in wanted if number not in packs), *_not_taken(packs)]

    def _refuse(self, error: MalformedError) -> None:
        logger.error("A part of a minute could not be read", extra=refusal(error))
        self._refused += 1


def _not_taken(packs: Mapping[int, JoinedPack]) -> list[int]:
    """Send packs at once and, if that fails, each alone: plan takes one that comes twice for one. Which SQS refuses."""
    try:
        wiring.requests(Lane.BULK).send([*packs.values()])
    except Exception as error:  # one pack's fault must not hold up all others for ever
        if not may_be_the_fault_of_one(error):
            raise
        if len(packs) == 1:
            log_failure(error)
            return [*packs]
        return [refused for number, pack in packs.items() for refused in _not_taken({number: pack})]
    return []
