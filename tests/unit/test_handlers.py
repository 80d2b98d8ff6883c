"""How a function takes the messages of its queue."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError

from heliograph.domain.errors import MalformedError
from heliograph.runtime import deps
from heliograph.runtime.handlers import batch_handler, queue_handler

QUEUE = "arn:aws:sqs:eu-west-1:000000000000:requests-bulk"
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "amara@example.com"}}, "GetItem")


class Work(msgspec.Struct):
    """Some work."""

    name: str


class Edge:
    """What handlers ask of AWS."""

    def __init__(self) -> None:
        self.seen_again: list[str] = []
        self.parked: list[tuple[str, str]] = []

    def see_again(self, queue_arn: str, receipt_handle: str, seconds: int) -> None:
        assert queue_arn == QUEUE
        assert seconds > 0
        self.seen_again.append(receipt_handle)

    def park(self, body: str, *, place: str, reason: str) -> None:
        self.parked.append((body, place))


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Edge:
    """The edge, in memory."""
    edge = Edge()
    monkeypatch.setattr(deps, "see_again", edge.see_again)
    monkeypatch.setattr(deps, "parking", lambda: edge)
    return edge


def an_event(*bodies: str, receives: int = 1) -> dict[str, Any]:
    """A batch of messages, `m0`, `m1` and so on."""
    records = [
        {
            "messageId": f"m{number}",
            "receiptHandle": f"r{number}",
            "body": body,
            "attributes": {"ApproximateReceiveCount": str(receives)},
            "eventSourceARN": QUEUE,
        }
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}


def work(name: str) -> str:
    """The body of a message."""
    return json.dumps({"name": name})


@queue_handler(Work)
def handler(one: Work, receives: int) -> None:
    """Fail as the work is named."""
    match one.name:
        case "throttled":
            raise THROTTLED
        case "malformed":
            raise MalformedError("name", "is malformed")
        case "killed":
            raise KeyboardInterrupt
        case "counted":
            assert receives == 3


def test_a_message_that_fails_comes_again_alone_and_soon(edge: Edge) -> None:
    answer = handler(an_event(work("good"), work("throttled"), work("good")), SimpleNamespace())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert edge.seen_again == ["r1"]


def test_a_batch_in_which_every_message_fails_is_answered_like_any_other(edge: Edge) -> None:
    answer = handler(an_event(work("throttled"), work("throttled")), SimpleNamespace())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}, {"itemIdentifier": "m1"}]}


@pytest.mark.parametrize(("body", "place"), [("{", "body"), ('{"name": 1}', "body"), (work("malformed"), "name")])
def test_a_message_that_cannot_be_read_is_parked_and_never_tried_again(edge: Edge, body: str, place: str) -> None:
    assert handler(an_event(body, work("good")), SimpleNamespace()) == {"batchItemFailures": []}
    assert edge.parked == [(body, place)]
    assert not edge.seen_again


def test_a_message_that_could_not_be_parked_comes_again(edge: Edge, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(body: str, *, place: str, reason: str) -> None:
        raise THROTTLED

    monkeypatch.setattr(edge, "park", refuse)
    assert handler(an_event("{"), SimpleNamespace()) == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


def test_a_function_is_told_how_often_its_message_was_received(edge: Edge) -> None:
    assert handler(an_event(work("counted"), receives=3), SimpleNamespace()) == {"batchItemFailures": []}


def test_the_end_of_the_process_is_no_failure_of_a_message(edge: Edge) -> None:
    with pytest.raises(KeyboardInterrupt):
        handler(an_event(work("killed")), SimpleNamespace())


def test_a_failure_is_logged_with_its_code_and_place_and_never_with_its_text(
    edge: Edge, capsys: pytest.CaptureFixture[str]
) -> None:
    handler(an_event(work("throttled")), SimpleNamespace())
    line = capsys.readouterr().out
    said = json.loads(line) if line else {}
    assert "amara@example.com" not in line
    if said:
        assert (said["error"], said["code"], said["operation"]) == ("ClientError", "ThrottlingException", "GetItem")


def test_a_whole_batch_that_fails_comes_again_soon(edge: Edge) -> None:
    @batch_handler
    def whole(bodies: list[str]) -> None:
        raise THROTTLED

    with pytest.raises(ClientError):
        whole(an_event("a", "b"), SimpleNamespace())
    assert sorted(edge.seen_again) == ["r0", "r1"]
