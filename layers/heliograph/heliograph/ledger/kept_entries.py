"""A decision as the ledger keeps it: JSON with names of one letter, and nothing in it that its key or a default says.

A mail leaves one item for 400 days, which is most of what storage costs; its attributes are read by nobody else.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from heliograph.model.channels import Channel
from heliograph.model.decisions import Verdict
from heliograph.model.ledger import LedgerEntry
from heliograph.model.people import Zone
from heliograph.model.requests import Cause
from heliograph.model.traces import Reference, Trace, Tried
from heliograph.model.values import JsonObject

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND: Final = timedelta(milliseconds=1)
TIME_LENGTH: Final = 10  # characters of a derived id that spell its time
SAME_TIME: Final = "~"
"""In the place of the time of an id that was derived from the same one as the request; no id has this character."""
PASSED: Final = "passed"
NOTHING: Final = msgspec.Raw(b"null")
NAMES: Final = {
    "message": "m",
    "version": "v",
    "outcome": "o",
    "at": "a",
    "pack_id": "p",
    "slot": "s",
    "channel": "c",
    "reason": "r",
    "until": "u",
    "tried": "t",
    "policy": "y",
    "run_id": "n",
    "zone": "z",
    "next_time": "x",
    "fingerprint": "h",
    "inputs": "i",
    "event_id": "e",
    "idempotency_key": "k",
    "reference": "f",
    "detail": "d",
}

FORMER: Final = NAMES.keys() - {"at", "fingerprint", "inputs"}
"""What an earlier version kept under these names, and as it is kept now."""


class Kept(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, rename=NAMES):
    """An entry without its keys."""

    message: str = ""
    version: str = ""
    outcome: Verdict = Verdict.DISPATCHED
    at: int
    """Milliseconds since 1970."""
    pack_id: str
    slot: int = 0
    channel: str = ""
    reason: str = ""
    until: str = ""
    tried: str | None = None
    """`push:no_address sms:passed`; None: the channel alone, to which the reason objected if there is one."""
    policy: str = ""
    run_id: str = ""
    zone: str = ""
    """`Europe/Berlin profile`."""
    next_time: str = ""
    fingerprint: str = ""
    inputs: msgspec.Raw = NOTHING
    """The name of their sheet, or the inputs themselves."""
    event_id: str = ""
    idempotency_key: str = ""
    reference: str = ""
    detail: str = ""


_decode = msgspec.json.Decoder(Kept).decode


def spelled(entry: LedgerEntry) -> str:
    """An entry as it is kept, to the millisecond."""
    cause, inputs, time = entry.cause, entry.inputs, entry.dispatch_id[:TIME_LENGTH]
    kept = Kept(
        message=entry.message,
        version=entry.version,
        outcome=entry.outcome,
        at=(entry.decided_at - EPOCH) // MILLISECOND,
        pack_id=_shortened(entry.pack_id, time),
        slot=entry.slot,
        channel=entry.channel,
        reason=entry.reason,
        until=entry.until,
        tried=None if entry.tried == _usual(entry.channel, entry.reason) else _trace_spelled(entry.tried),
        policy=entry.policy,
        run_id=_shortened(entry.run_id, time),
        zone=" ".join(entry.zone or ()),
        next_time=entry.next_time,
        fingerprint=inputs.fingerprint if inputs else "",
        inputs=_inputs_spelled(inputs) if inputs else NOTHING,
        event_id=cause.event_id,
        idempotency_key=cause.idempotency_key,
        reference=cause.reference,
        detail=entry.detail,
    )
    return msgspec.json.encode(kept).decode()


def read(recipient_id: str, dispatch_id: str, text: str) -> LedgerEntry:
    """The entry that was kept under its keys."""
    return _entry(recipient_id, dispatch_id, _decode(text))


def of_facts(facts: JsonObject) -> LedgerEntry:
    """The entry that its facts by their names are: so it was kept before 2026-11-24."""
    told = {NAMES[name]: facts[name] for name in FORMER & facts.keys()}
    told["a"] = (datetime.fromisoformat(facts["decided_at"]) - EPOCH) // MILLISECOND
    told["h"], _, inputs = facts.get("inputs", "").partition(" ")
    kept = msgspec.structs.replace(msgspec.convert(told, Kept), inputs=_inputs_spelled(Reference(told["h"], inputs)))
    return _entry(facts["recipient_id"], facts["dispatch_id"], kept)


def _entry(recipient_id: str, dispatch_id: str, kept: Kept) -> LedgerEntry:
    time = dispatch_id[:TIME_LENGTH]
    return LedgerEntry(
        recipient_id=recipient_id,
        dispatch_id=dispatch_id,
        message=kept.message,
        version=kept.version,
        outcome=kept.outcome,
        decided_at=EPOCH + kept.at * MILLISECOND,
        pack_id=_whole(kept.pack_id, time),
        slot=kept.slot,
        channel=kept.channel,
        reason=kept.reason,
        until=kept.until,
        tried=_usual(kept.channel, kept.reason) if kept.tried is None else _trace(kept.tried),
        policy=kept.policy,
        run_id=_whole(kept.run_id, time),
        zone=_zone(kept.zone),
        next_time=kept.next_time,
        inputs=_reference(kept),
        cause=Cause(event_id=kept.event_id, idempotency_key=kept.idempotency_key, reference=kept.reference),
        detail=kept.detail,
    )


def _shortened(other: str, time: str) -> str:
    return SAME_TIME + other.removeprefix(time) if time and other.startswith(time) else other


def _whole(other: str, time: str) -> str:
    return time + other.removeprefix(SAME_TIME) if other.startswith(SAME_TIME) else other


def _usual(channel: str, reason: str) -> Trace:
    return (Tried(Channel(channel), reason),) if channel else ()


def _trace_spelled(trace: Trace) -> str:
    return " ".join(f"{channel}:{objection or PASSED}" for channel, objection in trace)


def _trace(text: str) -> Trace:
    words = (word.partition(":") for word in text.split())
    return tuple(Tried(Channel(channel), "" if result == PASSED else result) for channel, _, result in words)


def _zone(text: str) -> Zone | None:
    name, _, source = text.partition(" ")
    return Zone(name, source) if name else None


def _inputs_spelled(inputs: Reference) -> msgspec.Raw:
    return msgspec.Raw(inputs.kept.encode() if inputs.is_inline else msgspec.json.encode(inputs.kept))


def _reference(kept: Kept) -> Reference | None:
    if not kept.fingerprint:
        return None
    told = bytes(kept.inputs)
    return Reference(kept.fingerprint, told.decode() if told.startswith(b"{") else msgspec.json.decode(told, type=str))
