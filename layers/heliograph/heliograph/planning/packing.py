"""How decisions travel on in packs, and what the ledger keeps of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from heliograph.model.channels import Channel
from heliograph.model.decisions import Decision, Ruling, Scheduled, Skipped, Verdict
from heliograph.model.dispatches import Dispatch, DispatchPack
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Fallback, Message
from heliograph.model.packs import Planned
from heliograph.model.reasons import Reason
from heliograph.model.requests import EarlierDispatch, RequestPack, SendRequest
from heliograph.text import ids
from heliograph.text.bodies import INPUT_LIMIT, body

MINUTE = timedelta(minutes=1)
"""EventBridge Scheduler is precise to a minute: what is due within the same one is due together."""


class Due(NamedTuple):
    """Requests of one pack, and the minute in which they are planned."""

    pack: RequestPack
    at: datetime


class Outbox(msgspec.Struct, frozen=True):
    """Everything that follows from the decisions on one request pack."""

    dispatches: tuple[DispatchPack, ...]
    later: tuple[Due, ...]
    """What is decided again later."""
    planned: Planned


def outbox(pack: RequestPack, decisions: Sequence[Decision], existing: Mapping[str, LedgerEntry]) -> Outbox:
    """Sort decisions into packs and sums; where the ledger already holds a decision, that one counts."""
    by_channel: dict[Channel, list[Dispatch]] = defaultdict(list)
    waiting: list[tuple[SendRequest, datetime]] = []
    dispatched, skipped = Counter[str](), Counter[str]()
    for request, decision in zip(pack.requests, decisions, strict=True):
        match stored(request, decision, existing.get(decision.dispatch_id)):
            case Dispatch() as dispatch:
                by_channel[dispatch.channel].append(dispatch)
                dispatched[dispatch.channel] += 1
            case Scheduled() as later:
                waiting.append((later.request, later.until))
            case Skipped() as no:
                skipped[no.reason] += 1
            case LedgerEntry() as delivered:
                dispatched[delivered.channel] += 1
    return Outbox(
        dispatches=tuple(each for channel, some in by_channel.items() for each in _dispatch_packs(pack, channel, some)),
        later=tuple(packed_by_time(pack, waiting)),
        planned=Planned(
            people=len(decisions),
            again=any(request.step for request in pack.requests),
            via_fallback=ids.is_of_fallbacks(pack.pack_id),
            dispatched=dict(dispatched),
            skipped=dict(skipped),
            scheduled=len(waiting),
        ),
    )


def stored(request: SendRequest, decision: Decision, entry: LedgerEntry | None) -> Decision | LedgerEntry:
    """The decision that counts: the one in the ledger if there is one; its entry itself once delivery has begun."""
    if entry is None:
        return decision
    ruling = _ruling_in(entry)
    match entry.outcome:
        case Verdict.SKIPPED:
            return Skipped(request=request, ruling=ruling)
        case Verdict.SCHEDULED if ruling.until:
            return Scheduled(request=request, until=ruling.until, ruling=ruling)
        case _:
            return entry


def _ruling_in(entry: LedgerEntry) -> Ruling:
    """As much of a ruling as follows from what the ledger keeps."""
    return Ruling(
        outcome=entry.outcome,
        channel=Channel(entry.channel) if entry.channel else None,
        reason=Reason(entry.reason) if entry.reason else None,
        until=datetime.fromisoformat(entry.until) if entry.until else None,
    )


def _dispatch_packs(pack: RequestPack, channel: Channel, some: Sequence[Dispatch]) -> Iterator[DispatchPack]:
    """Dispatches as a pack, or as parts of it when they are too large for one message: each has its slots."""
    part = DispatchPack(
        pack_id=pack.pack_id, channel=channel, lane=pack.lane, run_id=pack.run_id, dispatches=tuple(some)
    )
    half = len(some) // 2
    if not half or len(body(part)) <= INPUT_LIMIT:
        yield part
        return
    yield from _dispatch_packs(pack, channel, some[:half])
    yield from _dispatch_packs(pack, channel, some[half:])


def packed_by_time(pack: RequestPack | DispatchPack, waiting: Iterable[tuple[SendRequest, datetime]]) -> Iterator[Due]:
    """The requests that wait, together with those that are due in the same minute, to be decided again."""
    due: dict[datetime, list[SendRequest]] = defaultdict(list)
    for request, until in waiting:
        due[full_minute(until)].append(msgspec.structs.replace(request, step=request.step + 1))
    channel = pack.channel if isinstance(pack, DispatchPack) else ""
    for when, requests in due.items():
        pack_id = ids.derived_id(when, "scheduled", pack.pack_id, channel)
        yield _due(pack, pack_id, requests, when, follow=ids.is_of_fallbacks(pack.pack_id))


def fallbacks(
    pack: DispatchPack, claimed: Iterable[tuple[Dispatch, Message]], at: datetime, lag: int = 0
) -> Iterator[Due]:
    """The next channels of dispatches, for when nobody reacts in time; a reaction may be told `lag` seconds late.

    Named by what is in them: a later try may bring some of them again, which then changes nothing.
    """
    steps: dict[Fallback, list[SendRequest]] = defaultdict(list)
    for dispatch, message in claimed:
        for fallback in message.fallback[dispatch.request.fallbacks : dispatch.request.fallbacks + 1]:
            heard = msgspec.structs.replace(fallback, within=fallback.within + lag)
            steps[heard].append(_next_step(pack, dispatch, heard, at))
    for fallback, requests in steps.items():
        when = full_minute(at + timedelta(seconds=fallback.within))
        named = (request.dispatch_id for request in requests)
        pack_id = ids.derived_id(requests[0].requested_at, "fallback", pack.pack_id, pack.channel, *named)
        yield _due(pack, pack_id, requests, when, follow=True)


def full_minute(moment: datetime) -> datetime:
    """The first full minute from a moment on."""
    floor = moment.replace(second=0, microsecond=0)
    return floor if floor == moment else floor + MINUTE


def _next_step(pack: DispatchPack, dispatch: Dispatch, fallback: Fallback, at: datetime) -> SendRequest:
    """The request as it is planned when its fallback begins."""
    earlier = EarlierDispatch(
        outcome_key=ids.outcome_key(pack.pack_id, dispatch.slot),
        channel=dispatch.channel,
        unless=fallback.unless,
        within=fallback.within,
        at=at,
    )
    return msgspec.structs.replace(
        dispatch.request,
        step=dispatch.request.step + 1,
        fallbacks=dispatch.request.fallbacks + 1,
        earlier=(*dispatch.request.earlier, earlier),
    )


def _due(
    pack: RequestPack | DispatchPack,
    pack_id: str,
    requests: Sequence[SendRequest],
    when: datetime,
    *,
    follow: bool,
) -> Due:
    """Requests as a pack, however large it is."""
    return Due(
        RequestPack(
            pack_id=ids.of_fallbacks(pack_id) if follow else pack_id,
            lane=pack.lane,
            run_id=pack.run_id,
            requests=tuple(requests),
        ),
        when,
    )


def portions(pack: RequestPack) -> Iterator[RequestPack]:
    """A pack as one that fits into a schedule, or as several, each named by what is in it.

    So a try with other people has other packs, and the same people are always in the same slots of the same pack.
    """
    named = (request.dispatch_id for request in pack.requests)
    pack_id = ids.derived_id(pack.requests[0].requested_at, "portion", pack.pack_id, *named)
    if ids.is_of_fallbacks(pack.pack_id):
        pack_id = ids.of_fallbacks(pack_id)
    portion = msgspec.structs.replace(pack, pack_id=pack_id)
    half = len(pack.requests) // 2
    if not half or len(body(portion)) <= INPUT_LIMIT:
        yield portion
        return
    for some in (pack.requests[:half], pack.requests[half:]):
        yield from portions(msgspec.structs.replace(pack, requests=some))
