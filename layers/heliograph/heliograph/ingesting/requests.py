"""A product event as send requests: who, which message, with which data, until when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, NamedTuple

import jmespath
import msgspec
from jmespath.exceptions import JMESPathError

from heliograph.campaigns.segments import PACK_LIMIT
from heliograph.channels.addresses import EMAIL, PHONE
from heliograph.channels.registry import address_kinds
from heliograph.model.messages import Message, Trigger
from heliograph.model.policy import Policy, Purpose
from heliograph.model.requests import Cause, Lane, RequestPack, SendRequest
from heliograph.model.values import JsonObject, Value
from heliograph.people.changes import COLUMNS, RecipientChange, from_event
from heliograph.text import addresses, ids
from heliograph.text.bodies import PACK_BYTES, REQUEST_LIMIT
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import (
    EVENT_ID_BYTES,
    FIRST,
    KEY_BYTES,
    LAST,
    LOCALE_BYTES,
    REFERENCE_BYTES,
    SOURCE_BYTES,
    WORD,
    fitting,
    short,
    unquoted,
)

ENVELOPE = 1_000
"""Bytes that a request takes beside its data, at most but for an address of an unusual length."""
NAMED = 10
"""How many of the elements that cannot be read are named."""
PERSON = COLUMNS | {"consents", "attributes"}
"""The fields of a `RecipientUpdated` event."""
ADDRESSES = {kind.column for kind in address_kinds().values()}
NO_IDENTIFIER = "1 to 128 characters of A-Z a-z 0-9 _ -"

Moment = Annotated[datetime, msgspec.Meta(tz=True)]


class Event(Value, frozen=True, kw_only=True, rename={"detail_type": "detail-type"}):
    """An EventBridge event, as far as we look at it ourselves."""

    id: str
    source: str
    detail_type: str
    time: Moment
    detail: JsonObject


class SendRequested(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The detail of a `SendRequested` event: a product system asks for one message to one person.

    A field that we do not know refuses it: a misspelt `expires_at` would send what is not wanted any more.
    """

    message: str
    recipient_id: str = ""
    data: JsonObject = {}
    idempotency_key: str = ""
    email: str = ""
    phone: str = ""
    locale: str = ""
    expires_at: Moment | None = None
    reference: str = ""
    """By what it is to be found later, such as the number of an order."""


class Requested(NamedTuple):
    """What an event asks for: one request for each person that it names."""

    requests: tuple[SendRequest, ...]
    """At least one; all of one message, with the same data."""
    message: Message | None
    """None: it is not in the catalogue, which plan will say."""
    idempotency_key: str = ""
    """Under which the same wish to the same person counts once; empty: the id of the event."""
    trigger: Trigger | None = None
    """What the event was expected by, and how many people; None: a product system asked for this message itself."""
    refused: MalformedError | None = None
    """Where the event names people who cannot be read; the others go on without them."""


class Changed(NamedTuple):
    """What an event says about a person."""

    change: RecipientChange
    refused: MalformedError | None = None
    """What it says beside that, and cannot be read; all else holds at once, as it may be an opt-out."""


def read(body: JsonObject, messages: Mapping[str, Message], *, policy: Policy) -> Requested | Changed:
    """What a message of the queue `events` asks for: a trigger's rule names its message, our own events stand alone.

    Raises MalformedError with the position and the reason when it asks for nothing that can be done.
    """
    region = policy.default_region
    match body:
        case {"message": str(name), "event": dict(raw)}:
            if name not in messages:
                raise MalformedError(
                    Code.UNKNOWN_MESSAGE, "message", "the trigger's message is not in the catalogue: deploy again"
                )
            return triggered(messages[name], raw, region=region)
        case {"detail-type": "SendRequested"}:
            return requested(read_event(body), messages, region=region)
        case {"detail-type": "RecipientUpdated"}:
            event = read_event(body)
            change = from_event(
                event.detail,
                region=region,
                double_opt_in=policy.double_opt_in,
                source=f"api:{short(event.source, 'source', SOURCE_BYTES)}",
                at=event.time,
            )
            return Changed(change, _left_out(event.detail, change))
    raise MalformedError(
        Code.UNKNOWN_EVENT,
        "detail-type",
        "is neither SendRequested nor RecipientUpdated, and no trigger names a message",
    )


def read_event(event: JsonObject) -> Event:
    """Read an EventBridge event; raises MalformedError with the field that is wrong."""
    try:
        read = msgspec.convert(event, Event)
    except msgspec.ValidationError as error:
        raise MalformedError(Code.MALFORMED_EVENT, "event", unquoted(error)) from None
    if not FIRST <= read.time < LAST:
        raise MalformedError(
            Code.MALFORMED_EVENT, "event", f"its time is not between the years {FIRST.year} and {LAST.year}"
        )
    return read


def _left_out(detail: JsonObject, change: RecipientChange) -> MalformedError | None:
    """What of an event about a person is not kept; a bad address is: as one that cannot be used."""
    told = [f"{name}: {reason}" for name, reason in change.problems if name in PERSON - ADDRESSES]
    if any(problem.column.startswith("consent.") for problem in change.problems):
        told.append("consents: one of them cannot be read")
    told += [
        f"{name if WORD.fullmatch(name) else 'a field'}: is nothing that we know, attributes stand in `attributes`"
        for name in sorted(detail.keys() - PERSON)
    ]
    rest = [f"and {len(told) - NAMED} more"] if len(told) > NAMED else []
    return MalformedError(Code.MALFORMED_DETAIL, "detail", "; ".join([*told[:NAMED], *rest])) if told else None


def triggered(message: Message, raw: JsonObject, *, region: str) -> Requested:
    """The requests that a message's trigger reads from an event. Raises MalformedError where a fact is missing.

    The trigger may name one person or a list of them; who stands in the list twice is asked for once.
    """
    event, trigger = read_event(raw), message.trigger
    if trigger is None:
        raise MalformedError(Code.NO_TRIGGER, "message", f"{message.name} has no trigger")
    people, refused = _people(raw, trigger.recipient_id)
    expires = _text(raw, trigger.expires_at, "expires_at")
    wish = SendRequested(
        message=message.name,
        data=fitting(_object(raw, trigger.data), "data"),
        idempotency_key=_text(raw, trigger.idempotency_key, "idempotency_key"),
        reference=_text(raw, trigger.reference, "reference"),
        email=_text(raw, trigger.email, "email"),
        phone=_text(raw, trigger.phone, "phone"),
        locale=_text(raw, trigger.locale, "locale"),
        expires_at=_time(expires, trigger.expires_at) if expires else None,
    )
    if len(people) > 1 or refused:
        _refuse_shared_address(wish, trigger)
    wishes = (msgspec.structs.replace(wish, recipient_id=person) for person in people)
    return Requested(
        requests=tuple(wanted(each, event, message, region=region) for each in wishes),
        message=message,
        idempotency_key=wish.idempotency_key,
        trigger=trigger,
        refused=refused,
    )


def requested(event: Event, messages: Mapping[str, Message], *, region: str) -> Requested:
    """The request that a `SendRequested` event asks for."""
    try:
        wish = msgspec.convert(event.detail, SendRequested)
    except msgspec.ValidationError as error:
        raise MalformedError(Code.MALFORMED_DETAIL, "detail", unquoted(error)) from None
    fitting(wish.data, "data")
    message = messages.get(wish.message)
    request = wanted(wish, event, message, region=region)
    return Requested(requests=(request,), message=message, idempotency_key=wish.idempotency_key)


def wanted(wish: SendRequested, event: Event, message: Message | None, *, region: str) -> SendRequest:
    """The send request of a wish; its id is derived from the event, the message and the person."""
    if not ids.is_identifier(wish.message):
        raise MalformedError(Code.BAD_FIELD, "message", f"must be {NO_IDENTIFIER}")
    cause = Cause(
        event_id=short(event.id, "id", EVENT_ID_BYTES),
        idempotency_key=short(wish.idempotency_key, "idempotency_key", KEY_BYTES),
        reference=short(wish.reference, "reference", REFERENCE_BYTES),
    )
    locale = short(wish.locale, "locale", LOCALE_BYTES)
    email, phone, invalid = _carried(wish, region)
    recipient_id = wish.recipient_id or ids.address_recipient_id(email or phone)
    if not ids.is_identifier(recipient_id):
        raise MalformedError(Code.BAD_RECIPIENT_ID, "recipient_id", f"must be {NO_IDENTIFIER}")
    if not (wish.recipient_id or email or phone):
        raise MalformedError(
            Code.MISSING_RECIPIENT_ID, "recipient_id", "the event names neither a recipient nor a valid address"
        )
    try:
        requested_at = event.time.astimezone(UTC)
        not_after = _not_after(wish, message, requested_at)
    except OverflowError:
        raise MalformedError(
            Code.MALFORMED_EVENT, "event", "its time, or when it expires, is before the year 1 or after 9999"
        ) from None
    return SendRequest(
        request_id=ids.derived_id(requested_at, wish.message, recipient_id, wish.idempotency_key or event.id),
        message=wish.message,
        recipient_id=recipient_id,
        requested_at=requested_at,
        data=wish.data,
        not_after=not_after,
        email=email,
        phone=phone,
        locale=locale,
        invalid=invalid,
        cause=cause,
    )


def is_guest(request: SendRequest) -> bool:
    """Whether a request is for somebody whom its event knows by an address only."""
    return request.recipient_id == ids.address_recipient_id(request.email or request.phone)


def lane_of(message: Message | None) -> Lane:
    """Transactional messages never wait behind a run."""
    urgent = message is not None and message.purpose is Purpose.TRANSACTIONAL
    return Lane.PRIORITY if urgent else Lane.BULK


def packs(requests: Sequence[SendRequest], lane: Lane) -> list[RequestPack]:
    """The requests of one event in packs, whose ids are derived from them; every request carries the event's data."""
    return [pack(some, lane) for some in _together(requests)]


def pack(requests: Sequence[SendRequest], lane: Lane) -> RequestPack:
    """Requests of one event as one pack."""
    pack_id = ids.derived_id(requests[0].requested_at, "pack", *(request.request_id for request in requests))
    return RequestPack(pack_id=pack_id, lane=lane, requests=tuple(requests))


def _together(requests: Sequence[SendRequest]) -> Iterator[Sequence[SendRequest]]:
    """So many at a time that they can be read with one call, and may travel together."""
    size = len(msgspec.json.encode(requests[0].data)) + ENVELOPE
    if size > REQUEST_LIMIT:
        raise MalformedError(
            Code.CARRIES_TOO_MUCH, "data", f"takes {size} bytes as JSON; a request may take {REQUEST_LIMIT}"
        )
    if len(requests) == 1:
        yield requests
        return
    number = max(1, min(PACK_LIMIT, PACK_BYTES // size))
    yield from (requests[start : start + number] for start in range(0, len(requests), number))


def _not_after(wish: SendRequested, message: Message | None, requested_at: datetime) -> datetime | None:
    limits = [wish.expires_at] if wish.expires_at else []
    if message and message.expires_after:
        limits.append(requested_at + timedelta(seconds=message.expires_after))
    return min(limits, default=None)


def _carried(wish: SendRequested, region: str) -> tuple[str, str, tuple[str, ...]]:
    """The addresses that an event carries, and the kinds of those that cannot be read."""
    email = phone = ""
    invalid: list[str] = []
    if wish.email:
        try:
            email = addresses.email(wish.email)
        except MalformedError:
            invalid.append(EMAIL.name)
    if wish.phone:
        try:
            phone = addresses.phone(wish.phone, region=region)
        except MalformedError:
            invalid.append(PHONE.name)
    return email, phone, tuple(invalid)


def _people(event: JsonObject, path: str) -> tuple[list[str], MalformedError | None]:
    """Whom an event names, each once, and which elements of its list cannot be read.

    Nobody is "": then it must carry an address. A list in which nobody can be read raises MalformedError.
    """
    found = _found(event, path, "recipient_id")
    if not isinstance(found, list):
        return [_text(event, path, "recipient_id")], None
    if not found:
        return [""], None
    people: dict[str, None] = {}
    bad: list[int] = []
    for number, each in enumerate(found):
        person = str(each) if isinstance(each, str | int) and not isinstance(each, bool) else ""
        if ids.is_identifier(person):
            people[person] = None
        else:
            bad.append(number)
    if not bad:
        return list(people), None
    refused = MalformedError(
        Code.BAD_RECIPIENTS, "recipient_id", f"elements {_positions(bad)} of {path} are not {NO_IDENTIFIER}"
    )
    if not people:
        raise refused
    return list(people), refused


def _positions(numbers: Sequence[int]) -> str:
    """`[1] [4]`, as JMESPath counts."""
    further = len(numbers) - NAMED
    return " ".join(f"[{number}]" for number in numbers[:NAMED]) + (f" and {further} more" if further > 0 else "")


def _refuse_shared_address(wish: SendRequested, trigger: Trigger) -> None:
    for field, address in (("email", wish.email), ("phone", wish.phone)):
        if address:
            raise MalformedError(
                Code.ADDRESS_OF_SEVERAL, field, f"belongs to one person, but {trigger.recipient_id} names several"
            )


def _found(event: JsonObject, path: str, field: str) -> Any:
    try:
        return jmespath.search(path, event) if path else None
    except JMESPathError:  # its text quotes the event
        raise MalformedError(Code.BAD_FIELD, field, f"{path} cannot be read from this event") from None


def _text(event: JsonObject, path: str, field: str) -> str:
    value = _found(event, path, field)
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise MalformedError(Code.BAD_FIELD, field, f"{path} is {type(value).__name__}, not text")
    return str(value)


def _object(event: JsonObject, path: str) -> JsonObject:
    value = _found(event, path, "data")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise MalformedError(Code.BAD_FIELD, "data", f"{path} is {type(value).__name__}, not an object")
    return value


def _time(text: str, path: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise MalformedError(Code.BAD_TIME, "expires_at", f"{path} is not an ISO 8601 time") from None
    if moment.tzinfo is None:
        raise MalformedError(Code.NO_TIME_ZONE, "expires_at", f"{path} has no time zone")
    return moment
