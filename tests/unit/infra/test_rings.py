"""The rings of the package hold, and a breach is named with its line."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGES = ("layers/heliograph/heliograph", "cli/heliograph_cli")
LONGEST = 150  # lines of a file of nouns


def linted(place: Path) -> tuple[int, str]:
    """What import-linter says of a copy, and how it ends."""
    paths = os.pathsep.join(str(place / package) for package in ("layers/heliograph", "cli"))
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"]
    told = subprocess.run(command, cwd=place, env=os.environ | {"PYTHONPATH": paths}, capture_output=True, text=True)
    return told.returncode, " ".join(told.stdout.split()) + told.stderr


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The code as it is, to be spoilt."""
    place = tmp_path_factory.mktemp("rings")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, place / package, ignore=shutil.ignore_patterns("__pycache__"))
    (place / "tests").mkdir()
    for file in ("pyproject.toml", "tests/rings.py"):
        shutil.copy(ROOT / file, place / file)
    return place


BREACHES = {
    "planning/rules": ("import boto3", "boto3 (l.{line}): pure modules know nothing outside"),
    "text/ids": ("import random", "random (l.{line}): pure modules know nothing outside"),
    "model/people": ("import heliograph.planning.rules", "heliograph.planning.rules (l.{line}): model knows"),
    "planning/store": ("import heliograph.planning.work", "(l.{line}): store modules import no work"),
    "people/store": ("import heliograph.runtime.wiring", "(l.{line}): only works know the runtime"),
    "followups/work": ("import heliograph.people.items_store", "(l.{line}): it is no door of people"),
    "aws/queues": ("import heliograph.planning.packing", "(l.{line}): aws knows no capability"),
}
"""What is added to the end of a module, and what is said of it."""


def sound(module: str) -> str:
    """A module as it is."""
    return (ROOT / PACKAGES[0] / f"{module}.py").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def told_of_breaches(copy: Path) -> str:
    """What is said of all breaches at once: to read the whole code takes seconds."""
    for module, (breach, _) in BREACHES.items():
        (copy / PACKAGES[0] / f"{module}.py").write_text(f"{sound(module)}\n{breach}\n", encoding="utf-8")
    code, told = linted(copy)
    for module in BREACHES:
        (copy / PACKAGES[0] / f"{module}.py").write_text(sound(module), encoding="utf-8")
    assert code == 1
    return told


@pytest.mark.parametrize("module", BREACHES)
def test_a_breach_is_named_with_its_line(told_of_breaches: str, module: str) -> None:
    breach, rule = BREACHES[module]
    name, line = f"heliograph.{module.replace('/', '.')}", sound(module).count("\n") + 2
    imported = breach.removeprefix("import ")
    assert f"{name} -> {imported}" in told_of_breaches
    assert rule.format(line=line) in told_of_breaches


def test_the_rings_hold(copy: Path) -> None:
    assert linted(copy)[0] == 0


def test_no_file_of_nouns_is_long() -> None:
    lengths = {file.name: len(file.read_text().splitlines()) for file in (ROOT / PACKAGES[0] / "model").glob("*.py")}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST} == {}
