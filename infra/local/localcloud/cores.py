"""Share the few processors of this machine: on AWS each function has its own, here they would wait for each other."""

from __future__ import annotations

import os
import subprocess
from types import SimpleNamespace
from typing import Any

from ministack.core import lambda_runtime
from ministack.services import lambda_svc

HALF = max(1, (os.cpu_count() or 1) // 2)  # the other half is for queues and tables
AT_ONCE = int(os.environ.get("HELIOGRAPH_AT_ONCE", HALF))
"""How often a function runs for a queue at the same time."""
BEHIND = 5  # niceness of functions: queues and tables answer as if they were elsewhere


def install() -> None:
    """Take from each queue only as much work at a time as there are processors for it."""
    allowed = lambda_svc._sqs_esm_concurrency
    lambda_svc._sqs_esm_concurrency = lambda *about: min(allowed(*about), AT_ONCE)
    lambda_runtime.subprocess = SimpleNamespace(**{**vars(subprocess), "Popen": _behind})


def _behind(*arguments: Any, **options: Any) -> subprocess.Popen[str]:
    started = subprocess.Popen(*arguments, **options)
    os.setpriority(os.PRIO_PROCESS, started.pid, BEHIND)
    return started
