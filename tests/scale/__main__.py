"""Runs of ten thousand to a hundred million people, in virtual time; fails where they do not scale.

Example: make scale options="--people 10k --people 100k"
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from heliograph.campaigns.segments import PACK_LIMIT
from scale import page, verdicts
from scale.runs import SAMPLE, WHOLE, Scaled

SIZES = (10_000, 100_000, 1_000_000, 10_000_000, 100_000_000)
RATE = 200.0
UNITS = {"k": 1_000, "m": 1_000_000}
SIDE_BY_SIDE = 2  # each asks a stand-in of its own for all it needs, and one of the two waits at any time


def people(text: str) -> int:
    """`100k` or `10m` as a number; it must be whole packs."""
    try:
        number = int(float(text[:-1]) * UNITS[text[-1].lower()]) if text[-1:].lower() in UNITS else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is no number such as 10000, 100k or 10m") from None
    if number < 1_000 or number % PACK_LIMIT:
        raise argparse.ArgumentTypeError(f"a run has a thousand people at least, in hundreds; {text} is not that")
    return number


def scaled(size: int, *, rate: float, progress: Callable[[int, int], None]) -> Scaled:
    """What a run of a size takes, in a process of its own."""
    command = [sys.executable, "-m", "scale.runs", str(size), str(rate)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stderr is not None
        said = []
        for line in child.stderr:
            said.append(line)
            if line.strip().isdigit():
                progress(size, int(line))
        told = child.stdout.read()
    if child.returncode:
        raise SystemExit("".join(line for line in said if not line.strip().isdigit()))
    return page.read(json.loads(told.splitlines()[-1]))


def show(size: int, happened: int) -> None:
    """Say how far a run is."""
    of_them = size * max(1, SAMPLE // size) if size <= WHOLE else SAMPLE
    print(f"\r{size:>11,} people: {happened:>9,} of {of_them:,} ", end="", file=sys.stderr, flush=True)


def options() -> argparse.ArgumentParser:
    """What the command takes."""
    parser = argparse.ArgumentParser(
        prog="make scale", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", action="append", type=people, help="a size, as 100k or 10m; may be given again")
    parser.add_argument("--rate", type=float, default=RATE, help="mails a second (default: %(default)g)")
    parser.add_argument("--json", action="store_true", help="print what was found as JSON")
    parser.add_argument("--write", action="store_true", help="put what was found into docs/scale.md; takes every size")
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of `make scale`."""
    given = options().parse_args(arguments)
    sizes = sorted(set(given.people or SIZES))
    if given.write and sizes != [*SIZES]:
        options().error("the page is written from runs of every size: leave --people out, or leave --write out")
    one = partial(scaled, rate=given.rate, progress=show if not given.json else lambda size, happened: None)
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        longest_first = sorted(sizes, key=lambda size: -(size if size <= WHOLE else SAMPLE))
        runs = {size: pool.submit(one, size) for size in longest_first}
        found = [runs[size].result() for size in sizes]
    against = verdicts.against(found)
    if given.json:
        print(json.dumps({"runs": [run._asdict() for run in found], "against": against}, indent=1))
    else:
        print("\n", *page.markdown(found), *(f"MISSED: {each}" for each in against), sep="\n")
    if given.write:
        page.write(found)
    return int(bool(against))


if __name__ == "__main__":
    sys.exit(main())
