"""Stop a chain of calls that comes back to the same function through SQS, as Lambda's recursive loop detection does."""

from __future__ import annotations

import logging
import re
import zlib
from collections.abc import Iterable, Mapping
from contextvars import ContextVar
from types import MappingProxyType
from typing import Any

from ministack import app
from ministack.services import cloudwatch, lambda_svc, sqs

from localcloud.calls import Answer, Query

ROUNDS = 16  # "approximately 16 times", says the Lambda Developer Guide; here it is exactly 16
TRACE_HEADER = "x-amzn-trace-id"
"""Every AWS SDK within a function sends `_X_AMZN_TRACE_ID` as this header: it carries the lineage of the chain."""

Lineage = Mapping[str, int]
"""How often each function has run in a chain."""

NOWHERE: Lineage = MappingProxyType({})
_LINEAGE = re.compile(r"Lineage=([^;]+)")
_running: ContextVar[Lineage] = ContextVar("lineage", default=NOWHERE)
_calling: ContextVar[str] = ContextVar("trace_header", default="")
_log = logging.getLogger("localcloud")


def install() -> None:
    """Carry the lineage from a function to its messages, and from these to the next function."""
    receive, run, send, trace = (
        app.SERVICE_HANDLERS["sqs"],
        lambda_svc._run_sqs_batch,
        sqs._build_send_sys_attrs,
        lambda_svc._xray_trace_id_for_invocation,
    )

    async def receive_with_header(method: str, path: str, headers: dict[str, str], body: bytes, query: Query) -> Answer:
        _calling.set(headers.get(TRACE_HEADER, ""))
        answer: Answer = await receive(method, path, headers, body, query)
        return answer

    def send_with_header(now: float, given: Any) -> dict[str, str]:
        header = _calling.get()
        kept: dict[str, str] = send(now, given)
        return {"AWSTraceHeader": header} | kept if header else kept

    def run_unless_looping(esm: Any, function: Any, event: Any, batch: Any, *where: Any) -> None:
        lineage, name = longest(map(_of_message, batch)), _short(function["config"]["FunctionArn"])
        if lineage.get(name, 0) >= ROUNDS and function.get("recursive_loop") != "Allow":
            _stop(esm["FunctionName"])
            return
        token = _running.set({**lineage, name: lineage.get(name, 0) + 1})
        try:
            run(esm, function, event, batch, *where)
        finally:
            _running.reset(token)

    def trace_with_lineage(*about: Any) -> str | None:
        known: str | None = trace(*about)
        lineage = ",".join(f"{name}:{count}" for name, count in _running.get().items())
        return (
            f"{known or 'Root=1-00000000-000000000000000000000000;Sampled=0'};Lineage={lineage}" if lineage else known
        )

    app.SERVICE_HANDLERS["sqs"] = receive_with_header
    sqs._build_send_sys_attrs = send_with_header
    lambda_svc._run_sqs_batch = run_unless_looping
    lambda_svc._xray_trace_id_for_invocation = trace_with_lineage


def longest(lineages: Iterable[Lineage]) -> Lineage:
    """The lineage of a batch: of each function, the most rounds that any message of it has made."""
    found: dict[str, int] = {}
    for lineage in lineages:
        found |= {name: max(count, found.get(name, 0)) for name, count in lineage.items()}
    return found


def read_lineage(header: str) -> Lineage:
    """The lineage in a trace header; a chain that starts here has none."""
    match = _LINEAGE.search(header)
    parts = [part.partition(":") for part in match[1].split(",")] if match else []
    return {name: int(count) for name, _, count in parts if count.isdigit()}


def _of_message(message: Mapping[str, Any]) -> Lineage:
    return read_lineage((message.get("sys") or {}).get("AWSTraceHeader", ""))


def _short(function_arn: str) -> str:
    return f"{zlib.crc32(function_arn.encode()):08x}"


def _stop(function: str) -> None:
    """The messages stay where they are: their queue hands them out again until they are parked."""
    cloudwatch.record_metric("AWS/Lambda", "RecursiveInvocationsDropped", 1, "Count", {"FunctionName": function})
    _log.warning("%s was stopped: it is in a loop of more than %d rounds", function, ROUNDS)
