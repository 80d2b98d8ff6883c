"""What was found as Markdown, and the page of the documentation that holds it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from benchmarks.place import ROOT
from scale import limits, rates
from scale.runs import WHOLE, Scaled

PAGE = ROOT / "docs/scale.md"
MARK = "<!-- what follows is written by `make scale options=--write` -->\n"
SECONDS = "Seconds of functions for a person: "


def markdown(found: Sequence[Scaled]) -> Iterator[str]:
    """The tables; those of rates and limits by the largest run that happened as a whole."""
    whole = max((one for one in found if one.people <= WHOLE), key=lambda one: one.people, default=found[0])
    waited = [one.waiting for one in found if one.waiting]
    whole = whole._replace(waiting=waited[-1] if waited else {})
    yield from ("## What a person takes", "", *_each(found), "")
    yield from (f"## The hottest keys, at {whole.rate:g} mails/s", "", *_hot(found), "")
    yield from ("## Rates, concurrency and time", "")
    yield from (SECONDS + ", ".join(f"{step} {each:.6f}" for step, each in whole.seconds.items()) + ".", "")
    yield from (*rates.table(whole.seconds, most_days=limits.RETENTION_DAYS), "")
    yield from ("## What bites first", "", *limits.table(whole), "", "And of one run:", "", *limits.of_a_run(whole))


def _each(found: Sequence[Scaled]) -> Iterator[str]:
    yield f"| people | {' | '.join(f'{one.people:,}' for one in found)} |"
    yield "|---|" + "---|" * len(found)
    yield f"| of whom were sent to here | {' | '.join(f'{one.happened:,}' for one in found)} |"
    for name in found[0].each:
        yield _row(f"{name} of a person", [one.each[name] for one in found])
    for name in found[0].waiting:
        values = [f"{one.waiting[name]:.4g}" if one.waiting else "" for one in found]
        yield f"| {name.replace('_', ' ')} of a person who waits with all others | {' | '.join(values)} |"
    for name in found[0].look:
        yield _row(f"{name} of a look at the run", [one.look[name] for one in found])
    yield _row("MB after the first rounds", [one.memory[0] for one in found])
    yield _row("MB after the last", [one.memory[1] for one in found])
    yield _row("mails/s", [one.mails_a_second for one in found])


def _row(name: str, values: Sequence[float]) -> str:
    return f"| {name.replace('_', ' ')} | {' | '.join(f'{value:.4g}' for value in values)} |"


def _hot(found: Sequence[Scaled]) -> Iterator[str]:
    yield "| table | key | " + " | ".join(f"{one.people:,}" for one in found) + " |"
    yield "|---|---|" + "---|" * len(found)
    for table, hottest in sorted(found[0].hot.items()):
        keys = [one.hot.get(table) for one in found]
        shares = " | ".join(f"{key.share:.2%}, {key.a_second:.1f} units/s" if key else "" for key in keys)
        yield f"| {table} | `{hottest.key}` | {shares} |"


def write(found: Sequence[Scaled]) -> None:
    """Put what was found into the page, in the place of what was there."""
    ours, mark, _ = PAGE.read_text().partition(MARK)
    assert mark, f"{PAGE.relative_to(ROOT)} has no line {MARK}"
    PAGE.write_text(ours + mark + "\n" + "\n".join(markdown(found)) + "\n")


def seconds_of(page: Path = PAGE) -> dict[str, float]:
    """What functions take for a person, as the page says."""
    (line,) = (line for line in page.read_text().splitlines() if line.startswith(SECONDS))
    pairs = (one.split() for one in line.removeprefix(SECONDS).rstrip(".").split(","))
    return {step: float(each) for step, each in pairs}
