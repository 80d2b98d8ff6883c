"""What approvals keep: requests that wait in the bucket, and how many people a message may still reach in an hour."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, Any

import msgspec

from heliograph.approvals.approval import ROOT, Approval, ApprovalKey, block, key_at
from heliograph.aws.bucket import Bucket, StoredObject
from heliograph.aws.tables import number, text
from heliograph.text.errors import Code, MalformedError
from heliograph.text.payloads import unquoted

if TYPE_CHECKING:
    from types_boto3_dynamodb import DynamoDBClient

LANES = 8  # objects that are read at the same time


class Approvals:
    """What waits for approval in the bucket."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket

    def keep(self, key: ApprovalKey, approval: Approval) -> None:
        """Put requests aside."""
        self._bucket.write(key.path, msgspec.json.encode(approval), "application/json")

    def listed(self) -> list[ApprovalKey]:
        """What waits, by message and age; what is not ours is left out."""
        return [key for path in self._bucket.list_keys(ROOT) if (key := key_at(path))]

    def read(self, keys: Sequence[ApprovalKey]) -> Iterator[tuple[ApprovalKey, Approval]]:
        """What waits under these keys; what somebody else has approved or dropped meanwhile is left out."""
        from concurrent.futures import ThreadPoolExecutor  # no function waits for it

        with ThreadPoolExecutor(LANES) as lanes:
            yield from filter(None, lanes.map(self._read, keys))

    def delete(self, keys: Iterable[ApprovalKey]) -> None:
        """Delete what was worked off; raises BusyError when S3 did not delete all of it."""
        self._bucket.delete([key.path for key in keys])

    def _read(self, key: ApprovalKey) -> tuple[ApprovalKey, Approval] | None:
        try:
            content = self._bucket.read(StoredObject(key.path, ""))
            return key, msgspec.json.decode(content, type=Approval)
        except MalformedError as error:
            if error.code is Code.FILE_MISSING:
                return None
            raise
        except msgspec.DecodeError as error:
            raise MalformedError(Code.UNREADABLE, key.path, unquoted(error)) from None


KEPT = timedelta(days=2)
"""An hour that is over is of no more use."""


@dataclass
class _Hour:
    """What this process knows of an hour of a message."""

    name: str
    spare: int = 0
    """Reserved, and not handed out yet."""
    taken: int = 0
    """Reserved by all processes together when this one last looked; it only ever grows."""


class HourlyQuotas:
    """How many people messages may reach in an hour of the clock (UTC).

    The item `hour#<message>` of an hour in the table `runs` counts what is reserved. A process reserves a block with
    one conditional update and hands it out by itself, so that an event costs no call. Never more than the limit are
    let through, however many processes there are. What idle processes keep of their blocks is not used in that hour:
    somebody else may have to wait for approval before the limit. What turns out to have been counted before is given
    back.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table
        self._hours: dict[str, _Hour] = {}
        self._one_at_a_time = Lock()

    def take(self, message: str, people: int, *, most: int, now: datetime) -> bool:
        """Take some people off the quota of this hour; False, and nothing is taken, when not so many are left."""
        with self._one_at_a_time:
            hour = self._hour(message, now)
            while (lacking := people - hour.spare) > 0:
                wanted = block(lacking, most - hour.taken)
                if wanted is None:
                    return False
                self._reserve(message, hour, wanted, most, now)
            hour.spare -= people
            return True

    def give_back(self, message: str, people: int, *, now: datetime) -> None:
        """Give back what was taken for people who had been counted before: this process hands it out again."""
        with self._one_at_a_time:
            self._hour(message, now).spare += people

    def _hour(self, message: str, now: datetime) -> _Hour:
        name = f"{now.astimezone(UTC):%Y-%m-%dT%H}"
        known = self._hours.get(message)
        if known is None or known.name != name:
            known = self._hours[message] = _Hour(name)
        return known

    def _reserve(self, message: str, hour: _Hour, people: int, most: int, now: datetime) -> None:
        """Reserve some people, or learn how many others have reserved meanwhile."""
        try:
            answer = self._client.update_item(
                TableName=self._table,
                Key={"part": text(f"hour#{message}"), "item": text(hour.name)},
                UpdateExpression="ADD taken :people SET expires_at = :expires_at",
                ConditionExpression="attribute_not_exists(taken) OR taken <= :room",
                ExpressionAttributeValues={
                    ":people": number(people),
                    ":room": number(most - people),
                    ":expires_at": number(int((now + KEPT).timestamp())),
                },
                ReturnValues="UPDATED_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            others: Any = error.response
            hour.taken = int(others["Item"]["taken"]["N"])
            return
        hour.spare += people
        hour.taken = int(answer["Attributes"]["taken"]["N"])
