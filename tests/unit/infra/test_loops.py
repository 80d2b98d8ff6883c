"""What AWS's transform of loops refuses, and neither the linter nor the local cloud tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from cfnlint.decode import cfn_yaml  # type: ignore[import-untyped]  # it brings no types

from wiring import ROOT, as_list

TEMPLATES = sorted(str(path.relative_to(ROOT)) for path in (ROOT / "template.yaml", *ROOT.glob("infra/**/*.yaml")))
PREFIX = "Fn::ForEach::"


def written(name: str) -> dict[str, Any]:
    """A template with its loops as they are written."""
    return cfn_yaml.load(str(ROOT / name))  # type: ignore[no-any-return]  # the root of a template is a mapping


def within(node: Any) -> Iterator[dict[str, Any]]:
    """All objects in a part of a template."""
    if isinstance(node, dict):
        yield node
    for each in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from within(each)


def loops(node: Any) -> Iterator[tuple[str, str, Any]]:
    """The name of each loop, what it calls the word whose turn it is, and what it repeats."""
    for each in within(node):
        for key, value in each.items():
            if key.startswith(PREFIX):
                identifier, _, repeated = value
                yield key.removeprefix(PREFIX), identifier, repeated


LOOPED = [name for name in TEMPLATES if any(loops(written(name)))]


def test_there_are_loops() -> None:
    """Else the tests below would hold for a search that finds nothing."""
    assert {"infra/queues.yaml", "infra/delivery.yaml", "infra/alarms.yaml"} <= set(LOOPED)


@pytest.mark.parametrize("name", LOOPED)
def test_a_loop_has_a_name_that_nothing_else_in_its_template_has(name: str) -> None:
    template = written(name)
    names = [loop for loop, _, _ in loops(template)]
    assert len(names) == len(set(names))
    assert not set(names) & template["Resources"].keys()


@pytest.mark.parametrize("name", LOOPED)
def test_what_a_loop_goes_through_cannot_be_taken_for_a_parameter_or_a_resource(name: str) -> None:
    template = written(name)
    named = template["Parameters"].keys() | template["Resources"].keys()
    assert not {identifier for _, identifier, _ in loops(template)} & named


@pytest.mark.parametrize("name", LOOPED)
def test_nothing_in_a_loop_holds_a_condition_alone(name: str) -> None:
    """`{Condition: …}` is a function to the transform, whatever it was meant to be (cfn-language-discussion 156)."""
    repeated = [each for _, _, fragment in loops(written(name)) for each in within(fragment)]
    assert repeated
    assert not [each for each in repeated if each.keys() == {"Condition"}]


@pytest.mark.parametrize("name", LOOPED)
def test_no_text_of_a_loop_puts_in_the_name_of_the_stack_by_itself(name: str) -> None:
    """With it in a text, the transform put nothing else in (cfn-language-discussion 151); the parameter is safe."""
    for _, _, fragment in loops(written(name)):
        texts = [str(as_list(each["Fn::Sub"])[0]) for each in within(fragment) if "Fn::Sub" in each]
        assert not [text for text in texts if "${AWS::StackName}" in text]


@pytest.mark.parametrize("name", LOOPED)
def test_a_template_with_loops_says_so_first(name: str) -> None:
    """The transform of loops goes before that of SAM, which would find a list in place of a resource."""
    assert as_list(written(name)["Transform"])[0] == "AWS::LanguageExtensions"
