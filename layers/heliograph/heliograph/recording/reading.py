"""What comes on the engagement queue, from whatever provider and wrapping, read as engagement events."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from heliograph.channels.registry import CHANNELS, spec
from heliograph.model.engagement import EngagementEvent, Events, SuppressAddress, Unfinished
from heliograph.model.values import JsonObject
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import unquoted

Keys = Callable[[], Sequence[str]]
T = TypeVar("T", Events, Unfinished)


def read(body: str, signing_keys: Keys) -> tuple[EngagementEvent | SuppressAddress, ...]:
    """The events in a message of the queue, or what is left to do of one; none when it is not about a message of ours.

    Raises MalformedError when it is, but cannot be read. `signing_keys` gives the keys to those events that must prove
    where they come from.

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
        return read(content["Message"], signing_keys)
    if "events" in content:
        return _ours(content, Events).events
    if "unfinished" in content:
        return (_ours(content, Unfinished).unfinished,)
    event = _read_one(content, signing_keys)
    return () if event is None else (event,)


def _read_one(content: JsonObject, signing_keys: Keys) -> EngagementEvent | None:
    """What the first channel makes of it that knows it."""
    read = (spec(channel).read_event(content, signing_keys) for channel in CHANNELS)
    return next((event for event in read if event), None)


def _ours(content: JsonObject, kind: type[T]) -> T:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, "engagement events", unquoted(error)) from None
