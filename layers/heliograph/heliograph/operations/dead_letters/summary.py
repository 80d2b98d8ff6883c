"""What a dead letter is about, in plain words: what failed, for whom, why, and what to do. Never what it says."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from heliograph.model.values import Value
from heliograph.operations.dead_letters import faults
from heliograph.operations.dead_letters.contents import Kind, kind_of, named, read, whom
from heliograph.operations.dead_letters.faults import Fault


class DeadLetter(NamedTuple):
    """A message in a dead-letter queue."""

    message_id: str
    queue: str
    """The queue that it failed in, without the stack's name: `events`, `outbox-email-bulk`."""
    body: str
    receives: int
    sent_at: datetime
    code: str = ""
    position: str = ""
    reason: str = ""
    """Why it was parked (`errors.Code`), where and in words; all are empty when it was not."""
    failed: bool = False
    """Whether its queue gave it up after the last try."""
    undelivered: str = ""
    """EventBridge's error code when it could not hand the event to the queue."""

    @property
    def is_parked(self) -> bool:
        """Whether it was put aside because it cannot be read: sent back it would only come again."""
        return bool(self.code or self.position)


class Explanation(Value, frozen=True, kw_only=True, omit_defaults=False):
    """A dead letter in plain words, by identifiers only."""

    message_id: str
    queue: str
    fault: str
    what: str
    whom: dict[str, Any]
    why: str
    said: str
    """By the function that parked it, or by the bus."""
    what_to_do: str
    parked: bool
    receives: int
    sent_at: datetime


def explain(letter: DeadLetter) -> Explanation:
    """A dead letter in plain words."""
    content = read(letter.body)
    kind = kind_of(content)
    fault = _fault(letter, kind)
    return Explanation(
        message_id=letter.message_id,
        queue=letter.queue,
        fault=fault.name,
        what=_what(letter, named(kind, content)),
        whom=whom(kind, content),
        why=fault.why,
        said=_said(letter),
        what_to_do=fault.what_to_do,
        parked=letter.is_parked,
        receives=letter.receives,
        sent_at=letter.sent_at,
    )


def _fault(letter: DeadLetter, kind: Kind) -> Fault:
    if letter.is_parked:
        return faults.parked(letter.code)
    if letter.undelivered:
        return faults.UNDELIVERED
    if kind is Kind.CHANGES:
        return faults.UNCOUNTED
    if kind is Kind.FOREIGN:
        return faults.FOREIGN
    return faults.failed(letter.queue) if letter.failed else faults.PUT_THERE


def _what(letter: DeadLetter, name: str) -> str:
    what = f"A {name} in {letter.queue}"
    if letter.is_parked:
        return f"{what} cannot be read."
    return f"{what} failed on every try." if letter.failed else f"{what} was not worked off."


def _said(letter: DeadLetter) -> str:
    """What the function or the bus said about it."""
    return f"{letter.position}: {letter.reason}" if letter.is_parked else letter.undelivered
