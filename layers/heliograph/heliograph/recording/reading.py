"""What comes to `record`, from whatever provider and wrapping, read as events and messages of people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final, TypeVar

import msgspec

from heliograph.channels.registry import CHANNELS, check_known, spec
from heliograph.model.channels import Channel
from heliograph.model.engagement import Ahead, EngagementEvent, Events, RawObject, SuppressAddress, Unfinished, Unread
from heliograph.model.inbound import InboundMessage
from heliograph.model.values import JsonObject
from heliograph.recording.raw import LINE_LIMIT, Line
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import unquoted

Keys = Callable[[], Sequence[str]]
News = EngagementEvent | Ahead | RawObject | SuppressAddress | InboundMessage
T = TypeVar("T", Events, Unfinished, Unread)
RAW: Final = "raw"
"""The folder of the bucket in which what providers tell is collected, a folder a channel."""


def read(body: str, sent_at: datetime, signing_keys: Keys) -> tuple[News, ...]:
    """What a message of its queues, sent at that time, says or leaves to do; nothing when that is no concern of ours.

    Raises MalformedError when it is, but cannot be read. `signing_keys` gives the keys to those events that must prove
    where they come from.

    Who can have written it follows from its shape. EventBridge's envelope holds no `events`, `unfinished`, `unread`,
    `ahead`, `mail`, `context`, `inboundMessageId` or `originationNumber`, so an event from the bus is one of SES or S3
    (nobody else can use the sources `aws.ses` and `aws.s3`) or a `PushOpened`, which proves itself. `ahead` is what the
    rule of SES makes of an event. All else came from the topic of the SMS events, where only AWS publishes, or from
    `deliver` and `record`.
    """
    content = _content(body)
    if content.get("source") == "aws.s3":
        return tuple(_raw_object(content, sent_at))
    if "events" in content:
        return _known(_ours(content, Events).events)
    if "unfinished" in content:
        rest = _ours(content, Unfinished).unfinished
        check_known(rest.channel, "unfinished.channel")
        return (rest,)
    if "unread" in content:
        told = _ours(content, Unread).unread
        check_known(told.channel, "unread.channel")
        return (told,)
    if isinstance(ahead := content.get("ahead"), dict):
        found = _read(ahead, sent_at, signing_keys)
        return tuple(Ahead(event=each) for each in found if isinstance(each, EngagementEvent))
    return tuple(_read(content, sent_at, signing_keys))


def _content(body: str) -> JsonObject:
    """The object in a message, out of SNS's envelope if it has one; empty when there is none."""
    try:
        content = msgspec.json.decode(body)
    except (msgspec.ValidationError, RecursionError):
        raise MalformedError(
            Code.UNREADABLE_TEXT, "body", "is nested too deeply, or has a number that is too long"
        ) from None
    except msgspec.DecodeError:  # such as the greeting with which SES tries out a topic
        return {}
    if not isinstance(content, dict):
        return {}
    if content.get("Type") == "Notification" and isinstance(content.get("Message"), str):
        return _content(content["Message"])
    return content


def _read(content: JsonObject, sent_at: datetime, signing_keys: Keys) -> Iterator[EngagementEvent | InboundMessage]:
    """What the first channel makes of it that knows it."""
    for told in map(spec, CHANNELS):
        if found := told.read_event(content, signing_keys) or told.read_inbound(content, sent_at):
            yield found
            return


def _raw_object(content: JsonObject, sent_at: datetime) -> Iterator[RawObject]:
    match content:
        case {"detail": {"object": {"key": str(key)}}} if key.startswith(f"{RAW}/"):
            channel = Channel(key.split("/")[1])
            check_known(channel, "key")
            yield RawObject(channel=channel, key=key, told_at=sent_at)


def read_line(told: RawObject, line: Line) -> EngagementEvent | None:
    """What a line of an object says; None when that is no concern of ours. Raises MalformedError, with its position."""
    position = f"{told.key}, line {line.number}"
    if len(line.text) > LINE_LIMIT:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, position, f"takes more than {LINE_LIMIT} bytes")
    try:
        return spec(told.channel).read_raw(line.text)
    except MalformedError as error:
        raise MalformedError(error.code, f"{position}, {error.position}", error.reason) from None


def _known(events: tuple[EngagementEvent, ...]) -> tuple[EngagementEvent, ...]:
    for number, event in enumerate(events):
        check_known(event.channel, f"events[{number}].channel")
    return events


def _ours(content: JsonObject, kind: type[T]) -> T:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, "engagement events", unquoted(error)) from None
