"""A stack may have any of the channels and leave out any: its templates, their loops gone round, fit together."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import combinations
from typing import Any

import pytest

from wiring import CHANNELS, Stack, as_list, load, policies, resources, stacks_of

SUBSETS = [
    some
    for size in range(1, len(CHANNELS) + 1)
    for some in combinations(CHANNELS, size)
    if size in (1, 2, len(CHANNELS))
]
"""Each channel alone, each with each other, and all."""
PSEUDO = re.compile(r"AWS::\w+")

subsets = pytest.mark.parametrize("channels", SUBSETS, ids=",".join)


@cache
def stacks(channels: tuple[str, ...]) -> dict[str, Stack]:
    """All stacks of a deployment with some channels, the root under no name."""
    root = Stack("template.yaml", {}, load("template.yaml", Channels=",".join(channels)))
    return {"": root, **dict(stacks_of(channels))}


def named(node: Any) -> Iterator[tuple[str, str]]:
    """What a part of a template names of its template: Ref, Fn::GetAtt and so on, and what of it."""
    if isinstance(node, dict):
        for function, value in node.items():
            match function, value:
                case "Ref", str():
                    yield "Ref", value
                case "Fn::GetAtt", [str(resource), str(attribute)]:
                    yield "Fn::GetAtt", f"{resource}.{attribute}"
                case "Fn::Sub", _:
                    text, told = value if isinstance(value, list) else (value, {})
                    for name in set(re.findall(r"\$\{([^!}][^}]*)\}", text)) - told.keys():
                        yield ("Fn::GetAtt" if "." in name else "Ref"), name
                case "Fn::If", [str(condition), *_]:
                    yield "Condition", condition
                case "Condition", str():
                    yield "Condition", value
                case "DependsOn", _:
                    yield from (("DependsOn", each) for each in as_list(value))
            yield from named(value)
    for each in node if isinstance(node, list) else ():
        yield from named(each)


def is_there(function: str, name: str, template: Mapping[str, Any], inner: Mapping[str, Stack]) -> bool:
    """Whether a template has what it names."""
    own = template["Resources"]
    match function:
        case "Ref":
            return bool(PSEUDO.fullmatch(name)) or name in own or name in template.get("Parameters", {})
        case "Fn::GetAtt":
            resource, _, attribute = name.partition(".")
            if attribute.startswith("Outputs."):
                return resource in own and attribute.removeprefix("Outputs.") in inner[resource].template["Outputs"]
            return resource in own
        case "DependsOn":
            return name in own
        case _:
            return name in template.get("Conditions", {})


@subsets
def test_all_that_a_template_names_is_there(channels: tuple[str, ...]) -> None:
    every = stacks(channels)
    found = [(name, what) for name, stack in every.items() for what in named(stack.template)]
    assert {kind for _, (kind, _) in found} == {"Ref", "Fn::GetAtt", "DependsOn", "Condition"}
    assert not [(name, what) for name, what in found if not is_there(*what, every[name].template, every)]


@subsets
def test_every_stack_is_given_what_it_asks_for_and_nothing_else(channels: tuple[str, ...]) -> None:
    for name, stack in stacks(channels).items():
        assert not name or stack.given.keys() == stack.template["Parameters"].keys(), name


@subsets
def test_a_stack_has_the_parts_of_its_channels_and_of_no_others(channels: tuple[str, ...]) -> None:
    every = stacks(channels)
    assert {name for name in every if name.startswith("Channel")} == {f"Channel{channel}" for channel in channels}
    delivering = resources(every["Delivery"].template, "AWS::Serverless::Function").keys()
    assert delivering == {"Settle", *(f"Deliver{channel}" for channel in channels)}


@subsets
def test_a_role_may_do_the_same_whatever_other_channels_there_are(channels: tuple[str, ...]) -> None:
    """What it may do at all is in test_permissions.py, both ways."""
    every = stacks(channels)
    roles = [role for stack in every.values() for role in resources(stack.template, "AWS::IAM::Role")]
    assert {f"Deliver{channel}Role" for channel in channels} <= set(roles)
    for role in roles:
        assert list(policies(role, every)) == list(policies(role)), role


@pytest.mark.parametrize(
    ("written", "missing"),
    [
        ({"Ref": "A"}, ("Ref", "A")),
        ({"Fn::Sub": "${A}-${!b}"}, ("Ref", "A")),
        ({"Fn::Sub": ["${A.Arn}-${B}", {"B": "b"}]}, ("Fn::GetAtt", "A.Arn")),
        ({"Fn::GetAtt": ["Delivery", "Outputs.smsRole"]}, ("Fn::GetAtt", "Delivery.Outputs.smsRole")),
        ({"Fn::If": ["A", "b", "c"]}, ("Condition", "A")),
        ({"Condition": "A"}, ("Condition", "A")),
        ({"DependsOn": ["A"]}, ("DependsOn", "A")),
    ],
)
def test_what_is_not_there_is_found(written: dict[str, Any], missing: tuple[str, str]) -> None:
    """Else the tests above would hold for a search that finds nothing."""
    template = {"Resources": {"Delivery": written}}
    inner = {"Delivery": Stack("", {}, {"Outputs": {"pushRole": {}}})}
    assert list(named(template)) == [missing]
    assert not is_there(*missing, template, inner)
