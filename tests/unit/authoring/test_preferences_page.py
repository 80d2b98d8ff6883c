"""docs/preferences.md tells the rules as they are, with examples that the desk accepts."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

from heliograph.model.people import ConsentState, ZoneSource
from heliograph.model.policy import Enforcement, Purpose
from heliograph.planning.rules import LATER, RULES, RULES_BEFORE_DELIVERY
from heliograph_cli.authoring.facts import MessageFacts
from heliograph_cli.authoring.policy_facts import PolicyFacts

PAGE = (Path(__file__).parents[3] / "docs/preferences.md").read_text(encoding="utf-8")
EXAMPLES = [tomllib.loads(text) for text in re.findall(r"```toml\n(.*?)```", PAGE, flags=re.DOTALL)]


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table after a heading, without its head."""
    table = PAGE.partition(f"{heading}\n")[2].partition("\n|")[2].partition("\n\n")[0]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_the_table_names_every_rule_in_its_order() -> None:
    assert [row[0] for row in rows("## The order of the rules")] == [rule.__name__ for rule in RULES]


def test_the_table_tells_which_rules_let_a_message_wait() -> None:
    later = [row[0] for row in rows("## The order of the rules") if row[3].startswith("later")]
    assert later == [rule.__name__ for rule in RULES if rule.__name__ in LATER]


def test_the_table_tells_which_rules_are_asked_again_before_delivery() -> None:
    again = [row[0] for row in rows("## The order of the rules") if row[4] == "yes"]
    assert again == [rule.__name__ for rule in RULES_BEFORE_DELIVERY]


def test_the_page_names_the_sources_of_a_time_zone_in_their_order() -> None:
    assert [row[1] for row in rows("### Whose time?")] == [source.value for source in ZoneSource]


def test_the_page_names_every_word_of_consent() -> None:
    words = {*Enforcement, *Purpose} | {state.replace("_", " ") for state in ConsentState}
    assert [word for word in words if word not in PAGE] == []


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: next(iter(example)))
def test_the_desk_accepts_every_example(example: dict[str, Any]) -> None:
    facts, needed = (MessageFacts, {}) if "purpose" in example else (PolicyFacts, {"topics": {"orders": "Orders"}})
    assert facts.model_validate(needed | example)
