"""How a function takes the messages of its queue."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from botocore.exceptions import ClientError, ReadTimeoutError

from aws.invocations import SENT_MS
from builders import NOW
from heliograph.aws import errors
from heliograph.aws.errors import BusyError
from heliograph.runtime import wiring
from heliograph.runtime.handlers import Batch, Handler, batch_handler, counting_handler
from heliograph.runtime.observe import FEW_TRIES
from heliograph.text.errors import Code, MalformedError

QUEUE = "arn:aws:sqs:eu-west-1:000000000000:requests-bulk"
THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "amara@example.com"}}, "GetItem")
LOST = ReadTimeoutError(endpoint_url="https://dynamodb.test")


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

    def park(self, body: str, error: MalformedError) -> None:
        self.parked.append((body, error.position))


@pytest.fixture
def edge(monkeypatch: pytest.MonkeyPatch) -> Edge:
    """The edge, in memory."""
    edge = Edge()
    monkeypatch.setattr(wiring, "see_again", edge.see_again)
    monkeypatch.setattr(wiring, "parking", lambda: edge)
    return edge


def an_event(*bodies: str, receives: int = 1) -> dict[str, Any]:
    """A batch of messages, `m0`, `m1` and so on."""
    records = [
        {
            "messageId": f"m{number}",
            "receiptHandle": f"r{number}",
            "body": body,
            "attributes": {"ApproximateReceiveCount": str(receives), "SentTimestamp": str(SENT_MS)},
            "eventSourceARN": QUEUE,
        }
        for number, body in enumerate(bodies)
    ]
    return {"Records": records}


def work(name: str) -> str:
    """The body of a message."""
    return json.dumps({"name": name})


@counting_handler(Work)
def handler(one: Work, receives: int) -> None:
    """Fail as the work is named."""
    match one.name:
        case "throttled":
            raise THROTTLED
        case "lost":
            raise LOST
        case "malformed":
            raise MalformedError(Code.UNREADABLE, "name", "is malformed")
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


@pytest.mark.parametrize(
    ("body", "place"),
    [("{", "body"), ('{"name": 1}', "body"), ("[" * 5_000, "body"), (work("malformed"), "name")],
)
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


@pytest.mark.parametrize(("receives", "counted"), [(FEW_TRIES, []), (FEW_TRIES + 1, [2])])
def test_messages_that_have_failed_for_minutes_are_counted(
    edge: Edge,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    receives: int,
    counted: list[int],
) -> None:
    """Alone or as a batch; what goes through at last is not."""
    monkeypatch.setenv("HELIOGRAPH_STACK", "shop")
    for handle, bodies in (
        (handler, [work("throttled"), work("good"), work("lost")]),
        (batch_of(Table(BAD_ITEM)), ["bad", "good", "bad"]),
    ):
        assert len(handle(an_event(*bodies, receives=receives), SimpleNamespace())["batchItemFailures"]) == 2
        lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [line["retried"] for line in lines if "_aws" in line] == counted


def test_the_end_of_the_process_is_no_failure_of_a_message(edge: Edge) -> None:
    with pytest.raises(KeyboardInterrupt):
        handler(an_event(work("killed")), SimpleNamespace())


def test_a_failure_without_an_answer_fails_alone_like_any_other(edge: Edge) -> None:
    answer = handler(an_event(work("lost"), work("good")), SimpleNamespace())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m0"}]}


def test_a_failure_is_logged_with_its_code_and_place_and_never_with_its_text(
    edge: Edge, caplog: pytest.LogCaptureFixture
) -> None:
    handler(an_event(work("throttled")), SimpleNamespace())
    (said,) = map(vars, caplog.records)
    assert "amara@example.com" not in str(said)
    assert (said["error"], said["code"], said["operation"]) == ("ClientError", "ThrottlingException", "GetItem")


LOST = ReadTimeoutError(endpoint_url="https://dynamodb.test")


# ---- batches -----------------------------------------------------------------------------------------------

BAD_ITEM = ClientError({"Error": {"Code": "ValidationException", "Message": "amara@example.com"}}, "UpdateItem")


class Table:
    """A service that takes names, many at once; it refuses what has a bad one among it."""

    def __init__(self, error: Exception) -> None:
        self.calls = 0
        self.kept: list[str] = []
        self._error = error

    def keep(self, names: Sequence[str]) -> None:
        self.calls += 1
        if any(name.startswith("bad") for name in names):
            raise self._error
        self.kept += names


def batch_of(table: Table) -> Handler:
    @batch_handler
    def whole(batch: Batch) -> None:
        batch.work(table.keep, batch.read(names))

    return whole


def names(body: str, sent_at: datetime) -> list[str]:
    """The names in a body; one that begins with `?` cannot be read."""
    assert sent_at == NOW
    if body.startswith("?"):
        raise MalformedError(Code.UNREADABLE, "name", "is malformed")
    return body.split()


def test_a_good_batch_is_worked_off_at_once(edge: Edge) -> None:
    table = Table(BAD_ITEM)
    assert batch_of(table)(an_event("a b", "c", "d"), SimpleNamespace()) == {"batchItemFailures": []}
    assert (table.kept, table.calls) == (["a", "b", "c", "d"], 1)


def test_a_bad_part_of_a_batch_comes_again_alone_and_the_others_go_on(edge: Edge) -> None:
    table = Table(BAD_ITEM)
    answer = batch_of(table)(an_event("a", "bad b", "c"), SimpleNamespace())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}
    assert table.kept == ["a", "b", "c"]
    assert edge.seen_again == ["r1"]


def test_what_cannot_be_read_is_parked_and_the_others_go_on(edge: Edge) -> None:
    table = Table(BAD_ITEM)
    assert batch_of(table)(an_event("a", "?", "c"), SimpleNamespace()) == {"batchItemFailures": []}
    assert (table.kept, edge.parked) == (["a", "c"], [("?", "name")])


def test_a_message_of_a_batch_that_could_not_be_parked_comes_again_alone(
    edge: Edge, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(body: str, *, place: str, reason: str) -> None:
        raise THROTTLED

    monkeypatch.setattr(edge, "park", refuse)
    answer = batch_of(Table(BAD_ITEM))(an_event("a", "?"), SimpleNamespace())
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}]}


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, "UpdateItem")


@pytest.mark.parametrize("error", [*map(refused, sorted(errors.THROTTLED)), LOST, BusyError("ledger")])
def test_a_service_that_has_no_time_is_not_asked_for_each_part_of_a_batch(edge: Edge, error: Exception) -> None:
    table = Table(error)
    answer = batch_of(table)(an_event("a", "bad", "c"), SimpleNamespace())
    assert [each["itemIdentifier"] for each in answer["batchItemFailures"]] == ["m0", "m1", "m2"]
    assert table.calls == 1


def test_what_failed_once_is_left_out_of_what_follows(edge: Edge) -> None:
    first, second = Table(BAD_ITEM), Table(BAD_ITEM)

    @batch_handler
    def whole(batch: Batch) -> None:
        parts = batch.read(names)
        batch.work(first.keep, parts)
        batch.work(second.keep, batch.taken(parts))

    whole(an_event("a", "bad", "c"), SimpleNamespace())
    assert (second.kept, second.calls) == (["a", "c"], 1)
