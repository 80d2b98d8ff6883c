"""Schedules on the local cloud: one for a single message and a time, whatever earlier tries have left behind."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from aws.local_cloud import LocalCloud
from builders import NOW, a_request
from heliograph.aws.timers import Timers
from heliograph.model.requests import Lane, RequestPack
from heliograph.planning.packing import Due
from heliograph.runtime import wiring
from heliograph.scheduling.work import plan_later
from heliograph.text import ids

TODAY = NOW + timedelta(days=365)
"""No time at which the scheduler of the local cloud would fire while a test looks at it."""
LATER = TODAY + timedelta(hours=9)
QUEUES = "arn:aws:sqs:eu-west-1:000000000000:"
DEAD_LETTERS = f"{QUEUES}schedules-dead-letters"
ROLE = "arn:aws:iam::000000000000:role/scheduler"


class Group:
    """A schedule group of its own."""

    def __init__(self, cloud: LocalCloud) -> None:
        self.client = cloud.client("scheduler")
        self.name = f"group-{uuid.uuid4().hex}"
        self.client.create_schedule_group(Name=self.name)
        self.timers = Timers(
            self.client,
            group=self.name,
            role=ROLE,
            queue_arn=lambda name: f"{QUEUES}{name}",
            dead_letters="schedules-dead-letters",
            now=lambda: TODAY,
        )

    def found(self) -> dict[str, Any]:
        """The one schedule that there is."""
        (summary,) = self.client.list_schedules(GroupName=self.name)["Schedules"]
        return dict(self.client.get_schedule(GroupName=self.name, Name=summary["Name"]))

    def all(self) -> list[RequestPack]:
        """The packs of all schedules."""
        names = [each["Name"] for each in self.client.list_schedules(GroupName=self.name)["Schedules"]]
        inputs = [self.client.get_schedule(GroupName=self.name, Name=name)["Target"]["Input"] for name in names]
        return [msgspec.json.decode(each, type=RequestPack) for each in inputs]

    def people(self) -> list[str]:
        """Who is in it, in their order."""
        pack = msgspec.json.decode(self.found()["Target"]["Input"], type=RequestPack)
        return [request.recipient_id for request in pack.requests]


@pytest.fixture
def group(local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch) -> Group:
    """An empty group."""
    made = Group(local_cloud)
    monkeypatch.setattr(wiring, "timers", lambda: made.timers)
    return made


def a_pack(*people: str) -> RequestPack:
    requests = tuple(a_request(each, request_id=ids.derived_id(NOW, each)) for each in people)
    return RequestPack(pack_id="pack-1", lane=Lane.PRIORITY, requests=requests)


def test_what_the_scheduler_cannot_bring_is_kept_in_dead_letters(group: Group) -> None:
    plan_later([Due(a_pack("ana"), LATER)])
    assert group.found()["Target"]["DeadLetterConfig"] == {"Arn": DEAD_LETTERS}


def test_a_pack_waits_in_one_schedule_that_ends_with_it(group: Group) -> None:
    for _ in range(2):
        plan_later([Due(a_pack("ana", "ben"), LATER)])
    found = group.found()
    assert (group.people(), found["ActionAfterCompletion"]) == (["ana", "ben"], "DELETE")
    assert found["ScheduleExpression"] == f"at({LATER:%Y-%m-%dT%H:%M:%S})"
    assert (found["Target"]["Arn"], found["Target"]["RoleArn"]) == (f"{QUEUES}requests-priority", ROLE)


def test_who_comes_in_other_company_waits_in_another_schedule_with_slots_of_its_own(group: Group) -> None:
    for people in (["ana", "cleo"], ["ana", "ben", "cleo"], ["ana", "cleo"]):
        plan_later([Due(a_pack(*people), LATER)])
    found = {pack.pack_id: [request.recipient_id for request in pack.requests] for pack in group.all()}
    assert sorted(found.values()) == [["ana", "ben", "cleo"], ["ana", "cleo"]]


@pytest.mark.parametrize("until", [TODAY - timedelta(hours=1), TODAY, TODAY + timedelta(seconds=59)])
def test_what_is_due_already_is_due_in_a_minute(group: Group, until: datetime) -> None:
    plan_later([Due(a_pack("ana"), until)])
    assert group.found()["ScheduleExpression"] == f"at({TODAY + timedelta(minutes=1):%Y-%m-%dT%H:%M:%S})"


def test_what_is_too_large_for_one_schedule_takes_several_and_loses_nobody(group: Group) -> None:
    large = {"text": "ä" * 45_000}
    some = [a_request(each, request_id=ids.derived_id(NOW, each), data=large) for each in ("ana", "ben", "cleo")]
    pack = RequestPack(pack_id="pack-1", lane=Lane.PRIORITY, requests=tuple(some))
    for _ in range(2):
        plan_later([Due(pack, LATER)])
    waiting = group.all()
    assert sorted(len(pack.requests) for pack in waiting) == [1, 2]
    assert {request.recipient_id for pack in waiting for request in pack.requests} == {"ana", "ben", "cleo"}
