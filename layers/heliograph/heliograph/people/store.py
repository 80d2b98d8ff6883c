"""The people: read a hundred at a time, changed field by field, suppressed wherever an address is known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, cast

from botocore.exceptions import ClientError
from msgspec.structs import replace

from heliograph.aws.tables import STATEMENT_LIMIT, get_items
from heliograph.channels.registry import spec
from heliograph.channels.spec import AddressKind
from heliograph.model.engagement import Engaged, RemoveAddress, SuppressAddress, WithdrawConsent
from heliograph.model.people import Consent, ConsentState, Recipient, consent_key
from heliograph.people.changes import RecipientChange
from heliograph.people.consents.store import ConsentHistory
from heliograph.people.items_store import (
    SPARES,
    Item,
    Path,
    cleared_by,
    full,
    insert_of,
    is_consent,
    is_outdated,
    item_of,
    moment,
    portions,
    recipient_of,
    removals,
    suppressed_attribute,
    surplus,
    update_of,
    without,
)

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

OWNERS_LIMIT: Final = 25
"""Owners of an address in one invocation: the writes of a batch of 100 events then take some 15 of its 60 seconds."""
STATEMENT_LENGTH: Final = 8_192  # PartiQL: characters of one statement


@dataclass(frozen=True, slots=True)
class Recipients:
    """The recipients table."""

    client: DynamoDBClient
    table: str
    history: ConsentHistory
    """Where all that people ever said is kept, what does not hold included; it is written first."""

    def get_many(self, ids: Iterable[str], *, consistent: bool = False) -> dict[str, Recipient]:
        """The people who are known, by id; who is not known is not in it."""
        keys = [{"recipient_id": {"S": each}} for each in dict.fromkeys(ids)]
        found = map(recipient_of, get_items(self.client, self.table, keys, consistent=consistent))
        return {recipient.recipient_id: recipient for recipient in found}

    def by_address(self, kind: AddressKind, address: str) -> tuple[str, ...]:
        """The ids of everybody who has an address, if its kind is indexed."""
        if not kind.indexed_by:
            return ()
        pages = self.client.get_paginator("query").paginate(**_owned(self.table, kind, address))
        return tuple(item["recipient_id"]["S"] for page in pages for item in page["Items"])

    def everyone(self) -> Iterator[Recipient]:
        """All people, in no order."""
        for page in self.client.get_paginator("scan").paginate(TableName=self.table):
            yield from map(recipient_of, page["Items"])

    def save(self, change: RecipientChange) -> None:
        """Set what was given, and nothing else. A consent never overwrites one that was given later.

        Nor does an opt-in of an unknown date overwrite an opt-out, so that nobody is opted in again by an old file.
        """
        self.history.keep([change])
        self._set(change, item_of(change))

    def save_many(self, changes: Iterable[RecipientChange]) -> None:
        """Save changes in their order; cheapest for people who are new."""
        pack: dict[str, RecipientChange] = {}
        for change in changes:
            if change.recipient_id in pack or len(pack) == STATEMENT_LIMIT:
                self._save_pack(pack)
                pack = {}
            pack[change.recipient_id] = change
        self._save_pack(pack)

    def apply(self, consequence: SuppressAddress | WithdrawConsent | RemoveAddress | Engaged) -> SuppressAddress | None:
        """Let an engagement event have its consequence; twice is the same as once. What is left of it is returned."""
        match consequence:
            case SuppressAddress():
                return self._suppress(consequence)
            case WithdrawConsent():
                self._withdraw(consequence)
            case RemoveAddress():
                self._remove_address(consequence)
            case Engaged():
                self._engage(consequence)
        return None

    def _set(self, change: RecipientChange, fields: Item) -> None:
        """Set the fields of a change, but those against which something holds that is kept."""
        key, fields = fields["recipient_id"], {name: value for name, value in fields.items() if name != "recipient_id"}
        cleared = cleared_by(change)
        for some in portions(fields):
            self._fit(key, some, partial(self._set_some, key, cleared=cleared, undated=change.undated))
            cleared = ()

    def _fit(self, key: Any, fields: Item, write: Callable[[Item], None]) -> None:
        """Write fields. While the item is full, what can be missed makes room, and is left out of the fields as well.

        No opt-out and no dead address is ever lost because somebody has too many attributes.
        """
        for spare in SPARES:
            try:
                write(fields)
            except ClientError as error:
                if not full(error):
                    raise
            else:
                return
            fields = without(fields, spare(fields))
            for item in get_items(self.client, self.table, [{"recipient_id": key}], consistent=True):
                self._remove(key, spare(item))
        write(fields)

    def _remove(self, key: Any, paths: Sequence[Path]) -> None:
        for removal in removals(paths):
            self.client.update_item(TableName=self.table, Key={"recipient_id": key}, **removal)

    def _set_some(self, key: Any, fields: Item, *, cleared: Iterable[str], undated: bool) -> None:
        while holding := self._update(key, fields, cleared, undated=undated):
            fields = {name: value for name, value in fields.items() if name not in holding}
            if not fields:
                return

    def _update(self, key: Any, fields: Item, cleared: Iterable[str], *, undated: bool) -> set[str]:
        """Set fields. When consents that are kept hold against some of them, nothing is set and those are named."""
        update = update_of(fields, cleared, undated=undated)
        try:
            answer = self.client.update_item(TableName=self.table, Key={"recipient_id": key}, **update)
        except self.client.exceptions.ConditionalCheckFailedException as error:
            kept: Any = cast("dict[str, Any]", error.response)["Item"]
            return {
                name
                for name, value in fields.items()
                if is_consent(name) and name in kept and is_outdated(value, kept[name], undated=undated)
            }
        self._remove(key, surplus(answer.get("Attributes", {}), fields))
        return set()

    def _save_pack(self, pack: dict[str, RecipientChange]) -> None:
        """Insert who is new in one call; who is known already, or did not go through, is changed alone."""
        self.history.keep(list(pack.values()))
        statements = {recipient_id: insert_of(self.table, change) for recipient_id, change in pack.items()}
        inserted = [each for each, statement in statements.items() if len(statement["Statement"]) <= STATEMENT_LENGTH]
        refused = pack.keys() - set(inserted)
        if inserted:
            answer = self.client.batch_execute_statement(Statements=[statements[each] for each in inserted])
            responses = zip(inserted, answer["Responses"], strict=True)
            refused |= {each for each, response in responses if "Error" in response}
        for recipient_id in refused:
            self._set(pack[recipient_id], item_of(pack[recipient_id]))

    def _suppress(self, consequence: SuppressAddress) -> SuppressAddress | None:
        """On everybody who has the address, and on the recipient of the message even if nobody else knows them.

        That one comes last: who is suppressed already needs no second round, and a try that broke off starts over.
        """
        own, name = consequence.recipient_id, suppressed_attribute(consequence.channel, consequence.address)
        if not consequence.after and self._has(own, name):
            return None
        owners, rest = self._some_owners(consequence)
        why = {"M": {"reason": {"S": consequence.reason}, "at": {"S": moment(consequence.at)}}}
        for recipient_id in [*(each for each in owners if each != own), *([] if rest else [own])]:
            key = {"S": recipient_id}
            self._fit(key, {name: why}, partial(self._set_first, key))
        return rest

    def _some_owners(self, consequence: SuppressAddress) -> tuple[list[str], SuppressAddress | None]:
        """The next owners of an address, and what is left for another time."""
        kind = spec(consequence.channel).address_kind
        if not kind.indexed_by:
            return [], None
        arguments = _owned(self.table, kind, consequence.address)
        if consequence.after:
            last = {"recipient_id": consequence.after, kind.column: consequence.address}
            arguments["ExclusiveStartKey"] = {name: {"S": value} for name, value in last.items()}
        answer = self.client.query(**arguments, Limit=OWNERS_LIMIT)
        owners = [item["recipient_id"]["S"] for item in answer["Items"]]
        last_key = answer.get("LastEvaluatedKey")
        return owners, replace(consequence, after=last_key["recipient_id"]["S"]) if last_key else None

    def _has(self, recipient_id: str, name: str) -> bool:
        key = {"recipient_id": {"S": recipient_id}}
        return any(name in item for item in get_items(self.client, self.table, [key], consistent=True))

    def _set_first(self, key: Any, fields: Item) -> None:
        """Set what is not there yet."""
        ((name, value),) = fields.items()
        self.client.update_item(
            TableName=self.table,
            Key={"recipient_id": key},
            UpdateExpression="SET #name = if_not_exists(#name, :value)",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":value": value},
        )

    def _withdraw(self, consequence: WithdrawConsent) -> None:
        """Opt out of the purpose, also people who are not known yet; a consent that was given after the event stays."""
        refusal = Consent(state=ConsentState.OPTED_OUT, at=consequence.at, source=consequence.source)
        key = consent_key(consequence.purpose, consequence.channel)
        change = RecipientChange(recipient_id=consequence.recipient_id, consents={key: refusal})
        self.history.keep([change])
        self._set(change, {name: value for name, value in item_of(change).items() if name != "known"})

    def _remove_address(self, consequence: RemoveAddress) -> None:
        kind = spec(consequence.channel).address_kind
        with suppress(self.client.exceptions.ConditionalCheckFailedException):  # nobody by this id: nothing to remove
            self.client.update_item(
                TableName=self.table,
                Key={"recipient_id": {"S": consequence.recipient_id}},
                UpdateExpression="DELETE #kind :address",
                ConditionExpression="attribute_exists(recipient_id)",
                ExpressionAttributeNames={"#kind": kind.column},
                ExpressionAttributeValues={":address": {"SS": [consequence.address]}},
            )

    def _engage(self, consequence: Engaged) -> None:
        """The latest time holds, in whatever order they come."""
        key, fields = {"S": consequence.recipient_id}, {f"engaged#{consequence.channel}": {"S": moment(consequence.at)}}
        with suppress(self.client.exceptions.ConditionalCheckFailedException):  # nobody by this id, or a later time
            self._fit(key, fields, partial(self._set_later, key))

    def _set_later(self, key: Any, fields: Item) -> None:
        """Set a time of somebody who is known, unless a later one is kept."""
        ((name, at),) = fields.items()
        self.client.update_item(
            TableName=self.table,
            Key={"recipient_id": key},
            UpdateExpression="SET #name = :at",
            ConditionExpression="attribute_exists(recipient_id) AND (attribute_not_exists(#name) OR #name < :at)",
            ExpressionAttributeNames={"#name": name},
            ExpressionAttributeValues={":at": at},
        )


def _owned(table: str, kind: AddressKind, address: str) -> Any:
    """The arguments of a Query for everybody who has an address."""
    return {
        "TableName": table,
        "IndexName": kind.indexed_by,
        "KeyConditionExpression": "#address = :address",
        "ExpressionAttributeNames": {"#address": kind.column},
        "ExpressionAttributeValues": {":address": {"S": address}},
    }
