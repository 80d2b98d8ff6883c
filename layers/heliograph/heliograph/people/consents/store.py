"""The history of consents in the ledger: one immutable item for every change, written once and kept for ever."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, Final

import msgspec

from heliograph.aws.errors import BusyError
from heliograph.aws.tables import FIRST_PAUSE, STATEMENT_LIMIT, Item, chunks, text
from heliograph.people.changes import RecipientChange
from heliograph.people.consents.answers import Statement
from heliograph.people.items_store import consent_of, kept_consent, moment

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

PREFIX: Final = "consent#"
"""Of the sort key; it is greater than every dispatch id, so that no timeline shows it."""
TRIES: Final = 6  # as of a read
FIELDS: Final = ("recipient_id", "dispatch_id", "consents", "recorded_at", "undated")


@dataclass(frozen=True, slots=True)
class ConsentHistory:
    """The items `consent#<time>#<hash>` in the table `ledger`; they have no TTL."""

    client: DynamoDBClient
    table: str
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def keep(self, changes: Sequence[RecipientChange]) -> None:
        """Add what people said, before it is known whether it holds; the same change twice is one entry.

        Raises BusyError under pressure.
        """
        items = [self._item(change) for change in changes if change.consents]
        for some in chunks(items, STATEMENT_LIMIT):
            left = list(some)
            for attempt in range(TRIES):
                left = self._refused(left)
                if not left:
                    break
                time.sleep(FIRST_PAUSE * 2**attempt)
            else:
                raise BusyError(f"ledger: {len(left)} changes of consents were not taken")

    def statements(self, recipient_id: str) -> list[Statement]:
        """Everything that a person ever said, in the order in which it was said; events are dated to the second."""
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="recipient_id = :id AND begins_with(dispatch_id, :consent)",
            ExpressionAttributeValues={":id": text(recipient_id), ":consent": text(PREFIX)},
            ConsistentRead=True,
        )
        found = [said for page in pages for item in page["Items"] for said in _statements(item)]
        return sorted(found, key=lambda said: (said.consent.at, said.recorded_at))

    def _refused(self, items: list[Item]) -> list[Item]:
        """Insert entries; those that DynamoDB was too busy to take. One that is there already stays as it is."""
        fields = ", ".join(f"'{name}': ?" for name in FIELDS)
        insert = f'INSERT INTO "{self.table}" VALUE {{{fields}}}'
        answer = self.client.batch_execute_statement(
            Statements=[{"Statement": insert, "Parameters": [item[name] for name in FIELDS]} for item in items]
        )
        codes = [response.get("Error", {}).get("Code") for response in answer["Responses"]]
        return [item for item, code in zip(items, codes, strict=True) if code not in (None, "DuplicateItem")]

    def _item(self, change: RecipientChange) -> Item:
        given_at = max(consent.at for consent in change.consents.values())
        said = msgspec.json.encode(change.consents, order="sorted")
        key = f"{PREFIX}{moment(given_at)}#{blake2b(said, digest_size=8).hexdigest()}"
        return {
            "recipient_id": text(change.recipient_id),
            "dispatch_id": text(key),
            "consents": {"M": {key: kept_consent(consent) for key, consent in change.consents.items()}},
            "recorded_at": text(moment(self.now())),
            "undated": {"BOOL": change.undated},
        }


def _statements(item: Any) -> Iterator[Statement]:
    for key, kept in item["consents"]["M"].items():
        yield Statement(
            key=key,
            consent=consent_of(kept),
            recorded_at=datetime.fromisoformat(item["recorded_at"]["S"]),
            undated=item["undated"]["BOOL"],
        )
