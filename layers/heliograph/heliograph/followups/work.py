"""The channels of one request: which one a decision came after and why, and which one is next and when."""

from __future__ import annotations

from collections.abc import Mapping

from heliograph.followups.fallbacks import achieved, reaches_nobody
from heliograph.model.channels import Channel
from heliograph.model.decisions import NO_DISPATCH
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Message
from heliograph.model.outcomes import Facts, RecordKey
from heliograph.model.reasons import Reason
from heliograph.model.requests import EarlierDispatch
from heliograph.model.values import JsonObject
from heliograph.operations.replay.decisions import Replay
from heliograph.recording.facts import Fact, detail_of, state_of
from heliograph.runtime import wiring
from heliograph.text import ids

ALONE: JsonObject = {"after": None, "next": None}


def told(entry: LedgerEntry, again: Replay | None) -> JsonObject:
    """What came before a decision and what comes after it, as far as its message has fallbacks."""
    if again is None or not again.message.fallback:
        return ALONE
    request_id, _ = _parts(entry)
    steps = sorted(wiring.ledger().of_request(entry.recipient_id, request_id), key=lambda each: _parts(each)[1])
    facts = _facts(steps)
    number = _parts(entry)[1]
    before = [each for each in steps if _parts(each)[1] < number and each.dispatch_id in facts and not each.until]
    after = [each for each in steps if _parts(each)[1] > number]
    return {
        "after": _after(before[-1], facts, again) if before and again.inputs.fallbacks else None,
        "next": _next(entry, facts, again.message, again.ruling.fallback, after),
    }


def _after(earlier: LedgerEntry, facts: Mapping[str, Facts], again: Replay) -> JsonObject:
    """The channel before, and why it was not enough."""
    known, fallback = facts[earlier.dispatch_id], again.message.fallback[again.inputs.fallbacks - 1]
    return {
        "channel": earlier.channel,
        "state": state_of(known),
        "reason": earlier.reason or detail_of(known, Fact.FAILED) or None,
        "unless": fallback.unless,
        "within": fallback.within,
    }


def _next(
    entry: LedgerEntry, facts: Mapping[str, Facts], message: Message, stage: int, after: list[LedgerEntry]
) -> JsonObject | None:
    """The next step of a dispatch: its channels, what makes it unnecessary, and when its turn is or was."""
    is_last = entry.dispatch_id not in facts or entry.until or entry.reason == Reason.CONFIRMED
    if is_last or stage >= len(message.fallback):
        return None
    fallback, known, outcome_key = (
        message.fallback[stage],
        facts[entry.dispatch_id],
        ids.outcome_key(entry.pack_id, entry.slot),
    )
    dispatch = EarlierDispatch(
        outcome_key=outcome_key,
        channel=Channel(entry.channel),
        unless=fallback.unless,
        within=fallback.within + wiring.lag(Channel(entry.channel)),
        at=entry.decided_at,
    )
    confirmed_by, until = achieved([dispatch], {outcome_key: known}, wiring.now())
    return {
        "channels": fallback.channels,
        "unless": fallback.unless,
        "within": fallback.within,
        "confirmed_by": confirmed_by and confirmed_by._asdict(),
        "until": until,
        "at_once": reaches_nobody(known),
        "decided_at": after[0].decided_at if after else None,
    }


def _facts(steps: list[LedgerEntry]) -> dict[str, Facts]:
    """What came of the dispatches among the steps, by dispatch id."""
    records = {
        each.dispatch_id: RecordKey(each.run_id, each.pack_id, Channel(each.channel))
        for each in steps
        if each.outcome not in NO_DISPATCH
    }
    found = wiring.records().read(records.values())
    return {
        each.dispatch_id: found[records[each.dispatch_id]].get(each.slot, {})
        for each in steps
        if each.dispatch_id in records
    }


def _parts(entry: LedgerEntry) -> tuple[str, int]:
    """The request of a decision, and its number among the decisions on it."""
    request_id, _, step = entry.dispatch_id.rpartition("-")
    return request_id, int(step)
