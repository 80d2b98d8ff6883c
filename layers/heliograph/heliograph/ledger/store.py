"""The ledger: one immutable decision per step of a request, keyed by person so that a timeline is one query."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from heliograph.aws.errors import BusyError
from heliograph.aws.tables import STATEMENT_LIMIT, Item, chunks, expiry, get_items, number, plain, text
from heliograph.ledger import kept_entries
from heliograph.model.ledger import LedgerEntry
from heliograph.model.requests import SendRequest

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

FOUND = 100  # requests that one name finds, the newest


@dataclass(frozen=True)
class Written:
    """What became of decisions: a decision is written by exactly one of all who try."""

    won: set[str] = field(default_factory=set)
    """Dispatch ids that this call wrote."""
    existing: dict[str, LedgerEntry] = field(default_factory=dict)
    """What had been decided before, by dispatch id."""
    undecided: set[str] = field(default_factory=set)
    """Dispatch ids that DynamoDB was too busy to write: try again."""


class Ledger:
    """The table `ledger`."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._insert_decision = self._insert("recipient_id", "dispatch_id", "decision", "expires_at", "by")
        self._insert_key = self._insert("recipient_id", "dispatch_id", "request_id", "expires_at")
        self._insert_name = self._insert("recipient_id", "dispatch_id", "expires_at")

    def _insert(self, *names: str) -> str:
        values = ", ".join(f"'{name}': ?" for name in names)
        return f'INSERT INTO "{self._table}" VALUE {{{values}}}'

    def write(self, entries: Sequence[LedgerEntry]) -> Written:
        """Write decisions, each only if there is none under its id yet: 25 conditional writes in one call.

        A call whose answer was lost is made again by the client; what it then finds of its own counts as written.
        """
        written, writer = Written(), text(token_hex(4))
        for some in chunks(entries, STATEMENT_LIMIT):
            answer = self._client.batch_execute_statement(Statements=[self._statement(entry, writer) for entry in some])
            lost = [
                (entry.recipient_id, entry.dispatch_id)
                for entry, response in zip(some, answer["Responses"], strict=True)
                if not _won(entry, response, written)
            ]
            for item in self._items(lost):
                entry = _entry(item)
                if item.get("by") == writer:
                    written.won.add(entry.dispatch_id)
                else:
                    written.existing[entry.dispatch_id] = entry
        return written

    def _statement(self, entry: LedgerEntry, writer: dict[str, str]) -> Any:
        keys = [text(entry.recipient_id), text(entry.dispatch_id)]
        values = [*keys, text(kept_entries.spelled(entry)), expiry(entry.decided_at), writer]
        return {"Statement": self._insert_decision, "Parameters": values}

    def write_all(self, entries: Sequence[LedgerEntry]) -> dict[str, LedgerEntry]:
        """Write decisions, and give those that had been made before; raises BusyError when some were not taken."""
        written = self.write(entries)
        if written.undecided:
            raise BusyError(f"ledger: {len(written.undecided)} decisions were not taken")
        return written.existing

    def decisions(self, steps: Sequence[tuple[str, str]]) -> dict[str, LedgerEntry]:
        """The decisions of recipient and dispatch ids, by dispatch id; steps on which nothing was decided have none."""
        return {entry.dispatch_id: entry for entry in map(_entry, self._items(steps))}

    def _items(self, steps: Sequence[tuple[str, str]]) -> Iterator[Mapping[str, Any]]:
        keys = [{"recipient_id": text(person), "dispatch_id": text(dispatch)} for person, dispatch in steps]
        return get_items(self._client, self._table, keys, consistent=True)

    def timeline(self, recipient_id: str, *, before: str = "") -> Iterator[LedgerEntry]:
        """A person's decisions, those on the newest requests first, read as they are asked for."""
        pages = self._client.get_paginator("query").paginate(
            TableName=self._table,
            KeyConditionExpression="recipient_id = :id AND dispatch_id < :others",
            ExpressionAttributeValues={":id": text(recipient_id), ":others": text(before or "a")},
            ScanIndexForward=False,
            ConsistentRead=True,
        )
        return (_entry(item) for page in pages for item in page["Items"])

    def first_requests(self, requests: Sequence[SendRequest], key: str) -> dict[str, str]:
        """The requests that an idempotency key stands for, by person: these where the key is new, else the first ones.

        Of each person there is one request. Raises BusyError when DynamoDB did not take some.
        """
        first = {request.recipient_id: request.request_id for request in requests}
        for some in chunks(requests, STATEMENT_LIMIT):
            known = self._insert_new([(self._insert_key, _key_parameters(request, key)) for request in some])
            taken = [_key(request, key) for request, is_known in zip(some, known, strict=True) if is_known]
            for item in get_items(self._client, self._table, taken, consistent=True):
                first[item["recipient_id"]["S"]] = item["request_id"]["S"]
        return first

    def make_findable(self, requests: Sequence[SendRequest]) -> None:
        """Write down by which names requests are found, an item for each: one write unit, and only where one was given.

        Raises BusyError when DynamoDB did not take some; twice is the same as once.
        """
        names = [
            (self._insert_name, [*_name(request, handle).values(), expiry(request.requested_at)])
            for request in requests
            for handle in request.cause.handles()
        ]
        for some in chunks(names, STATEMENT_LIMIT):
            self._insert_new(some)

    def allow(self, requests: Sequence[SendRequest], until: datetime) -> int:
        """Write down that requests are allowed for, until a time; how many of them had been before.

        Raises BusyError when DynamoDB did not take some.
        """
        known = 0
        for some in chunks(requests, STATEMENT_LIMIT):
            allowed = [(self._insert_name, [*_allowed(each).values(), number(int(until.timestamp()))]) for each in some]
            known += sum(self._insert_new(allowed))
        return known

    def allowed(self, requests: Sequence[SendRequest]) -> int:
        """How many of the requests are allowed for."""
        return sum(1 for _ in get_items(self._client, self._table, list(map(_allowed, requests)), consistent=True))

    def found(self, name: str) -> list[tuple[str, str]]:
        """The recipient and request ids that a name stands for, the newest first."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="recipient_id = :name",
            ExpressionAttributeValues={":name": text(f"{NAMED}{name}")},
            ScanIndexForward=False,
            Limit=FOUND,
        )
        pairs = (item["dispatch_id"]["S"].partition("#") for item in answer["Items"])
        return [(recipient_id, request_id) for request_id, _, recipient_id in pairs]

    def of_request(self, recipient_id: str, request_id: str) -> list[LedgerEntry]:
        """The decisions on a request, in the order of its steps."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="recipient_id = :id AND begins_with(dispatch_id, :request)",
            ExpressionAttributeValues={":id": text(recipient_id), ":request": text(f"{request_id}-")},
            ConsistentRead=True,
        )
        return sorted(map(_entry, answer["Items"]), key=lambda entry: entry.decided_at)

    def _insert_new(self, statements: Sequence[tuple[str, list[Any]]]) -> list[bool]:
        """Insert up to 25 items; for each of them whether it had been there before."""
        asked: Any = [{"Statement": statement, "Parameters": parameters} for statement, parameters in statements]
        answer = self._client.batch_execute_statement(Statements=asked)
        codes = [response.get("Error", {}).get("Code") for response in answer["Responses"]]
        if busy := set(codes) - {None, "DuplicateItem"}:
            raise BusyError(f"ledger: {', '.join(map(str, busy))}")
        return [code is not None for code in codes]


def _key(request: SendRequest, key: str) -> Item:
    return {"recipient_id": text(request.recipient_id), "dispatch_id": text(f"key#{key}")}


NAMED = "named#"
"""Begins the partition key of a name; no recipient id has a `#`."""


def _name(request: SendRequest, handle: str) -> Item:
    found = f"{request.request_id}#{request.recipient_id}"
    return {"recipient_id": text(f"{NAMED}{handle}"), "dispatch_id": text(found)}


def _allowed(request: SendRequest) -> Item:
    return {"recipient_id": text(request.recipient_id), "dispatch_id": text(f"allowed#{request.request_id}")}


def _key_parameters(request: SendRequest, key: str) -> list[Any]:
    """In the order of `Ledger._insert_key`."""
    return [*_key(request, key).values(), text(request.request_id), expiry(request.requested_at)]


def _won(entry: LedgerEntry, response: Mapping[str, Any], written: Written) -> bool:
    """Note what became of one INSERT; False when the decision had been made before."""
    match response.get("Error", {}).get("Code"):
        case None:
            written.won.add(entry.dispatch_id)
        case "DuplicateItem":
            return False
        case "ThrottlingError" | "ProvisionedThroughputExceeded" | "RequestLimitExceeded" | "InternalServerError":
            written.undecided.add(entry.dispatch_id)
        case code:
            raise BusyError(f"ledger: {code}")
    return True


def _entry(item: Mapping[str, Any]) -> LedgerEntry:
    if "decision" not in item:  # it was kept by an earlier version, each of its facts as an attribute
        return kept_entries.of_facts(plain(item))
    return kept_entries.read(*(item[name]["S"] for name in ("recipient_id", "dispatch_id", "decision")))
