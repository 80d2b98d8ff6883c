"""Metrics of functions: those that they print in the embedded format, and calls of theirs by queues and schedules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ministack.services import cloudwatch, eventbridge, lambda_svc

Point = tuple[str, str, float, str, dict[str, str]]
"""Namespace, name, value, unit, dimensions."""


def install() -> None:
    """Read each line that ministack writes to a log group, see how batches of queues end, count what schedules call.

    How what they call ends is not known here.
    """
    write, run, call = lambda_svc._emit_lambda_logs, lambda_svc._run_sqs_batch, eventbridge._dispatch_to_lambda

    def write_and_measure(func: Any, request_id: str, log_text: str, *rest: Any, **options: Any) -> None:
        write(func, request_id, log_text, *rest, **options)
        for line in (log_text or "").splitlines():
            for namespace, name, value, unit, dimensions in points(line):
                cloudwatch.record_metric(namespace, name, value, unit, dimensions)

    def run_and_measure(mapping: Any, *work: Any) -> None:
        run(mapping, *work)
        failed = mapping.get("LastProcessingResult") == "FAILED"
        lambda_svc._emit_lambda_metrics(mapping["FunctionName"], duration_ms=0, error=failed, throttle=False)

    def call_and_measure(arn: str, payload: Any) -> None:
        call(arn, payload)
        lambda_svc._emit_lambda_metrics(arn.rpartition(":")[2], duration_ms=0, error=False, throttle=False)

    lambda_svc._emit_lambda_logs = write_and_measure
    eventbridge._dispatch_to_lambda = call_and_measure
    lambda_svc._run_sqs_batch = run_and_measure


def points(line: str) -> Iterator[Point]:
    """The data points in a line of log; none for a line that is not in the embedded metric format."""
    if '"_aws"' not in line:
        return
    try:
        record = json.loads(line)
    except ValueError:
        return
    for directive in record["_aws"].get("CloudWatchMetrics", []):
        for dimensions in directive.get("Dimensions") or [[]]:
            if all(name in record for name in dimensions):
                yield from _of_directive(record, directive, {name: str(record[name]) for name in dimensions})


def _of_directive(
    record: Mapping[str, Any], directive: Mapping[str, Any], dimensions: dict[str, str]
) -> Iterator[Point]:
    for metric in directive.get("Metrics", []):
        given = record.get(metric["Name"], [])
        for value in given if isinstance(given, list) else [given]:
            yield directive["Namespace"], metric["Name"], value, metric.get("Unit", "None"), dimensions
