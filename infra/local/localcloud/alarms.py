"""Evaluate alarms as CloudWatch does, and publish the metrics of queues that they look at."""

from __future__ import annotations

import contextvars
import logging
import operator
import threading
import time
from collections.abc import Callable, Mapping
from itertools import pairwise
from typing import Any

from ministack.core.responses import set_request_account_id, set_request_region
from ministack.services import cloudwatch, sqs

TICK = 1.0  # seconds; AWS looks every minute
KEPT = 1000  # points of a metric
FAILING = 3  # receives, from which on SQS leaves a message out of the age of its queue
OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": operator.gt,
    "GreaterThanOrEqualToThreshold": operator.ge,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}
"""Of thresholds; anomaly detection is not evaluated."""

_log = logging.getLogger("localcloud")
_published: dict[tuple[str, str, str], dict[str, float]] = {}


def install() -> None:
    """Evaluate on each new datum and every second; ministack looks at the newest data of all dimensions together."""
    cloudwatch._evaluate_alarm = evaluate
    threading.Thread(target=_watch_for_ever, name="localcloud-alarms", daemon=True).start()


def evaluate(alarm: dict[str, Any]) -> None:
    """Set the state of an alarm and tell its topics when it changes; a formula is not evaluated."""
    compare = OPERATORS.get(alarm.get("ComparisonOperator", ""))
    if compare is None or not alarm.get("MetricName"):
        return
    state, reason = _state(alarm, compare, _periods(alarm))
    if state in ("", alarm["StateValue"]):
        return
    before = alarm["StateValue"]
    alarm |= {"StateValue": state, "StateReason": reason, "StateUpdatedTimestamp": int(time.time())}
    cloudwatch._record_history(alarm["AlarmName"], before, state, reason)
    cloudwatch._dispatch_alarm_actions(alarm, before, state, reason)
    cloudwatch._evaluate_parent_alarms(alarm)


def _state(
    alarm: Mapping[str, Any], compare: Callable[[float, float], bool], values: list[float | None]
) -> tuple[str, str]:
    """The state that follows from the value of each period, and why; no state when it stays as it is."""
    missing, threshold = alarm.get("TreatMissingData") or "missing", float(alarm["Threshold"])
    present = [value for value in values if value is not None]
    if not present and missing == "missing":
        return "INSUFFICIENT_DATA", "There are no data"
    if not present and (missing == "ignore" or (missing == "breaching" and _is_new(alarm))):
        return "", ""
    wanted = int(alarm.get("DatapointsToAlarm") or len(values))
    breaching = sum(missing == "breaching" if value is None else compare(value, threshold) for value in values)
    reason = f"{breaching} of {len(values)} periods are beyond {threshold}: {values}"
    return ("ALARM" if breaching >= wanted else "OK"), reason


def _is_new(alarm: Mapping[str, Any]) -> bool:
    """Whether an alarm was made within the periods that it looks at: nothing can be missing from before."""
    looked_at = int(alarm.get("Period", 60)) * int(alarm.get("EvaluationPeriods", 1))
    return time.time() - float(alarm["AlarmConfigurationUpdatedTimestamp"]) < looked_at


def _periods(alarm: Mapping[str, Any]) -> list[float | None]:
    """The statistic of each period that is looked at, the oldest first; None where there are no data."""
    period, number = int(alarm.get("Period", 60)), int(alarm.get("EvaluationPeriods", 1))
    now = time.time()
    dimensions = cloudwatch._dims_from_list(alarm.get("Dimensions") or [])
    key = (alarm["Namespace"], alarm["MetricName"], cloudwatch._dims_key(dimensions))
    points = cloudwatch._metrics.get(key) or []
    ends = [now - period * back for back in range(number, -1, -1)]
    return [_statistic(alarm, [each for each in points if a < each["Timestamp"] <= b]) for a, b in pairwise(ends)]


def _statistic(alarm: Mapping[str, Any], points: list[Any]) -> float | None:
    name = alarm.get("ExtendedStatistic") or alarm.get("Statistic", "Average")
    value = cloudwatch._stat_value(cloudwatch._calc_stats(points), name, points) if points else None
    return None if value is None else float(value)


def _watch_for_ever() -> None:
    while True:
        time.sleep(TICK)
        for account, region in {key[:2] for key in list(cloudwatch._alarms._data)}:
            contextvars.Context().run(_watch, account, region)


def _watch(account: str, region: str) -> None:
    set_request_account_id(account)
    set_request_region(region)
    try:
        for url, queue in list(sqs._queues.items()):
            _publish(account, region, url, queue)
        cloudwatch._evaluate_all_alarms()
    except Exception:  # noqa: BLE001 - what cannot be looked at now is looked at again in a second
        _log.exception("alarms were not evaluated")


def _publish(account: str, region: str, url: str, queue: Mapping[str, Any]) -> None:
    """Two metrics of a queue; of one that stays empty, nothing, as of an inactive queue on AWS."""
    now = time.time()
    waiting = [each for each in list(queue["messages"]) if each["visible_at"] <= now]
    fresh = (each["sent_at"] for each in list(queue["messages"]) if each["receive_count"] < FAILING)
    oldest = min(fresh, default=now)
    found = {"ApproximateNumberOfMessagesVisible": len(waiting), "ApproximateAgeOfOldestMessage": now - oldest}
    name = (account, region, url)
    if not any(found.values()) and not any(_published.get(name, {}).values()):
        return
    _published[name] = {metric: float(value) for metric, value in found.items()}
    dimensions = {"QueueName": url.rpartition("/")[2]}
    for metric, value in found.items():
        cloudwatch.record_metric("AWS/SQS", metric, value, "None", dimensions)
        _trim(cloudwatch._metrics.get(("AWS/SQS", metric, cloudwatch._dims_key(dimensions))) or [])


def _trim(points: list[Any]) -> None:
    del points[:-KEPT]
