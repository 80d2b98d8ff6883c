"""What a call of the command line loads before it does anything: a tenth of what the project has."""

from __future__ import annotations

import subprocess
import sys

import pytest
from click.testing import CliRunner

from heliograph_cli.main import COMMANDS, cli

HEAVY = [
    "babel",
    "boto3",
    "botocore",
    "css_inline",
    "email_validator",
    "holidays",
    "jinja2",
    "phonenumbers",
    "pydantic",
    "rich",
    "s3transfer",
]
LOADED = """
import sys
from heliograph_cli.main import main
try:
    main()
except SystemExit:
    pass
print(*(name for name in sys.modules if "." not in name), file=sys.stderr)
"""


def loaded(*words: str) -> set[str]:
    """The heavy libraries that a call has imported when it ends."""
    done = subprocess.run([sys.executable, "-c", LOADED, *words], capture_output=True, text=True, check=True)
    return set(done.stderr.split()) & set(HEAVY)


@pytest.mark.parametrize("words", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)], ids=" ".join)
def test_help_comes_without_any_heavy_library(words: list[str]) -> None:
    assert not loaded(*words)


def test_wrong_usage_is_told_without_any_heavy_library() -> None:
    assert not loaded("send", "order_shipped", "--to", "an\x1bna")


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_itself_says(name: str) -> None:
    listed = CliRunner().invoke(cli, ["--help"]).stdout
    shown = CliRunner().invoke(cli, [name, "--help"]).stdout
    assert f"  {name} " in listed
    assert shown.startswith(f"Usage: cli {name} ")
