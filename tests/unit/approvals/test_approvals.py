"""More people than a trigger expects: what waits for approval, what an approval sends, and what a drop writes down."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW, a_message, a_request
from heliograph.approvals import approval
from heliograph.approvals.approval import Approval, ApprovalKey, Exceeded, Limit, block, key_at
from heliograph.aws.errors import BusyError, QueueError
from heliograph.ingesting import requests
from heliograph.ingesting.requests import Requested
from heliograph.model.decisions import Verdict
from heliograph.model.messages import Trigger
from heliograph.model.policy import Purpose
from heliograph.model.reasons import Reason
from heliograph.model.requests import Lane, SendRequest
from heliograph_cli.commands.approvals import repeatable
from heliograph_cli.failures import Trouble
from wiring import everywhere

LATER = NOW + timedelta(hours=3)
DATA = {"sku": "K-1"}


def a_trigger(*, most_per_event: int = 1, most_per_hour: int | None = None) -> Trigger:
    return Trigger(
        source="shop",
        detail_type="Recalled",
        recipient_id="detail.customers",
        most_per_event=most_per_event,
        most_per_hour=most_per_hour,
    )


def some_requests(number: int) -> tuple[SendRequest, ...]:
    return tuple(a_request(f"p-{each}", request_id=f"R-{each}", data=DATA) for each in range(number))


def waiting(number: int = 3, *, lives: timedelta | None = None) -> Approval:
    some = [msgspec.structs.replace(each, not_after=lives and NOW + lives) for each in some_requests(number)]
    asked = Requested(tuple(some), a_message(purpose=Purpose.PROMOTIONAL))
    return approval.approval_of(asked, some, Exceeded(Limit.MOST_PER_EVENT, 1), NOW)


@dataclass
class Quota:
    """What is left of an hour."""

    left: int
    asked: int = 0

    def of(self, people: int) -> bool:
        self.asked += 1
        return people <= self.left


@pytest.mark.parametrize(
    ("most_per_event", "most_per_hour", "people", "left", "exceeded"),
    [
        (1, None, 1, 0, None),
        (1, None, 2, 0, Limit.MOST_PER_EVENT),
        (50, None, 50, 0, None),
        (50, None, 51, 0, Limit.MOST_PER_EVENT),
        (1, 100, 1, 1, None),
        (1, 100, 1, 0, Limit.MOST_PER_HOUR),
        (50, 100, 20, 20, None),
        (50, 100, 20, 19, Limit.MOST_PER_HOUR),
        (50, 100, 51, 100, Limit.MOST_PER_EVENT),
    ],
)
def test_an_event_waits_when_it_or_its_hour_names_more_people_than_expected(
    most_per_event: int, most_per_hour: int | None, people: int, left: int, exceeded: Limit | None
) -> None:
    trigger = a_trigger(most_per_event=most_per_event, most_per_hour=most_per_hour)
    found = approval.exceeded(trigger, people, granted=lambda _: Quota(left).of(people))
    assert (found.limit if found else None) == exceeded


@pytest.mark.parametrize("trigger", [None, a_trigger(), a_trigger(most_per_event=0, most_per_hour=100)])
def test_an_hour_without_a_limit_and_an_event_that_waits_anyway_use_up_no_quota(trigger: Trigger | None) -> None:
    quota = Quota(left=100)
    approval.exceeded(trigger, 1, granted=quota.of)
    assert quota.asked == 0


@pytest.mark.parametrize(
    ("people", "left", "reserved"),
    [(1, 2_000, 100), (1, 19, 1), (1, 1, 1), (1, 0, None), (150, 2_000, 150), (5, 4, None), (1, -3, None)],
)
def test_a_process_reserves_a_twentieth_of_what_is_left(people: int, left: int, reserved: int | None) -> None:
    assert block(people, left) == reserved


@given(st.integers(1, 10_000), st.integers(-10, 10_000))
def test_never_more_is_reserved_than_is_left_nor_less_than_is_needed(people: int, left: int) -> None:
    reserved = block(people, left)
    assert (people > left) if reserved is None else (people <= reserved <= left)


def test_the_same_event_always_waits_under_the_same_key() -> None:
    later = msgspec.structs.replace(waiting(), since=LATER)
    assert approval.key_of(waiting()) == approval.key_of(later)
    assert approval.key_of(waiting(3)) != approval.key_of(waiting(4))


def test_what_waits_says_why_since_when_and_its_data_only_once() -> None:
    kept = msgspec.json.encode(waiting(50))
    assert kept.count(b"K-1") == 1
    read = msgspec.json.decode(kept, type=Approval)
    assert (read.limit, read.most, read.since, read.pack.lane) == (Limit.MOST_PER_EVENT, 1, NOW, Lane.BULK)


@given(st.integers(1, 250))
def test_an_approval_sends_exactly_what_was_asked_for(number: int) -> None:
    packs = approval.packs(msgspec.json.decode(msgspec.json.encode(waiting(number)), type=Approval), LATER)
    assert packs == requests.packs(some_requests(number), Lane.BULK)
    assert [request for pack in packs for request in pack.requests] == list(some_requests(number))


@given(st.integers(1, 250))
def test_a_drop_says_no_to_everybody_once_where_an_approval_would_have_led(number: int) -> None:
    entries = list(approval.drops(waiting(number), LATER))
    places = [
        (pack.pack_id, slot) for pack in approval.packs(waiting(number), LATER) for slot in range(len(pack.requests))
    ]
    assert [(entry.pack_id, entry.slot) for entry in entries] == places
    assert [entry.dispatch_id for entry in entries] == [f"R-{each}-0" for each in range(number)]
    assert {(entry.outcome, entry.reason) for entry in entries} == {(Verdict.SKIPPED, Reason.DROPPED)}
    assert {(entry.message, entry.version, entry.decided_at) for entry in entries} == {("order-shipped", "v1", LATER)}


def test_the_key_of_what_waits_names_its_message_and_its_pack() -> None:
    key = ApprovalKey("order_shipped", "01KAJ8ZQG0PACK00000000000P")
    assert key.path == "approvals/order_shipped/01KAJ8ZQG0PACK00000000000P.json"
    assert key_at(key.path) == key


@pytest.mark.parametrize(
    ("lives", "days"),
    [(None, 14), (timedelta(days=30), 14), (timedelta(days=13), 7), (timedelta(days=7), 7), (timedelta(hours=36), 1)],
)
def test_what_waits_is_kept_no_longer_than_its_message_lives(lives: timedelta | None, days: int) -> None:
    key = approval.key_of(waiting(lives=lives))
    assert key.days == days
    assert key_at(key.path) == key


def test_a_secret_that_lives_for_minutes_is_kept_for_a_day_which_is_the_least_that_s3_knows() -> None:
    assert approval.key_of(waiting(lives=timedelta(minutes=15))).path.startswith("approvals-1d/")


def test_s3_deletes_what_waits_as_its_folder_says() -> None:
    (bucket,) = everywhere("AWS::S3::Bucket").values()
    rules = bucket["LifecycleConfiguration"]["Rules"]
    assert {
        rule["Prefix"]: rule["ExpirationInDays"]
        for rule in rules
        if rule["Id"].startswith("approvals") and "ExpirationInDays" in rule
    } == {f"{folder}/": days for days, folder in approval.FOLDERS.items()}


def test_of_what_has_expired_only_that_is_approved_and_nothing_that_was_to_be_said() -> None:
    late_one = waiting(lives=timedelta(minutes=15))
    (alive,), (late,) = approval.packs(late_one, NOW), approval.packs(late_one, LATER)
    assert [request.data for request in alive.requests] == [DATA] * 3
    assert [request.data for request in late.requests] == [{}] * 3
    assert [request.not_after for request in late.requests] == [NOW + timedelta(minutes=15)] * 3


@pytest.mark.parametrize(
    "key",
    [
        "approvals-2d/a/b.json",
        "approvals/",
        "approvals/order_shipped/",
        "approvals/x.json",
        "approvals/a/b/c.json",
        "approvals/a/b.txt",
        "a",
    ],
)
def test_what_else_lies_in_the_folder_is_not_ours(key: str) -> None:
    assert key_at(key) is None


@pytest.mark.parametrize("error", [BusyError("2 of them were refused"), QueueError("2 of them were refused")])
def test_what_aws_did_not_take_can_be_done_again_and_the_operator_is_told(error: Exception) -> None:
    with pytest.raises(Trouble, match=r"2 of them were refused\. Run the command again"), repeatable():
        raise error
