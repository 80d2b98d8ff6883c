"""What a timeline says: each rule's result as a statement, and what happened in its order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from heliograph.model.engagement import EngagementKind
from heliograph.model.traces import Trace
from heliograph.planning.rules import RULES
from heliograph.planning.ruling import spelled_out
from heliograph.recording.facts import Fact

STATEMENTS: Mapping[str, tuple[str, str]] = {rule.name: (rule.about, rule.says) for rule in RULES}
"""By rule: what it looks at, and what it says when it objects."""

BEFORE = (Fact.RETRY, Fact.UNKNOWN, Fact.SETTLED, Fact.ACCEPTED)
KINDS = (*BEFORE, *EngagementKind, Fact.FAILED, Fact.SKIPPED, Fact.SCHEDULED)
MEANING = {kind.value: order for order, kind in enumerate(KINDS)}
"""The order in which these can only have happened, whatever the clocks of two services say of one second."""


def statements(tried: Trace, topic: str) -> list[dict[str, str]]:
    """Every rule's result on every channel that was tried; `says` is `consent: not given for offers by email`."""
    return [{**row, "says": _says(row, topic)} for row in spelled_out(tried)]


def in_order(happened: Mapping[str, str | datetime]) -> list[str]:
    """What happened, by its second; within one second by its meaning: accepted before delivered."""
    return sorted(happened, key=lambda kind: (_second(happened[kind]), MEANING.get(kind, len(MEANING))))


def _second(at: str | datetime) -> float:
    moment = at if isinstance(at, datetime) else datetime.fromisoformat(at)
    return moment.replace(microsecond=0).timestamp()


def _says(row: Mapping[str, str], topic: str) -> str:
    about, objection = STATEMENTS[row["rule"]]
    objects = row["result"] == row["rule"]
    return f"{about}: {objection.format(topic=topic, channel=row['channel']) if objects else 'ok'}"
