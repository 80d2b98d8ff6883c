"""How decisions travel on in packs, and what the ledger keeps of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

import msgspec

from heliograph.domain import ids
from heliograph.domain.figures import Planned
from heliograph.domain.model import (
    Channel,
    Decision,
    Deferral,
    Dispatch,
    DispatchPack,
    EarlierDispatch,
    Fallback,
    LedgerEntry,
    Message,
    Reason,
    RequestPack,
    Ruling,
    SendRequest,
    Suppression,
    Verdict,
)
from heliograph.domain.planning import request_of

INPUT_LIMIT = 200_000  # bytes; EventBridge Scheduler takes 256 KB as the input of a target


class Outbox(msgspec.Struct, frozen=True):
    """Everything that follows from the decisions on one request pack."""

    dispatches: tuple[DispatchPack, ...]
    later: tuple[tuple[RequestPack, datetime], ...]
    """What is planned at another time: deferrals, and the fallbacks of what is dispatched now."""
    planned: Planned


def entry(
    decision: Suppression | Deferral, *, place: tuple[str, int], version: str, policy: str, at: datetime
) -> LedgerEntry:
    """What the ledger keeps of a "no" or a "later"; `place` is the pack and the slot of its request."""
    request, ruling = decision.request, decision.ruling
    return LedgerEntry(
        recipient_id=request.recipient_id,
        dispatch_id=decision.dispatch_id,
        message=request.message,
        version=version,
        outcome=ruling.outcome,
        decided_at=at,
        pack_id=place[0],
        slot=place[1],
        channel=decision.channel or "",
        reason=decision.reason,
        until=decision.until.isoformat() if isinstance(decision, Deferral) else "",
        tried=ruling.tried,
        policy=policy,
        run_id=request.run_id,
        zone=ruling.zone,
        next_time=ruling.next_time.isoformat() if ruling.next_time else "",
        inputs=decision.inputs,
    )


def outbox(
    pack: RequestPack,
    decisions: Sequence[Decision],
    existing: Mapping[str, LedgerEntry],
    messages: Mapping[str, Message],
    now: datetime,
) -> Outbox:
    """Sort decisions into packs and sums; where the ledger already holds a decision, that one counts."""
    by_channel: dict[Channel, list[Dispatch]] = defaultdict(list)
    until: dict[datetime, list[Deferral]] = defaultdict(list)
    dispatched, suppressed = Counter[str](), Counter[str]()
    for request, decision in zip(pack.requests, decisions, strict=True):
        match stored(request, decision, existing.get(decision.dispatch_id)):
            case Dispatch() as dispatch:
                by_channel[dispatch.channel].append(dispatch)
                dispatched[dispatch.channel] += 1
            case Deferral() as deferral:
                until[deferral.until].append(deferral)
            case Suppression() as suppression:
                suppressed[suppression.reason] += 1
            case LedgerEntry() as delivered:
                dispatched[delivered.channel] += 1
    deferred = (part for when, some in until.items() for part in _deferred(pack, when, some))
    return Outbox(
        dispatches=tuple(_dispatch_pack(pack, channel, some) for channel, some in by_channel.items()),
        later=(*deferred, *_fallbacks(pack, by_channel, messages, now)),
        planned=Planned(
            people=len(decisions),
            again=any(request.step for request in pack.requests),
            further=ids.is_further(pack.pack_id),
            dispatched=dict(dispatched),
            suppressed=dict(suppressed),
            deferred=sum(map(len, until.values())),
        ),
    )


def stored(request: SendRequest, decision: Decision, entry: LedgerEntry | None) -> Decision | LedgerEntry:
    """The decision that counts: the one in the ledger if there is one; its entry itself once delivery has begun."""
    if entry is None:
        return decision
    until = datetime.fromisoformat(entry.until) if entry.until else None
    ruling = Ruling(
        outcome=entry.outcome,
        channel=Channel(entry.channel) if entry.channel else None,
        reason=Reason(entry.reason) if entry.reason else None,
        until=until,
    )
    match entry.outcome:
        case Verdict.SUPPRESSED:
            return Suppression(dispatch_id=entry.dispatch_id, request=request, ruling=ruling)
        case Verdict.DEFERRED if until:
            return Deferral(dispatch_id=entry.dispatch_id, request=request, until=until, ruling=ruling)
        case _:
            return entry


def _dispatch_pack(pack: RequestPack, channel: Channel, dispatches: Iterable[Dispatch]) -> DispatchPack:
    return DispatchPack(
        pack_id=pack.pack_id, channel=channel, lane=pack.lane, run_id=pack.run_id, dispatches=tuple(dispatches)
    )


def _deferred(
    pack: RequestPack, until: datetime, deferrals: Iterable[Deferral]
) -> Iterator[tuple[RequestPack, datetime]]:
    """The requests that wait for the same moment, to be decided again as their next step."""
    requests = (msgspec.structs.replace(deferral.request, step=deferral.request.step + 1) for deferral in deferrals)
    pack_id = ids.derived_id(until, "deferred", pack.pack_id, until.isoformat())
    marked = ids.further(pack_id) if ids.is_further(pack.pack_id) else pack_id
    for part in in_parts(msgspec.structs.replace(pack, pack_id=marked, requests=tuple(requests), segment=None)):
        yield part, until


def deferred_at_delivery(pack: DispatchPack, dispatch: Dispatch, until: datetime) -> RequestPack:
    """The request of a dispatch that has to wait although it was planned for now."""
    request = request_of(dispatch)
    pack_id = ids.derived_id(until, "deferred", pack.pack_id, dispatch.dispatch_id)
    return RequestPack(
        pack_id=ids.further(pack_id) if ids.is_further(pack.pack_id) else pack_id,
        lane=pack.lane,
        run_id=pack.run_id,
        requests=(msgspec.structs.replace(request, step=request.step + 1),),
    )


def _fallbacks(
    pack: RequestPack, by_channel: Mapping[Channel, Sequence[Dispatch]], messages: Mapping[str, Message], now: datetime
) -> Iterator[tuple[RequestPack, datetime]]:
    """The next steps of dispatches whose message has a fallback for when nobody reacts."""
    steps: dict[tuple[Channel, Fallback, int], list[SendRequest]] = defaultdict(list)
    for channel, dispatches in by_channel.items():
        for dispatch in dispatches:
            for fallback in messages[dispatch.message].fallback[dispatch.stage : dispatch.stage + 1]:
                request = _next_stage(pack.requests[dispatch.slot], dispatch, fallback, pack.pack_id)
                steps[channel, fallback, dispatch.stage].append(request)
    for (channel, fallback, stage), requests in steps.items():
        pack_id = ids.derived_id(requests[0].requested_at, "fallback", pack.pack_id, channel, str(stage))
        further = msgspec.structs.replace(pack, pack_id=ids.further(pack_id), requests=tuple(requests), segment=None)
        for part in in_parts(further):
            yield part, now + timedelta(seconds=fallback.within)


def _next_stage(request: SendRequest, dispatch: Dispatch, fallback: Fallback, pack_id: str) -> SendRequest:
    """The request as it is planned when its fallback begins."""
    earlier = EarlierDispatch(
        place=ids.place(pack_id, dispatch.slot),
        channel=dispatch.channel,
        unless=fallback.unless,
        within=fallback.within,
    )
    return msgspec.structs.replace(
        request, step=request.step + 1, stage=dispatch.stage + 1, earlier=(*request.earlier, earlier)
    )


def in_parts(pack: RequestPack) -> Iterator[RequestPack]:
    """A pack, or its halves when it is too large for a schedule."""
    half = len(pack.requests) // 2
    if not half or len(msgspec.json.encode(pack)) <= INPUT_LIMIT:
        yield pack
        return
    for number, requests in enumerate((pack.requests[:half], pack.requests[half:])):
        pack_id = ids.derived_id(requests[0].requested_at, "part", pack.pack_id, str(number))
        marked = ids.further(pack_id) if ids.is_further(pack.pack_id) else pack_id
        yield from in_parts(msgspec.structs.replace(pack, pack_id=marked, requests=requests))
