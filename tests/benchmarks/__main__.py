"""Measure everything, print the table, write `build/bench.json`; fails when a figure that must be reached is not.

All of it takes many minutes, on a machine that is left alone; stderr tells each round of a bill. A quick look at one:
    make bench options="--only usd_per_million_emails_beyond_ses --rounds 1"
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from benchmarks import place
from benchmarks.measuring import GOALS, MISSED, VERDICT, Figure, reported

RESULT = place.ROOT / "build/bench.json"


def figures(folder: Path, wanted: set[str], rounds: int) -> Iterator[Figure]:
    """The figures that are wanted, as they are measured."""
    aws, logs = place.Aws(folder / "objects"), place.Logs()
    try:
        os.environ.update(place.environment(aws.port))
        messages = place.compiled_messages(folder)
        sys.path.insert(0, str(messages))
        measure = partial(measured, aws, logs, folder, rounds)
        yield from reported(measure, wanted, is_verdict=rounds >= VERDICT)
    finally:
        aws.stop()


def measured(aws: place.Aws, logs: place.Logs, folder: Path, rounds: int, wanted: set[str]) -> Iterator[Figure]:
    """Measure what is wanted, and what comes with it."""
    from benchmarks import asking, costing, deferring, ingesting, recording, rendering, sending, starting

    parts: list[tuple[Iterable[str], Callable[[], Iterator[Figure]]]] = [
        (sending.KEYS, lambda: sending.figures(aws, logs, wanted, rounds=rounds)),
        (costing.KEYS, lambda: costing.figures(aws, logs, rounds=rounds)),
        (recording.KEYS, lambda: recording.figures(aws, logs, rounds=rounds)),
        (deferring.KEYS, lambda: deferring.figures(aws, logs)),
        (asking.KEYS, lambda: asking.figures(aws, logs)),
        (rendering.KEYS, lambda: rendering.figures(folder / "desk", rounds=rounds)),
        (starting.KEYS, lambda: starting.figures(rounds=rounds)),
        (ingesting.KEYS, lambda: ingesting.figures(aws, place.messages(folder), rounds=rounds)),
    ]
    for keys, measure in parts:
        if wanted & set(keys):
            yield from (figure for figure in measure() if figure.key in wanted)


def line(figure: Figure) -> str:
    """A row of the table."""
    goal = GOALS[figure.key]
    spread = f"{min(figure.rounds):.3g}-{max(figure.rounds):.3g}" if len(figure.rounds) > 1 else ""
    return (
        f"{figure.key:36} {figure.what:44} {goal.must:>6g} {goal.aim:>6g} {figure.value:>8.3g} "
        f"{spread:>13}  {figure.verdict}"
    )


def print_bill(found: Iterable[Figure]) -> None:
    """The calculation of the costs, below the table."""
    from benchmarks import costing

    for figure in found:
        if figure.key in costing.KEYS:
            print("", *costing.printed(figure), sep="\n")


def write(found: Iterable[Figure], *, rounds: int) -> None:
    """Write what was found, in so many rounds as were asked for, beside what was found before of other keys."""
    kept = json.loads(RESULT.read_text()) if RESULT.exists() else {}
    for figure in found:
        goal = GOALS[figure.key]
        kept[figure.key] = {**figure._asdict(), **goal._asdict(), "asked": rounds}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(kept, indent=1) + "\n")


def keep(options: argparse.ArgumentParser) -> None:
    """Write what was measured into the documentation; ends with 2 where that is not all, or not in enough rounds."""
    from benchmarks import page

    try:
        page.keep(json.loads(RESULT.read_text()) if RESULT.exists() else {})
    except page.UnmeasuredError as error:
        options.exit(2, f"{error}\nMeasure everything first: `make bench`\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of `make bench`."""
    options = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument(
        "--only", action="append", choices=sorted(GOALS), help="a key; may be given again (default: all)"
    )
    options.add_argument(
        "--rounds", type=int, default=VERDICT, help="of each figure; fewer are a quick look (default: %(default)s)"
    )
    options.add_argument("--json", action="store_true", help="print the figures as JSON")
    options.add_argument("--keep", action="store_true", help="measure nothing: write what was found to docs/cost.md")
    given = options.parse_args(arguments)
    if given.keep:
        keep(options)
        return 0
    found: list[Figure] = []
    if not given.json:
        print(f"{'key':36} {'what':44} {'must':>6} {'aim':>6} {'measured':>8} {'spread':>13}  verdict", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        for figure in figures(Path(folder), set(given.only or GOALS), given.rounds):
            found.append(figure)
            write([figure], rounds=given.rounds)
            if not given.json:
                print(line(figure), flush=True)
    if not given.json:
        print_bill(found)
    if given.json:
        print(json.dumps({figure.key: figure._asdict() for figure in found}, indent=1))
    return int(any(figure.verdict == MISSED for figure in found))


if __name__ == "__main__":
    sys.exit(main())
