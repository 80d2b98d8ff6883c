"""Builders for tests: say only what matters to the rule under test, the rest is ordinary."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

from heliograph.domain.model import (
    AddressSuppression,
    Channel,
    Consent,
    ConsentState,
    Dispatch,
    Letter,
    Message,
    Purpose,
    Recipient,
    SendRequest,
)

NOW = datetime(2026, 11, 21, 10, 0, tzinfo=UTC)
REQUEST_ID = "01KAJ8ZQG0AMARA0000000000A"
PACK_ID = "01KAJ8ZQG0PACK00000000000P"
CONTENT = {
    Channel.EMAIL: {"subject": "Hello", "html": "<p>Hello</p>", "text": "Hello"},
    Channel.SMS: {"text": "Hello"},
    Channel.PUSH: {"title": "Hello", "body": "Hello there", "url": "https://example.com/hello"},
}


def a_recipient(
    recipient_id: str = "amara",
    *,
    opted_in: Collection[str] = (),
    opted_out: Collection[str] = (),
    suppressed: Collection[Channel] = (),
    **fields: Any,
) -> Recipient:
    """A person with an address on every channel; consents by key (`news/email`), suppressions by channel."""
    reachable = {"email": "amara@example.com", "phone": "+12065550100", "devices": ("gcm:token-1",)}
    person = Recipient(recipient_id=recipient_id, **(reachable | fields))
    answers = dict.fromkeys(opted_in, ConsentState.OPTED_IN) | dict.fromkeys(opted_out, ConsentState.OPTED_OUT)
    given: dict[str, Any] = {
        "consents": {key: Consent(state=state, at=NOW, source="import:test") for key, state in answers.items()},
        "suppressed": {
            address: AddressSuppression(reason="hard_bounce", at=NOW)
            for channel in suppressed
            for address in person.addresses(channel)
        },
    }
    return Recipient(recipient_id=recipient_id, **(reachable | given | fields))


def a_message(name: str = "order-shipped", **fields: Any) -> Message:
    """A transactional message that may take any channel, email first."""
    channels = tuple(fields.get("channels", tuple(Channel)))
    ordinary: dict[str, Any] = {
        "version": "v1",
        "topic": "orders",
        "purpose": Purpose.TRANSACTIONAL,
        "channels": channels,
        "locales": dict.fromkeys(channels, ("en",)),
    }
    return Message(name=name, **(ordinary | fields))


def a_request(recipient_id: str = "amara", **fields: Any) -> SendRequest:
    """A request of an ordinary message, made now."""
    ordinary: dict[str, Any] = {"request_id": REQUEST_ID, "message": "order-shipped", "requested_at": NOW}
    return SendRequest(recipient_id=recipient_id, **(ordinary | fields))


def a_dispatch(channel: Channel = Channel.EMAIL, *, slot: int = 0, **fields: Any) -> Dispatch:
    """A dispatch to the ordinary recipient; another slot is another dispatch of the same pack."""
    request_id = fields.get("request_id", f"{REQUEST_ID[:-3]}{slot:03d}" if slot else REQUEST_ID)
    ordinary: dict[str, Any] = {
        "dispatch_id": f"{request_id}-0",
        "request_id": request_id,
        "recipient_id": "amara",
        "message": "order-shipped",
        "addresses": a_recipient().addresses(channel),
        "locale": "en",
        "requested_at": NOW,
    }
    return Dispatch(channel=channel, slot=slot, **(ordinary | fields))


def a_letter(
    channel: Channel = Channel.EMAIL,
    *,
    content: dict[str, str] | None = None,
    purpose: Purpose = Purpose.TRANSACTIONAL,
    unsubscribe_url: str = "",
    **dispatch: Any,
) -> Letter:
    """A rendered dispatch; further fields are those of the dispatch."""
    sent = a_dispatch(channel, **dispatch)
    return Letter(
        dispatch=sent,
        message=a_message(sent.message, purpose=purpose),
        content=CONTENT[channel] if content is None else content,
        place=f"{PACK_ID}-{sent.slot}",
        unsubscribe_url=unsubscribe_url,
    )
