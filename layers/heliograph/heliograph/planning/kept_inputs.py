"""What every decision was made of, kept so that it can be made again: a hash in the ledger, the inputs beside it."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from heliograph.model.decisions import Inputs
from heliograph.model.ledger import LedgerEntry
from heliograph.model.traces import Reference
from heliograph.text.errors import Code, MalformedError

INLINE_LIMIT = 450
"""Bytes of inputs and of the recipient's id that a ledger item can hold and stay under 1 KB, one write unit."""
NAME_SIZE = 16
"""Bytes of the hash that names a sheet: of a hundred million sheets no two have the same."""
IN_THE_ENTRY = ("recipient_id", "dispatch_id", "message")
"""What an entry of the ledger says anyway."""


class Sheet(NamedTuple):
    """The inputs of packs as a file, one line each; without a body they are all in the ledger."""

    references: tuple[Reference, ...]
    name: str
    body: bytes


def sheet(packs: Iterable[Sequence[Inputs]]) -> Sheet:
    """Put the inputs of packs' decisions on one sheet; a short one that is alone in its pack goes into the ledger.

    A sheet is named by what is on it: whoever plans the same packs again, in whatever company, changes none.
    """
    references: list[Reference] = []
    lines: list[bytes] = []
    for inputs in packs:
        some = [msgspec.json.encode(each) for each in inputs]
        short = _short(inputs[0]) if len(inputs) == 1 else ""
        if short and len(short) + len(inputs[0].recipient_id) <= INLINE_LIMIT:
            references.append(Reference(_hash(some[0]), short))
        else:
            references += [Reference(_hash(line), "") for line in some]
            lines += some
    body = b"\n".join(lines)
    name = _hash(body, size=NAME_SIZE)
    return Sheet(tuple(each if each.kept else each._replace(kept=name) for each in references), name, body)


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
    """The inputs on a sheet, by dispatch id."""
    return {inputs.dispatch_id: inputs for inputs in msgspec.json.Decoder(Inputs).decode_lines(body)}


def is_genuine(inputs: Inputs, entry: LedgerEntry) -> bool:
    """Whether inputs are those that the ledger's hash stands for."""
    return _hash(msgspec.json.encode(inputs)) == reference(entry).fingerprint


def _short(inputs: Inputs) -> str:
    told = msgspec.to_builtins(inputs)
    return msgspec.json.encode({name: value for name, value in told.items() if name not in IN_THE_ENTRY}).decode()


def _hash(content: bytes, *, size: int = 8) -> str:
    return urlsafe_b64encode(blake2b(content, digest_size=size).digest()).rstrip(b"=").decode()
