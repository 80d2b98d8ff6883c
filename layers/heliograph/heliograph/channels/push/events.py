"""What an app reports of pushes: that one was opened."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from heliograph.channels.events import tagged_event
from heliograph.channels.push.open_tokens import SIGNED, OpenTokens
from heliograph.channels.push.spec import NAME
from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.model.values import JsonObject
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import unquoted


class _Opened(msgspec.Struct):
    """A `PushOpened` event, as far as we look at it: its detail is the data that came with the push."""

    time: Annotated[datetime, msgspec.Meta(tz=True)]
    detail: dict[str, Any]


def read_push_opened(event: JsonObject, tokens: OpenTokens) -> EngagementEvent:
    """Read a `PushOpened` event. Raises MalformedError, also when its token was not made for the ids beside it.

    Anybody who may put events on the bus can write one. So nothing in it is believed but what we have signed.
    """
    try:
        opened = msgspec.convert({"time": event.get("time"), "detail": event.get("detail")}, _Opened)
    except msgspec.ValidationError as error:
        raise MalformedError(Code.UNREADABLE_PROVIDER_EVENT, "PushOpened", unquoted(error)) from None
    tags = {name: value for name, value in opened.detail.items() if isinstance(value, str)}
    if not tokens.is_genuine(tags, tags.get("token", "")):
        raise MalformedError(
            Code.UNREADABLE_PROVIDER_EVENT,
            "token",
            "is missing, or belongs to another push: hand back the data of the push as it came",
        )
    return tagged_event(
        {name: tags[name] for name in SIGNED if name in tags},
        channel=NAME,
        kind=EngagementKind.OPENED,
        occurred_at=opened.time,
        told_apart_by=(opened.time.isoformat(),),
    )
