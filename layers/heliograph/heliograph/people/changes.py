"""What an import row or an event changes about a person: only what was given, and never at the cost of the rest."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar

import msgspec

from heliograph.channels.addresses import PHONE
from heliograph.channels.registry import CHANNELS, address_kinds
from heliograph.channels.spec import AddressKind
from heliograph.model.channels import Channel
from heliograph.model.people import Consent, ConsentState, consent_key
from heliograph.model.values import JsonObject, Value
from heliograph.people.consents.answers import COLUMN, is_source, state_of
from heliograph.text import addresses, limits
from heliograph.text.errors import Code, MalformedError
from heliograph.text.ids import is_identifier

T = TypeVar("T")

PREFERENCES: Final = ("preferred_channels", "preferred_time", "quiet_hours")
"""What a person ends with the word `none`; a pause is ended by a time that is over."""
COLUMNS: Final = frozenset(
    {
        *("recipient_id", "locale", "timezone", "country"),
        *(kind.column for kind in address_kinds().values()),
        *(*PREFERENCES, "paused_until"),
        *("consent_source", "consent_at", "consent_text", "consent_proof"),
    }
)
"""The columns with a meaning of their own, beside `consent.<topic or purpose>.<channel>`; all others are attributes."""

NONE: Final = "none"
TIME: Final = re.compile(r"([01]?[0-9]|2[0-3]):[0-5][0-9]")
TOO_MUCH: Final = (
    f"beyond {limits.ATTRIBUTES} of them, {limits.NAME} characters of a name "
    f"or {limits.ATTRIBUTES_BYTES // 1024} KB together they are left out"
)


class Problem(NamedTuple):
    """A field that was refused, and why; never its value."""

    column: str
    reason: str


class RecipientChange(Value, frozen=True, kw_only=True):
    """A person's new facts. What has its default was not given and stays as it is."""

    recipient_id: str
    addresses: dict[str, tuple[str, ...]] = {}
    """By their kind."""
    phone_country: str = ""
    phone_timezone: str = ""
    """Both change with the number: they are removed when a new one does not tell them."""
    invalid: tuple[str, ...] = ()
    """Kinds of address of which one was given, and all were refused."""
    preferred_channels: tuple[Channel, ...] = ()
    preferred_time: str = ""
    quiet_hours: tuple[str, ...] = ()
    paused_until: datetime | None = None
    ended: tuple[str, ...] = ()
    """Those of `PREFERENCES` that hold no longer."""
    locale: str = ""
    timezone: str = ""
    country: str = ""
    country_timezone: str = ""
    """It changes with the country."""
    consents: dict[str, Consent] = {}
    undated: bool = False
    """The consents come from a file that does not say when they were given: an opt-in then never ends an opt-out."""
    attributes: JsonObject = {}
    problems: tuple[Problem, ...] = ()


def from_row(
    row: Mapping[str, str], *, region: str, double_opt_in: Collection[str], source: str, at: datetime
) -> RecipientChange:
    """Read an import row; a blank cell says nothing.

    Only a bad `recipient_id` or too many consents refuse the row (MalformedError).
    """
    cells = {name: value.strip() for name, value in row.items() if value and value.strip()}
    ours = {name: value for name, value in cells.items() if name in COLUMNS or name.startswith("consent.")}
    reading = _Reading(ours)
    attributes = {name: reading.short(name, limits.CELL, value) for name, value in cells.items() if name not in ours}
    given = reading.fitting({name: value for name, value in attributes.items() if value})
    said_by = _proof(reading, "consent_source")
    exactly = said_by if not said_by or is_source(said_by) else f"import:{said_by}"
    consents = _consents(reading, double_opt_in=double_opt_in, source=exactly or source, at=at)
    change = _change(reading, given, consents, region=region)
    return msgspec.structs.replace(change, undated=bool(change.consents) and "consent_at" not in cells)


def from_event(
    detail: JsonObject, *, region: str, double_opt_in: Collection[str], source: str, at: datetime
) -> RecipientChange:
    """Read a `RecipientUpdated` event; null says nothing.

    Only a bad `recipient_id` or too many consents refuse it (MalformedError).

    Its fields are the columns (as text or lists), `consents` by `<topic or purpose>/<channel>`, and `attributes`.
    """
    reading = _Reading({})
    for name in sorted(COLUMNS & detail.keys()):
        reading.put(name, detail[name])
    for key, answer in reading.within(detail, "consents").items():
        reading.put(f"consent.{key.replace('/', '.', 1)}", str(answer))
    said_by = _proof(reading, "consent_source")
    exactly = said_by if is_source(said_by) else source[: limits.PROOF]
    consents = _consents(reading, double_opt_in=double_opt_in, source=exactly, at=at)
    return _change(reading, reading.fitting(reading.within(detail, "attributes")), consents, region=region)


def not_later(change: RecipientChange, now: datetime) -> RecipientChange:
    """A change whose consents were given by now at the latest.

    The clock of who says it may be ahead: what is dated to a year to come would hold against every opt-out until then.
    """
    consents = {key: msgspec.structs.replace(each, at=min(each.at, now)) for key, each in change.consents.items()}
    return msgspec.structs.replace(change, consents=consents)


def fitting(attributes: JsonObject) -> JsonObject:
    """The first attributes, as many as a person may have."""
    room = limits.ATTRIBUTES_BYTES
    kept: JsonObject = {}
    for name, value in attributes.items():
        size = _size(name, value)
        if len(name) <= limits.NAME and size <= room and len(kept) < limits.ATTRIBUTES:
            room -= size
            kept[name] = value
    return kept


def _change(
    reading: "_Reading", attributes: JsonObject, consents: dict[str, Consent], *, region: str
) -> RecipientChange:
    recipient_id = reading.cells.get("recipient_id", "")
    if not is_identifier(recipient_id):
        raise MalformedError(Code.BAD_RECIPIENT_ID, "recipient_id", "is missing or not 1 to 128 of A-Z a-z 0-9 _ -")
    kinds = address_kinds().values()
    reached = {kind.name: found for kind in kinds if (found := reading.addresses(kind, region))}
    phone = next(iter(reached.get(PHONE.name, ())), "")
    origin = addresses.phone_origin(phone) if phone else addresses.Origin("", "")
    country = reading.one("country", addresses.country) or ""
    ended = tuple(name for name in PREFERENCES if reading.ends(name))
    return RecipientChange(
        recipient_id=recipient_id,
        addresses=reached,
        phone_country=origin.country,
        phone_timezone=origin.timezone,
        invalid=tuple(each.name for each in kinds if each.column in reading.refused and each.name not in reached),
        preferred_channels=reading.several("preferred_channels", _channel, most=limits.CHANNELS),
        preferred_time=reading.one("preferred_time", _time_of_day) or "",
        quiet_hours=reading.several("quiet_hours", _window, most=limits.QUIET_WINDOWS),
        paused_until=reading.one("paused_until", addresses.until),
        ended=ended,
        locale=reading.one("locale", addresses.locale) or "",
        timezone=reading.one("timezone", addresses.timezone) or "",
        country=country,
        country_timezone=addresses.country_timezone(country),
        consents=consents,
        attributes=attributes,
        problems=tuple(Problem(name[: limits.NAME], reason) for name, reason in reading.refused.items()),
    )


def _consents(reading: "_Reading", *, double_opt_in: Collection[str], source: str, at: datetime) -> dict[str, Consent]:
    """An opt-in of which nobody can tell when it was given is no consent; an opt-out then holds from now."""
    given_at = reading.one("consent_at", addresses.moment) or at
    undated = "consent_at" in reading.refused
    text, proof = (_proof(reading, name) for name in ("consent_text", "consent_proof"))
    consents: dict[str, Consent] = {}
    names = [name for name in reading.cells if name.startswith("consent.")]
    if len(names) > limits.CONSENTS:  # as a whole: nobody could tell which opt-out was left out
        raise MalformedError(
            Code.CARRIES_TOO_MUCH, "consents", f"are more than {limits.CONSENTS}: say them in several events or rows"
        )
    for name in names:
        column = COLUMN.fullmatch(name)
        state = column and state_of(reading.cells[name], column["subject"], double_opt_in)
        if column is None:
            reading.refused[name] = "is not consent.<topic or purpose>.<channel>"
        elif state is None:
            reading.refused[name] = "is none of opted_in, confirmed, opted_out, pending and not_set"
        elif undated and state is not ConsentState.OPTED_OUT:
            reading.refused[name] = "has no date that can be read"
        else:
            key = consent_key(column["subject"], Channel(column["channel"]))
            consents[key] = Consent(state=state, at=min(given_at, at), source=source, text=text, proof=proof)
    return consents


def _proof(reading: "_Reading", name: str) -> str:
    return reading.short(name, limits.PROOF, reading.cells.get(name, ""))


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

    def fitting(self, attributes: JsonObject) -> JsonObject:
        """The first attributes, as many as a person may have; how many were left out is said once."""
        kept = fitting(attributes)
        if len(kept) < len(attributes):
            self.refused["attributes"] = TOO_MUCH
        return kept

    def one(self, name: str, read: Callable[[str], T]) -> T | None:
        """A field; None when it was not given or is refused."""
        return next(iter(self._read(name, self.short(name, limits.FIELD, self.cells.get(name, "")), read)), None)

    def several(self, name: str, read: Callable[[str], T], *, most: int) -> tuple[T, ...]:
        """The first parts of a field, separated by spaces; a bad part does not cost the others."""
        words = list(dict.fromkeys(self.short(name, limits.FIELD, self.cells.get(name, "")).split()))
        found = [part for word in words[:most] for part in self._read(name, word, read)]
        if len(words) > most:
            self.refused[name] = f"are more than {most}: the first ones count"
        return tuple(dict.fromkeys(found))

    def addresses(self, kind: AddressKind, region: str) -> tuple[str, ...]:
        """The addresses of a kind, if any were given."""
        if kind.most > 1:
            return self.several(kind.column, lambda text: kind.read(text, region), most=kind.most)
        found = self.one(kind.column, lambda text: kind.read(text, region))
        return (found,) if found else ()

    def ends(self, name: str) -> bool:
        """Whether a field says that what it is about holds no longer; then it says nothing else."""
        is_ended = self.cells.get(name, "").lower() == NONE
        if is_ended:
            del self.cells[name]
        return is_ended

    def short(self, name: str, limit: int, value: str) -> str:
        """A text, unless it is longer than it may be."""
        if len(value) <= limit:
            return value
        self.refused[name] = f"is longer than {limit} characters"
        return ""

    def _read(self, name: str, text: str, read: Callable[[str], T]) -> tuple[T, ...]:
        try:
            return (read(text),) if text else ()
        except MalformedError as error:
            self.refused[name] = error.reason
            return ()


def _size(name: str, value: Any) -> int:
    """Bytes that an attribute takes; more than there can be room for when it cannot be kept at all."""
    try:
        return len(name.encode()) + len(msgspec.json.encode(value))
    except (RecursionError, UnicodeEncodeError):
        return limits.ATTRIBUTES_BYTES + 1


def _channel(text: str) -> Channel:
    if (channel := Channel(text.lower())) in CHANNELS:
        return channel
    raise MalformedError(Code.BAD_FIELD, "preferred_channels", "names a channel that does not exist")


def _time_of_day(text: str) -> str:
    """`8:30` is `08:30`."""
    if not TIME.fullmatch(text):
        raise MalformedError(Code.BAD_FIELD, "preferred_time", "is not a time of day such as 18:30")
    return text.zfill(5)


def _window(text: str) -> str:
    """`22:00-9:00` is `22:00-09:00`; the end may be `24:00`."""
    start, _, end = text.partition("-")
    if not TIME.fullmatch(start) or not (TIME.fullmatch(end) or end == "24:00"):
        raise MalformedError(Code.BAD_FIELD, "quiet_hours", "is not a window of time such as 22:00-09:00")
    if start.zfill(5) == end.zfill(5):
        raise MalformedError(Code.BAD_FIELD, "quiet_hours", "begins and ends at the same time")
    return f"{start.zfill(5)}-{end.zfill(5)}"
