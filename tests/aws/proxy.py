"""Let the calls of a stack's functions to DynamoDB and SQS fail: microburst stands between them and the local cloud."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from aws.deployed import Stack
from aws.local_cloud import PYTHON, REGION, SILENCE, await_answer, free_port, stop

THROTTLED = {"error": {"code": "ProvisionedThroughputExceededException", "status": 400}}
BROKEN = {"error": {"code": "InternalServerError", "status": 500}}
UNAVAILABLE = {"error": {"code": "ServiceUnavailable", "status": 503}}
RESET = {"reset": True}
LOST_ANSWER = {"response": {"abort_bytes": 0}}
"""The call is carried out, and its answer never arrives."""
ROOT_KEY = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": REGION}
"""A signature covers the host that was called, so the proxy signs anew: as root, whatever the function may."""
FAULTS = {
    "dynamodb": (THROTTLED, BROKEN, RESET, LOST_ANSWER),
    "sqs": (UNAVAILABLE, RESET, LOST_ANSWER),
}


@dataclass
class Proxy:
    """A running microburst."""

    endpoint: str

    def calls(self) -> int:
        """How many calls came so far."""
        return self._requests("total")

    def injected(self) -> int:
        """How many calls failed so far."""
        return self._requests("faulted")

    def _requests(self, kind: str) -> int:
        number: int = self._ask("stats")["requests"][kind]
        return number

    def fail(self, share: float) -> None:
        """Let this share of all calls fail from now on, each way as often as the others."""
        self._ask("rules", [rule for service, ways in FAULTS.items() for rule in _rules(service, ways, share)])

    def _ask(self, what: str, content: Any = None) -> Any:
        body = None if content is None else json.dumps(content).encode()
        request = Request(f"{self.endpoint}/_microburst/{what}", body, {"Content-Type": "application/json"})
        with urlopen(request, timeout=SILENCE) as answer:
            return json.load(answer)


def _rules(service: str, ways: tuple[Mapping[str, Any], ...], share: float) -> list[dict[str, Any]]:
    """The rules of a service. A later rule is asked only when the earlier ones let the call pass."""
    each = share / len(ways)
    return [{"service": service, "probability": each / (1 - each * n), **way} for n, way in enumerate(ways)]


@contextmanager
def between(stack: Stack, directory: Path) -> Iterator[Proxy]:
    """A proxy through which all functions but `report` reach DynamoDB and SQS, as long as the block."""
    port = free_port()
    proxy = Proxy(f"http://127.0.0.1:{port}")
    with (directory / "microburst.log").open("w") as log:
        command = [str(PYTHON), "-m", "microburst", "--upstream", stack.cloud.endpoint, "--port", str(port), "--resign"]
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=directory, env=os.environ | ROOT_KEY)
        try:
            await_answer(f"{proxy.endpoint}/_microburst/health", process, directory / "microburst.log")
            with _reached_through(stack, proxy.endpoint):
                yield proxy
        finally:
            stop(process)


@contextmanager
def _reached_through(stack: Stack, endpoint: str) -> Iterator[None]:
    client = stack.cloud.client("lambda")
    before = {name: variables for name, variables in _environments(client, stack) if not name.endswith("-report")}
    through = {"AWS_ENDPOINT_URL_DYNAMODB": endpoint, "AWS_ENDPOINT_URL_SQS": endpoint}
    _set_environments(client, {name: variables | through for name, variables in before.items()})
    try:
        yield
    finally:
        _set_environments(client, before)


def _environments(client: Any, stack: Stack) -> Iterator[tuple[str, dict[str, str]]]:
    for page in client.get_paginator("list_functions").paginate():
        for function in page["Functions"]:
            if function["FunctionName"].startswith(f"{stack.name}-"):
                yield function["FunctionName"], function["Environment"]["Variables"]


def _set_environments(client: Any, wanted: Mapping[str, dict[str, str]]) -> None:
    for name, variables in wanted.items():
        client.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
