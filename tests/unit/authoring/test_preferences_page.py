"""docs/preferences.md tells the rules as they are, with examples that the desk accepts."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from heliograph.model.people import ConsentState, ZoneSource
from heliograph.model.policy import Enforcement, Purpose
from heliograph.planning.rules import RULES
from heliograph_cli.authoring.facts import MessageFacts
from heliograph_cli.authoring.policy_facts import PolicyFacts

PAGE = (Path(__file__).parents[3] / "docs/preferences.md").read_text(encoding="utf-8")
EXAMPLES = [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)]


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table after a heading, without its head."""
    table = PAGE.partition(f"{heading}\n")[2].partition("\n|")[2].partition("\n\n")[0]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_the_table_tells_of_every_rule_what_is_declared_with_it() -> None:
    declared = [[each.name, each.asks, each.when, each.then, "yes" if each.again else "no"] for each in RULES]
    assert rows("## The order of the rules") == declared


def test_the_page_names_the_sources_of_a_time_zone_in_their_order() -> None:
    assert [row[1] for row in rows("### Whose time?")] == [source.value for source in ZoneSource]


def test_the_page_names_every_word_of_consent() -> None:
    words = {*Enforcement, *Purpose} | {state.replace("_", " ") for state in ConsentState}
    assert [word for word in words if word not in PAGE] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: next(iter(example)))
def test_the_desk_accepts_every_example(example: dict[str, Any]) -> None:
    facts, needed = (MessageFacts, {}) if "purpose" in example else (PolicyFacts, {"topics": {"orders": "Orders"}})
    assert facts.model_validate(needed | example)
