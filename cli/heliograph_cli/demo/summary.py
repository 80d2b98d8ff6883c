"""The last page of the demo: the sums, what happened since, whether they match, and where to look."""

from __future__ import annotations

from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from heliograph_cli.commands.outbox import page_url
from heliograph_cli.console import table
from heliograph_cli.demo.run import Demo
from heliograph_cli.stack import ask, link

KINDS = ("delivered", "bounced", "complained", "opened", "clicked")
PARTS = (
    ("accepted", "by_channel"),
    ("skipped", "skipped"),
    ("scheduled", ""),
    ("failed", "failed"),
    ("unknown", ""),
)


def links_of(demo: Demo) -> dict[str, str]:
    """The three pages that are worth a look."""
    report = ask(demo.stack, "report", run_id=demo.figures["run_id"])
    timeline = ask(demo.stack, "timeline", recipient_id=demo.somebody)
    return {
        "outbox": page_url(demo.stack.target),
        "report": link(demo.stack, report["html_key"]),
        "timeline": link(demo.stack, timeline["html_key"]),
    }


def shape(demo: Demo, links: dict[str, str]) -> dict[str, Any]:
    """The outcome as scripts read it."""
    return {
        "holds": all(check.holds for check in demo.checks),
        "figures": demo.figures,
        "checks": [{"rule": each.rule, "expected": each.expected, "found": each.found} for each in demo.checks],
        "by_phone": demo.by_phone,
        "events": demo.events,
        "events_per_second": round(demo.events / demo.work_seconds, 1),
        "links": links,
    }


def summary(demo: Demo, links: dict[str, str]) -> RenderableType:
    """The outcome as people read it."""
    speed = demo.events / demo.work_seconds
    head = Text(f"Campaign {demo.figures['campaign']}, run {demo.figures['run_id']}", style="bold")
    rate = Text(f"{demo.events:,} events and rows in {demo.work_seconds:.1f} s: {speed:.0f} a second")
    where = [Text(f"{name:9} {url}", no_wrap=True, overflow="ignore") for name, url in links.items()]
    parts = (head, _sums(demo.figures), _since(demo.figures), _by_phone(demo), _checked(demo), rate, Group(*where))
    return Group(*(each for part in parts for each in (Text(), part)))


def _sums(figures: dict[str, Any]) -> Table:
    counts = figures["counts"]
    shown = _numbers()
    shown.add_row(f"{figures['audience']:,}", "audience", style="bold")
    for place, (name, detail) in enumerate(PARTS):
        shown.add_row(f"{counts[name]:,}", f"{'+' if place else '='} {name}", _reasons(figures.get(detail, {})))
    return shown


def _reasons(numbers: dict[str, int]) -> str:
    ordered = sorted(numbers.items(), key=lambda part: -part[1])
    return ", ".join(f"{number:,} {reason.replace('_', ' ')}" for reason, number in ordered)


def _since(figures: dict[str, Any]) -> Table:
    shown = _numbers()
    for kind in KINDS:
        shown.add_row(f"{figures['engagement'].get(kind, 0):,}", kind)
    return shown


def _by_phone(demo: Demo) -> Table:
    shown = _numbers()
    for channel, states in demo.by_phone.items():
        shown.add_row(f"{states.total():,}", f"by {channel} to product events", _reasons(states))
    return shown


def _numbers() -> Table:
    """Numbers on the right of their column, and what they count."""
    shown = Table(box=None, show_header=False, pad_edge=False)
    shown.add_column(justify="right", min_width=5, no_wrap=True)
    return shown


def _checked(demo: Demo) -> Table:
    shown = table("", "expected", "found", "rule")
    shown.columns[1].justify = shown.columns[2].justify = "right"
    for check in demo.checks:
        mark, style = ("✓", "green") if check.holds else ("✗", "bold red")
        shown.add_row(mark, f"{check.expected:,}", f"{check.found:,}", check.rule, style=style)
    return shown
