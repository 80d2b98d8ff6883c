"""Start the local cloud: `python -m localcloud`, on loopback only, at GATEWAY_PORT."""

from __future__ import annotations

import atexit
import logging
import os
import shutil
import tempfile
from importlib import import_module

LOOPBACK_ONLY = {"BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}
DEFAULTS = {"GATEWAY_PORT": "4566", "AUTH": "true", "LOG_LEVEL": "WARNING"}
PARTS = (
    "announce",
    "firehose",
    "signing",
    "ses",
    "permissions",
    "ses_permissions",
    "sms",
    "push",
    "sns",
    "endpoint",
    "layers",
    "cores",
    "metrics",
    "alarms",
    "recursion",
    "scheduler",
    "resource_types",
    "resource_gaps",
    "hang_up",
    "web",
)


def set_environment() -> None:
    """ministack reads its environment when it is imported, so this comes first."""
    os.environ.update(LOOPBACK_ONLY)
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="heliograph-local-")
    atexit.register(shutil.rmtree, os.environ["TMPDIR"], ignore_errors=True)
    tempfile.tempdir = os.environ["TMPDIR"]


def main() -> None:
    """Play what ministack lacks, then serve."""
    set_environment()
    from ministack import app

    for part in PARTS:
        import_module(f"localcloud.{part}").install()
    logging.getLogger("samtranslator.metrics").setLevel(logging.ERROR)  # it warns of its own telemetry at each deploy
    app.main()


if __name__ == "__main__":
    main()
