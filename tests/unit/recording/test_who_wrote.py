"""A person who writes to us is told of in the log of `record`, without what they wrote, and holds up nothing else."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from aws.engagement_table import installed
from aws.invocations import record
from builders import SMS, a_message, a_rendered
from functions.record.app import handler

WRITTEN = {
    "originationNumber": "+14255550100",
    "destinationNumber": "+12065550100",
    "messageBody": "Where is my parcel",
    "inboundMessageId": "in-1",
    "previousPublishedMessageId": "sms-1",
}
DELIVERED = {
    "eventType": "TEXT_DELIVERED",
    "eventTimestamp": 1_795_255_500_000,
    "messageId": "sms-1",
    "context": a_rendered(SMS).tags(),
}


@pytest.mark.parametrize("wrapped", [WRITTEN, {"Type": "Notification", "Message": json.dumps(WRITTEN)}])
def test_that_somebody_wrote_is_told_and_nothing_that_came_from_outside(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, wrapped: dict[str, Any]
) -> None:
    table = installed(monkeypatch, a_message("order-shipped"))
    bodies = [json.dumps(each) for each in (DELIVERED, wrapped)]
    answer = handler({"Records": [record(text, str(n)) for n, text in enumerate(bodies)]}, SimpleNamespace())
    assert answer == {"batchItemFailures": []}
    (said,) = [vars(line) for line in caplog.records if line.message == "A person wrote"]
    assert (said["channel"], said["is_answer"]) == (SMS, True)
    assert not [secret for secret in ("4255550100", "2065550100", "parcel", "in-1", "sms-1") if secret in str(said)]
    assert [event.kind for event in table.lake] == ["delivered"]
    assert not table.parked


def test_what_cannot_be_read_is_parked_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    table = installed(monkeypatch, a_message("order-shipped"))
    bodies = [json.dumps(each) for each in (WRITTEN | {"inboundMessageId": ""}, DELIVERED)]
    answer = handler({"Records": [record(text, str(n)) for n, text in enumerate(bodies)]}, SimpleNamespace())
    assert answer == {"batchItemFailures": []}
    assert [position for position, _ in table.parked] == ["two-way SMS"]
    assert [event.kind for event in table.lake] == ["delivered"]


def test_what_nobody_could_answer_is_passed_over_and_raises_no_alarm(monkeypatch: pytest.MonkeyPatch) -> None:
    table = installed(monkeypatch, a_message("order-shipped"))
    bodies = [json.dumps(each) for each in (WRITTEN | {"originationNumber": "28444"}, DELIVERED)]
    answer = handler({"Records": [record(text, str(n)) for n, text in enumerate(bodies)]}, SimpleNamespace())
    assert answer == {"batchItemFailures": []}
    assert not table.parked
    assert [event.kind for event in table.lake] == ["delivered"]
