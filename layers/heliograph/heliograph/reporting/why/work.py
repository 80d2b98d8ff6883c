"""Why, in full: a decision made again from what it was made of, and what would be decided now."""

from __future__ import annotations

from datetime import datetime, timedelta

from heliograph.followups import work
from heliograph.model.decisions import Inputs, Ruling
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Message
from heliograph.model.people import Zone
from heliograph.model.policy import Policy
from heliograph.model.reasons import Reason
from heliograph.model.requests import SendRequest
from heliograph.model.values import JsonObject
from heliograph.operations.replay.decisions import Replay, replay
from heliograph.planning import caps, hours, kept_inputs
from heliograph.planning.cases import Case, hours_on
from heliograph.planning.decisions import inputs_of
from heliograph.planning.inputs_store import KeptInputs
from heliograph.planning.ruling import candidates, decide
from heliograph.planning.terms import terms_of
from heliograph.reporting.statements import statements
from heliograph.runtime import wiring
from heliograph.text import ids
from heliograph.text.errors import MalformedError
from heliograph.text.zones import best_zone


def made_again(entry: LedgerEntry, kept: KeptInputs) -> Replay:
    """Make a decision again; raises MalformedError when something that it was made of was not kept."""
    inputs = kept.inputs(entry)
    message, policy = kept.message(inputs.message, inputs.version), kept.policy(inputs.policy)
    return replay(entry, inputs, message, policy, is_genuine=kept_inputs.is_genuine(inputs, entry))


def replayed(entry: LedgerEntry) -> JsonObject:
    """What a decision was made of, and whether it is made again the same; in words when that cannot be told."""
    try:
        again = made_again(entry, wiring.kept_inputs())
    except MalformedError as missing:
        return {
            **seen(None),
            **work.ALONE,
            "inputs": None,
            "genuine": None,
            "replayed": None,
            "note": _not_kept(missing),
        }
    return {
        **seen(again),
        **work.told(entry, again),
        "inputs": again.inputs,
        "genuine": again.is_genuine,
        "replayed": not again.differences,
        "note": f"it differs in {', '.join(again.differences)}" if again.differences else "",
    }


def seen(again: Replay | None) -> JsonObject:
    """What the rules saw, spelled out: whose order of channels came first, the caps, and the hours."""
    if again is None or again.ruling.reason is Reason.UNDECIDABLE:
        return {"order": [], "caps": [], "hours": []}
    inputs, ruling, message, policy = again.inputs, again.ruling, again.message, again.policy
    return {
        "order": _order(inputs, message, policy),
        "caps": _caps(inputs, message, policy),
        "hours": _hours(inputs, ruling, message, policy),
    }


def would_be(recipient_id: str, message: Message, at: datetime) -> JsonObject:
    """What would be decided on a request that is made at a time; nothing is reserved, kept or sent."""
    expires = message.expires_after
    request = SendRequest(
        request_id=ids.derived_id(at, "foreseen", recipient_id, message.name),
        message=message.name,
        recipient_id=recipient_id,
        requested_at=at,
        not_after=at + timedelta(seconds=expires) if expires else None,
    )
    return considered(request, message, at)


def considered(request: SendRequest, message: Message, at: datetime) -> JsonObject:
    """What would be decided at a time on a request, and what it would be made of."""
    policy, recipient_id = wiring.templates().policy, request.recipient_id
    person = wiring.recipients().get_many([recipient_id], consistent=True).get(recipient_id)
    reserved = wiring.reservations().read([recipient_id])[recipient_id].reserved
    inputs = inputs_of(request, message, person, policy=policy, now=at, reserved=reserved, off=wiring.channels_off())
    ruling = decide(inputs, message, policy)
    return {
        "recipient_id": recipient_id,
        "message": message.name,
        "at": at,
        "outcome": ruling.outcome,
        "channel": ruling.channel,
        "reason": ruling.reason,
        "rules": statements(ruling.tried, message.topic),
        "version": message.version,
        "policy": policy.version,
        "zone": zone(ruling.zone),
        "until": ruling.until,
        "next_time": ruling.next_time,
        **seen(Replay(inputs, message, policy, ruling, is_genuine=True, differences=())),
        "inputs": inputs,
    }


def zone(known: Zone | None) -> JsonObject | None:
    """A time zone and where it is known from; None when that was not kept."""
    return known and known._asdict()


def _not_kept(missing: MalformedError) -> str:
    return f"what it was made of is not there: {missing}"


def _order(inputs: Inputs, message: Message, policy: Policy) -> list[JsonObject]:
    return [
        {"channel": each.channel, "order": each.order, "fallback": each.fallback}
        for each in candidates(inputs, terms_of(message, policy))
    ]


def _caps(inputs: Inputs, message: Message, policy: Policy) -> list[JsonObject]:
    """Each cap as it stood, without this request's own reservation."""
    local = best_zone(inputs.zones, policy.default_timezone).zone
    others = [each for each in inputs.reserved if each.dispatch_id != inputs.dispatch_id]
    return [
        {
            "limit": cap.limit,
            "purpose": cap.purpose,
            "seconds": cap.seconds,
            "channel": cap.channel,
            "topic": cap.topic or None,
            "used": len(caps.counted(cap, others, at=inputs.now, zone=local)),
            "free_at": caps.free_at(cap, others, at=inputs.now, zone=local),
        }
        for cap in caps.caps_on(message, policy)
    ]


def _hours(inputs: Inputs, ruling: Ruling, message: Message, policy: Policy) -> list[str]:
    """The names of the rules on hours that did not permit the channel at that time."""
    if ruling.channel is None:
        return []
    found = best_zone(inputs.zones, policy.default_timezone)
    rules = hours_on(Case(inputs, terms_of(message, policy), ruling.channel, found))
    local = inputs.now.astimezone(found.zone)
    closed = (rule.name for rule in rules if not hours.permitted([rule], inputs.country, local))
    return list(dict.fromkeys(closed))
