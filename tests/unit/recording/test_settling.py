"""What becomes of a dispatch in doubt."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from builders import NOW, a_message
from heliograph.model.messages import Message, OnUnknown
from heliograph.model.outcomes import Happened
from heliograph.model.policy import Purpose
from heliograph.recording.facts import may_be_sent_again, standing_of, state_of
from heliograph.recording.settling import settlement


def facts(*kinds: str) -> dict[str, Happened]:
    return dict.fromkeys(kinds, Happened(NOW, "why"))


@pytest.mark.parametrize(
    ("message", "state"),
    [
        (a_message(), "unknown"),
        (a_message(on_unknown=OnUnknown.DROP), "failed"),
        (a_message(purpose=Purpose.PROMOTIONAL), "failed"),
        (a_message(purpose=Purpose.PROMOTIONAL, on_unknown=OnUnknown.RESEND), "unknown"),
        (None, "failed"),
    ],
)
def test_the_rule_of_the_message_decides_else_its_purpose(message: Message | None, state: str) -> None:
    settled = {**facts("unknown"), **settlement(facts("unknown"), message, NOW)}
    assert state_of(settled) == state
    assert may_be_sent_again(settled) is (state == "unknown")


def test_a_settlement_is_said_in_the_ledger() -> None:
    assert settlement(facts("unknown"), a_message(), NOW)["settled"].detail == "resend"
    dropped = settlement(facts("unknown"), a_message(on_unknown=OnUnknown.DROP), NOW)
    assert (dropped["settled"].detail, dropped["failed"].detail) == ("drop", "in_doubt")


@pytest.mark.parametrize("kind", ["accepted", "sent", "delivered", "bounced", "opened"])
def test_what_a_provider_says_settles_more_than_any_rule(kind: str) -> None:
    settled = settlement(facts("unknown", kind), a_message(), NOW)
    assert {name: value.detail for name, value in settled.items()} == {"settled": "accepted"}


@pytest.mark.parametrize(
    "kinds", [(), ("accepted",), ("failed",), ("skipped",), ("retry",), ("unknown", "settled"), ("unknown", "retry")]
)
def test_what_is_not_in_doubt_or_was_settled_is_left_alone(kinds: Sequence[str]) -> None:
    assert settlement(facts(*kinds), a_message(), NOW) == {}


def test_what_a_provider_says_after_a_drop_still_counts() -> None:
    dropped = {**facts("unknown"), **settlement(facts("unknown"), None, NOW)}
    assert standing_of({**dropped, **facts("delivered")}) == "accepted"
