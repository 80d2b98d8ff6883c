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
for words in map(str.split, sys.argv[1:]):
    sys.argv[1:] = words
    try:
        main()
    except SystemExit:
        pass
    print(*(name for name in sys.modules if "." not in name), file=sys.stderr)
"""
HELP = ["--help", "--version", *(f"{name} --help" for name in COMMANDS)]


def loaded(*calls: str) -> list[set[str]]:
    """The heavy libraries that are there after each of some calls, one after the other in a new process."""
    done = subprocess.run([sys.executable, "-c", LOADED, *calls], capture_output=True, text=True, check=True)
    after = [set(line.split()) & set(HEAVY) for line in done.stderr.splitlines() if "sys" in line.split()]
    assert len(after) == len(calls), done.stderr
    return after


def test_help_comes_without_any_heavy_library() -> None:
    assert dict(zip(HELP, loaded(*HELP), strict=True)) == {call: set() for call in HELP}


def test_wrong_usage_is_told_without_any_heavy_library() -> None:
    assert loaded("send order_shipped --to an\x1bna") == [set()]


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_itself_says(name: str) -> None:
    listed = CliRunner().invoke(cli, ["--help"]).stdout
    shown = CliRunner().invoke(cli, [name, "--help"]).stdout
    assert f"  {name} " in listed
    assert shown.startswith(f"Usage: cli {name} ")
