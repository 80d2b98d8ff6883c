"""What a function says of itself: log lines with identifiers only; metrics that are decisions or engagement kinds."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec
from aws_lambda_powertools import Logger

from heliograph.model.engagement import EngagementEvent
from heliograph.model.messages import Message
from heliograph.model.outcomes import SlotFacts
from heliograph.model.packs import Planned
from heliograph.model.reasons import Reason
from heliograph.runtime.settings import setting

NAMESPACE = "Heliograph"

logger = Logger(service="heliograph")

FEW_TRIES = 5
"""Tries in vain that are in order: two minutes of them, by the delays of `channels.rate`."""


def count(channel: str, counts: Mapping[str, int]) -> None:
    """Count decisions or engagement kinds as CloudWatch metrics with the dimensions `stack` and `channel`.

    One line in CloudWatch's embedded metric format; Powertools' `single_metric` takes ten times as long.
    """
    numbers = {str(name): number for name, number in counts.items() if number}
    if not numbers:
        return
    metrics = [{"Name": name, "Unit": "Count"} for name in numbers]
    directive = {"Namespace": NAMESPACE, "Dimensions": [["stack", "channel"]], "Metrics": metrics}
    about = {"Timestamp": time.time_ns() // 1_000_000, "CloudWatchMetrics": [directive]}
    line = {"_aws": about, "stack": setting("STACK"), "channel": channel or "none", **numbers}
    print(msgspec.json.encode(line).decode())  # noqa: T201 - what Lambda prints is logged


def count_failover(channel: str, cause: str, batch: int) -> None:
    """Say that a provider is out of service, and count the messages that another one gets."""
    logger.warning("A provider was out of service", extra={"channel": channel, "cause": cause, "rendered": batch})
    count(channel, {"failed_over": batch})


def count_retried(tries: Iterable[int]) -> None:
    """Count work that fails for minutes, by how often it was tried.

    Nothing else tells before its dead letters, hours later: SQS leaves a message that was received three times out of
    the age of its queue, and what is requeued is new to it.
    """
    count("", {"retried": sum(each > FEW_TRIES for each in tries)})


def count_uncounted(changes: int, *, error: str, part: str, item: str = "") -> None:
    """Say that changes are not in the sums of a run, and count them: only a recount puts it right."""
    logger.error("Changes were not counted", extra={"error": error, "part": part, "item": item, "changes": changes})
    count("", {"uncounted": changes})


def stencil_differed(message: Message, channel: str) -> None:
    """Say that a stencil is not used any more: a check found that its words say something else."""
    logger.error("A stencil differed from its words", extra={"message_name": message.name, "channel": channel})


def count_decisions(planned: Planned) -> None:
    """Count what plan decided: dispatches by channel, what is skipped and scheduled."""
    for channel, number in planned.dispatched.items():
        count(channel, {"dispatched": number})
    undecidable = planned.skipped.get(Reason.UNDECIDABLE, 0)
    noes = {"skipped": sum(planned.skipped.values()), "undecidable": undecidable, "scheduled": planned.scheduled}
    count("", noes)


def count_refused(channel: str, refused: Iterable[tuple[str, str, str]]) -> None:
    """Count to whom nothing could be written just before delivery, and name what was missing.

    Of each its message, the reason, and the variable that is missing.
    """
    numbers = Counter(refused)
    undecidable = sum(number for (_, reason, _), number in numbers.items() if reason == Reason.UNDECIDABLE)
    count("", {"undecidable": undecidable})
    for (message, reason, variable), number in numbers.items():
        if reason == Reason.MISSING_VARIABLE:
            count(channel, {"missing_variable": number})
            told = {"channel": channel, "message_name": message, "variable": variable, "people": number}
            logger.warning("A variable was missing", extra=told)


def count_facts(channel: str, slots: SlotFacts) -> None:
    """Count what deliver came to know, by kind."""
    count(channel, Counter(kind for facts in slots.values() for kind in facts))


def count_events(events: Iterable[EngagementEvent]) -> None:
    """Count what happened, by channel and kind."""
    for (channel, kind), number in Counter((event.channel, event.kind.value) for event in events).items():
        count(channel, {kind: number})
