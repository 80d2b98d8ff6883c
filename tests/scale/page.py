"""What was found as Markdown, and the page of the documentation that holds it, beside the figures themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from benchmarks.place import ROOT
from scale import limits, rates
from scale.runs import WHOLE, Hot, Scaled

PAGE = ROOT / "docs/scale.md"
KEPT = ROOT / "docs/scale.json"
MARK = "<!-- what follows is written by `make scale options=--write` -->\n"


def markdown(found: Sequence[Scaled]) -> Iterator[str]:
    """The tables; those of rates and limits by the largest run that happened as a whole."""
    whole = max((one for one in found if one.people <= WHOLE), key=lambda one: one.people, default=found[0])
    waited = [one.waiting for one in found if one.waiting]
    whole = whole._replace(waiting=waited[-1] if waited else {})
    yield from ("## What a person takes", "", *_each(found), "")
    yield from (f"## The hottest keys, at {whole.rate:g} mails/s", "", *_hot(found), "")
    yield from ("## Rates, concurrency and time", "")
    seconds = ", ".join(f"{step} {each:.3g}" for step, each in whole.seconds.items())
    yield from (f"Seconds of functions for a person: {seconds}.", "")
    yield from (*rates.table(whole.seconds, most_days=limits.RETENTION_DAYS), "")
    yield from ("## What bites first", "", *limits.table(whole), "", "And of one run:", "", *limits.of_a_run(whole))


def _each(found: Sequence[Scaled]) -> Iterator[str]:
    yield f"| people | {' | '.join(f'{one.people:,}' for one in found)} |"
    yield "|---|" + "---|" * len(found)
    yield f"| mails simulated | {' | '.join(map(_simulated, found))} |"
    for name in found[0].each:
        yield _row(f"{name} of a person", [one.each[name] for one in found])
    for name in found[0].waiting:
        values = [f"{one.waiting[name]:.3g}" if one.waiting else "" for one in found]
        yield f"| {name.replace('_', ' ')} of a person who waits with all others | {' | '.join(values)} |"
    for name in found[0].look:
        yield _row(f"{name} of a look at the run", [one.look[name] for one in found])
    yield _row("MB after the first rounds", [one.memory[0] for one in found])
    yield _row("MB after the last", [one.memory[1] for one in found])
    yield _row("mails/s", [one.mails_a_second for one in found])


def _simulated(one: Scaled) -> str:
    runs = one.happened // one.people
    return f"{one.happened:,}" + (f" ({runs} runs)" if runs > 1 else "")


def _row(name: str, values: Sequence[float]) -> str:
    return f"| {name.replace('_', ' ')} | {' | '.join(f'{value:.3g}' for value in values)} |"


def _hot(found: Sequence[Scaled]) -> Iterator[str]:
    yield "| table | key | " + " | ".join(f"{one.people:,}" for one in found) + " |"
    yield "|---|---|" + "---|" * len(found)
    for table, hottest in sorted(found[0].hot.items()):
        keys = [one.hot.get(table) for one in found]
        shares = " | ".join(f"{key.share:.2%}, {key.a_second:.1f} units/s" if key else "" for key in keys)
        yield f"| {table} | `{hottest.key}` | {shares} |"


def write(found: Sequence[Scaled]) -> None:
    """Keep what was found, and put it into the page in the place of what was there."""
    written = in_page(found, PAGE.read_text())
    KEPT.write_text(json.dumps([one._asdict() for one in found], indent=1) + "\n")
    PAGE.write_text(written)


def kept() -> list[Scaled]:
    """What was found when the page was written."""
    return [read(one) for one in json.loads(KEPT.read_text())]


def read(told: Mapping[str, Any]) -> Scaled:
    """What a run took, from JSON."""
    found = Scaled(**told)
    return found._replace(hot={table: Hot(*key) for table, key in found.hot.items()})


def in_page(found: Sequence[Scaled], page: str) -> str:
    """The page with the tables of what was found; raises ValueError for one that has no place for them."""
    ours, mark, _ = page.partition(MARK)
    if not mark:
        raise ValueError(f"{PAGE.relative_to(ROOT)} has no line {MARK}")
    return ours + mark + "\n" + "\n".join(markdown(found)) + "\n"
