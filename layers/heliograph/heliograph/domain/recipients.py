"""What an import row or an event changes about a person: only what was given, and never at the cost of the rest."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final, TypeVar

import msgspec

from heliograph.domain import addresses
from heliograph.domain.errors import MalformedError
from heliograph.domain.ids import is_identifier
from heliograph.domain.model import Channel, Consent, ConsentState, JsonObject, Value, consent_key

T = TypeVar("T")

COLUMNS: Final = frozenset(
    {
        *("recipient_id", "email", "phone", "devices", "preferred_channels", "locale", "timezone"),
        *("consent_source", "consent_at"),
    }
)
"""The columns with a meaning of their own, beside `consent.<topic>.<channel>`; every other one is an attribute."""

CONSENT_COLUMN: Final = re.compile(r"consent\.(?P<topic>[A-Za-z0-9_-]{1,128})\.(?P<channel>email|sms|push)")
ANSWERS: Final = {
    "opted_in": ConsentState.OPTED_IN,
    "yes": ConsentState.OPTED_IN,
    "true": ConsentState.OPTED_IN,
    "opted_out": ConsentState.OPTED_OUT,
    "no": ConsentState.OPTED_OUT,
    "false": ConsentState.OPTED_OUT,
}
CELL_LIMIT: Final = 4_096  # characters; so that no row outgrows an item of DynamoDB (400 KB)


class RecipientChange(Value, frozen=True, kw_only=True):
    """A person's new facts. What has its default was not given and stays as it is."""

    recipient_id: str
    email: str = ""
    phone: str = ""
    devices: tuple[str, ...] = ()
    invalid: tuple[Channel, ...] = ()
    """Channels whose address was given and refused."""
    preferred_channels: tuple[Channel, ...] = ()
    locale: str = ""
    timezone: str = ""
    consents: dict[str, Consent] = {}
    undated: bool = False
    """The consents come from a file that does not say when they were given: an opt-in then never ends an opt-out."""
    attributes: JsonObject = {}
    problems: tuple[str, ...] = ()
    """`<column>: <why it was refused>`; never the value."""


def from_row(row: Mapping[str, str], *, region: str, source: str, at: datetime) -> RecipientChange:
    """Read an import row; a blank cell says nothing. Only a bad `recipient_id` refuses the row (MalformedError)."""
    cells = {name: value.strip() for name, value in row.items() if value and value.strip()}
    ours = {name: value for name, value in cells.items() if name in COLUMNS or name.startswith("consent.")}
    reading = _Reading(ours)
    attributes = {name: reading.short(name, value) for name, value in cells.items() if name not in ours}
    given = {name: value for name, value in attributes.items() if value}
    change = _change(reading, given, region=region, source=source, at=at)
    return msgspec.structs.replace(change, undated=bool(change.consents) and "consent_at" not in cells)


def from_event(detail: JsonObject, *, region: str, source: str, at: datetime) -> RecipientChange:
    """Read a `RecipientUpdated` event; null says nothing. Only a bad `recipient_id` refuses it (MalformedError).

    Its fields are the columns (as text or lists), `consents` by `<topic>/<channel>`, and `attributes`.
    """
    reading = _Reading({})
    for name in sorted(COLUMNS & detail.keys()):
        reading.put(name, detail[name])
    for key, answer in reading.within(detail, "consents").items():
        reading.put(f"consent.{key.replace('/', '.', 1)}", str(answer))
    return _change(reading, reading.within(detail, "attributes"), region=region, source=source, at=at)


def _change(reading: "_Reading", attributes: JsonObject, *, region: str, source: str, at: datetime) -> RecipientChange:
    recipient_id = reading.cells.get("recipient_id", "")
    if not is_identifier(recipient_id):
        raise MalformedError("recipient_id", "is missing or not 1 to 128 of A-Z a-z 0-9 _ -")
    email = reading.one("email", addresses.email) or ""
    phone = reading.one("phone", partial(addresses.phone, region=region)) or ""
    devices = reading.several("devices", addresses.device)
    reached = {Channel.EMAIL: ("email", email), Channel.SMS: ("phone", phone), Channel.PUSH: ("devices", devices)}
    return RecipientChange(
        recipient_id=recipient_id,
        email=email,
        phone=phone,
        devices=devices,
        invalid=tuple(channel for channel, (name, read) in reached.items() if name in reading.refused and not read),
        preferred_channels=reading.several("preferred_channels", _channel),
        locale=reading.one("locale", addresses.locale) or "",
        timezone=reading.one("timezone", addresses.timezone) or "",
        consents=_consents(reading, source=source, at=at),
        attributes=attributes,
        problems=tuple(f"{name}: {reason}" for name, reason in reading.refused.items()),
    )


def _consents(reading: "_Reading", *, source: str, at: datetime) -> dict[str, Consent]:
    """An opt-in of which nobody can tell when it was given is no consent; an opt-out then holds from now."""
    given_at = reading.one("consent_at", _moment) or at
    undated = "consent_at" in reading.refused
    said_by = reading.cells.get("consent_source", source)
    consents: dict[str, Consent] = {}
    for name in [name for name in reading.cells if name.startswith("consent.")]:
        column, state = CONSENT_COLUMN.fullmatch(name), ANSWERS.get(reading.cells[name].lower())
        if column is None:
            reading.refused[name] = "is not consent.<topic>.<channel>"
        elif state is None:
            reading.refused[name] = "is neither opted_in nor opted_out"
        elif undated and state is ConsentState.OPTED_IN:
            reading.refused[name] = "has no date that can be read"
        else:
            key = consent_key(column["topic"], Channel(column["channel"]))
            consents[key] = Consent(state=state, at=min(given_at, at), source=said_by)
    return consents


class _Reading:
    """One person's cells, read field by field; what cannot be read is listed with the reason and left out."""

    def __init__(self, cells: dict[str, str]) -> None:
        self.cells = cells
        self.refused: dict[str, str] = {}

    def put(self, name: str, value: Any) -> None:
        """Add what an event says under a name, if it is text or a list of texts."""
        words = value if isinstance(value, list) else [value]
        if value is None:
            return
        if not all(isinstance(word, str) for word in words):
            self.refused[name] = "is neither text nor a list of texts"
        elif text := " ".join(words).strip():
            self.cells[name] = text

    def within(self, detail: JsonObject, name: str) -> JsonObject:
        """What an event says in an object, without what it leaves open."""
        inner = detail.get(name) or {}
        if isinstance(inner, dict):
            return {key: value for key, value in inner.items() if value is not None and value != ""}
        self.refused[name] = "is no object"
        return {}

    def one(self, name: str, read: Callable[[str], T]) -> T | None:
        """A field; None when it was not given or is refused."""
        return next(iter(self._read(name, self.cells.get(name, ""), read)), None)

    def several(self, name: str, read: Callable[[str], T]) -> tuple[T, ...]:
        """The parts of a field, separated by spaces; a bad part does not cost the others."""
        found = [part for word in self.cells.get(name, "").split() for part in self._read(name, word, read)]
        return tuple(dict.fromkeys(found))

    def short(self, name: str, value: str) -> str:
        """An attribute, unless it is longer than one may be."""
        if len(value) <= CELL_LIMIT:
            return value
        self.refused[name] = f"is longer than {CELL_LIMIT} characters"
        return ""

    def _read(self, name: str, text: str, read: Callable[[str], T]) -> tuple[T, ...]:
        try:
            return (read(text),) if text else ()
        except MalformedError as error:
            self.refused[name] = error.reason
            return ()


def _channel(text: str) -> Channel:
    try:
        return Channel(text.lower())
    except ValueError:
        raise MalformedError("preferred_channels", "names a channel that does not exist") from None


def _moment(text: str) -> datetime:
    """ISO 8601; without a time zone it is UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=moment.tzinfo or UTC).astimezone(UTC)
    except (ValueError, OverflowError):
        raise MalformedError("consent_at", "is not an ISO 8601 time") from None
