"""What was handed to a provider, newest first: the memory of the local cloud."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from ministack.core.responses import get_account_id, get_region

MESSAGES_KEPT = 20_000

Reaction = Callable[[str], None]
"""Publishes what the provider would report when a person does something; its argument is the link of a click."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that a provider took."""

    provider_message_id: str
    channel: str
    to: tuple[str, ...]
    subject: str = ""
    text: str = ""
    html: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    tags: Mapping[str, str] = field(default_factory=dict)
    sent_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    reactions: Mapping[str, Reaction] = field(default_factory=dict)
    """By kind: `open`, `click`, `bounce`, `complain`; those that make sense on the channel."""
    account: str = field(default_factory=get_account_id)
    region: str = field(default_factory=get_region)

    def as_json(self, *, words: bool = True) -> dict[str, Any]:
        """The shape of `outbox.json`."""
        said = {"text": self.text, "html": self.html, "headers": dict(self.headers)} if words else {}
        return {
            "id": self.provider_message_id,
            "channel": self.channel,
            "to": ", ".join(self.to),
            "subject": self.subject,
            **said,
            "tags": dict(self.tags),
            "provider_message_id": self.provider_message_id,
            "sent_at": self.sent_at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        }

    def names(self) -> Iterator[str]:
        """Everything by which its recipient can be found, in lower case."""
        yield from (address.lower() for address in self.to)
        yield self.tags.get("recipient_id", "").lower()


_messages: deque[Sent] = deque()
_by_id: dict[str, Sent] = {}
_kept = 0


def keep(sent: Sent) -> None:
    """Remember a message, and forget the oldest beyond `MESSAGES_KEPT`."""
    global _kept
    _kept += 1
    _messages.appendleft(sent)
    _by_id[sent.provider_message_id] = sent
    if len(_messages) > MESSAGES_KEPT:
        _by_id.pop(_messages.pop().provider_message_id, None)


def find(provider_message_id: str) -> Sent | None:
    """The message that a provider took under this id."""
    return _by_id.get(provider_message_id)


def newest(*, channel: str = "", to: str = "", like: str = "", tag: str = "", limit: int = MESSAGES_KEPT) -> list[Sent]:
    """Newest first; `to` is a whole address or recipient id, `like` a part of one, `tag` a `name:value`."""
    name, _, value = tag.partition(":")

    def wanted(sent: Sent) -> bool:
        if channel and sent.channel != channel:
            return False
        if to and to.lower() not in sent.names():
            return False
        if tag and sent.tags.get(name) != value:
            return False
        return not like or any(like.lower() in name for name in sent.names())

    return list(islice(filter(wanted, list(_messages)), limit))


def version() -> int:
    """A number that changes whenever a message is kept."""
    return _kept
