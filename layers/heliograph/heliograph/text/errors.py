"""The exceptions that do not mean "try again": what can never be delivered, cannot be read, or does not exist."""

from enum import StrEnum
from typing import Final

from heliograph.model.outcomes import FailureCode
from heliograph.model.reasons import Reason

TOLD: Final = 4_000
"""Characters of a position or a reason: it is kept with a run, and travels as an attribute of a message."""
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


class Code(StrEnum):
    """Why a piece of input cannot be read: a closed list. `operations/dead_letters/faults.py` says what to do."""

    # What anybody sends
    UNREADABLE_TEXT = "unreadable_text"
    UNREADABLE = "unreadable"
    CARRIES_TOO_MUCH = "carries_too_much"
    UNKNOWN_CHANNEL = "unknown_channel"
    BAD_FIELD = "bad_field"
    BAD_ADDRESS = "bad_address"
    BAD_TIME = "bad_time"
    NO_TIME_ZONE = "no_time_zone"

    # Events of products
    MALFORMED_EVENT = "malformed_event"
    MALFORMED_DETAIL = "malformed_detail"
    UNKNOWN_EVENT = "unknown_event"
    UNKNOWN_MESSAGE = "unknown_message"
    NO_TRIGGER = "no_trigger"
    MISSING_RECIPIENT_ID = "missing_recipient_id"
    BAD_RECIPIENT_ID = "bad_recipient_id"
    BAD_RECIPIENTS = "bad_recipients"
    ADDRESS_OF_SEVERAL = "address_of_several"

    # Events of providers
    UNREADABLE_PROVIDER_EVENT = "unreadable_provider_event"

    # Files: segments and imports
    FILE_MISSING = "file_missing"
    FILE_TOO_LARGE = "file_too_large"
    TOO_MANY_ROWS = "too_many_rows"
    """For one import: its function would end before it, and every further try as well."""
    NO_HEADER = "no_header"
    BAD_HEADER = "bad_header"
    NO_COLUMN = "no_column"
    DOUBTFUL_COLUMN = "doubtful_column"
    NO_ROWS = "no_rows"
    OPEN_QUOTE = "open_quote"
    DOUBTFUL_ENCODING = "doubtful_encoding"
    BAD_SETTINGS = "bad_settings"

    # Campaigns
    BAD_CAMPAIGN_NAME = "bad_campaign_name"
    BAD_MANIFEST = "bad_manifest"
    CAMPAIGN_MESSAGE_UNKNOWN = "campaign_message_unknown"
    SEGMENT_ELSEWHERE = "segment_elsewhere"
    UPLOADED_TOO_OFTEN = "uploaded_too_often"
    EARLIER_RUN_STOPPED = "earlier_run_stopped"

    # Questions
    BAD_QUESTION = "bad_question"
    NOT_KEPT = "not_kept"


class MalformedError(Exception):
    """A piece of input (event, row, file) cannot be read; its text says where and why, without quoting it."""

    def __init__(self, code: Code, position: str, reason: str) -> None:
        self.code = code
        self.position = _told(position)
        self.reason = _told(reason)
        super().__init__(f"{self.position}: {self.reason}")


def _told(text: str) -> str:
    """As much of a text as is kept, without the characters that queues refuse: positions are named from outside."""
    if len(text) <= TOLD and text.isprintable():
        return text
    return "".join(each if each.isprintable() else INSTEAD for each in text[:TOLD])
