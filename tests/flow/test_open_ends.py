"""What has no outcome yet: throttled, halted, in doubt, settled."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from aws.flow_system import System
from builders import EMAIL, PUSH
from heliograph.channels.clocks import RateLimits
from heliograph.model.dispatches import DispatchPack, Rendered
from heliograph.model.outcomes import InDoubt, NotSent, Outcome, RecordKey, SlotFacts
from heliograph.reporting import work
from heliograph.runtime import wiring
from heliograph.runtime.observe import FEW_TRIES
from heliograph.text.ids import outcome_key

ORDER = {"carrier": "DHL", "tracking_url": "https://example.com/t", "lines": [{"name": "Bench", "quantity": 1}]}

CONSENTS = {"consents": {"offers/sms": "opted_in"}, "attributes": {"first_name": "Ana"}, "timezone": "UTC"}


def a_pack(system: System, person: str, message: str = "order_shipped") -> str:
    """The body of the pack that waits in the outbox for one person."""
    known = {"recipient_id": person, "email": f"{person}@example.com", "attributes": {"first_name": "Ana"}}
    system.publish("RecipientUpdated", known | {"consents": {"offers/email": "opted_in"}})
    system.work("events")
    system.publish("SendRequested", {"message": message, "recipient_id": person, "data": ORDER | {"order_id": person}})
    lane = "priority" if message == "order_shipped" else "bulk"
    system.work("events", f"requests-{lane}")
    (pack,) = system.messages(f"outbox-email-{lane}")
    system.sqs.purge_queue(QueueUrl=system.queue_url(f"outbox-email-{lane}"))
    return str(pack["Body"])


def answering(outcome: type[NotSent] | type[InDoubt], cause: str) -> Any:
    def send(batch: Sequence[Rendered]) -> Iterator[tuple[Outcome, ...]]:
        yield tuple(outcome(dispatch_id=rendered.dispatch.dispatch_id, cause=cause) for rendered in batch)

    return lambda channel: send


def deliver(system: System, body: str, monkeypatch: pytest.MonkeyPatch, sender: Any = None) -> dict[str, Any]:
    with monkeypatch.context() as patch:
        if sender:
            patch.setattr(wiring, "sender", sender)
        return system.run("deliver", [body])


def sent(system: System, person: str) -> int:
    return len(system.cloud.outbox(to=f"{person}@example.com"))


def state(person: str) -> str:
    return str(work.timeline(person)["entries"][0]["state"])


def requeue(system: System, queue: str) -> int:
    """How many messages are in a queue, also those that nobody sees yet."""
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesDelayed"]
    answer = system.sqs.get_queue_attributes(QueueUrl=system.queue_url(queue), AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


@pytest.mark.parametrize("cause", ["TooManyRequestsException", "ACCOUNT_THROTTLED", "SendingPausedException"])
def test_a_throttled_or_paused_message_waits_in_its_outbox_and_never_fails(
    system: System, person: str, cause: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = a_pack(system, person)
    assert deliver(system, body, monkeypatch, answering(NotSent, cause)) == {"batchItemFailures": []}
    assert state(person) == "retry"
    assert requeue(system, "outbox-email-priority") == 1
    assert deliver(system, body, monkeypatch) == {"batchItemFailures": []}
    assert (state(person), sent(system, person)) == ("accepted", 1)
    assert deliver(system, body, monkeypatch) == {"batchItemFailures": []}
    assert sent(system, person) == 1
    system.sqs.purge_queue(QueueUrl=system.queue_url("outbox-email-priority"))
    wiring.rate_limits().halt(EMAIL, datetime.now(UTC) - timedelta(seconds=1))


@pytest.mark.parametrize(("tries", "counted"), [(FEW_TRIES, []), (FEW_TRIES + 1, [1])])
def test_a_single_message_that_is_requeued_again_and_again_is_counted_as_failing(
    system: System,
    person: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tries: int,
    counted: list[int],
) -> None:
    """Each time it is a new message, of which SQS tells no age."""
    body = json.dumps(json.loads(a_pack(system, person)) | {"tries": tries})
    capsys.readouterr()
    deliver(system, body, monkeypatch, answering(NotSent, "EndpointConnectionError"))
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines() if line.startswith('{"_aws"')]
    assert [line["retried"] for line in lines if "retried" in line] == counted
    system.sqs.purge_queue(QueueUrl=system.queue_url("outbox-email-priority"))


def test_a_wrong_set_up_is_tried_again_until_it_is_parked(
    system: System, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = a_pack(system, person)
    assert deliver(system, body, monkeypatch, answering(NotSent, "AccessDenied"))["batchItemFailures"]
    assert requeue(system, "outbox-email-priority") == 0


def test_a_transactional_message_in_doubt_is_sent_again_after_the_grace(
    system: System, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = a_pack(system, person)
    deliver(system, body, monkeypatch, answering(InDoubt, "ReadTimeoutError"))
    assert (state(person), sent(system, person)) == ("unknown", 0)
    for _ in range(2):  # the settlement itself may come twice
        assert system.run("settle", [body]) == {"batchItemFailures": []}
    system.work()
    assert (state(person), sent(system, person)) == ("delivered", 1)
    assert "settled" in work.timeline(person)["entries"][0]["events"]


def test_a_message_in_doubt_is_settled_once_and_no_more(
    system: System, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = a_pack(system, person)
    deliver(system, body, monkeypatch, answering(InDoubt, "ReadTimeoutError"))
    system.run("settle", [body])
    deliver(system, body, monkeypatch, answering(InDoubt, "ReadTimeoutError"))
    system.run("settle", [body])
    system.work()
    assert (state(person), sent(system, person)) == ("unknown", 0)


def test_a_promotional_message_in_doubt_is_dropped_after_the_grace(
    system: System, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = a_pack(system, person, "spring_sale")
    deliver(system, body, monkeypatch, answering(InDoubt, "ReadTimeoutError"))
    system.run("settle", [body])
    system.work()
    assert (state(person), sent(system, person)) == ("failed", 0)


def test_an_event_of_the_provider_settles_before_the_rule_does(
    system: System, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = a_pack(system, person)
    deliver(system, body, monkeypatch, answering(InDoubt, "ReadTimeoutError"))
    pack = msgspec.json.decode(body, type=DispatchPack)
    (dispatch,) = pack.dispatches
    tags = {
        "dispatch_id": dispatch.dispatch_id,
        "recipient_id": person,
        "outcome_key": outcome_key(pack.pack_id, dispatch.slot),
        "message": "order_shipped",
    }
    mail = {"messageId": "m", "destination": ["x@example.com"], "tags": {name: [tag] for name, tag in tags.items()}}
    mail["timestamp"] = "2026-11-21T10:00:00.000Z"
    event = {
        "source": "aws.ses",
        "detail-type": "Email Sent",
        "detail": {"eventType": "Send", "mail": mail, "send": {}},
    }
    assert system.run("record", [json.dumps(event)]) == {"batchItemFailures": []}
    system.run("settle", [body])
    system.work()
    assert (state(person), sent(system, person)) == ("accepted", 0)


def test_nobody_sends_on_a_channel_that_is_on_hold(
    system: System, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = a_pack(system, person, "spring_sale")
    wiring.rate_limits().halt(EMAIL, datetime.now(UTC) + timedelta(seconds=60))
    assert deliver(system, body, monkeypatch) == {"batchItemFailures": []}
    assert (sent(system, person), requeue(system, "outbox-email-bulk")) == (0, 1)
    wiring.rate_limits().halt(EMAIL, datetime.now(UTC) - timedelta(seconds=1))
    requeued_until_now = json.dumps(json.loads(body) | {"not_before": datetime.now(UTC).isoformat()})
    deliver(system, requeued_until_now, monkeypatch)
    assert sent(system, person) == 1
    system.sqs.purge_queue(QueueUrl=system.queue_url("outbox-email-bulk"))


def test_the_rate_of_a_channel_is_shared_and_never_exceeded(system: System) -> None:
    limits = RateLimits(system.cloud.client("dynamodb"), system.environment["HELIOGRAPH_RUNS_TABLE"])
    now = datetime(2031, 1, 1, tzinfo=UTC)
    far = timedelta(seconds=900)
    turns = [limits.ask(PUSH, 50, rate=100, patience=2, horizon=far, now=now) for _ in range(8)]
    given = [turn.wait for turn in turns if turn.wait is not None]
    assert given == sorted(given)
    assert len(given) * 50 <= 100 * (max(given) + 1) + 100  # the rate, the last pack's second and the burst
    times = [turn.at for turn in turns if turn.at]
    assert len(given) + len(times) == len(turns)
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(seconds=0.5)}


class OnceFailing:
    """The records, which fail to keep the first answer of a provider."""

    def __init__(self) -> None:
        self._records, self._failed = wiring.records(), False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._records, name)

    def keep(self, record: RecordKey, slots: SlotFacts, at: datetime) -> None:
        """Fail once, when an answer is kept."""
        if not self._failed and any("accepted" in facts for facts in slots.values()):
            self._failed = True
            raise ClientError({"Error": {"Code": "InternalServerError"}}, "UpdateItem")
        self._records.keep(record, slots, at)


def test_who_was_not_handed_over_when_an_answer_could_not_be_kept_is_not_in_doubt(
    system: System, person: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    phones = {f"{person}-{number}": f"+4915223456{number}" for number in (780, 781, 782)}
    for recipient_id, phone in phones.items():
        system.publish("RecipientUpdated", {"recipient_id": recipient_id, "phone": phone} | CONSENTS)
    system.work("events")
    system.upload_campaign(person, 'message = "spring_sale"', "\n".join(["recipient_id", *phones, ""]).encode())
    monkeypatch.setattr(wiring, "now", lambda: datetime(2027, 3, 3, 12, tzinfo=UTC))
    system.work("segments", "requests-bulk")
    (pack,) = system.messages("outbox-sms-bulk")
    failing = OnceFailing()
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "records", lambda: failing)
        assert system.run("deliver", [pack["Body"]])["batchItemFailures"]
    assert system.run("deliver", [pack["Body"]], 2) == {"batchItemFailures": []}
    assert sorted(map(state, phones)) == ["accepted", "accepted", "unknown"]
    assert [len(system.cloud.outbox(to=phone)) for phone in phones.values()] == [1, 1, 1]
    system.sqs.purge_queue(QueueUrl=system.queue_url("outbox-sms-bulk"))
