"""What is wrong at the desk, and what to do about it."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One mistake, at its position."""

    file: str
    """Relative to the templates folder."""
    line: int
    """0: the file as a whole."""
    problem: str
    remedy: str
    warning: bool = False
    """Worth a look, but nothing that keeps the message from being sent."""

    def __str__(self) -> str:
        position = f"{self.file}:{self.line}" if self.line else self.file
        return f"{position}: {self.problem} {self.remedy}"


def counted(number: int, noun: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


class DeskError(Exception):
    """The templates cannot be built; every mistake is listed."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        super().__init__("\n".join(str(finding) for finding in findings))
        self.findings = tuple(findings)
