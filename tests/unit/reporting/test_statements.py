"""The timeline and `why` say what each rule found as a statement."""

from __future__ import annotations

import pytest

from builders import a_trace
from heliograph.planning.rules import RULES
from heliograph.reporting.statements import STATEMENTS, statements


def said(tried: str) -> list[str]:
    return [row["says"] for row in statements(a_trace(tried), "offers")]


def test_every_rule_has_a_statement_and_none_is_left_of_a_rule_that_is_gone() -> None:
    assert list(STATEMENTS) == [rule.name for rule in RULES]


def test_what_passed_is_ok() -> None:
    assert {statement.partition(": ")[2] for statement in said("email:passed")} == {"ok"}


@pytest.mark.parametrize(
    ("tried", "statement"),
    [
        ("email:not_consented", "consent: not given for offers by email"),
        ("sms:no_address", "address: none for sms"),
        ("push:channel_off", "channel: not set up"),
    ],
)
def test_what_objected_says_what_it_found(tried: str, statement: str) -> None:
    assert said(tried)[-1] == statement


def test_no_two_rules_say_the_same_of_what_they_look_at() -> None:
    assert len({about for about, _ in STATEMENTS.values()}) == len(STATEMENTS)
