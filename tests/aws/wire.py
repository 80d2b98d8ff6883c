"""A provider at the edge of botocore: real clients, real requests, and answers of the test's choice."""

from __future__ import annotations

import json
from collections import deque
from functools import cache
from typing import Any

import botocore.session
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import (
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    ReadTimeoutError,
)
from botocore.validate import validate_parameters

from aws.http import answered
from heliograph.aws import spelling

NEVER_LEFT = [EndpointConnectionError(endpoint_url="x"), ConnectTimeoutError(endpoint_url="x")]
MAY_HAVE_ARRIVED = [ReadTimeoutError(endpoint_url="x"), ConnectionClosedError(endpoint_url="x")]


class Refusal:
    """An error answer: HTTP status, code, and what else the error says."""

    def __init__(self, code: str, *, status: int = 400, **members: Any) -> None:
        self.code, self.status, self.members = code, status, members

    def __repr__(self) -> str:
        return self.code


class Wire:
    """Answers requests in order: a dict is a success; a Refusal and an exception are what they say."""

    def __init__(self, service: str, *answers: dict[str, Any] | Refusal | Exception) -> None:
        self.client = provider_client(service)
        self._bodies: list[bytes] = []
        self._answers = deque(answers)
        self.client.meta.events.unregister("before-send", unique_id="wire")
        self.client.meta.events.register("before-send", self._answer, unique_id="wire")

    @property
    def sent(self) -> list[dict[str, Any]]:
        """The JSON of the requests."""
        return [json.loads(body) for body in self._bodies]

    @property
    def sizes(self) -> list[int]:
        """The bytes of each request."""
        return [len(body) for body in self._bodies]

    def _answer(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse:
        assert isinstance(request.body, bytes)
        call = event_name.removeprefix("before-send.")
        if call in spelling.SPELLED:  # botocore has seen next to nothing of it
            model = self.client.meta.service_model.operation_model(call.partition(".")[2])
            validate_parameters(json.loads(request.body), model.input_shape)
        self._bodies.append(request.body)
        answer = self._answers.popleft()
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, Refusal):
            content = {"__type": answer.code, "Message": answer.code, **answer.members}
            return _response(content, status=answer.status, headers={"x-amzn-ErrorType": answer.code})
        return _response(answer)


@cache
def provider_client(service: str) -> Any:
    """A client that tries once, as those that send must, and has the JSON of calls written as theirs."""
    client: Any = botocore.session.get_session().create_client(
        service,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )
    spelling.register(client.meta.events)
    return client


def _response(content: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> AWSResponse:
    return answered("http://127.0.0.1", json.dumps(content), status=status, headers=headers)
