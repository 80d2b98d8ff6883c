"""The report of a run and the timeline of a person as pages: values in, HTML out, nothing fetched from elsewhere."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime, tzinfo
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from heliograph.model.values import JsonObject
from heliograph.reporting.figures import RunFigures
from heliograph.reporting.headlines import headline
from heliograph.reporting.meanings import MEANINGS
from heliograph.reporting.rates import rates
from heliograph.reporting.statements import in_order

PAGES = Path(__file__).parent / "html"
SUMS = ("accepted", "skipped", "scheduled", "failed", "unknown")
STEPS = ("accepted", "delivered", "opened", "clicked")
"""What each person may come to, each step a part of the one before."""


def report_page(figures: RunFigures) -> str:
    """The report of a run: sums, rates, chart, reasons; its figures travel inside as a JSON download."""
    reached = {"accepted": figures.counts["accepted"], **figures.engagement}
    return _page(
        "report.html",
        figures=figures,
        headline=headline(figures),
        sums=[(name, figures.counts[name]) for name in SUMS],
        steps=[(name, reached.get(name, 0)) for name in STEPS],
        rates=rates(figures),
        json_link="data:application/json;base64," + b64encode(msgspec.json.encode(figures)).decode(),
    )


def timeline_page(timeline: JsonObject, *, zone: tzinfo) -> str:
    """The timeline of a person, newest first, with times in the person's zone and in UTC; it shows no address."""
    return _page("timeline.html", recipient_id=timeline["recipient_id"], entries=timeline["entries"], zone=zone)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(PAGES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    made.filters.update(grouped=_grouped, percent=_percent, words=_words, meaning=_meaning, time=_time, iso=_iso)
    made.filters.update(in_order=in_order)
    return made


def _page(template: str, **values: Any) -> str:
    return _environment().get_template(template).render(values)


def _grouped(number: int) -> str:
    """1,000 with a narrow no-break space, as every language can read it."""
    return f"{number:,}".replace(",", "\u202f")


def _percent(share: float | None) -> str:
    """One decimal, but never 0.0 % for something nor 100.0 % for not everything."""
    if share is None:
        return "–"
    if 0 < share < 0.001:
        return "< 0.1\u202f%"
    return f"{min(share * 100, 99.9) if share < 1 else share * 100:.1f}\u202f%"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _meaning(code: str) -> str:
    return MEANINGS.get(code, "")


def _instant(value: str | datetime) -> datetime:
    at = value if isinstance(value, datetime) else datetime.fromisoformat(value)
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _time(value: str | datetime, zone: tzinfo = UTC) -> str:
    return _instant(value).astimezone(zone).strftime("%Y-%m-%d %H:%M:%S")


def _iso(value: str | datetime) -> str:
    return _instant(value).astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
