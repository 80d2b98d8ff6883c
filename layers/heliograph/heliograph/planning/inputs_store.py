"""What decisions were made of, in the bucket: their inputs, and every version of a policy and a message."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import msgspec

from heliograph.aws.bucket import Bucket, StoredObject
from heliograph.model.decisions import Inputs
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Message
from heliograph.model.policy import Policy
from heliograph.model.traces import Reference
from heliograph.planning import kept_inputs
from heliograph.text.errors import Code, MalformedError

JSON = "application/json"
COMPRESSION = 1
"""The fastest: the lines of a sheet are so alike that the best saves little more."""
SHEETS_AT_HAND = 16
VERSIONS_AT_HAND = 64


class KeptInputs:
    """What it takes to make a decision again."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._kept: set[str] = set()
        self._sheets = lru_cache(SHEETS_AT_HAND)(self._read_sheet)
        self._policies = lru_cache(VERSIONS_AT_HAND)(self._read_policy)
        self._messages = lru_cache(VERSIONS_AT_HAND)(self._read_message)

    def keep(self, packs: Iterable[Sequence[Inputs]]) -> tuple[Reference, ...]:
        """Keep the inputs of packs' decisions, with one write; what the ledger keeps of each."""
        sheet = kept_inputs.sheet(packs)
        if sheet.body:
            content = gzip.compress(sheet.body, COMPRESSION, mtime=0)
            self._bucket.write(_sheet(sheet.name), content, "application/gzip")
        return sheet.references

    def keep_versions(self, policy: Policy, messages: Iterable[Message]) -> None:
        """Keep what decisions are made by, once in the life of a process."""
        self._once(_policy(policy.version), policy)
        for message in messages:
            self._once(_message(message.name, message.version), message)

    def inputs(self, entry: LedgerEntry) -> Inputs:
        """What a decision was made of; raises MalformedError when it was not kept, or not until now."""
        reference = kept_inputs.reference(entry)
        if reference.is_inline:
            return kept_inputs.inline(entry)
        found = self._sheets(_sheet(reference.kept)).get(entry.dispatch_id)
        if found is None:
            raise MalformedError(Code.NOT_KEPT, "inputs", "their sheet does not hold them")
        return found

    def policy(self, version: str) -> Policy:
        """A policy in a version; raises MalformedError when it was not kept."""
        return self._policies(_policy(version))

    def message(self, name: str, version: str) -> Message:
        """A message in a version; raises MalformedError when it was not kept."""
        return self._messages(_message(name, version))

    def _once(self, key: str, facts: msgspec.Struct) -> None:
        if key not in self._kept:
            self._bucket.write(key, msgspec.json.encode(facts), JSON)
            self._kept.add(key)

    def _read_sheet(self, key: str) -> Mapping[str, Inputs]:
        return kept_inputs.on_sheet(gzip.decompress(self._bucket.read(StoredObject(key, ""))))

    def _read_policy(self, key: str) -> Policy:
        return msgspec.json.decode(self._bucket.read(StoredObject(key, "")), type=Policy)

    def _read_message(self, key: str) -> Message:
        return msgspec.json.decode(self._bucket.read(StoredObject(key, "")), type=Message)


def _sheet(name: str) -> str:
    return f"decisions/{name}.jsonl.gz"


def _policy(version: str) -> str:
    return f"versions/policy/{version}.json"


def _message(name: str, version: str) -> str:
    return f"versions/messages/{name}/{version}.json"
