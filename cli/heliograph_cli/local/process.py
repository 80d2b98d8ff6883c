"""A process that goes on when the command that started it has ended: the local cloud."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from heliograph_cli.waiting import until_still

STOP_PATIENCE = 20.0  # seconds
TICK = 0.05  # seconds


def spawn(command: Sequence[str], environment: Mapping[str, str], *, log: Path) -> int:
    """Start a command in a session of its own, and give its process id.

    It keeps nothing open that this process was given: a lock of the shell would be held for as long as it runs.
    """
    for opened in [int(each.name) for each in Path("/dev/fd").iterdir()]:
        if opened > 2:
            with suppress(OSError):  # the one that listed them is closed again
                os.set_inheritable(opened, False)
    output = (os.POSIX_SPAWN_OPEN, 1, str(log), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    files = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), output, (os.POSIX_SPAWN_DUP2, 1, 2)]
    return os.posix_spawn(command[0], [*command], environment, file_actions=files, setsid=True)


def is_alive(pid: int) -> bool:
    """Whether it runs; one of our own that ended is reaped."""
    try:
        if os.waitpid(pid, os.WNOHANG)[0] == pid:
            return False
    except ChildProcessError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def is_ours(pid: int) -> bool:
    """Whether this process is a local cloud: after a restart of the machine its number may be somebody else's."""
    if not is_alive(pid):
        return False
    seen = Path(f"/proc/{pid}/cmdline")
    if seen.exists():
        return b"localcloud" in seen.read_bytes()
    asked = subprocess.run(["ps", "-o", "command=", "-p", str(pid)], check=False, capture_output=True, text=True)
    return "localcloud" in asked.stdout


def stop(pid: int) -> None:
    """Ask it to end; end it, and all that it started, when it does not."""
    os.kill(pid, signal.SIGTERM)
    if not until_still(lambda: _ended(pid), patience=STOP_PATIENCE, most=TICK):
        os.killpg(pid, signal.SIGKILL)  # it leads its session: its functions go with it
        until_still(lambda: _ended(pid), patience=STOP_PATIENCE, most=TICK)


def _ended(pid: int) -> tuple[bool, bool]:
    has_ended = not is_alive(pid)
    return has_ended, has_ended
