"""DynamoDB of the null AWS: every write succeeds, everybody is known and had two messages, and units count by size."""

from __future__ import annotations

import re
import time
from collections import defaultdict
from functools import cache
from math import ceil
from typing import Any

import msgspec

WRITE_UNIT = 1_024  # bytes
READ_UNIT = 4_096
ASSIGNMENT = re.compile(r"([#\w.]+)\s*=\s*[^:,]*(?:,\s*)?(:\w+)")
REMOVAL = re.compile(r"REMOVE\s+([^:]*?)(?=\s+(?:SET|ADD|DELETE)\s|$)")

CONSENT = {"M": {"state": {"S": "opted_in"}, "at": {"S": "2026-03-14T09:26:53.000000+00:00"}, "source": {"S": "form"}}}
PERSON: dict[str, Any] = {
    "email": {"S": "amara.okafor@example.com"},
    "phone": {"S": "+4930901820"},
    "locale": {"S": "en"},
    "timezone": {"S": "Europe/Berlin"},
    "known": {"BOOL": True},
    "consent#offers/email": CONSENT,
    "consent#offers/sms": CONSENT,
    "consent#capped_offers/email": CONSENT,
    "attribute#first_name": {"S": "Amara"},
    "attribute#last_name": {"S": "Okafor"},
    "attribute#country": {"S": "DE"},
    "attribute#loyalty": {"S": "gold"},
}
STRANGERS = "stranger"
"""What the ids of people begin with who consented to nothing."""
DISPATCHES = ("01KAJ8ZQG0AMARA0000000000A-0", "01KAPD3M80AMARA0000000000B-0")


def size_of(value: dict[str, Any]) -> int:
    """Bytes of an attribute value, as DynamoDB counts them."""
    ((kind, inner),) = value.items()
    match kind:
        case "S":
            return len(inner.encode())
        case "N":
            return len(inner.strip("-0.")) // 2 + 2
        case "M":
            return 3 + sum(1 + len(name.encode()) + size_of(one) for name, one in inner.items())
        case "L":
            return 3 + sum(1 + size_of(one) for one in inner)
        case "SS":
            return sum(len(one.encode()) for one in inner)
        case _:
            return 1


def item_size(item: dict[str, Any]) -> int:
    """Bytes of an item: names and values."""
    return sum(len(name.encode()) + size_of(value) for name, value in item.items())


@cache
def _names_size(statement: str) -> int:
    """The names of an INSERT, or of an UPDATE: those that it sets, and its key."""
    names = re.findall(r"'([^']+)':", statement) or re.findall(r"(\w+)=\?", statement)
    return sum(len(name.encode()) for name in set(names))


def account() -> dict[str, Any]:
    """The reservations of a person who got two messages of a capped topic in the last days."""
    days = [time.time() - ago * 86_400 for ago in (1, 2)]
    entries = [f"{int(1000 * moment):011x}{dispatch}" for moment, dispatch in zip(days, DISPATCHES, strict=True)]
    line = " ".join(["email promotional capped_offers", *entries])
    return {"reserved": {"S": line}, "version": {"N": "2"}, "expires_at": {"N": "1798000000"}}


class NullDynamoDB:
    """Answers and units; the sizes of updated items are remembered, because an update costs by the whole item."""

    def __init__(self) -> None:
        self.items: defaultdict[tuple[str, bytes], dict[str, int]] = defaultdict(dict)
        self.reset()
        self._person = msgspec.json.encode(PERSON)[1:]
        self._stranger = msgspec.json.encode({name: PERSON[name] for name in PERSON if "consent" not in name})[1:]
        self._account = msgspec.json.encode(account())[1:]
        self._person_size = item_size(PERSON) + 30

    def reset(self) -> None:
        """Count from nothing; what is held stays."""
        self.write_units = 0
        self.read_units = 0.0
        self.writes: dict[str, dict[str, int]] = {}

    def answer(self, operation: str, body: bytes) -> Any:
        """What DynamoDB says to a call."""
        asked = msgspec.json.decode(body)
        match operation:
            case "BatchGetItem":
                return self._read(asked["RequestItems"])
            case "BatchExecuteStatement":
                for one in asked["Statements"]:
                    self._wrote(_table(one), _names_size(one["Statement"]) + sum(map(size_of, one["Parameters"])))
                return {"Responses": [{"TableName": "ledger"}] * len(asked["Statements"])}
            case "PutItem":
                self._wrote(asked["TableName"], item_size(asked["Item"]))
                return {}
            case "UpdateItem":
                self._update(asked)
                return self._clock(asked) if "ADD until_ms" in asked["UpdateExpression"] else {}
            case _:
                self.read_units += 0.5
                return {}

    def _clock(self, asked: dict[str, Any]) -> Any:
        """The limits of a channel: always our turn, now."""
        cost = int(asked["ExpressionAttributeValues"][":cost"]["N"])
        return {"Attributes": {"until_ms": {"N": str(int(time.time() * 1000) + cost - 500)}}}

    def _wrote(self, table: str, size: int) -> None:
        units = max(1, ceil(size / WRITE_UNIT))
        self.write_units += units
        seen = self.writes.setdefault(table, {"writes": 0, "units": 0, "bytes": 0})
        for name, more in (("writes", 1), ("units", units), ("bytes", size)):
            seen[name] += more

    def _read(self, tables: dict[str, Any]) -> bytes:
        responses = []
        for table, wanted in tables.items():
            size = self._person_size if "recipients" in table else 1
            each = ceil(size / READ_UNIT) * (1 if wanted.get("ConsistentRead") else 0.5)
            self.read_units += each * len(wanted["Keys"])
            found = ((msgspec.json.encode(key), self._rest(table, key)) for key in wanted["Keys"])
            items = b",".join(key[:-1] + b"," + rest for key, rest in found if rest)
            responses.append(b'"%s":[%s]' % (table.encode(), items))
        return b'{"Responses":{%s},"UnprocessedKeys":{}}' % b",".join(responses)

    def _rest(self, table: str, key: dict[str, Any]) -> bytes:
        """What an item holds beside its key; nothing, if there is none."""
        if "recipients" in table:
            return self._stranger if key["recipient_id"]["S"].startswith(STRANGERS) else self._person
        return self._account if key.get("dispatch_id") == {"S": "reservations"} else b""

    def _update(self, asked: dict[str, Any]) -> None:
        held = self.items[asked["TableName"], msgspec.json.encode(asked["Key"])]
        before = sum(held.values())
        names, values = asked.get("ExpressionAttributeNames", {}), asked.get("ExpressionAttributeValues", {})
        expression = asked["UpdateExpression"]
        for path, placeholder in ASSIGNMENT.findall(expression):
            name = ".".join(names.get(step, step) for step in path.split("."))
            if name not in held or "if_not_exists" not in expression:
                held[name] = len(name) + size_of(values[placeholder])
        for removed in ",".join(REMOVAL.findall(expression)).split(","):
            held.pop(names.get(removed.strip(), removed.strip()), None)
        self._wrote(asked["TableName"], item_size(asked["Key"]) + max(before, sum(held.values())))


def _table(statement: dict[str, Any]) -> str:
    found = re.search(r'"([^"]+)"', statement["Statement"])
    return found[1] if found else ""
