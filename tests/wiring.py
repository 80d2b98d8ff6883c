"""The stack as its templates say it, their loops gone round: what the tests of the wiring read."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # it brings no types
from cfnlint.template import Template  # type: ignore[import-untyped]

from heliograph.channels import registry

ROOT = Path(__file__).parent.parent
Properties = dict[str, Any]
LOOPS = "AWS::LanguageExtensions"
STACK = "AWS::CloudFormation::Stack"


def load(name: str, **given: str) -> dict[str, Any]:
    """A template with what it is given, its loops expanded by the linter; functions are dictionaries, as in JSON."""
    asked = _written(name).get("Parameters", {})
    return _expanded(name, *(item for item in given.items() if item[0] in asked))


@cache
def _expanded(name: str, *given: tuple[str, str]) -> dict[str, Any]:
    written = deepcopy(_written(name))
    for parameter, value in given:
        written["Parameters"][parameter]["Default"] = value
    written["Transform"] = [each for each in as_list(written.get("Transform", [])) if each == LOOPS]
    template = Template(name, written, ["us-east-1"])
    mistakes = template.transform()
    assert not mistakes, mistakes
    return _plain(template.template)  # type: ignore[no-any-return]  # the root of a template is a mapping


@cache
def _written(name: str) -> Any:
    return cfn_yaml.load(str(ROOT / name))


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return str(node) if isinstance(node, str) else node


def as_list(value: Any) -> list[Any]:
    """One or many, as many."""
    return value if isinstance(value, list) else [value]


def text_of(value: Any) -> str:
    """A name written with Fn::Sub, as written, but for what it is told to put in."""
    if isinstance(value, dict):
        value = value["Fn::Sub"]
    text, told = value if isinstance(value, list) else (value, {})
    for name, said in told.items():
        text = text.replace(
            f"${{{name}}}", f"${{{said['Ref']}}}" if isinstance(said, dict) and "Ref" in said else str(said)
        )
    return str(text)


DEFAULT_CHANNELS: tuple[str, ...] = tuple(load("template.yaml")["Parameters"]["Channels"]["Default"].split(","))
CHANNELS: tuple[str, ...] = tuple(registry.CHANNELS)
"""Those that a stack may have: what holds for each must hold for the ones that are off until somebody wants them."""


class Stack(NamedTuple):
    """A nested stack."""

    url: str
    """Its template, from the root of the repository."""
    given: Properties
    """The parameters that the stack around it gives it."""
    template: dict[str, Any]


def stacks_of(channels: Iterable[str], url: str = "template.yaml") -> Iterator[tuple[str, Stack]]:
    """The stacks in a stack with these channels, and those within them, by name; but for that which is compiled."""
    for name, resource in load(url, Channels=",".join(channels))["Resources"].items():
        if resource["Type"] == STACK and name != "Triggers":
            own = resource["Properties"]
            inner = str(Path(url).parent / own["TemplateURL"])
            yield name, Stack(inner, own.get("Parameters", {}), load(inner, Channels=",".join(channels)))
            yield from stacks_of(channels, inner)


TEMPLATE = load("template.yaml", Channels=",".join(CHANNELS))
STACKS = dict(stacks_of(CHANNELS))
NESTED = {name: stack.template for name, stack in STACKS.items()}
"""The templates of the stacks in the stack."""


def resources(template: dict[str, Any], kind: str) -> dict[str, Properties]:
    """The properties of all resources of a type, by logical name."""
    found = template["Resources"].items()
    return {name: resource["Properties"] for name, resource in found if resource["Type"] == kind}


def everywhere(kind: str) -> dict[str, Properties]:
    """The properties of all resources of a type in all stacks, by logical name."""
    found: dict[str, Properties] = {}
    for template in (TEMPLATE, *NESTED.values()):
        more = resources(template, kind)
        assert not found.keys() & more.keys(), f"two of one name: {found.keys() & more.keys()}"
        found |= more
    return found


def _functions() -> Iterator[tuple[str, Properties]]:
    for template in NESTED.values():
        shared = template.get("Globals", {}).get("Function", {})
        for name, own in resources(template, "AWS::Serverless::Function").items():
            variables = {key: value for each in (shared, own) for key, value in _variables(each).items()}
            yield name, {**shared, **own, "Environment": {"Variables": variables}}


def _variables(properties: Properties) -> Properties:
    return properties.get("Environment", {}).get("Variables", {})  # type: ignore[no-any-return]


FUNCTIONS = dict(_functions())
"""With what is global in their templates."""
QUEUES = {
    text_of(each["QueueName"]).removeprefix("${StackName}-"): each
    for each in resources(NESTED["Queues"], "AWS::SQS::Queue").values()
}
"""By name, without the stack's."""


def mappings(function: str) -> dict[str, Properties]:
    """The queues that a function is triggered by."""
    return _events(function, "SQS")


def streams(function: str) -> dict[str, Properties]:
    """The streams of tables that a function is triggered by."""
    return _events(function, "DynamoDB")


def _events(function: str, kind: str) -> dict[str, Properties]:
    events = FUNCTIONS[function].get("Events", {}).items()
    return {name: event["Properties"] for name, event in events if event["Type"] == kind}


def queue_of(mapping: Properties) -> str:
    """The name of the queue that a mapping reads."""
    return text_of(mapping["Queue"]).removeprefix("${Queues}")


def policies(role: str, stacks: Mapping[str, Stack] = STACKS) -> Iterator[Properties]:
    """The policies of a role: its own, and what a channel's stack adds to it."""
    for stack in stacks.values():
        yield from resources(stack.template, "AWS::IAM::Role").get(role, {}).get("Policies", ())
        for policy in resources(stack.template, "AWS::IAM::Policy").values():
            (added_to,) = policy["Roles"]
            if stack.given[added_to["Ref"]] == {"Ref": role}:
                yield policy


def output_of(stack: str, output: str) -> Any:
    """What an output of a nested stack says."""
    return NESTED[stack]["Outputs"][output.removeprefix("Outputs.")]["Value"]


def statements(role: str) -> Iterator[Properties]:
    """What a role may do, whatever the parameters are."""
    for policy in policies(role):
        yield from policy["PolicyDocument"]["Statement"]


def verb_of(function: str) -> str:
    """The folder of a function's handler."""
    (verb,) = re.findall(r"from functions\.(\w+)\.app import handler", FUNCTIONS[function]["InlineCode"])
    return str(verb)
