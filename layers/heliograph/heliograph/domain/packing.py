"""How decisions travel on in packs, and what the ledger keeps of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from heliograph.domain import ids
from heliograph.domain.figures import Planned
from heliograph.domain.model import (
    Channel,
    Decision,
    Deferral,
    Dispatch,
    DispatchPack,
    LedgerEntry,
    Message,
    Reason,
    RequestPack,
    SendRequest,
    Suppression,
    Verdict,
)
from heliograph.domain.planning import trace


class Outbox(msgspec.Struct, frozen=True):
    """Everything that follows from the decisions on one request pack."""

    dispatches: tuple[DispatchPack, ...]
    deferred: tuple[tuple[RequestPack, datetime], ...]
    planned: Planned


def entry(
    request: SendRequest,
    decision: Decision,
    *,
    place: tuple[str, int],
    message: Message | None,
    policy: str,
    at: datetime,
) -> LedgerEntry:
    """What the ledger keeps of a decision made now; `place` is the pack and the slot of its request."""
    return LedgerEntry(
        recipient_id=request.recipient_id,
        dispatch_id=decision.dispatch_id,
        message=request.message,
        version=message.version if message else "",
        outcome=VERDICTS[type(decision)],
        decided_at=at,
        pack_id=place[0],
        slot=place[1],
        channel=decision.channel or "",
        reason="" if isinstance(decision, Dispatch) else decision.reason,
        until=decision.until.isoformat() if isinstance(decision, Deferral) else "",
        tried=decision.tried if isinstance(decision, Dispatch) else trace(decision.skipped),
        policy=policy,
        run_id=request.run_id,
    )


VERDICTS = {Dispatch: Verdict.DISPATCHED, Suppression: Verdict.SUPPRESSED, Deferral: Verdict.DEFERRED}


def outbox(pack: RequestPack, decisions: Sequence[Decision], existing: Mapping[str, LedgerEntry]) -> Outbox:
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
    return Outbox(
        dispatches=tuple(_dispatch_pack(pack, channel, some) for channel, some in by_channel.items()),
        deferred=tuple((_deferred_pack(pack, when, some), when) for when, some in until.items()),
        planned=Planned(
            people=len(decisions),
            again=any(request.step for request in pack.requests),
            dispatched=dict(dispatched),
            suppressed=dict(suppressed),
            deferred=sum(map(len, until.values())),
        ),
    )


def stored(request: SendRequest, decision: Decision, entry: LedgerEntry | None) -> Decision | LedgerEntry:
    """The decision that counts: the one in the ledger if there is one; its entry itself once delivery has begun."""
    if entry is None:
        return decision
    match entry.outcome:
        case Verdict.SUPPRESSED:
            return Suppression(dispatch_id=entry.dispatch_id, request=request, reason=Reason(entry.reason))
        case Verdict.DEFERRED:
            return Deferral(
                dispatch_id=entry.dispatch_id,
                request=request,
                until=datetime.fromisoformat(entry.until),
                reason=Reason(entry.reason),
                channel=Channel(entry.channel),
            )
        case Verdict.DISPATCHED | Verdict.WITHHELD:
            return entry


def _dispatch_pack(pack: RequestPack, channel: Channel, dispatches: Iterable[Dispatch]) -> DispatchPack:
    return DispatchPack(
        pack_id=pack.pack_id, channel=channel, lane=pack.lane, run_id=pack.run_id, dispatches=tuple(dispatches)
    )


def _deferred_pack(pack: RequestPack, until: datetime, deferrals: Iterable[Deferral]) -> RequestPack:
    """The requests that wait for the same moment, to be decided again as their next step."""
    requests = (msgspec.structs.replace(deferral.request, step=deferral.request.step + 1) for deferral in deferrals)
    return RequestPack(
        pack_id=ids.derived_id(until, "deferred", pack.pack_id, until.isoformat()),
        lane=pack.lane,
        run_id=pack.run_id,
        requests=tuple(requests),
    )
