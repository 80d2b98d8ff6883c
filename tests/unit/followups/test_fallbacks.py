"""Fallbacks: what confirms an earlier one, how long it has, and that never more than one follows."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
import pytest

from builders import EMAIL, NOW, PACK_ID, PUSH, SMS, a_dispatch, a_fallback, a_message, a_rendered, a_request
from heliograph.delivery import slots
from heliograph.followups.fallbacks import LOST_AFTER, achieved, reaches_nobody
from heliograph.model.channels import Channel
from heliograph.model.dispatches import Dispatch, DispatchPack
from heliograph.model.engagement import EngagementKind
from heliograph.model.messages import Message
from heliograph.model.outcomes import Happened
from heliograph.model.policy import Policy
from heliograph.model.requests import EarlierDispatch, Lane, SendRequest
from heliograph.model.traces import Achieved, Confirmation
from heliograph.planning import packing
from heliograph.planning.decisions import decision, inputs_of
from heliograph.planning.ruling import decide
from heliograph.runtime import wiring
from heliograph.text import ids

MILLISECOND = timedelta(milliseconds=1)
WITHIN = timedelta(minutes=10)


def earlier(
    unless: EngagementKind = EngagementKind.OPENED, *, channel: Channel = PUSH, at: datetime = NOW
) -> EarlierDispatch:
    seconds = int(WITHIN.total_seconds())
    return EarlierDispatch(outcome_key=f"{channel}-0", channel=channel, unless=unless, within=seconds, at=at)


def found(dispatch: EarlierDispatch, now: datetime, **facts: datetime | str) -> Achieved:
    """What a dispatch has achieved: facts by the time at which they happened, or with what more they say."""
    known = {
        kind: Happened(value) if isinstance(value, datetime) else Happened(NOW, value) for kind, value in facts.items()
    }
    return achieved([dispatch], {dispatch.outcome_key: known}, now)


# ---- what confirms -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("unless", "kind", "confirms"),
    [
        ("opened", "sent", False),
        ("opened", "delayed", False),
        ("opened", "delivered", False),
        ("opened", "opened", True),
        ("opened", "clicked", True),
        ("opened", "complained", True),
        ("opened", "unsubscribed", True),
        ("opened", "bounced", False),
        ("opened", "undelivered", False),
        ("delivered", "sent", False),
        ("delivered", "delivered", True),
        ("delivered", "opened", True),
        ("delivered", "bounced", False),
        ("delivered", "undelivered", False),
    ],
)
def test_a_channel_has_done_its_work_when_that_happened_which_was_waited_for_or_more(
    unless: str, kind: str, confirms: bool
) -> None:
    confirmed_by, _ = found(earlier(EngagementKind(unless)), NOW + WITHIN, accepted=NOW, **{kind: NOW})
    assert confirmed_by == ((PUSH, kind) if confirms else None)


@pytest.mark.parametrize("came_back", ["bounced", "undelivered"])
def test_what_came_back_after_all_was_not_delivered(came_back: str) -> None:
    dispatch = earlier(EngagementKind.DELIVERED, channel=EMAIL)
    assert found(dispatch, NOW, accepted=NOW, delivered=NOW, **{came_back: NOW}) == Achieved()


def test_any_earlier_channel_may_confirm_however_late() -> None:
    first, second = earlier(), earlier(EngagementKind.DELIVERED, channel=SMS)
    facts = {first.outcome_key: {"opened": Happened(NOW)}, second.outcome_key: {"accepted": Happened(NOW)}}
    assert achieved([first, second], facts, NOW) == Achieved(Confirmation(PUSH, EngagementKind.OPENED))


# ---- how long it has -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "until"), [(NOW + WITHIN - MILLISECOND, NOW + WITHIN), (NOW + WITHIN, None), (NOW + WITHIN + WITHIN, None)]
)
def test_its_time_runs_from_the_receipt_of_the_provider(now: datetime, until: datetime | None) -> None:
    assert found(earlier(at=NOW - WITHIN), now, accepted=NOW) == (None, until)


@pytest.mark.parametrize("kind", ["failed", "skipped"])
def test_what_was_certainly_not_sent_has_no_time_left(kind: str) -> None:
    assert found(earlier(), NOW, **{kind: "why"}) == Achieved()


@pytest.mark.parametrize("kind", ["bounced", "undelivered"])
def test_what_came_back_has_no_time_left(kind: str) -> None:
    assert found(earlier(), NOW, accepted=NOW, **{kind: NOW}) == Achieved()


@pytest.mark.parametrize("known", [{}, {"retry": "throttled"}, {"unknown": "ReadTimeoutError"}])
def test_what_waits_in_its_outbox_or_is_in_doubt_is_given_its_time_anew(known: dict[str, str]) -> None:
    assert found(earlier(), NOW + WITHIN, **known) == (None, NOW + WITHIN + WITHIN)


def test_what_stays_in_doubt_after_its_settlement_has_no_time_left() -> None:
    settled = {"unknown": "ReadTimeoutError", "settled": "resend"}
    assert found(earlier(), NOW, **settled, retry="settled") == (None, NOW + WITHIN)
    assert found(earlier(), NOW, **settled) == Achieved()


def test_what_waits_for_long_is_looked_at_less_and_less_often() -> None:
    now, looks = NOW, 0
    while until := found(earlier(), now, retry="halted")[1]:
        now, looks = until, looks + 1
    assert (now > NOW + LOST_AFTER, looks < 50) == (True, True)


def test_what_was_dropped_in_doubt_and_taken_after_all_has_its_time() -> None:
    dropped: dict[str, datetime | str] = {"unknown": "time-out", "settled": "drop", "failed": "in_doubt"}
    assert found(earlier(), NOW, **dropped) == Achieved()
    assert found(earlier(), NOW, **dropped, sent=NOW) == (None, NOW + WITHIN)


# ---- what is planned at once ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "is_certain"),
    [
        ({"failed": "dead_token"}, True),
        ({"skipped": "no_address"}, True),
        ({"failed": "in_doubt", "unknown": "ReadTimeoutError"}, False),
        ({"skipped": "confirmed"}, False),
        ({"scheduled": "quiet_hours"}, False),
        ({"retry": "throttled"}, False),
        ({"failed": "rejected", "delivered": ""}, False),
        ({}, False),
    ],
)
def test_a_channel_is_followed_at_once_only_when_it_certainly_reaches_nobody(
    facts: dict[str, str], *, is_certain: bool
) -> None:
    assert reaches_nobody({kind: Happened(NOW, detail) for kind, detail in facts.items()}) is is_certain


def test_who_is_followed_at_once_has_the_same_pack_on_every_try_and_in_other_company_another() -> None:
    pack = pack_of(0, 1)
    everybody = [slots.Checked(one, MESSAGE, None, "no_address") for one in pack.dispatches]
    won = {one.dispatch_id for one in pack.dispatches}
    first, second = slots.classified(pack, everybody, {}, {}, won=won, at=NOW)
    (both,) = slots.due_now(pack, [first, second], NOW)
    assert list(slots.due_now(pack, [first, second], NOW)) == [both]
    (one,) = slots.due_now(pack, [second], NOW)
    assert (ids.is_of_fallbacks(one.pack_id), one.requests) == (True, both.requests[1:])
    assert one.pack_id != both.pack_id


def test_what_is_skipped_has_no_timer() -> None:
    pack = pack_of(0, 1)
    checked = [
        slots.Checked(one, MESSAGE, None if reason else a_rendered(PUSH), reason)
        for one, reason in zip(pack.dispatches, ("", "no_address"), strict=True)
    ]
    won = {one.dispatch.dispatch_id for one in checked}
    found = slots.classified(pack, checked, {}, {}, won=won, at=NOW)
    assert [len(requests.requests) for requests, _ in slots.due_later(pack, found, NOW)] == [1]
    assert [slot.reaches_nobody for slot in found] == [False, True]


# ---- what is scheduled ---------------------------------------------------------------------------------------

MESSAGE = a_message(
    "parcel",
    channels=(PUSH,),
    fallback=(
        a_fallback(SMS),
        a_fallback(EMAIL, unless=EngagementKind.DELIVERED, within=600),
    ),
)


def pack_of(*numbers: int, fallbacks: int = 0) -> DispatchPack:
    dispatches = tuple(a_dispatch(PUSH, slot=number, message="parcel", fallbacks=fallbacks) for number in numbers)
    return DispatchPack(pack_id=PACK_ID, channel=PUSH, lane=Lane.BULK, run_id="run-1", dispatches=dispatches)


def scheduled(pack: DispatchPack) -> list[packing.Due]:
    return list(packing.fallbacks(pack, [(one, MESSAGE) for one in pack.dispatches], NOW))


def test_a_pack_has_one_timer_and_its_people_were_counted_before() -> None:
    ((pack, when),) = scheduled(pack_of(*range(100)))
    assert (when, len(pack.requests), pack.run_id) == (NOW + timedelta(hours=2), 100, "run-1")
    assert ids.is_of_fallbacks(pack.pack_id)
    assert {(each.step, each.fallbacks) for each in pack.requests} == {(1, 1)}
    assert pack.requests[7].earlier == (
        EarlierDispatch(outcome_key=f"{PACK_ID}-7", channel=PUSH, unless=EngagementKind.OPENED, within=7200, at=NOW),
    )


def test_a_fallback_waits_for_what_is_told_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """An open within the two hours that a mail has is told 75 seconds after them: nobody gets a second message."""
    monkeypatch.setenv("HELIOGRAPH_ENGAGEMENT", "firehose")
    monkeypatch.setenv("HELIOGRAPH_ENGAGEMENT_SECONDS", "60")
    assert wiring.lag(EMAIL) == 75
    message = a_message("parcel", channels=(EMAIL,), fallback=(a_fallback(SMS),))
    mailed = DispatchPack(
        pack_id=PACK_ID, channel=EMAIL, lane=Lane.BULK, dispatches=(a_dispatch(EMAIL, message="parcel"),)
    )
    claimed = [(one, message) for one in mailed.dispatches]
    ((pack, when),) = packing.fallbacks(mailed, claimed, NOW, wiring.lag(EMAIL))
    (waited_for,) = pack.requests[0].earlier
    limit = NOW + timedelta(hours=2)
    assert when >= limit + timedelta(seconds=75)
    just_before = limit + timedelta(seconds=74)
    assert found(waited_for, just_before, accepted=NOW) == Achieved(awaited_until=limit + timedelta(seconds=75))
    assert found(waited_for, when, accepted=NOW, opened=limit).confirmed_by == Confirmation(
        EMAIL, EngagementKind.OPENED
    )
    assert found(waited_for, when, accepted=NOW) == Achieved()


@pytest.mark.parametrize("channel", [SMS, PUSH])
def test_a_fallback_of_what_is_told_at_once_comes_on_time(channel: Channel) -> None:
    assert wiring.lag(channel) == 0


def test_a_fallback_comes_on_time_where_ses_tells_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELIOGRAPH_ENGAGEMENT", "eventbridge")
    assert wiring.lag(EMAIL) == 0


@pytest.mark.parametrize(("after", "grace"), [("600", 675), ("1", 76), ("900", 900)])
def test_what_is_in_doubt_is_settled_when_its_evidence_can_be_there(
    monkeypatch: pytest.MonkeyPatch, after: str, grace: int
) -> None:
    """The `Send` of a mail comes with its minute; a message waits in SQS for fifteen minutes at most."""
    monkeypatch.setenv("HELIOGRAPH_ENGAGEMENT", "firehose")
    monkeypatch.setenv("HELIOGRAPH_ENGAGEMENT_SECONDS", "60")
    monkeypatch.setenv("HELIOGRAPH_SETTLE_AFTER", after)
    assert wiring.grace(EMAIL) == grace


def test_a_channel_that_came_as_a_fallback_itself_is_followed_by_the_next() -> None:
    ((pack, when),) = scheduled(pack_of(0, fallbacks=1))
    assert (when, pack.requests[0].fallbacks) == (NOW + timedelta(minutes=10), 2)
    assert not scheduled(pack_of(0, fallbacks=2))


def test_the_same_people_have_the_same_timer_and_others_another() -> None:
    assert scheduled(pack_of(0, 1)) == scheduled(pack_of(0, 1))
    assert scheduled(pack_of(0, 1))[0][0].pack_id != scheduled(pack_of(1, 2))[0][0].pack_id


def test_people_who_are_not_known_keep_the_addresses_for_the_next_channel() -> None:
    request = a_request(message="parcel", email="ana@example.com", phone="+12065550100")
    message = msgspec.structs.replace(MESSAGE, channels=(SMS,), fallback=(a_fallback(EMAIL),))
    dispatch = decided(request, message)
    pack = DispatchPack(pack_id=PACK_ID, channel=SMS, lane=Lane.PRIORITY, dispatches=(dispatch,))
    ((later, _),) = packing.fallbacks(pack, [(dispatch, message)], NOW)
    following = decided(later.requests[0], message)
    assert (following.channel, following.addresses) == (EMAIL, ("ana@example.com",))


def decided(request: SendRequest, message: Message) -> Dispatch:
    """The dispatch that follows from a request of somebody who is not known."""
    policy = Policy()
    ruling = decide(inputs_of(request, message, None, policy=policy, now=NOW), message, policy)
    made = decision(request, message, None, ruling, policy=policy, slot=0)
    assert isinstance(made, Dispatch)
    return made
