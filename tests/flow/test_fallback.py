"""Fallbacks when nobody reacts: the real functions, raced against their timers by the millisecond."""

from __future__ import annotations

import json
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from audience import NOON, Clock, a_person, ring, submitted
from aws.crashes import Boundary, Edge, Lambda
from aws.flow_system import System, bodies
from builders import CHANNELS, EMAIL, PUSH, SMS
from heliograph.model.channels import Channel
from heliograph.model.dispatches import DispatchPack, Rendered, Sender
from heliograph.model.engagement import EngagementEvent, EngagementKind, Events
from heliograph.model.outcomes import Failed, FailureCode, InDoubt, NotSent, Outcome
from heliograph.model.requests import Lane, RequestPack, SendRequest
from heliograph.reporting import work as reports
from heliograph.reporting.explaining import decided
from heliograph.reporting.figures import RunFigures
from heliograph.runtime import wiring
from heliograph.text import ids
from heliograph_cli.commands.reconcile import compared as compare
from heliograph_cli.stack import Stack

PARCEL = {
    "order_id": "A-1",
    "carrier": "DHL",
    "time_window": "2 to 4 pm",
    "tracking_url": "https://example.com/t",
}
UNTIL_SMS = timedelta(hours=2)
"""`delivery_today`: push; not opened in two hours, SMS; not delivered in ten minutes, email."""
UNTIL_EMAIL = timedelta(minutes=10)
MILLISECOND = timedelta(milliseconds=1)


class Parcel:
    """A `delivery_today` to one person, the time, and what happens to it."""

    def __init__(self, system: System, monkeypatch: pytest.MonkeyPatch) -> None:
        self.system = system
        self.clock = Clock(monkeypatch)
        self.person = f"parcel-{uuid.uuid4().hex[:12]}"
        self._edge = Edge(monkeypatch)
        self._patch = monkeypatch

    def start(self, *channels: Channel) -> None:
        """To somebody who has an address on these channels (all, if none are named)."""
        everywhere: dict[Channel, dict[str, Any]] = {
            PUSH: {"devices": (f"gcm:{self.person}",)},
            SMS: {"phone": "+4915198765000"},
            EMAIL: {"email": f"{self.person}@example.com"},
        }
        reached: dict[str, Any] = {}
        for channel in channels or everywhere:
            reached |= everywhere[channel]
        wiring.recipients().save_many([a_person(self.person, **reached)])
        request = SendRequest(
            request_id=ids.derived_id(NOON, self.person),
            message="delivery_today",
            recipient_id=self.person,
            requested_at=self.clock.time,
            data=PARCEL,
        )
        self.plan(
            [RequestPack(pack_id=ids.derived_id(NOON, "pack", self.person), lane=Lane.PRIORITY, requests=(request,))]
        )

    def plan(self, packs: Sequence[RequestPack]) -> None:
        """Let plan decide."""
        self._run("plan", bodies(list(packs)))

    def outbox(self, channel: Channel) -> list[DispatchPack]:
        """Take what waits for a channel."""
        taken: list[DispatchPack] = []
        queue = f"outbox-{channel}-priority"
        for message in self.system.messages(queue):
            taken.append(msgspec.json.decode(message["Body"], type=DispatchPack))
            url = self.system.queue_url(queue)
            self.system.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return taken

    def deliver(self, packs: Sequence[DispatchPack], *, answer: type[Outcome] | None = None, why: str = "") -> None:
        """Let deliver send, or let the provider answer something else."""
        with self._patch.context() as patch:
            if answer:
                patch.setattr(wiring, "sender", lambda channel: answering(answer, why))
            self._run("deliver", bodies(list(packs)))

    def send(self, channel: Channel, **answer: Any) -> list[DispatchPack]:
        """Deliver what waits for a channel."""
        packs = self.outbox(channel)
        self.deliver(packs, **answer)
        return packs

    def timers(self) -> list[tuple[RequestPack, datetime]]:
        """Take the timers from the scheduler: what they will bring, and when."""
        scheduler = self.system.cloud.client("scheduler")
        found = []
        for summary in scheduler.list_schedules(GroupName=self.system.name)["Schedules"]:
            named = {"GroupName": self.system.name, "Name": summary["Name"]}
            schedule = scheduler.get_schedule(**named)
            at = datetime.fromisoformat(schedule["ScheduleExpression"][3:-1]).replace(tzinfo=NOON.tzinfo)
            found.append((msgspec.json.decode(schedule["Target"]["Input"], type=RequestPack), at))
            scheduler.delete_schedule(**named)
        return found

    def ring(self, *, early: timedelta = timedelta()) -> tuple[RequestPack, datetime]:
        """Let the one timer that there is fire at its time."""
        ((pack, at),) = self.timers()
        self.clock.time = max(self.clock.time, at - early)
        self.plan([pack])
        return pack, at

    def follow(self) -> None:
        """Let plan decide on what deliver had planned at once."""
        self.system.work("requests-priority")

    def hear(self, kind: str, pack: DispatchPack) -> None:
        """Let the provider report on a dispatch, now."""
        (dispatch,) = pack.dispatches
        event = EngagementEvent(
            event_id=f"{kind}-{dispatch.dispatch_id}",
            dispatch_id=dispatch.dispatch_id,
            recipient_id=self.person,
            channel=pack.channel,
            kind=EngagementKind(kind),
            occurred_at=self.clock.time,
            outcome_key=ids.outcome_key(pack.pack_id, dispatch.slot),
            message=dispatch.request.message,
        )
        self._run("record", bodies([Events(events=(event,))]))

    def sent(self) -> list[str]:
        """The channels on which the providers took something, the first one first."""
        addresses = {self.person, f"{self.person}@example.com"}
        log = self.system.cloud.outbox(limit=500)
        return [
            message["channel"]
            for message in reversed(log)
            if message["tags"].get("recipient_id") == self.person or addresses & set(message["to"])
        ]

    def reasons(self) -> list[str]:
        """Why the decisions on this person were no, the latest first."""
        return [entry["reason"] for entry in reports.timeline(self.person)["entries"]]

    def why(self, at: datetime | None = None) -> list[str]:
        """What people who ask why read."""
        return decided(reports.plain(reports.why(self.person, at=at)))

    def _run(self, verb: str, work: list[str]) -> None:
        with self._edge.watch():  # here nobody waits for delayed messages
            assert self.system.run(verb, work) == {"batchItemFailures": []}


def answering(kind: type[Outcome], why: str) -> Sender:
    """A provider that never takes anything."""

    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        for rendered in batch:
            named: dict[str, Any] = {"code": FailureCode(why)} if kind is Failed else {"cause": why}
            yield (kind(dispatch_id=rendered.dispatch.dispatch_id, **named),)

    return send


@pytest.fixture
def parcel(system: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[Parcel]:
    """A parcel that has not been announced yet."""
    made = Parcel(system, monkeypatch)
    yield made
    for channel in CHANNELS:
        made.outbox(channel)
    system.sqs.purge_queue(QueueUrl=system.queue_url("engagement"))


# ---- one channel after the other -------------------------------------------------------------------------------


def test_nobody_reacts_and_one_channel_follows_the_other(parcel: Parcel) -> None:
    parcel.start()
    parcel.send(PUSH)
    assert parcel.ring()[1] == NOON + UNTIL_SMS
    parcel.send(SMS)
    assert parcel.ring()[1] == NOON + UNTIL_SMS + UNTIL_EMAIL
    parcel.send(EMAIL)
    assert (parcel.sent(), parcel.timers()) == (["push", "sms", "email"], [])


def test_what_was_opened_a_millisecond_before_the_timer_has_no_fallback(parcel: Parcel) -> None:
    parcel.start()
    (push,) = parcel.send(PUSH)
    parcel.clock.time = NOON + UNTIL_SMS - MILLISECOND
    parcel.hear("opened", push)
    parcel.ring()
    assert (parcel.send(SMS), parcel.sent(), parcel.timers()) == ([], ["push"], [])
    assert parcel.reasons()[0] == "confirmed"


def test_what_is_opened_a_millisecond_after_the_timer_has_exactly_one_fallback(parcel: Parcel) -> None:
    parcel.start()
    (push,) = parcel.send(PUSH)
    parcel.ring()
    parcel.send(SMS)
    parcel.clock.advance(MILLISECOND)
    parcel.hear("opened", push)
    parcel.ring()
    assert (parcel.send(EMAIL), parcel.sent(), parcel.timers()) == ([], ["push", "sms"], [])


def test_what_is_opened_between_the_timer_and_the_delivery_has_no_fallback(parcel: Parcel) -> None:
    parcel.start()
    (push,) = parcel.send(PUSH)
    parcel.ring()
    waiting = parcel.outbox(SMS)
    parcel.clock.advance(MILLISECOND)
    parcel.hear("opened", push)
    parcel.deliver(waiting)
    assert (parcel.sent(), parcel.timers(), parcel.reasons()[0]) == (["push"], [], "confirmed")


def test_the_first_channel_confirms_after_the_second_was_sent_and_the_third_is_not(parcel: Parcel) -> None:
    parcel.start()
    (push,) = parcel.send(PUSH)
    parcel.ring()
    parcel.send(SMS)
    ((timer, at),) = parcel.timers()
    parcel.clock.time = at - MILLISECOND
    parcel.hear("opened", push)
    parcel.clock.time = at
    parcel.plan([timer])
    assert (parcel.send(EMAIL), parcel.sent()) == ([], ["push", "sms"])


def test_a_delivered_text_needs_no_mail(parcel: Parcel) -> None:
    parcel.start()
    parcel.send(PUSH)
    parcel.ring()
    (text,) = parcel.send(SMS)
    parcel.hear("delivered", text)
    parcel.ring()
    assert (parcel.send(EMAIL), parcel.sent()) == ([], ["push", "sms"])


# ---- late, early, twice ------------------------------------------------------------------------------------------


def test_a_timer_that_fires_twice_and_a_delivery_that_comes_twice_send_once(parcel: Parcel) -> None:
    parcel.start()
    parcel.send(PUSH)
    timer, _ = parcel.ring()
    parcel.plan([timer, timer])
    waiting = parcel.outbox(SMS)
    assert len(waiting) >= 1
    parcel.deliver([*waiting, *waiting])
    parcel.plan([timer])
    parcel.deliver(parcel.outbox(SMS))
    assert Counter(parcel.sent()) == {"push": 1, "sms": 1}
    assert len(parcel.timers()) == 1


def test_an_open_that_comes_twice_and_before_its_delivery_is_an_open(parcel: Parcel) -> None:
    parcel.start()
    (push,) = parcel.send(PUSH)
    for kind in ("opened", "opened", "delivered", "sent"):
        parcel.hear(kind, push)
    parcel.ring()
    assert (parcel.send(SMS), parcel.sent()) == ([], ["push"])


def test_an_open_of_another_message_to_the_same_person_confirms_nothing(parcel: Parcel) -> None:
    parcel.start()
    (push,) = parcel.send(PUSH)
    parcel.hear("opened", msgspec.structs.replace(push, pack_id=ids.derived_id(NOON, "another")))
    parcel.ring()
    parcel.send(SMS)
    assert parcel.sent() == ["push", "sms"]


def test_a_timer_that_fires_before_the_time_is_over_waits_for_the_rest_of_it(parcel: Parcel) -> None:
    parcel.start()
    parcel.send(PUSH)
    parcel.ring(early=MILLISECOND)
    assert parcel.send(SMS) == []
    assert parcel.reasons()[0] == "awaiting_confirmation"
    assert timedelta() <= parcel.ring()[1] - (NOON + UNTIL_SMS) < timedelta(minutes=1)
    parcel.send(SMS)
    assert parcel.sent() == ["push", "sms"]


# ---- the first channel is in trouble -------------------------------------------------------------------------------


@pytest.mark.parametrize("why", ["rejected", "dead_token"])
def test_what_the_provider_refused_is_followed_at_once_and_its_timer_adds_nothing(parcel: Parcel, why: str) -> None:
    parcel.start()
    parcel.send(PUSH, answer=Failed, why=why)
    parcel.follow()
    parcel.send(SMS)
    assert parcel.sent() == ["sms"]
    ((timer, at),) = [each for each in parcel.timers() if each[0].requests[0].fallbacks == 1]
    parcel.clock.time = at
    parcel.plan([timer])
    parcel.send(SMS)
    assert parcel.sent() == ["sms"]


def test_a_refused_try_that_comes_again_has_one_fallback(parcel: Parcel) -> None:
    parcel.start()
    packs = parcel.send(PUSH, answer=Failed, why="rejected")
    parcel.follow()
    waiting = parcel.outbox(SMS)
    parcel.deliver(packs)
    parcel.follow()
    parcel.deliver([*waiting, *parcel.outbox(SMS)])
    assert parcel.sent() == ["sms"]


def test_a_refused_channel_after_a_refused_one_is_followed_by_the_last(parcel: Parcel) -> None:
    parcel.start()
    parcel.send(PUSH, answer=Failed, why="dead_token")
    parcel.follow()
    parcel.send(SMS, answer=Failed, why="invalid_address")
    parcel.follow()
    parcel.send(EMAIL)
    assert parcel.sent() == ["email"]


def test_what_bounced_is_followed_at_its_timer(parcel: Parcel) -> None:
    parcel.start()
    (push,) = parcel.send(PUSH)
    parcel.hear("bounced", push)
    parcel.ring()
    parcel.send(SMS)
    assert parcel.sent() == ["push", "sms"]


def test_what_was_skipped_at_the_last_look_is_followed_at_once(parcel: Parcel) -> None:
    parcel.start()
    waiting = parcel.outbox(PUSH)
    parcel.system.cloud.client("dynamodb").update_item(
        TableName=parcel.system.recipients_table,
        Key={"recipient_id": {"S": parcel.person}},
        UpdateExpression="REMOVE devices",
    )
    parcel.deliver(waiting)
    assert parcel.timers() == []
    parcel.follow()
    parcel.send(SMS)
    assert (parcel.sent(), parcel.reasons()[-1]) == (["sms"], "no_address")


def test_who_has_no_address_on_the_first_channel_gets_the_next_at_once_with_a_timer_of_its_own(parcel: Parcel) -> None:
    parcel.start(SMS, EMAIL)
    parcel.send(SMS)
    assert parcel.ring()[1] == NOON + UNTIL_EMAIL
    parcel.send(EMAIL)
    assert parcel.sent() == ["sms", "email"]


def test_who_has_no_address_on_the_next_channel_gets_the_one_after_it(parcel: Parcel) -> None:
    parcel.start(PUSH, EMAIL)
    parcel.send(PUSH)
    parcel.ring()
    parcel.send(EMAIL)
    assert (parcel.sent(), parcel.timers()) == (["push", "email"], [])


def test_what_still_waits_in_its_outbox_is_awaited_and_then_in_time(parcel: Parcel) -> None:
    parcel.start()
    parcel.send(PUSH, answer=NotSent, why="TooManyRequestsException")
    parcel.ring()
    assert (parcel.send(SMS), parcel.reasons()[0]) == ([], "awaiting_confirmation")
    (push,) = parcel.send(PUSH)
    parcel.hear("opened", push)
    parcel.ring()
    assert (parcel.send(SMS), parcel.sent(), parcel.timers()) == ([], ["push"], [])


def test_nobody_gets_a_fallback_before_the_first_was_handed_over(parcel: Parcel) -> None:
    parcel.start()
    assert parcel.timers() == []
    parcel.clock.advance(UNTIL_SMS * 3)
    parcel.send(PUSH)
    assert parcel.ring()[1] == NOON + UNTIL_SMS * 4


def test_what_is_in_doubt_is_awaited_until_it_is_settled(parcel: Parcel) -> None:
    parcel.start()
    packs = parcel.send(PUSH, answer=InDoubt, why="ReadTimeoutError")
    parcel.ring()
    assert (parcel.send(SMS), parcel.reasons()[0]) == ([], "awaiting_confirmation")
    assert parcel.system.run("settle", bodies(list(packs))) == {"batchItemFailures": []}
    parcel.send(PUSH)
    parcel.ring()
    parcel.send(SMS)
    assert parcel.sent() == ["push", "sms"]


def test_consent_that_is_withdrawn_after_the_timer_stops_the_fallback(parcel: Parcel) -> None:
    parcel.start()
    parcel.send(PUSH)
    parcel.ring()
    waiting = parcel.outbox(SMS)
    parcel.system.publish("RecipientUpdated", {"recipient_id": parcel.person, "consents": {"orders/sms": "opted_out"}})
    parcel.system.work("events")
    parcel.deliver(waiting)
    assert (parcel.sent(), parcel.reasons()[0]) == (["push"], "not_consented")


# ---- why -----------------------------------------------------------------------------------------------------------


def test_why_tells_what_comes_next_and_why_it_came(parcel: Parcel) -> None:
    parcel.start()
    parcel.send(PUSH)
    assert (
        "If it is not opened until 2027-03-03 at 15:00 (Europe/Berlin; 2027-03-03 14:00 UTC), sms is next."
        in parcel.why()
    )
    parcel.ring()
    parcel.send(SMS, answer=Failed, why="invalid_address")
    first, last = parcel.why(at=NOON), parcel.why()
    assert any(line.startswith("The next step, sms, was decided on ") for line in first)
    assert "It came after push, which was not opened within 2 hours." in last
    assert "Next is email, at once." in last
    parcel.follow()
    parcel.send(EMAIL)
    assert "It came after sms, which was refused for good: the address that was given cannot be read." in parcel.why()


def test_why_tells_that_nothing_more_is_needed(parcel: Parcel) -> None:
    parcel.start()
    (push,) = parcel.send(PUSH)
    parcel.hear("opened", push)
    assert "No other channel is needed: push opened." in parcel.why()


# ---- killed ------------------------------------------------------------------------------------------------------

QUEUES = ("requests-priority", "outbox-push-priority", "settle", "outbox-sms-priority", "outbox-email-priority")


def to_the_end(parcel: Parcel, machine: Lambda) -> None:
    """Work everything off and let every timer fire, until there is none left."""
    machine.work(*QUEUES)
    for _ in range(20):
        if not (timers := parcel.timers()):
            return
        parcel.clock.time = max([parcel.clock.time, *(at for _, at in timers)])
        for body in bodies([pack for pack, _ in timers]):
            url = parcel.system.queue_url("requests-priority")
            parcel.system.sqs.send_message(QueueUrl=url, MessageBody=body)
        machine.work(*QUEUES)
    raise AssertionError("the timers never came to an end")


def wherever_killed(
    system: System, monkeypatch: pytest.MonkeyPatch, queue: str
) -> Iterator[tuple[Parcel, Lambda, Boundary | None]]:
    """A parcel for every place at which the function of a queue may be killed; the first one's is not."""
    machine, number = Lambda(system, Edge(monkeypatch)), 0
    boundaries: list[Boundary | None] = [None]
    while number < len(boundaries):
        parcel = Parcel(system, monkeypatch)
        parcel.start()
        machine.tried.clear()
        machine.ends[queue].append(boundaries[number])
        yield parcel, machine, boundaries[number]
        if number == 0:
            normal = next(each.invocation for each in machine.tried if each.queue == queue)
            boundaries += normal.boundaries()
        number += 1
    assert len(boundaries) > 10
    system.sqs.purge_queue(QueueUrl=system.queue_url("engagement"))


@pytest.mark.parametrize("queue", ["outbox-push-priority", "outbox-sms-priority"])
def test_nobody_loses_a_fallback_or_gets_two_wherever_deliver_is_killed(
    system: System, monkeypatch: pytest.MonkeyPatch, queue: str
) -> None:
    for parcel, machine, end in wherever_killed(system, monkeypatch, queue):
        to_the_end(parcel, machine)
        sent = Counter(parcel.sent())
        assert (sent["email"], set(sent)) == (1, {"push", "sms", "email"})
        assert sent.total() <= 3 + (end is not None)  # what was in doubt is sent again, as its rule says


def test_who_has_a_dead_device_gets_one_text_before_any_timer_wherever_deliver_is_killed(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender, refusing = wiring.sender, answering(Failed, "dead_token")
    monkeypatch.setattr(wiring, "sender", lambda channel: refusing if channel == PUSH else sender(channel))
    for parcel, machine, _ in wherever_killed(system, monkeypatch, "outbox-push-priority"):
        machine.work(*QUEUES)
        assert parcel.sent() == ["sms"]
        to_the_end(parcel, machine)
        assert parcel.sent() == ["sms", "email"]


# ---- a run -----------------------------------------------------------------------------------------------------------

MANIFEST = "\n".join(
    ['message = "delivery_today"', "[data]", *(f'{name} = "{value}"' for name, value in PARCEL.items())]
)


class Announcements:
    """A run of `delivery_today` to four people: three have a device, one has nothing."""

    def __init__(self, system: System, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
        self.system = system
        self.stack = stack
        self.clock = Clock(monkeypatch)
        self.name = f"parcels-{uuid.uuid4().hex[:8]}"
        self._edge = Edge(monkeypatch)
        phones = {f"{self.name}-{number}": f"+491519876510{number}" for number in range(3)}
        people = [a_person(each, devices=(f"gcm:{each}",), phone=phone) for each, phone in phones.items()]
        self.people = [*phones, f"{self.name}-nobody"]
        wiring.recipients().save_many([*people, a_person(self.people[-1])])
        self.run_id = submitted(system, self.name, MANIFEST, "\n".join(["recipient_id", *self.people, ""]))

    def work(self, *queues: str) -> None:
        """Work queues off, and look at the sums after each of them."""
        for queue in queues:
            with self._edge.watch():
                self.system.work(queue)
            self.sums()

    def ring(self) -> int:
        """Let everybody's minute come; how many packs that makes."""
        return len(ring(self.system, self.clock))

    def sums(self) -> RunFigures:
        """At any time, the five sums are those of the people."""
        sums = self.system.figures(self.run_id)
        assert (sums.audience, sum(sums.counts.values())) == (4, 4)
        assert min(*sums.counts.values(), sums.pending) >= 0
        return sums

    def check(self) -> RunFigures:
        """When the queues are empty, the ledger agrees with the providers, too."""
        found = compare(self.stack, self.run_id, at=self.clock.time, grace=timedelta(hours=1), progress=lambda _: None)
        assert {kind: count for kind, (count, _) in found.differences.items() if count} == {}
        return self.sums()


@pytest.fixture
def run(system: System, stack: Stack, monkeypatch: pytest.MonkeyPatch) -> Announcements:
    """A run that has been ingested."""
    return Announcements(system, stack, monkeypatch)


def test_a_run_counts_everybody_once_and_tells_apart_what_followed(system: System, run: Announcements) -> None:
    run.work("requests-bulk", "outbox-push-bulk")
    assert run.check().counts == {"accepted": 3, "skipped": 1, "scheduled": 0, "failed": 0, "unknown": 0}
    (opened,) = [one for one in system.cloud.outbox(channel="push") if one["tags"]["recipient_id"] == run.people[0]]
    event = {"detail-type": "PushOpened", "time": run.clock.time.isoformat(), "detail": opened["tags"]}
    assert system.run("record", [json.dumps(event)]) == {"batchItemFailures": []}
    run.clock.advance(UNTIL_SMS + timedelta(minutes=1))
    assert run.ring() == 1
    run.work("requests-bulk", "outbox-sms-bulk")
    sums = run.check()
    assert (sums.state, sums.by_channel, sums.via_fallback) == ("complete", {"push": 3}, {"sms": 2})
    assert sums.counts == {"accepted": 3, "skipped": 1, "scheduled": 0, "failed": 0, "unknown": 0}
    run.clock.advance(UNTIL_EMAIL + timedelta(minutes=2))
    assert run.ring() == 1
    run.work("requests-bulk", "outbox-email-bulk", "engagement")
    assert run.check().via_fallback == {"sms": 2}


def test_a_run_counts_whom_a_channel_refuses_once_and_the_next_follows_at_once(
    run: Announcements, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "sender", lambda channel: answering(Failed, "dead_token"))
        run.work("requests-bulk", "outbox-push-bulk")
    run.work("requests-bulk", "outbox-sms-bulk", "engagement")
    sums = run.check()
    assert (sums.state, sums.by_channel, sums.via_fallback) == ("complete", {}, {"sms": 3})
    assert sums.counts == {"accepted": 0, "skipped": 1, "scheduled": 0, "failed": 3, "unknown": 0}
    run.clock.advance(UNTIL_SMS + timedelta(minutes=1))
    assert run.ring() == 2  # that of the pushes adds nothing, that of the texts brings the next
    run.work("requests-bulk", "outbox-sms-bulk", "outbox-email-bulk", "engagement")
    assert run.check().via_fallback == {"sms": 3}
