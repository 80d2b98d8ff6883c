"""A process that goes on when its command has ended."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from select import select

from heliograph_cli.local import process

HELD = 30.0  # seconds after which what is still open stays open; it is closed a moment after the start


def test_what_goes_on_keeps_nothing_open_that_its_command_was_given(tmp_path: Path) -> None:
    """Else `flock lock make up` would hold the lock until `make down`."""
    reads, writes = os.pipe()
    os.set_inheritable(writes, True)
    pid = process.spawn([sys.executable, "-c", "import time; time.sleep(60)"], {}, log=tmp_path / "log")
    os.close(writes)
    try:
        ended, _, _ = select([reads], [], [], HELD)  # the end of the pipe, as soon as nobody has its other end
        assert ended, "the process still has the other end"
    finally:
        os.close(reads)
        process.stop(pid)
