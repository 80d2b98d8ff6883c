"""Progress that people can follow: what is being done, for how long, and what came of it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from heliograph_cli.console import console, remark

Say = Callable[[str], None]


@contextmanager
def step(title: str) -> Iterator[Say]:
    """A step of the demo; what was said last stands behind it when it is done."""
    began, last = time.monotonic(), [""]
    with console(stderr=True).status(title) as shown:

        def say(text: str) -> None:
            last[0] = text
            shown.update(f"{title}: {text}")

        yield say
    remark(f"{time.monotonic() - began:6.1f} s  {title}" + (f": {last[0]}" if last[0] else ""))
