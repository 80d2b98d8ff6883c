"""Help texts and pages work as printed: every command line in them is one that the command line takes."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from heliograph_cli.main import COMMANDS, cli

ROOT = Path(__file__).parents[3]
FOLDERS = [ROOT / name for name in ("docs", "examples", "infra")]
PAGES = [*sorted(ROOT.glob("*.md")), *sorted(page for folder in FOLDERS for page in folder.rglob("*.md"))]
SPAN = re.compile(r"`(?:\.venv/bin/)?heliograph ([^`]+)`")
LINE = re.compile(r"^\s*(?:\.venv/bin/)?heliograph (.+)$", re.MULTILINE)
OUTSIDE = {"spring-sale", "people.csv"}
"""Of files, examples name some that are not here."""


def commands(command: click.Command, *words: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command with the words that lead to it, groups included."""
    if words:
        yield words, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            further = command.get_command(context, name)
            assert further is not None
            yield from commands(further, *words, name)


EVERY = dict(commands(cli))


def example(words: tuple[str, ...]) -> list[str]:
    """The words of a command's example, as a shell would split them."""
    shown = CliRunner().invoke(cli, [*words, "--help"]).stdout
    (line,) = re.findall(r"^  Example: heliograph (.+)$", shown, re.MULTILINE)
    return shlex.split(line)


def parse(words: list[str]) -> None:
    """Let click read a command line, down to the command's own arguments, without running it."""
    command: click.Command = cli
    name, rest = "heliograph", words
    parent: click.Context | None = None
    try:
        while isinstance(command, click.Group):
            parent = command.make_context(name, rest, parent=parent)
            found_name, found, rest = command.resolve_command(parent, [*parent._protected_args, *parent.args])
            assert found is not None
            command, name = found, str(found_name)
        command.make_context(name, rest, parent=parent)
    except click.BadParameter as error:
        if not any(each in error.message for each in OUTSIDE):
            raise
    except click.exceptions.Exit:
        assert "--help" in words


def printed(page: Path) -> list[str]:
    """The command lines of a page that are whole: no placeholders, no text that is cut off."""
    text = page.read_text().replace("\\\n", " ")
    blocks = "\n".join(re.findall(r"```(?:sh|bash)?\n(.*?)```", text, re.DOTALL))
    found = [*SPAN.findall(re.sub(r"```.*?```", "", text, flags=re.DOTALL)), *LINE.findall(blocks)]
    return [re.split(r" {2,}", each.strip())[0] for each in found]


def is_whole(line: str) -> bool:
    """Whether a line is more than the name of a command or option, without placeholders such as ID, [RUN], A|B, …"""
    words = line.split()
    if tuple(words) in EVERY or words[-1].startswith("--"):
        return False
    return not re.search(r"(?<![\w{\"'])[A-Z]{2,}\b|(?<=\s)[A-Z](?=\s|$)|[\[\]|…<]|\.\.\.", line)


LINES = [(page.name, line) for page in PAGES for line in printed(page)]


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_every_command_has_an_example_that_it_takes_and_json(words: tuple[str, ...]) -> None:
    given = example(words)
    assert tuple(given[: len(words)]) == words
    parse(given)
    assert "--json" in CliRunner().invoke(cli, [*words, "--help"]).stdout


def test_the_example_of_the_command_line_itself_is_one_that_it_takes() -> None:
    parse(example(()))


def test_pages_print_command_lines_that_can_be_tried() -> None:
    assert len([line for _, line in LINES if is_whole(line)]) >= 15


@pytest.mark.parametrize(("page", "line"), [each for each in LINES if is_whole(each[1])], ids=str)
def test_a_command_line_on_a_page_is_one_that_is_taken(page: str, line: str) -> None:
    parse(shlex.split(line))


@pytest.mark.parametrize(("page", "line"), [each for each in LINES if not is_whole(each[1])], ids=str)
def test_a_command_line_with_placeholders_names_a_command_and_options_that_exist(page: str, line: str) -> None:
    words = re.findall(r"[\w-]+", line)
    leading = max((each for each in EVERY if tuple(words[: len(each)]) == each), key=len)
    options = {"--help", *(name for each in EVERY[leading].params for name in each.opts)}
    assert set(re.findall(r"--[a-z-]+", line)) <= options


def test_docs_say_of_every_command_what_it_does() -> None:
    text = (ROOT / "docs" / "cli.md").read_text()
    missing = [name for name in COMMANDS if f"`{name}" not in text and f" {name}" not in text]
    assert not missing
