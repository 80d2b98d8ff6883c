"""The one exception that does not mean "try again"."""

from typing import Final

from heliograph.model.outcomes import FailureCode
from heliograph.model.reasons import Reason

TOLD: Final = 4_000
"""Characters of a place or a reason: it is kept with a run, and travels as an attribute of a message."""
INSTEAD: Final = "\ufffd"


class UndeliverableError(Exception):
    """This message can never reach this person this way; trying again will not help.

    Its text names identifiers and field names only, never a person's data.
    """

    def __init__(self, code: Reason | FailureCode, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else str(code))
        self.code = code
        self.detail = detail


class NotFoundError(Exception):
    """A question was asked about something that does not exist: that is an answer, and no fault of whoever asked."""

    def __init__(self, what: str, next_step: str) -> None:
        super().__init__(what)
        self.what = what
        """A sentence by identifiers only."""
        self.next_step = next_step


class MalformedError(Exception):
    """A piece of input (event, row, file) cannot be read; its text says where and why, without quoting it."""

    def __init__(self, position: str, reason: str) -> None:
        self.position = _told(position)
        self.reason = _told(reason)
        super().__init__(f"{self.position}: {self.reason}")


def _told(text: str) -> str:
    """As much of a text as is kept, without the characters that queues refuse: places are named from outside."""
    if len(text) <= TOLD and text.isprintable():
        return text
    return "".join(each if each.isprintable() else INSTEAD for each in text[:TOLD])
