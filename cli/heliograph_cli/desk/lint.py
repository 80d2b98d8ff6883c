"""Check the desk: everything that would make a message fail, mislead or cost more than it should."""

from pathlib import Path

from heliograph_cli.desk.findings import Finding
from heliograph_cli.desk.folder import Desk, read


def check(folder: Path) -> tuple[Desk | None, list[Finding]]:
    """Every finding, in the order of files and lines."""
    desk, findings = read(folder)
    return desk, sorted(findings)
