"""One meaning a word: no public name contains a word that the glossary says it is not called."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

import click
import pytest

from heliograph_cli.main import cli

ROOT = Path(__file__).parents[3]
GLOSSARY = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
NOT_CALLED = tuple(
    word.strip()
    for column in re.findall(r"^\| \*\*.+\*\* \| .+ \| (.+) \|$", GLOSSARY, re.MULTILINE)
    for word in column.split(",")
)
CODE = ("layers/heliograph/heliograph", "cli/heliograph_cli", "functions")
NAME = re.compile(r"[A-Za-z][\w.-]*")
IN_YAML = re.compile(r"(?:^|[{,]) *(?:- )?([A-Za-z][\w-]*): |MetricName: ([\w-]+)", re.MULTILINE)


class Named(NamedTuple):
    """A name, and the file in which it is given."""

    name: str
    file: str


class Allowed(NamedTuple):
    """A word in the names that a pattern finds, in the files that another finds."""

    word: str
    names: str
    files: str
    reason: str


ALLOWED = (
    Allowed("letters", r"(?i)dead.?letters", "", "SQS's word for what could not be worked off"),
    Allowed(
        "letter", r"(?i)dead.?letter", "", "the same, one of them, in SQS's, Scheduler's and EventBridge's own fields"
    ),
    Allowed("letters", "", "dead_letters|alarms|observability", "dead letters, where nothing else is spoken of"),
    Allowed("letter", "", "dead_letters", "one of them"),
    Allowed("disabled", "Disabled|DISABLED", "channels/", "codes of SNS and of SES"),
    Allowed(
        "user",
        "user_agent|User.UserId|User",
        "",
        "a header of HTTP, a column of Pinpoint's, the name of an AWS service",
    ),
    Allowed("user", "end_user_messaging|end-user-messaging|EndUserMessaging", "", "the name of an AWS service"),
    Allowed("suppression", "", "infra/|email/doctor", "SES's own list"),
    Allowed("suppression", "AddressSuppression|_suppression", "people", "of an address"),
)
"""Words of others, and words that mean another thing there. Whoever adds a line says why."""

ADDRESSES = re.compile(r"people/|model/people|model/engagement|consequences|infra/|email/doctor|address", re.IGNORECASE)
"""Where suppress… is said of an address, which is all that can be suppressed."""


def words(name: str) -> str:
    """A name's words, in lower case, with a space around each: `DeadLettersArn` is ` dead letters arn `."""
    parted = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", " ", name)
    return f" {' '.join(re.findall(r'[a-z]+', parted.lower()))} "


def names_in(tree: ast.Module) -> Iterator[str]:
    """Public classes, functions, parameters, fields and constants, and every string that is a name: a key, a value."""
    yield from (name for name in public(tree.body) if not name.startswith("_"))
    sentences = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(name)) if id(node) not in sentences and NAME.fullmatch(name):
                yield name


def public(body: list[ast.stmt]) -> Iterator[str]:
    """What a module or a class gives names to; what is within a function is its own business."""
    for node in body:
        match node:
            case ast.ClassDef(name=name):
                yield name
                yield from public(node.body)
            case ast.FunctionDef(name=name, args=given_) if not name.startswith("_") or name == "__init__":
                yield name
                yield from (each.arg for each in (*given_.posonlyargs, *given_.args, *given_.kwonlyargs))
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name


@cache
def given() -> tuple[Named, ...]:
    """Every name of the package, of the command line and of the templates of the stack."""
    return tuple(_given())


def _given() -> Iterator[Named]:
    for folder in CODE:
        for file in sorted((ROOT / folder).rglob("*.py")):
            path = str(file.relative_to(ROOT))
            yield Named(file.stem, path)
            yield from (Named(name, path) for name in names_in(ast.parse(file.read_text(encoding="utf-8"))))
    for file in (ROOT / "template.yaml", *sorted((ROOT / "infra").rglob("*.yaml"))):
        names = (name for found in IN_YAML.findall(file.read_text(encoding="utf-8")) for name in found if name)
        yield from (Named(name, str(file.relative_to(ROOT))) for name in names)
    for file in sorted((ROOT / "docs/schema").rglob("*.json")):
        yield from (Named(name, str(file.relative_to(ROOT))) for name in re.findall(r'"([\w.-]+)":', file.read_text()))
    yield from (Named(name, "heliograph --help") for name in spoken(cli))


def spoken(command: click.Command) -> Iterator[str]:
    """The names of a command's options and arguments, and of all commands below it."""
    yield command.name or ""
    for parameter in command.params:
        yield from (parameter.name or "", *parameter.opts)
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            below = command.get_command(click.Context(command), name)
            assert below is not None
            yield from spoken(below)


def is_allowed(word: str, given_: Named) -> bool:
    return any(
        word == each.word and re.search(each.names, given_.name) and re.search(each.files, given_.file)
        for each in ALLOWED
    )


def test_names_are_found_where_they_are_given() -> None:
    assert {"SendRequest", "recipient_id", "not_consented", "--json", "DeadLettersArn", "idempotency_key"} <= {
        each.name for each in given()
    }


@pytest.mark.parametrize("word", NOT_CALLED)
def test_no_name_contains_a_word_that_the_glossary_says_it_is_not_called(word: str) -> None:
    wrong = {each for each in given() if f" {word} " in words(each.name) and not is_allowed(word, each)}
    assert sorted(wrong) == []


def test_only_addresses_are_suppressed() -> None:
    said = {each for each in given() if " suppress" in words(each.name)}
    assert [each for each in sorted(said) if not ADDRESSES.search(f"{each.file} {each.name}")] == []


@pytest.mark.parametrize("allowed", ALLOWED, ids=lambda each: f"{each.word} {each.names}")
def test_what_is_allowed_is_needed(allowed: Allowed) -> None:
    said = {each for each in given() if f" {allowed.word} " in words(each.name)}
    assert [each for each in said if re.search(allowed.names, each.name) and re.search(allowed.files, each.file)]
