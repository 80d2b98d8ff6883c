"""How the decisions on a request pack travel on."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from builders import EMAIL, NOW, PACK_ID, SMS, a_dispatch, a_request
from heliograph.model.channels import Channel
from heliograph.model.decisions import Decision, Ruling, Scheduled, Skipped, Verdict
from heliograph.model.ledger import LedgerEntry
from heliograph.model.reasons import Reason
from heliograph.model.requests import Lane, RequestPack, SendRequest
from heliograph.planning.packing import outbox, portions
from heliograph.text.bodies import INPUT_LIMIT, body

LATER = NOW + timedelta(hours=9)
SCHEDULE_LIMIT = 256 * 1024  # bytes: the input of a target of EventBridge Scheduler


def a_pack(*requests: SendRequest) -> RequestPack:
    return RequestPack(pack_id=PACK_ID, lane=Lane.BULK, requests=requests, run_id="run")


def number(index: int) -> SendRequest:
    return a_request(request_id=f"request-{index}")


def sent(index: int, channel: Channel = EMAIL) -> Decision:
    return a_dispatch(channel, slot=index, request_id=f"request-{index}")


def scheduled(index: int, until: datetime = LATER) -> Scheduled:
    ruling = Ruling(outcome=Verdict.SCHEDULED, reason=Reason.QUIET_HOURS, channel=SMS, until=until)
    return Scheduled(request=number(index), until=until, ruling=ruling)


def refused(index: int) -> Skipped:
    ruling = Ruling(outcome=Verdict.SKIPPED, reason=Reason.NO_ADDRESS)
    return Skipped(request=number(index), ruling=ruling)


def written(index: int, decision: Skipped | Scheduled) -> LedgerEntry:
    return LedgerEntry.of(decision, pack_id=PACK_ID, slot=index, version="v1", policy="p", at=NOW)


def claimed(index: int) -> LedgerEntry:
    return LedgerEntry(
        recipient_id="amara",
        dispatch_id=f"request-{index}-0",
        message="order-shipped",
        version="v1",
        outcome=Verdict.DISPATCHED,
        decided_at=NOW,
        pack_id=PACK_ID,
        slot=index,
        channel=EMAIL,
    )


def test_dispatches_travel_by_channel_and_keep_their_slots() -> None:
    result = outbox(a_pack(*map(number, range(3))), [sent(0), sent(1, SMS), sent(2)], {})
    slots = {pack.channel: [one.slot for one in pack.dispatches] for pack in result.dispatches}
    assert slots == {EMAIL: [0, 2], SMS: [1]}
    assert {pack.pack_id for pack in result.dispatches} == {PACK_ID}


def test_people_who_wait_for_the_same_hour_wait_together_and_are_decided_on_again() -> None:
    result = outbox(a_pack(number(0), number(1)), [scheduled(0), scheduled(1)], {})
    ((pack, until),) = result.later
    assert (until, [request.step for request in pack.requests]) == (LATER, [1, 1])
    assert pack.pack_id != PACK_ID
    assert result == outbox(a_pack(number(0), number(1)), [scheduled(0), scheduled(1)], {})


def test_who_is_due_within_the_same_minute_waits_together() -> None:
    moments = [LATER, LATER + timedelta(seconds=1), LATER + timedelta(seconds=59), LATER + timedelta(minutes=1)]
    result = outbox(
        a_pack(*map(number, range(4))), [scheduled(index, until) for index, until in enumerate(moments)], {}
    )
    sizes = {until: len(pack.requests) for pack, until in result.later}
    assert sizes == {LATER: 1, LATER + timedelta(minutes=1): 3}


def test_what_is_too_large_for_one_schedule_takes_several_each_named_by_who_is_in_it() -> None:
    some = [a_request(request_id=f"request-{index}", data={"text": "ä" * 20_000}) for index in range(100)]
    packs = list(portions(a_pack(*some)))
    assert all(len(msgspec.json.encode(pack)) <= SCHEDULE_LIMIT for pack in packs)
    assert len({pack.pack_id for pack in packs}) == len(packs)
    assert [request for pack in packs for request in pack.requests] == some
    assert packs == list(portions(a_pack(*some)))


def test_the_sums_of_a_pack_say_where_everybody_went() -> None:
    planned = outbox(a_pack(*map(number, range(3))), [sent(0), scheduled(1), refused(2)], {}).planned
    assert (planned.people, planned.dispatched, planned.skipped, planned.scheduled, planned.again) == (
        3,
        {"email": 1},
        {"no_address": 1},
        1,
        False,
    )


def test_what_is_written_in_the_ledger_counts_more_than_what_is_decided_now() -> None:
    existing = {"request-0-0": written(0, scheduled(0)), "request-1-0": written(1, refused(1))}
    result = outbox(a_pack(number(0), number(1)), [sent(0), scheduled(1)], existing)
    assert not result.dispatches
    assert (result.planned.scheduled, result.planned.skipped) == (1, {"no_address": 1})
    assert result.later[0][0].requests[0].request_id == "request-0"


def test_what_is_being_delivered_is_not_passed_on_again() -> None:
    existing = {"request-0-0": claimed(0)}
    result = outbox(a_pack(number(0)), [refused(0)], existing)
    assert (result.dispatches, result.planned.dispatched, result.planned.skipped) == ((), {"email": 1}, {})


def test_an_entry_says_what_was_decided_why_and_where_its_outcome_will_lie() -> None:
    written_down = written(4, scheduled(4))
    assert (written_down.outcome, written_down.reason, written_down.until) == (
        Verdict.SCHEDULED,
        Reason.QUIET_HOURS,
        LATER.isoformat(),
    )
    assert (written_down.pack_id, written_down.slot, written_down.policy) == (PACK_ID, 4, "p")


def test_dispatches_that_are_too_large_for_one_message_travel_in_parts_each_with_its_slots() -> None:
    data = {"text": "\x01" * 20_000}  # six bytes each as JSON
    decisions: list[Decision] = [
        a_dispatch(EMAIL, slot=index, request_id=f"request-{index}", data=data) for index in range(100)
    ]
    parts = outbox(a_pack(*map(number, range(100))), decisions, {}).dispatches
    assert all(len(body(part)) <= INPUT_LIMIT for part in parts)
    assert sorted(one.slot for part in parts for one in part.dispatches) == list(range(100))
    assert {(part.pack_id, part.channel) for part in parts} == {(PACK_ID, EMAIL)}
