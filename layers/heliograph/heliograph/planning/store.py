"""What counts against a person's caps: one small item beside their decisions, changed only by who read it last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

from heliograph.aws.errors import BusyError
from heliograph.aws.tables import STATEMENT_LIMIT, chunks, get_items, number, text
from heliograph.model.channels import Channel
from heliograph.model.decisions import Reservation
from heliograph.model.policy import Purpose

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

ITEM = "reservations"
"""The sort key; it is greater than every dispatch id, so that no timeline shows it."""
KEPT_FOR = timedelta(days=31)
"""After the last change: no cap looks back further."""
TIME_DIGITS = 11
"""Of a time in milliseconds, in hexadecimal: enough until the year 2527."""


class Account(NamedTuple):
    """A person's reservations in a version; version 0 is not written yet."""

    version: int = 0
    reserved: tuple[Reservation, ...] = ()


class Reservations:
    """The items `reservations` in the table `ledger`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._insert = (
            f"INSERT INTO \"{table}\" VALUE {{'recipient_id': ?, 'dispatch_id': ?, 'reserved': ?, 'version': ?, "
            "'expires_at': ?}"
        )
        self._update = (
            f'UPDATE "{table}" SET reserved=? SET version=? SET expires_at=? '  # noqa: S608  the name of our table
            "WHERE recipient_id=? AND dispatch_id=? AND version=?"
        )

    def read(self, recipient_ids: Iterable[str]) -> dict[str, Account]:
        """The accounts of people; who has none yet has an empty one."""
        found = {recipient_id: Account() for recipient_id in recipient_ids}
        keys = [_key(recipient_id) for recipient_id in found]
        for item in get_items(self._client, self._table, keys, consistent=True):
            found[item["recipient_id"]["S"]] = _account(item)
        return found

    def write(self, changes: Mapping[str, tuple[Account, tuple[Reservation, ...]]], now: datetime) -> set[str]:
        """Change accounts, each only if it still is as it was read; the people whose account is not, unchanged.

        Raises BusyError when DynamoDB did not take some; trying all of it again is safe.
        """
        lost: set[str] = set()
        for some in chunks(list(changes.items()), STATEMENT_LIMIT):
            statements: Any = [self._statement(person, *change, now) for person, change in some]
            answer = self._client.batch_execute_statement(Statements=statements)
            lost |= {
                person
                for (person, _), response in zip(some, answer["Responses"], strict=True)
                if _is_lost(response.get("Error", {}).get("Code"))
            }
        return lost

    def refund(self, unsent: Iterable[tuple[str, str]], now: datetime) -> None:
        """Take back what is reserved for dispatches (recipient and dispatch ids); twice is the same as once."""
        by_person: defaultdict[str, set[str]] = defaultdict(set)
        for recipient_id, dispatch_id in unsent:
            by_person[recipient_id].add(dispatch_id)
        todo = set(by_person)
        while todo:
            changes = {}
            for person, account in self.read(todo).items():
                left = tuple(each for each in account.reserved if each.dispatch_id not in by_person[person])
                if left != account.reserved:
                    changes[person] = (account, left)
            todo = self.write(changes, now)

    def _statement(
        self, recipient_id: str, account: Account, reserved: tuple[Reservation, ...], now: datetime
    ) -> dict[str, Any]:
        key = list(_key(recipient_id).values())
        values = [
            text(_written(reserved)),
            number(account.version + 1),
            number(int((now + KEPT_FOR).timestamp())),
        ]
        if account.version:
            return {"Statement": self._update, "Parameters": [*values, *key, number(account.version)]}
        return {"Statement": self._insert, "Parameters": [*key, *values]}


def _key(recipient_id: str) -> dict[str, dict[str, str]]:
    return {"recipient_id": text(recipient_id), "dispatch_id": text(ITEM)}


def _account(item: Mapping[str, Any]) -> Account:
    return Account(int(item["version"]["N"]), tuple(_read(item["reserved"]["S"])))


def _written(reserved: Iterable[Reservation]) -> str:
    """A line `<channel> <purpose> <topic> <time><dispatch id> …` for those that have the same in common.

    The time is in epoch milliseconds. Twenty reservations, the largest cap, stay under the
    1 KB that DynamoDB bills as one write unit.
    """
    lines: defaultdict[str, list[str]] = defaultdict(list)
    for each in reserved:
        moment = int(each.at.timestamp() * 1000)
        lines[f"{each.channel} {each.purpose} {each.topic}"].append(f"{moment:0{TIME_DIGITS}x}{each.dispatch_id}")
    return "\n".join(" ".join([common, *entries]) for common, entries in lines.items())


def _read(written: str) -> Iterator[Reservation]:
    for line in written.splitlines():
        channel, purpose, topic, *entries = line.split(" ")
        for entry in entries:
            yield Reservation(
                dispatch_id=entry[TIME_DIGITS:],
                at=datetime.fromtimestamp(int(entry[:TIME_DIGITS], 16) / 1000, tz=UTC),
                channel=Channel(channel),
                purpose=Purpose(purpose),
                topic=topic,
            )


def _is_lost(code: str | None) -> bool:
    """Whether somebody else was first; raises BusyError for any other error."""
    match code:
        case None:
            return False
        case "ConditionalCheckFailed" | "DuplicateItem" | "TransactionConflict":
            return True
        case _:
            raise BusyError(f"reservations: {code}")
