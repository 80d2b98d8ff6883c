"""The filters of words: `{{ data.total | currency("EUR") }}`, in the language and the time zone of the reader."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, tzinfo
from typing import Any

from jinja2 import Undefined, pass_context
from jinja2.runtime import Context

from heliograph.rendering import formats
from heliograph.rendering.formats import Formats
from heliograph.text.zones import zone_of


def _rules(context: Context) -> Formats:
    known: dict[str, Formats] = context.environment.formats  # type: ignore[attr-defined]  # the Environment of templates
    return known[context["locale"]]


def _zone(context: Context) -> tzinfo:
    return zone_of(context["timezone"]) or UTC


def _given(value: object) -> object:
    """The value; one that is missing is named as everywhere else."""
    if isinstance(value, Undefined):
        str(value)  # StrictUndefined raises with the name
    return value


def refuse_unwritable(value: object) -> object:
    """For `tojson`, of what JSON cannot say: what is missing is named as everywhere else, all else is a TypeError."""
    raise TypeError(type(_given(value)).__name__)


@pass_context
def number(context: Context, value: object) -> str:
    """`{{ data.points | number }}`: 1,234."""
    return formats.number(_rules(context), _given(value))


@pass_context
def percent(context: Context, value: object) -> str:
    """`{{ data.discount | percent }}`: 25% of 0.25."""
    return formats.percent(_rules(context), _given(value))


@pass_context
def currency(context: Context, value: object, code: object) -> str:
    """`{{ data.total | currency(data.currency) }}`: €12.50."""
    return formats.currency(_rules(context), _given(value), _given(code))


@pass_context
def date(context: Context, value: object, style: str = "medium") -> str:
    """`{{ data.when | date("long") }}`: December 24, 2026."""
    return formats.day(_rules(context), _given(value), _zone(context), style)


@pass_context
def time(context: Context, value: object) -> str:
    """`{{ data.when | time }}`: 6:00 PM."""
    return formats.clock(_rules(context), _given(value), _zone(context))


@pass_context
def datetime(context: Context, value: object, style: str = "medium") -> str:
    """`{{ data.when | datetime }}`: Dec 24, 2026, 6:00 PM."""
    return formats.day_and_clock(_rules(context), _given(value), _zone(context), style)


FILTERS: dict[str, Callable[..., Any]] = {
    "currency": currency,
    "date": date,
    "datetime": datetime,
    "number": number,
    "percent": percent,
    "time": time,
}
