"""The evidence in the bucket: the inputs of decisions, and every version of a policy and a message that made them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from heliograph.adapters.bucket import Bucket, StoredObject
from heliograph.domain import evidence
from heliograph.domain.model import Inputs, LedgerEntry, Message, Policy

JSON = "application/json"


class Evidence:
    """What it takes to make a decision again."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._kept: set[str] = set()

    def keep(self, pack_id: str, inputs: Sequence[Inputs]) -> tuple[str, ...]:
        """Keep the inputs of a pack's decisions; what the ledger keeps of each."""
        if not inputs:
            return ()
        sheet = evidence.sheet(inputs)
        if sheet.body:
            self._bucket.write(_sheet(pack_id, sheet.name), sheet.body, "application/x-ndjson")
        return tuple(map(str, sheet.references))

    def keep_versions(self, policy: Policy, messages: Iterable[Message]) -> None:
        """Keep what decisions are made by, once in the life of a process."""
        self._once(_policy(policy.version), policy)
        for message in messages:
            self._once(_message(message.name, message.version), message)

    def inputs(self, entry: LedgerEntry) -> Inputs:
        """What a decision was made of; raises MalformedError when nothing was kept."""
        place = evidence.reference(entry)
        if place.is_inline:
            return evidence.inline(entry)
        stored = StoredObject(_sheet(entry.pack_id, place.place), "")
        return evidence.on_sheet(self._bucket.read(stored), entry)

    def policy(self, version: str) -> Policy:
        """A policy in a version."""
        return msgspec.json.decode(self._bucket.read(StoredObject(_policy(version), "")), type=Policy)

    def message(self, name: str, version: str) -> Message:
        """A message in a version."""
        return msgspec.json.decode(self._bucket.read(StoredObject(_message(name, version), "")), type=Message)

    def _once(self, key: str, facts: msgspec.Struct) -> None:
        if key not in self._kept:
            self._bucket.write(key, msgspec.json.encode(facts), JSON)
            self._kept.add(key)


def _sheet(pack_id: str, name: str) -> str:
    return f"decisions/{pack_id}/{name}.jsonl"


def _policy(version: str) -> str:
    return f"versions/policy/{version}.json"


def _message(name: str, version: str) -> str:
    return f"versions/messages/{name}/{version}.json"
