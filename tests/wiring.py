"""The stack as its templates say it: what the tests of the wiring read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # it brings no types

ROOT = Path(__file__).parent.parent
Properties = dict[str, Any]


def load(name: str) -> dict[str, Any]:
    """A template; its functions are dictionaries, as in JSON."""
    return _plain(cfn_yaml.load(str(ROOT / name)))  # type: ignore[no-any-return]  # the root of a template is a mapping


def _plain(node: Any) -> Any:
    if isinstance(node, dict):
        return {str(key): _plain(value) for key, value in node.items()}
    if isinstance(node, list):
        return [_plain(value) for value in node]
    return str(node) if isinstance(node, str) else node


TEMPLATE = load("template.yaml")
STORAGE = load("infra/storage.yaml")
MESSAGING = load("infra/messaging.yaml")
OBSERVABILITY = load("infra/observability.yaml")
ALARMS = load("infra/alarms.yaml")
PUSH = load("infra/push.yaml")


def resources(template: dict[str, Any], kind: str) -> dict[str, Properties]:
    """The properties of all resources of a type, by logical name."""
    found = template["Resources"].items()
    return {name: resource["Properties"] for name, resource in found if resource["Type"] == kind}


FUNCTIONS = resources(TEMPLATE, "AWS::Serverless::Function")
QUEUES = resources(MESSAGING, "AWS::SQS::Queue")
GLOBALS: Properties = TEMPLATE["Globals"]["Function"]


def mappings(function: str) -> dict[str, Properties]:
    """What a function is triggered by."""
    return {name: event["Properties"] for name, event in FUNCTIONS[function].get("Events", {}).items()}


def queue_of(mapping: Properties) -> str:
    """The logical name of the queue that a mapping reads, found through the outputs of the messaging stack."""
    _, output = mapping["Queue"]["Fn::GetAtt"]
    queue, _ = MESSAGING["Outputs"][output.removeprefix("Outputs.")]["Value"]["Fn::GetAtt"]
    return str(queue)


def statements(role: str) -> Iterator[dict[str, Any]]:
    """What a role may do, on either side of a condition."""
    for policy in TEMPLATE["Resources"][role]["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            sides = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
            yield from (side for side in sides if "Effect" in side)


def as_list(value: Any) -> list[Any]:
    """One or many, as many."""
    return value if isinstance(value, list) else [value]


def text_of(value: Any) -> str:
    """A name written with Fn::Sub, as written."""
    return str(value["Fn::Sub"] if isinstance(value, dict) else value)
