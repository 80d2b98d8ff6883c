"""How a person is kept in DynamoDB: every field its own attribute, so that no two writers overwrite each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from heliograph.domain.model import (
    AddressSuppression,
    Channel,
    Consent,
    ConsentState,
    Preferences,
    Recipient,
)
from heliograph.domain.recipients import RecipientChange

if TYPE_CHECKING:
    from types_boto3_dynamodb.type_defs import BatchStatementRequestTypeDef

Item = Mapping[str, Any]
"""Attribute name -> DynamoDB value (`{"S": …}`)."""

INVALID = {channel: f"invalid#{channel}" for channel in Channel}


def item_of(change: RecipientChange) -> dict[str, Any]:
    """The attributes that a change sets, the key among them."""
    texts = {"recipient_id": change.recipient_id, "email": change.email, "phone": change.phone}
    texts |= {"locale": change.locale, "timezone": change.timezone}
    item: dict[str, Any] = {name: {"S": text} for name, text in texts.items() if text}
    item["known"] = {"BOOL": True}
    if change.devices:
        item["devices"] = {"SS": list(change.devices)}
    if change.preferred_channels:
        item["preferred_channels"] = {"L": [{"S": channel} for channel in change.preferred_channels]}
    item |= {INVALID[channel]: {"BOOL": True} for channel in change.invalid}
    item |= {f"consent#{key}": _kept_consent(consent) for key, consent in change.consents.items()}
    return item | {f"attribute#{name}": _kept(value) for name, value in change.attributes.items()}


def cleared_by(change: RecipientChange) -> tuple[str, ...]:
    """The attributes that a change removes: a good address ends the record of a bad one."""
    good = {Channel.EMAIL: change.email, Channel.SMS: change.phone, Channel.PUSH: change.devices}
    return tuple(INVALID[channel] for channel, address in good.items() if address)


def insert_of(table: str, change: RecipientChange) -> BatchStatementRequestTypeDef:
    """The PartiQL statement that makes a new person."""
    item = item_of(change)
    fields = ", ".join("'{}': ?".format(name.replace("'", "''")) for name in item)
    return {"Statement": f'INSERT INTO "{table}" VALUE {{{fields}}}', "Parameters": list(item.values())}


def update_of(fields: Item, cleared: Iterable[str], *, undated: bool) -> dict[str, Any]:
    """The arguments of an UpdateItem that sets fields and removes others, unless a consent among them is outdated."""
    names = {f"#{place}": name for place, name in enumerate((*fields, *cleared))}
    values = {f":{place}": value for place, value in enumerate(fields.values())}
    sets = [f"#{place} = :{place}" for place in range(len(values))]
    removes = [f"#{place}" for place in range(len(values), len(names))]
    clauses = [f"{verb} {', '.join(what)}" for verb, what in (("SET", sets), ("REMOVE", removes)) if what]
    consents = {place: value for place, (name, value) in enumerate(fields.items()) if name.startswith("consent#")}
    values |= {f":at{place}": value["M"]["at"] for place, value in consents.items()}
    conditions = [_is_news(place, value, undated=undated) for place, value in consents.items()]
    if any("#state" in condition for condition in conditions):
        names["#state"], values[":refused"] = "state", {"S": ConsentState.OPTED_OUT}
    arguments = {
        "UpdateExpression": " ".join(clauses),
        "ConditionExpression": " AND ".join(conditions),
        "ExpressionAttributeNames": names | ({"#at": "at"} if conditions else {}),
        "ExpressionAttributeValues": values,
        "ReturnValuesOnConditionCheckFailure": "ALL_OLD" if conditions else "",
    }
    return {name: value for name, value in arguments.items() if value}


def _is_news(place: int, consent: Item, *, undated: bool) -> str:
    """The condition under which a consent is set: the very opposite of `is_outdated`."""
    later = f"#{place}.#at {'<=' if _is_refusal(consent) else '<'} :at{place}"
    if undated and not _is_refusal(consent):
        later += f" AND #{place}.#state <> :refused"
    return f"(attribute_not_exists(#{place}) OR ({later}))"


def is_outdated(value: Item, kept: Item, *, undated: bool) -> bool:
    """Whether the consent that is kept holds against this one; of two at the same time, the opt-out does."""
    if "at" not in value.get("M", {}):
        return False
    given_at, kept_at = value["M"]["at"]["S"], kept["M"]["at"]["S"]
    if _is_refusal(value):
        return bool(kept_at > given_at)
    return bool(kept_at >= given_at or (undated and _is_refusal(kept)))


def recipient_of(item: Item) -> Recipient:
    """The person that an item holds; what it does not hold has its default."""
    kept: dict[str, dict[str, Any]] = {"consent": {}, "suppressed": {}, "attribute": {}, "invalid": {}}
    for name, value in item.items():
        family, marked, key = name.partition("#")
        if marked and family in kept:
            kept[family][key] = value
    return Recipient(
        recipient_id=item["recipient_id"]["S"],
        known="known" in item,
        email=_text(item, "email"),
        phone=_text(item, "phone"),
        devices=tuple(sorted(item["devices"]["SS"])) if "devices" in item else (),
        invalid=tuple(channel for channel in Channel if channel in kept["invalid"]),
        consents={key: _consent(value["M"]) for key, value in kept["consent"].items()},
        suppressed={key: _suppression(value["M"]) for key, value in kept["suppressed"].items()},
        preferences=_preferences(item),
        locale=_text(item, "locale"),
        timezone=_text(item, "timezone"),
        attributes={name: _attribute(value) for name, value in kept["attribute"].items()},
    )


def moment(at: datetime) -> str:
    """A time as it is kept: UTC and of one length, so that times compare as text."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _is_refusal(consent: Item) -> bool:
    return bool(consent["M"]["state"]["S"] == ConsentState.OPTED_OUT)


def _kept_consent(consent: Consent) -> dict[str, Any]:
    return {"M": {"state": {"S": consent.state}, "at": {"S": moment(consent.at)}, "source": {"S": consent.source}}}


def _consent(value: Item) -> Consent:
    return Consent(
        state=ConsentState(value["state"]["S"]),
        at=datetime.fromisoformat(value["at"]["S"]),
        source=value["source"]["S"],
    )


def _suppression(value: Item) -> AddressSuppression:
    return AddressSuppression(reason=value["reason"]["S"], at=datetime.fromisoformat(value["at"]["S"]))


def _preferences(item: Item) -> Preferences:
    if "preferred_channels" not in item:
        return Preferences()
    return Preferences(channels=tuple(Channel(value["S"]) for value in item["preferred_channels"]["L"]))


def _kept(value: Any) -> dict[str, Any]:
    """Text as text; anything else as JSON, as DynamoDB's numbers are not those of JSON."""
    return {"S": value} if isinstance(value, str) else {"M": {"json": {"S": msgspec.json.encode(value).decode()}}}


def _attribute(value: Item) -> Any:
    return value["S"] if "S" in value else msgspec.json.decode(value["M"]["json"]["S"])


def _text(item: Item, name: str) -> str:
    return str(item[name]["S"]) if name in item else ""
