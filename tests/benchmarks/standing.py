"""What a stack costs a month whether anything is sent or not, by its templates, with the channels of a new one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace
from typing import Any

from benchmarks import place, prices
from benchmarks.bills import Line
from benchmarks.campaigns import Place, stepped
from benchmarks.polling import POLLERS
from wiring import DEFAULT_CHANNELS, stacks_of, verb_of

SECONDS = prices.MONTH_DAYS * 86_400
PART = "every month"
ITEMS = {
    "AWS::CloudWatch::Alarm": ("alarms", prices.ALARM),
    "AWS::CloudWatch::Dashboard": ("dashboards", prices.DASHBOARD),
    "AWS::SecretsManager::Secret": ("secrets", prices.SECRET),
}
A_MINUTE = 60.0
EVERY = {"cron(* * * * ? *)": A_MINUTE, "rate(1 minute)": A_MINUTE}
"""Seconds between two calls by the clock, as schedules spell them."""


def resources() -> dict[str, dict[str, Any]]:
    """Every resource of a stack that nobody has given a parameter, by logical name."""
    return {
        name: each for _, stack in stacks_of(DEFAULT_CHANNELS) for name, each in stack.template["Resources"].items()
    }


def there() -> list[Line]:
    """What is paid for being there."""
    kinds = Counter(each["Type"] for each in resources().values())
    return [Line(PART, what, kinds[kind], price) for kind, (what, price) in ITEMS.items()]


def pollers() -> int:
    """Queues that Lambda asks for work all the time."""
    functions = [each["Properties"] for each in resources().values() if each["Type"] == "AWS::Serverless::Function"]
    return sum(event["Type"] == "SQS" for each in functions for event in each.get("Events", {}).values())


def polling() -> Line:
    """Requests to queues that are empty."""
    asked = pollers() * POLLERS * SECONDS / prices.LONG_POLL
    return Line(PART, "requests to empty queues", asked, prices.SQS_REQUEST)


def rates() -> Iterator[tuple[str, float]]:
    """Functions that are called by the clock, and how often a month."""
    for each in resources().values():
        if each["Type"] == "AWS::Scheduler::Schedule":
            function = each["Properties"]["Target"]["Arn"]["Fn::GetAtt"][0]
            yield function, SECONDS / EVERY[each["Properties"]["ScheduleExpression"]]


def ticking(where: Place) -> Iterator[Line]:
    """Calls of functions by the clock that find nothing to do."""
    for function, times in rates():
        verb = verb_of(function)
        call = partial(place.handler(verb), {}, SimpleNamespace())
        call()  # the first finds what others left
        step = stepped(where, [call], mails=1, queued=0)
        taken = [
            ("write units", step.counts["write_units"], prices.WRITE_UNIT),
            ("read units", step.counts["read_units"], prices.READ_UNIT),
            ("GB-seconds", step.gb_seconds(), prices.GB_SECOND),
            ("invocations", 1, prices.INVOCATION),
            ("calls by the scheduler", 1, prices.SCHEDULE),
            ("GB of logs", step.log_bytes / 1e9, prices.LOG_GB),
        ]
        yield from (Line(PART, f"{verb}: {what}", many * times, price) for what, many, price in taken if many)
