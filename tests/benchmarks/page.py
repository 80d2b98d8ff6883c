"""The tables of `docs/cost.md`: written from figures that are kept beside it, so that nobody types one."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from benchmarks import costing, place, standing
from benchmarks.measuring import GOALS, VERDICT, verdict
from benchmarks.recording import RATE

PAGE = place.ROOT / "docs/cost.md"
KEPT = place.ROOT / "docs/figures.json"
BEGINS, ENDS = "<!-- written by `make bench options=--keep` -->", "<!-- until here -->"
SERVICES = ("DynamoDB", "Lambda", "SQS", "S3", "Firehose", "events", "CloudWatch")
ON_TOP = "on top"
MONTHS = (1, 10)
"""Millions of mails that are sent in one."""
A_VERDICT = "A figure is their median; a miss was measured twice."

Kept = Mapping[str, Mapping[str, Any]]
Row = Mapping[str, Any]


class UnmeasuredError(Exception):
    """Figures that are not all there, or were looked at too quickly to be kept."""


def keep(figures: Kept) -> None:
    """Keep figures and write the tables anew; raises UnmeasuredError."""
    if not_there := [key for key in GOALS if key not in figures]:
        raise UnmeasuredError(f"Not measured: {', '.join(not_there)}.")
    if quick := [key for key in GOALS if figures[key].get("asked", 0) < VERDICT]:
        raise UnmeasuredError(f"Measured in fewer than {VERDICT} rounds: {', '.join(quick)}.")
    kept = {key: figures[key] for key in GOALS}
    written = in_page(kept, PAGE.read_text())
    KEPT.write_text(json.dumps(kept, indent=1) + "\n")
    PAGE.write_text(written)


def in_page(kept: Kept, page: str) -> str:
    """The page with the tables of these figures."""
    before, _, rest = page.partition(BEGINS)
    _, _, after = rest.partition(ENDS)
    return "\n".join([before + BEGINS, "", *tables(kept), "", ENDS + after])


def tables(kept: Kept) -> Iterator[str]:
    """All tables, line by line."""
    bill, storage = kept[costing.USD], kept[costing.STORAGE]
    recovery = sum(line["usd"] for line in _of(storage["lines"], costing.RECOVERY))
    yield (
        f"### A million emails at {RATE:g} a second: ${bill['value']:.2f}, ${storage['value']:.2f} for keeping it, "
        f"and ${recovery:.2f} for its backups"
    )
    yield ""
    yield from _by_service(bill["lines"])
    yield from ["", "### What a month costs", ""]
    yield from _table(("sent in a month", "sending", "keeping, with backups", "the stack itself", "sum"), _months(kept))
    yield from ["", "### What is kept, for as long as it is", ""]
    rows = [*map(_of_line, storage["lines"]), ("**sum**", "", _usd(storage["value"] + recovery))]
    yield from _table(("what", "GB-months", "dollars"), rows)
    yield from ["", "### What may come on top", ""]
    yield from _table(("what", "how many", "dollars"), map(_of_line, _of(bill["lines"], ON_TOP)))
    yield from ["", "### At other rates, and on the other way", ""]
    yield from _table(
        ("mails", "dollars a million", "write units of `record` a mail", "if EventBridge charges for SES's events"),
        _others(kept),
    )
    yield from ["", "### Measured against their goals", ""]
    rounds = max(len(figure["rounds"]) for figure in kept.values())
    yield from [
        f"Rounds: {rounds}. " + (A_VERDICT if rounds >= VERDICT else "Fewer than a verdict takes: a quick look."),
        "",
    ]
    yield from _table(("key", "what", "must", "aim", "measured", "spread", "reached"), map(_goal, kept.values()))


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    for cells in (head, ["---"] * len(head), *rows):
        yield f"| {' | '.join(cells)} |"


def _of(lines: Iterable[Row], part: str) -> list[Row]:
    return [line for line in lines if line["part"] == part]


def _by_service(lines: Iterable[Row]) -> Iterator[str]:
    sums: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    for line in lines:
        if line["part"] not in (ON_TOP, standing.PART):
            for part in (line["part"], "**sum**"):
                for service in (line["price"]["service"], "sum"):
                    sums[part][service] += line["usd"]
    parts = [*(part for part in sums if part != "**sum**"), "**sum**"]
    columns = (*SERVICES, "sum")
    rows = ([part, *(_usd(sums[part][service]) for service in columns)] for part in parts)
    yield from _table(("part", *columns), rows)


def _months(kept: Kept) -> Iterator[Sequence[str]]:
    """Of so many millions of mails: what they take, what is kept of them, and what the stack takes without any."""
    lines = kept[costing.USD]["lines"]
    of_mails = sum(line["usd"] for line in lines if line["part"] not in (ON_TOP, standing.PART, costing.IDLE))
    of_kept = sum(line["usd"] for line in kept[costing.STORAGE]["lines"])
    standing_still = sum(line["usd"] for line in _of(lines, standing.PART))
    for millions in MONTHS:
        sending, keeping = millions * of_mails, millions * of_kept
        dollars = (sending, keeping, standing_still, sending + keeping + standing_still)
        yield f"{millions} million", *map(_usd, dollars)


def _usd(dollars: float) -> str:
    return f"{dollars:.2f}" if dollars >= 0.005 else "<0.01" if dollars else ""


def _of_line(line: Row) -> Sequence[str]:
    quantity = line["quantity"]
    return line["what"], f"{quantity:,.0f}" if quantity >= 1_000 else f"{quantity:.3g}", _usd(line["usd"])


def _others(kept: Kept) -> Iterator[Sequence[str]]:
    bill, units = kept[costing.USD], kept[costing.UNITS]
    risk = next(line["usd"] for line in _of(bill["lines"], ON_TOP))
    yield f"at {RATE:g}/s, as above", f"{bill['value']:.2f}", f"{units['value']:.2f}", _usd(risk)
    for told in bill["notes"]:
        if told in units["notes"]:
            risk = bill["notes"][f"{told}, {costing.RISK}"]
            yield told, f"{bill['notes'][told]:.2f}", f"{units['notes'][told]:.2f}", _usd(risk)


def _goal(figure: Row) -> Sequence[str]:
    rounds = figure["rounds"]
    spread = f"{min(rounds):.3g} to {max(rounds):.3g}" if len(rounds) > 1 else ""
    numbers = (f"{figure[name]:.3g}" for name in ("must", "aim", "value"))
    return f"`{figure['key']}`", figure["what"], *numbers, spread, verdict(figure["key"], figure["value"])
