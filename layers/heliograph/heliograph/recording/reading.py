"""What comes on the engagement queue, from whatever provider and wrapping, read as engagement events."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from heliograph.channels.email.ses import read_ses_event
from heliograph.channels.push.pinpoint import read_push_opened
from heliograph.channels.sms.texts import read_sms_event
from heliograph.model.engagement import EngagementEvent, Events, SuppressAddress, Unfinished
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import unquoted

if TYPE_CHECKING:
    from heliograph.channels.push.open_tokens import OpenTokens

T = TypeVar("T", Events, Unfinished)


def read(body: str, tokens: Callable[[], OpenTokens]) -> tuple[EngagementEvent | SuppressAddress, ...]:
    """The events in a message of the queue, or what is left to do of one; none when it is not about a message of ours.

    Raises MalformedError when it is, but cannot be read. `tokens` is asked for only when an app reports an open.

    Who can have written it follows from its shape. EventBridge's envelope holds no `events`, `unfinished`, `mail` or
    `context`, so an event from the bus is one of SES (nobody else can use the source `aws.ses`) or a `PushOpened`,
    which proves itself. All else came from the topic of the SMS events, where only AWS publishes, or from `deliver` and
    `record`.
    """
    try:
        content = msgspec.json.decode(body)
    except (msgspec.ValidationError, RecursionError):
        raise MalformedError(
            Code.UNREADABLE_TEXT, "body", "is nested too deeply, or has a number that is too long"
        ) from None
    except msgspec.DecodeError:  # such as the greeting with which SES tries out a topic
        return ()
    if not isinstance(content, dict):
        return ()
    if content.get("Type") == "Notification" and isinstance(content.get("Message"), str):
        return read(content["Message"], tokens)
    if "events" in content:
        return _ours(content, Events).events
    if "unfinished" in content:
        return (_ours(content, Unfinished).unfinished,)
    event = _read_one(content, tokens)
    return () if event is None else (event,)


def _read_one(content: dict[str, Any], tokens: Callable[[], OpenTokens]) -> EngagementEvent | None:
    if content.get("source") == "aws.ses":
        return read_ses_event(content)
    if content.get("detail-type") == "PushOpened":
        return read_push_opened(content, tokens())
    if "mail" in content:  # SES over SNS, without the envelope of the bus
        return read_ses_event({"detail": content})
    return read_sms_event(content)


def _ours(content: dict[str, Any], kind: type[T]) -> T:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, "engagement events", unquoted(error)) from None
