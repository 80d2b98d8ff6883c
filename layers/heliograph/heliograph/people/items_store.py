"""How a person is kept in DynamoDB: every field its own attribute, so that no two writers overwrite each other."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec
from botocore.exceptions import ClientError

from heliograph.aws.tables import chunks
from heliograph.channels.addresses import PHONE
from heliograph.channels.registry import CHANNELS, address_kinds
from heliograph.model.channels import Channel
from heliograph.model.people import AddressSuppression, Consent, ConsentState, Preferences, Recipient
from heliograph.model.values import JsonObject
from heliograph.people.changes import RecipientChange, fitting
from heliograph.people.consents.answers import holds_against, together
from heliograph.text.limits import QUIET_WINDOWS, within_years

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef

Item = Mapping[str, Any]
"""Attribute name -> DynamoDB value (`{"S": …}`)."""

INVALID, SUPPRESSED = "invalid#", "suppressed"
TEXTS = (
    *("recipient_id", "phone_country", "phone_timezone", "locale", "timezone"),
    *("country", "country_timezone", "preferred_time"),
)
TOLD_BY_PHONE, TOLD_BY_COUNTRY = ("phone_country", "phone_timezone"), ("country_timezone",)
"""What is known from another field only, and changes with it."""
STATES = {":refused": ConsentState.OPTED_OUT, ":granted": ConsentState.OPTED_IN}
PROOFS = ("source", "text", "proof")
ATTRIBUTE = "attribute#"
GRANTED = (ConsentState.OPTED_IN, ConsentState.PENDING)
Path = tuple[str, ...]
"""The name of an attribute, or that of a consent and of a part of it."""
UNREADABLE = (LookupError, TypeError, ValueError, RecursionError, msgspec.MsgspecError)
"""What reading an item raises that another hand, or a newer version, has written."""
PREFERENCES = frozenset({"preferred_channels", "preferred_time", "quiet_hours", "paused_until"})
NO_PREFERENCES = Preferences()
ANSWER, WAITING = "consent", "pending"
"""A confirmation that is waited for is kept beside the answer, so that neither ever overwrites the other."""
FAMILIES = (ANSWER, WAITING, SUPPRESSED, "attribute", "invalid", "engaged")
"""What stands before the `#` in the name of an attribute of which there are many."""


def item_of(change: RecipientChange) -> dict[str, Any]:
    """The attributes that a change sets, the key among them."""
    texts = {name: getattr(change, name) for name in TEXTS}
    texts["paused_until"] = moment(change.paused_until) if change.paused_until else ""
    item: dict[str, Any] = {name: {"S": text} for name, text in texts.items() if text}
    item["known"] = {"BOOL": True}
    for kind in address_kinds().values():
        if found := change.addresses.get(kind.name):
            item[kind.column] = {"SS": list(found)} if kind.most > 1 else {"S": found[0]}
    lists = {"preferred_channels": change.preferred_channels, "quiet_hours": change.quiet_hours}
    item |= {name: {"L": [{"S": each} for each in some]} for name, some in lists.items() if some}
    item |= {f"{INVALID}{kind}": {"BOOL": True} for kind in change.invalid}
    item |= {f"{_family(consent)}#{key}": kept_consent(consent) for key, consent in change.consents.items()}
    return item | {f"{ATTRIBUTE}{name}": _kept(value) for name, value in change.attributes.items()}


def cleared_by(change: RecipientChange) -> tuple[str, ...]:
    """The attributes that a change removes: a good address ends the record of a bad one, and what the old one told."""
    refuted = [f"{INVALID}{kind}" for kind in change.addresses]
    told = (*(TOLD_BY_PHONE if PHONE.name in change.addresses else ()), *(TOLD_BY_COUNTRY if change.country else ()))
    return (*refuted, *(name for name in told if not getattr(change, name)), *change.ended)


def insert_of(table: str, change: RecipientChange) -> BatchStatementRequestTypeDef:
    """The PartiQL statement that makes a new person."""
    item = item_of(change)
    fields = ", ".join("'{}': ?".format(name.replace("'", "''")) for name in item)
    return {"Statement": f'INSERT INTO "{table}" VALUE {{{fields}}}', "Parameters": list(item.values())}


CONSENTS_LIMIT = 20
FIELDS_LIMIT = 200
REMOVED_LIMIT = 100
"""In one update: DynamoDB takes expressions of 4 KB and 300 operators; a consent takes 180 bytes and 10."""


def portions(fields: Item) -> Iterator[Item]:
    """Fields in groups that fit into one update each; every consent stands for itself, so they may come one by one."""
    plain = [name for name in fields if not is_consent(name)]
    consents = [name for name in fields if is_consent(name)]
    first, *more = [*chunks(plain, FIELDS_LIMIT)] or [[]]
    few, *others = [*chunks(consents, CONSENTS_LIMIT)] or [[]]
    for names in ([*first, *few], *more, *others):
        yield {name: fields[name] for name in names}


def update_of(fields: Item, cleared: Iterable[str], *, undated: bool) -> dict[str, Any]:
    """The arguments of an UpdateItem that sets fields and removes others, unless a consent among them is outdated."""
    names = {f"#{index}": name for index, name in enumerate((*fields, *cleared))}
    values = {f":{index}": value for index, value in enumerate(fields.values())}
    sets = [f"#{index} = :{index}" for index in range(len(values))]
    removes = [f"#{index}" for index in range(len(values), len(names))]
    clauses = [f"{verb} {', '.join(what)}" for verb, what in (("SET", sets), ("REMOVE", removes)) if what]
    consents = {index: consent_of(value) for index, (name, value) in enumerate(fields.items()) if is_consent(name)}
    values |= {f":at{index}": {"S": moment(consent.at)} for index, consent in consents.items()}
    conditions = [_is_news(index, consent.state, undated=undated) for index, consent in consents.items()]
    compared = {name: state for name, state in STATES.items() if any(name in condition for condition in conditions)}
    names |= {"#state": "state"} if compared else {}
    values |= {name: {"S": state} for name, state in compared.items()}
    arguments = {
        "UpdateExpression": " ".join(clauses),
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": names | ({"#at": "at"} if conditions else {}),
        "ExpressionAttributeValues": values,
        "ReturnValues": "ALL_NEW" if attributes(fields) else "",
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD" if conditions else "",
    }
    return {name: value for name, value in arguments.items() if value}


def full(error: ClientError) -> bool:
    """Whether a write was refused because the item would be larger than 400 KB."""
    said = error.response.get("Error", {})
    return said.get("Code") == "ValidationException" and said.get("Message", "").startswith("Item size")


def proofs(item: Item) -> list[Path]:
    """Where a consent has what proves it: the history has that, too."""
    return [
        (name, part)
        for name, value in item.items()
        if is_consent(name)
        for part in PROOFS
        if part in value.get("M", {})
    ]


def attributes(item: Item) -> list[Path]:
    """The words that messages may use."""
    return [(name,) for name in item if name.startswith(ATTRIBUTE)]


def surplus(item: Item, given: Collection[str]) -> list[Path]:
    """The attributes beyond those that a person may have: the ones that were given last count first."""
    kept: JsonObject = {}
    for (name,) in sorted(attributes(item), key=lambda path: path[0] not in given):
        with suppress(*UNREADABLE):
            kept[name.removeprefix(ATTRIBUTE)] = _attribute(item[name])
    return [(f"{ATTRIBUTE}{name}",) for name in kept.keys() - fitting(kept).keys()]


def grants(item: Item) -> list[Path]:
    """The opt-ins: without one, nobody gets more than with it."""
    return [(name,) for name, value in item.items() if is_consent(name) and consent_of(value).state in GRANTED]


SPARES = (proofs, attributes, grants)
"""What makes room in an item that is full, in this order; an opt-out, and an address that is dead, never does."""


def without(item: Item, paths: Iterable[Path]) -> Item:
    """An item less some of its attributes, or parts of them."""
    gone = set(paths)
    return {
        name: {"M": {part: inner for part, inner in value["M"].items() if (name, part) not in gone}}
        if is_consent(name) and "M" in value
        else value
        for name, value in item.items()
        if (name,) not in gone
    }


def removals(paths: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The arguments of the updates that remove attributes, or parts of them; but no opt-out that has come since."""
    for some in chunks(paths, REMOVED_LIMIT):
        names = {f"#{index}": path[0] for index, path in enumerate(some)}
        names |= {f"#{part}": part for path in some for part in path[1:]}
        what = [".".join((f"#{index}", *(f"#{part}" for part in path[1:]))) for index, path in enumerate(some)]
        arguments: dict[str, Any] = {"UpdateExpression": f"REMOVE {', '.join(what)}"}
        if indexes := [index for index, path in enumerate(some) if is_consent(path[0]) and len(path) == 1]:
            arguments["ConditionExpression"] = " AND ".join(f"#{index}.#state <> :refused" for index in indexes)
            arguments["ExpressionAttributeValues"] = {":refused": {"S": ConsentState.OPTED_OUT}}
            names["#state"] = "state"
        yield arguments | {"ExpressionAttributeNames": names}


def is_consent(name: str) -> bool:
    """Whether an attribute is an answer of the person, or an opt-in that waits for its confirmation."""
    return name.startswith((f"{ANSWER}#", f"{WAITING}#"))


def _is_news(index: int, state: ConsentState, *, undated: bool) -> str:
    """The condition under which a consent is set: the very opposite of `holds_against`."""
    is_undated = undated and state in (ConsentState.OPTED_IN, ConsentState.NOT_SET)
    over = [f"#{index}.#at {'<=' if state is ConsentState.OPTED_OUT else '<'} :at{index}"]
    if state is ConsentState.NOT_SET:
        over.append(f"#{index}.#at = :at{index} AND #{index}.#state = :granted")
    unless = f" AND #{index}.#state <> :refused" if is_undated else ""
    return f"(attribute_not_exists(#{index}) OR {' OR '.join(f'({one}{unless})' for one in over)})"


def is_outdated(value: Item, kept: Item, *, undated: bool) -> bool:
    """Whether the consent that is kept holds against this one."""
    return holds_against(consent_of(kept), consent_of(value), undated=undated)


def recipient_of(item: Item) -> Recipient:
    """The person that an item holds; of one that cannot be read, that there is such a person, and nothing else."""
    try:
        return _recipient(item)
    except UNREADABLE:
        return Recipient(recipient_id=item["recipient_id"]["S"], readable=False)


def _recipient(item: Item) -> Recipient:
    """What an item does not hold has its default."""
    kept: dict[str, dict[str, Any]] = {family: {} for family in FAMILIES}
    for name, value in item.items():
        family, marked, key = name.partition("#")
        if marked and family in kept:
            kept[family][key] = value
    country = _text(item, "country")
    words = {"country": country} if country else {}  # messages may speak of it
    return Recipient(
        recipient_id=item["recipient_id"]["S"],
        known="known" in item,
        addresses=_addresses(item),
        invalid=tuple(sorted(kept["invalid"])),
        consents=_consents(kept[ANSWER], kept[WAITING]),
        suppressed=_suppressed(kept[SUPPRESSED]),
        preferences=_preferences(item),
        locale=_text(item, "locale"),
        timezone=_text(item, "timezone"),
        phone_timezone=_text(item, "phone_timezone"),
        country=country,
        phone_country=_text(item, "phone_country"),
        country_timezone=_text(item, "country_timezone"),
        engaged=_engaged(kept["engaged"]) if kept["engaged"] else {},
        attributes=words | {name: _attribute(value) for name, value in kept["attribute"].items()},
    )


def _consents(answers: Item, waiting: Item) -> dict[str, Consent]:
    """What holds; most people wait for no confirmation."""
    given = {key: consent_of(one) for key, one in answers.items()}
    return together(given, {key: consent_of(one) for key, one in waiting.items()}) if waiting else given


def _engaged(kept: Item) -> dict[Channel, datetime]:
    return {channel: datetime.fromisoformat(kept[channel]["S"]) for channel in CHANNELS if channel in kept}


def moment(at: datetime) -> str:
    """A time as it is kept: UTC and of one length, so that times compare as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _family(consent: Consent) -> str:
    return WAITING if consent.state is ConsentState.PENDING else ANSWER


def kept_consent(consent: Consent) -> dict[str, Any]:
    """A consent as a value of DynamoDB; no text and no proof take no room."""
    texts = {"state": consent.state, "at": moment(consent.at), "source": consent.source}
    texts |= {"text": consent.text, "proof": consent.proof}
    return {"M": {name: {"S": text} for name, text in texts.items() if text}}


def consent_of(kept: Item) -> Consent:
    """The consent that a value of DynamoDB holds."""
    value = kept["M"]
    return Consent(
        state=ConsentState(value["state"]["S"]),
        at=datetime.fromisoformat(value["at"]["S"]),
        source=_text(value, "source"),
        text=_text(value, "text"),
        proof=_text(value, "proof"),
    )


def _addresses(item: Item) -> dict[str, tuple[str, ...]]:
    """By kind; many in their order, so that the same item is always the same person."""
    kept = {kind.name: item[kind.column] for kind in address_kinds().values() if kind.column in item}
    return {name: tuple(sorted(value["SS"])) if "SS" in value else (str(value["S"]),) for name, value in kept.items()}


def suppressed_attribute(channel: Channel, address: str) -> str:
    """The attribute that says that an address must not be used on a channel."""
    return f"{SUPPRESSED}#{channel}#{address}"


def _suppressed(kept: Item) -> dict[Channel, dict[str, AddressSuppression]]:
    """By channel and address, from `<channel>#<address>`."""
    found: dict[Channel, dict[str, AddressSuppression]] = {}
    for key, value in kept.items():
        channel, _, address = key.partition("#")
        found.setdefault(Channel(channel), {})[address] = _suppression(value["M"])
    return found


def _suppression(value: Item) -> AddressSuppression:
    return AddressSuppression(reason=value["reason"]["S"], at=datetime.fromisoformat(value["at"]["S"]))


def _preferences(item: Item) -> Preferences:
    if PREFERENCES.isdisjoint(item):
        return NO_PREFERENCES
    paused_until = _text(item, "paused_until")
    return Preferences(
        channels=tuple(Channel(each) for each in _list(item, "preferred_channels") if each in CHANNELS),
        time=_text(item, "preferred_time"),
        quiet=_list(item, "quiet_hours")[:QUIET_WINDOWS],
        paused_until=within_years(datetime.fromisoformat(paused_until)) if paused_until else None,
    )


def _kept(value: Any) -> dict[str, Any]:
    """Text as text; anything else as JSON, as DynamoDB's numbers are not those of JSON."""
    return {"S": value} if isinstance(value, str) else {"M": {"json": {"S": msgspec.json.encode(value).decode()}}}


def _attribute(value: Item) -> Any:
    return value["S"] if "S" in value else msgspec.json.decode(value["M"]["json"]["S"])


def _text(item: Item, name: str) -> str:
    value = item.get(name)
    return str(value["S"]) if value else ""


def _list(item: Item, name: str) -> tuple[str, ...]:
    return tuple(value["S"] for value in item[name]["L"]) if name in item else ()
