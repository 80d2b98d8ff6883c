"""What every decision was made of, kept so that it can be made again: a hash in the ledger, the inputs beside it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from heliograph.model.decisions import Inputs
from heliograph.model.ledger import LedgerEntry
from heliograph.model.traces import Reference
from heliograph.text.errors import Code, MalformedError

INLINE_LIMIT = 450
"""Bytes of inputs and of the recipient's id that a ledger item can hold and stay under 1 KB, one write unit."""
IN_THE_ENTRY = ("recipient_id", "dispatch_id", "message")
"""What an entry of the ledger says anyway."""


class Sheet(NamedTuple):
    """The inputs of a pack as a file, one line each; without a body they are all in the ledger."""

    references: tuple[Reference, ...]
    name: str
    body: bytes


def sheet(inputs: Sequence[Inputs]) -> Sheet:
    """Put the inputs of a pack's decisions on a sheet; a single short one goes into the ledger itself."""
    lines = [msgspec.json.encode(each) for each in inputs]
    if len(inputs) == 1 and len(short := _short(inputs[0])) + len(inputs[0].recipient_id) <= INLINE_LIMIT:
        return Sheet((Reference(_hash(lines[0]), short),), "", b"")
    body = b"\n".join(lines)
    name = _hash(body)
    return Sheet(tuple(Reference(_hash(line), name) for line in lines), name, body)


def reference(entry: LedgerEntry) -> Reference:
    """Where the inputs of a decision are; raises MalformedError when the decision keeps none."""
    if entry.inputs is None:
        raise MalformedError(
            Code.NOT_KEPT, "inputs", "this decision was made without inputs, such as for an unknown message"
        )
    return entry.inputs


def inline(entry: LedgerEntry) -> Inputs:
    """The inputs that an entry holds itself."""
    known = {name: getattr(entry, name) for name in IN_THE_ENTRY}
    return msgspec.convert(msgspec.json.decode(reference(entry).kept) | known, Inputs)


def on_sheet(body: bytes) -> dict[str, Inputs]:
    """The inputs on the sheet of a pack, by dispatch id."""
    return {inputs.dispatch_id: inputs for inputs in msgspec.json.Decoder(Inputs).decode_lines(body)}


def is_genuine(inputs: Inputs, entry: LedgerEntry) -> bool:
    """Whether inputs are those that the ledger's hash stands for."""
    return _hash(msgspec.json.encode(inputs)) == reference(entry).fingerprint


def _short(inputs: Inputs) -> str:
    told = msgspec.to_builtins(inputs)
    return msgspec.json.encode({name: value for name, value in told.items() if name not in IN_THE_ENTRY}).decode()


def _hash(content: bytes) -> str:
    return blake2b(content, digest_size=8).hexdigest()
