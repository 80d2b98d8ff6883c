"""A product event as a send request: who, which message, with which data, until when."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import jmespath
import msgspec

from heliograph.domain import addresses, ids
from heliograph.domain.errors import MalformedError
from heliograph.domain.model import (
    Channel,
    JsonObject,
    Lane,
    Message,
    Purpose,
    RequestPack,
    SendRequest,
    Value,
)
from heliograph.domain.recipients import RecipientChange, from_event


class Event(Value, frozen=True, kw_only=True, rename={"detail_type": "detail-type"}):
    """An EventBridge event, as far as we look at it ourselves."""

    id: str
    source: str
    detail_type: str
    time: datetime
    detail: JsonObject


class SendRequested(Value, frozen=True, kw_only=True):
    """The detail of a `SendRequested` event: a product system asks for one message to one person."""

    message: str
    recipient_id: str = ""
    data: JsonObject = {}
    idempotency_key: str = ""
    email: str = ""
    phone: str = ""
    locale: str = ""
    expires_at: datetime | None = None


class Wanted(Value, frozen=True, kw_only=True):
    """A send request, and the key under which the same wish counts once ("" if it has none but the event's id)."""

    request: SendRequest
    idempotency_key: str


def read(body: JsonObject, messages: Mapping[str, Message], *, region: str) -> Wanted | RecipientChange:
    """What a message of the queue `events` asks for: a trigger's rule names its message, our own events stand alone.

    Raises MalformedError with the place and the reason when it asks for nothing that can be done.
    """
    match body:
        case {"message": str(name), "event": dict(raw)}:
            if name not in messages:
                raise MalformedError("message", "the trigger's message is not in the catalogue: deploy again")
            return triggered(messages[name], raw, region=region)
        case {"detail-type": "SendRequested"}:
            return requested(read_event(body), messages, region=region)
        case {"detail-type": "RecipientUpdated"}:
            event = read_event(body)
            return from_event(event.detail, region=region, source=f"event:{event.source}", at=event.time)
    raise MalformedError("detail-type", "is neither SendRequested nor RecipientUpdated, and no trigger names a message")


def read_event(event: JsonObject) -> Event:
    """Read an EventBridge event; raises MalformedError with the field that is wrong."""
    try:
        return msgspec.convert(event, Event)
    except msgspec.ValidationError as error:
        raise MalformedError("event", str(error)) from None


def triggered(message: Message, raw: JsonObject, *, region: str) -> Wanted:
    """The request that a message's trigger reads from an event. Raises MalformedError where a fact is missing."""
    event, trigger = read_event(raw), message.trigger
    if trigger is None:
        raise MalformedError("message", f"{message.name} has no trigger")
    expires = _text(raw, trigger.expires_at, "expires_at")
    wish = SendRequested(
        message=message.name,
        recipient_id=_text(raw, trigger.recipient_id, "recipient_id"),
        data=_object(raw, trigger.data),
        idempotency_key=_text(raw, trigger.idempotency_key, "idempotency_key"),
        email=_text(raw, trigger.email, "email"),
        phone=_text(raw, trigger.phone, "phone"),
        locale=_text(raw, trigger.locale, "locale"),
        expires_at=_time(expires, trigger.expires_at) if expires else None,
    )
    return wanted(wish, event, message, region=region)


def requested(event: Event, messages: Mapping[str, Message], *, region: str) -> Wanted:
    """The request that a `SendRequested` event asks for."""
    try:
        wish = msgspec.convert(event.detail, SendRequested)
    except msgspec.ValidationError as error:
        raise MalformedError("detail", str(error)) from None
    return wanted(wish, event, messages.get(wish.message), region=region)


def wanted(wish: SendRequested, event: Event, message: Message | None, *, region: str) -> Wanted:
    """The send request of a wish; its id is derived from the event, the message and the person."""
    email, phone, invalid = _carried(wish, region)
    recipient_id = wish.recipient_id or ids.address_recipient_id(email or phone)
    if not ids.is_identifier(recipient_id):
        raise MalformedError("recipient_id", "must be 1 to 128 characters of A-Z a-z 0-9 _ -")
    if not (wish.recipient_id or email or phone):
        raise MalformedError("recipient_id", "the event names neither a recipient nor a valid address")
    requested_at = event.time.astimezone(UTC)
    request = SendRequest(
        request_id=ids.derived_id(requested_at, wish.message, recipient_id, wish.idempotency_key or event.id),
        message=wish.message,
        recipient_id=recipient_id,
        requested_at=requested_at,
        data=wish.data,
        not_after=_not_after(wish, message, requested_at),
        email=email,
        phone=phone,
        locale=wish.locale,
        invalid=invalid,
    )
    return Wanted(request=request, idempotency_key=wish.idempotency_key)


def pack_of_one(request: SendRequest, message: Message | None) -> RequestPack:
    """A single request on the lane of its message: transactional ones never wait behind a run."""
    urgent = message is not None and message.purpose is Purpose.TRANSACTIONAL
    return RequestPack(
        pack_id=ids.derived_id(request.requested_at, "pack", request.request_id),
        lane=Lane.PRIORITY if urgent else Lane.BULK,
        requests=(request,),
    )


def _not_after(wish: SendRequested, message: Message | None, requested_at: datetime) -> datetime | None:
    limits = [wish.expires_at] if wish.expires_at else []
    if message and message.expires_after:
        limits.append(requested_at + timedelta(seconds=message.expires_after))
    return min(limits, default=None)


def _carried(wish: SendRequested, region: str) -> tuple[str, str, tuple[Channel, ...]]:
    """The addresses that an event carries, and the channels whose address cannot be read."""
    email = phone = ""
    invalid: list[Channel] = []
    if wish.email:
        try:
            email = addresses.email(wish.email)
        except MalformedError:
            invalid.append(Channel.EMAIL)
    if wish.phone:
        try:
            phone = addresses.phone(wish.phone, region=region)
        except MalformedError:
            invalid.append(Channel.SMS)
    return email, phone, tuple(invalid)


def _found(event: JsonObject, path: str) -> Any:
    return jmespath.search(path, event) if path else None


def _text(event: JsonObject, path: str, field: str) -> str:
    value = _found(event, path)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise MalformedError(field, f"{path} is {type(value).__name__}, not text")
    return str(value)


def _object(event: JsonObject, path: str) -> JsonObject:
    value = _found(event, path)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedError("data", f"{path} is {type(value).__name__}, not an object")
    return value


def _time(text: str, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise MalformedError("expires_at", f"{path} is not an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise MalformedError("expires_at", f"{path} has no time zone")
    return moment
