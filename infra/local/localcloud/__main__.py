"""Start the local cloud: `python -m localcloud`, on loopback only, at GATEWAY_PORT."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile

LOOPBACK_ONLY = {"BIND_HOST": "127.0.0.1", "IOT_MTLS_ENABLED": "0", "SFTP_ENABLED": "0"}
DEFAULTS = {"GATEWAY_PORT": "4566", "AUTH": "true", "LOG_LEVEL": "WARNING"}


def set_environment() -> None:
    """ministack reads its environment when it is imported, so this comes first."""
    os.environ.update(LOOPBACK_ONLY)
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    if "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = tempfile.mkdtemp(prefix="heliograph-local-")
        atexit.register(shutil.rmtree, os.environ["TMPDIR"], ignore_errors=True)
    tempfile.tempdir = os.environ["TMPDIR"]


def main() -> None:
    """Play what ministack lacks, then serve."""
    set_environment()
    from ministack import app

    from localcloud import announce, metrics, push, resource_gaps, resource_types, scheduler, ses, sms, sns, web

    for part in (ses, sms, push, sns, metrics, scheduler, resource_types, resource_gaps, web):
        part.install()
    announce.start()
    app.main()


if __name__ == "__main__":
    main()
