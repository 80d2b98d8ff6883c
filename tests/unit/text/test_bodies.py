"""What queues carry: sizes as they count them, and no character that they refuse."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import a_request
from heliograph.aws.queues import BATCH_LIMIT, Queue
from heliograph.model.requests import SendRequest
from heliograph.text.bodies import MESSAGE_LIMIT, body
from heliograph.text.errors import MalformedError

TAKEN = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")
"""What SQS takes."""


class Sqs:
    """The one call that is made, with SQS's own limits."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []

    def send_message_batch(self, *, QueueUrl: str, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
        bodies = [entry["MessageBody"] for entry in Entries]
        assert 0 < len(bodies) <= BATCH_LIMIT
        assert sum(len(each.encode()) for each in bodies) <= MESSAGE_LIMIT
        assert all(TAKEN.fullmatch(each) for each in bodies)
        self.batches.append(bodies)
        return {}


def sent(*texts: str) -> list[list[str]]:
    sqs = Sqs()
    Queue(sqs, "queue").send([a_request(data={"text": text}) for text in texts])  # type: ignore[arg-type]
    return sqs.batches


@given(st.text(st.characters(codec="utf-8")))
def test_whatever_is_sent_is_taken_and_read_as_it_was(text: str) -> None:
    ((carried,),) = sent(text)
    assert msgspec.json.decode(carried, type=SendRequest).data == {"text": text}


@pytest.mark.parametrize("character", ["\ufffe", "\uffff", "\x01", "\x1f"])
def test_characters_that_sqs_refuses_travel_spelled(character: str) -> None:
    request = a_request(data={"text": character})
    assert character.encode() not in body(request)
    assert msgspec.json.decode(body(request), type=SendRequest) == request


def test_batches_are_counted_in_bytes_as_they_travel() -> None:
    assert [len(batch) for batch in sent(*["\x01" * 50_000] * 4)] == [3, 1]


def test_what_no_message_can_carry_is_refused_with_its_size() -> None:
    with pytest.raises(MalformedError, match="message: takes 1200149 bytes"):
        sent("\x01" * 200_000)
