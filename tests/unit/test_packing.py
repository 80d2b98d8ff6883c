"""How the decisions on a request pack travel on."""

from __future__ import annotations

from datetime import timedelta

from builders import NOW, PACK_ID, a_dispatch, a_message, a_request
from heliograph.domain.model import (
    Channel,
    Decision,
    Deferral,
    Lane,
    LedgerEntry,
    Reason,
    RequestPack,
    SendRequest,
    Suppression,
    Verdict,
)
from heliograph.domain.packing import entry, outbox

LATER = NOW + timedelta(hours=9)


def a_pack(*requests: SendRequest) -> RequestPack:
    return RequestPack(pack_id=PACK_ID, lane=Lane.BULK, requests=requests, run_id="run")


def number(index: int) -> SendRequest:
    return a_request(request_id=f"request-{index}")


def sent(index: int, channel: Channel = Channel.EMAIL) -> Decision:
    return a_dispatch(channel, slot=index, request_id=f"request-{index}")


def held(index: int) -> Decision:
    return Deferral(
        dispatch_id=f"request-{index}-0",
        request=number(index),
        until=LATER,
        reason=Reason.QUIET_HOURS,
        channel=Channel.SMS,
    )


def refused(index: int) -> Decision:
    return Suppression(dispatch_id=f"request-{index}-0", request=number(index), reason=Reason.NO_ADDRESS)


def written(index: int, decision: Decision) -> LedgerEntry:
    return entry(number(index), decision, place=(PACK_ID, index), message=a_message(), policy="p", at=NOW)


def test_dispatches_travel_by_channel_and_keep_their_slots() -> None:
    result = outbox(a_pack(*map(number, range(3))), [sent(0), sent(1, Channel.SMS), sent(2)], {})
    slots = {pack.channel: [one.slot for one in pack.dispatches] for pack in result.dispatches}
    assert slots == {Channel.EMAIL: [0, 2], Channel.SMS: [1]}
    assert {pack.pack_id for pack in result.dispatches} == {PACK_ID}


def test_people_who_wait_for_the_same_hour_wait_together_and_are_decided_on_again() -> None:
    result = outbox(a_pack(number(0), number(1)), [held(0), held(1)], {})
    ((pack, until),) = result.deferred
    assert (until, [request.step for request in pack.requests]) == (LATER, [1, 1])
    assert pack.pack_id != PACK_ID
    assert result == outbox(a_pack(number(0), number(1)), [held(0), held(1)], {})


def test_the_sums_of_a_pack_say_where_everybody_went() -> None:
    planned = outbox(a_pack(*map(number, range(3))), [sent(0), held(1), refused(2)], {}).planned
    assert (planned.people, planned.dispatched, planned.suppressed, planned.deferred, planned.again) == (
        3,
        {"email": 1},
        {"no_address": 1},
        1,
        False,
    )


def test_what_is_written_in_the_ledger_counts_more_than_what_is_decided_now() -> None:
    existing = {"request-0-0": written(0, held(0)), "request-1-0": written(1, refused(1))}
    result = outbox(a_pack(number(0), number(1)), [sent(0), held(1)], existing)
    assert not result.dispatches
    assert (result.planned.deferred, result.planned.suppressed) == (1, {"no_address": 1})
    assert result.deferred[0][0].requests[0].request_id == "request-0"


def test_what_is_being_delivered_is_not_passed_on_again() -> None:
    existing = {"request-0-0": written(0, sent(0))}
    result = outbox(a_pack(number(0)), [refused(0)], existing)
    assert (result.dispatches, result.planned.dispatched, result.planned.suppressed) == ((), {"email": 1}, {})


def test_an_entry_says_what_was_decided_why_and_where_its_outcome_will_lie() -> None:
    written_down = written(4, held(4))
    assert (written_down.outcome, written_down.reason, written_down.until) == (
        Verdict.DEFERRED,
        Reason.QUIET_HOURS,
        LATER.isoformat(),
    )
    assert (written_down.pack_id, written_down.slot, written_down.policy) == (PACK_ID, 4, "p")
