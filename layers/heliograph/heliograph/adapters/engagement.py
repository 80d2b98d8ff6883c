"""What comes on the engagement queue, from whatever provider and wrapping, read as engagement events."""

from typing import Any

import msgspec

from heliograph.adapters.channels.email import read_ses_event
from heliograph.adapters.channels.push import read_push_opened
from heliograph.adapters.channels.sms import read_sms_event
from heliograph.domain.errors import MalformedError
from heliograph.domain.model import EngagementEvent, Events


def read(body: str) -> tuple[EngagementEvent, ...]:
    """The events in a message of the queue; none when it is not about a message of ours.

    Raises MalformedError when it is, but cannot be read.
    """
    try:
        content = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError):  # such as the greeting with which SES tries out a topic
        return ()
    if not isinstance(content, dict):
        return ()
    if content.get("Type") == "Notification" and isinstance(content.get("Message"), str):
        return read(content["Message"])
    if "events" in content:
        return _read_ours(content)
    event = _read_one(content)
    return () if event is None else (event,)


def _read_one(content: dict[str, Any]) -> EngagementEvent | None:
    if content.get("source") == "aws.ses":
        return read_ses_event(content)
    if content.get("detail-type") == "PushOpened":
        return read_push_opened(content)
    if "mail" in content:  # SES over SNS, without the envelope of the bus
        return read_ses_event({"detail": content})
    return read_sms_event(content)


def _read_ours(content: dict[str, Any]) -> tuple[EngagementEvent, ...]:
    try:
        return msgspec.convert(content, Events).events
    except msgspec.ValidationError as error:
        raise MalformedError("engagement events", str(error)) from None
