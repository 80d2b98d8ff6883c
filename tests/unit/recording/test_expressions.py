"""What DynamoDB takes in one update, whatever there is to be kept: 4 KB of an expression, 300 operators in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from builders import EMAIL, NOW, PACK_ID, a_change
from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import Happened, RecordKey, SlotFacts
from heliograph.model.people import Consent, ConsentState
from heliograph.people.changes import RecipientChange
from heliograph.people.items_store import consent_of, item_of
from heliograph.people.store import Recipients
from heliograph.recording.facts import Fact
from heliograph.recording.kept_facts import facts_in
from heliograph.recording.store import Records

EXPRESSION_LIMIT = 4_096  # bytes of an expression: DynamoDB, "Constraints", expression parameters
OPERATORS_LIMIT = 300  # operators and functions of an expression
OPERATORS = re.compile(r"\b(?:AND|OR|NOT|if_not_exists|attribute_exists|attribute_not_exists)\b|<>|<=|>=|[<>=+-]")
KINDS = [*(kind.value for kind in Fact), *(kind.value for kind in EngagementKind)]
RECORD = RecordKey("run-1", PACK_ID, EMAIL)
STATES = [state for state in ConsentState if state is not ConsentState.PENDING]


class Table:
    """A table that takes what DynamoDB would take, and remembers what was set."""

    class exceptions:  # noqa: N801 - as botocore spells it
        """What a client may raise."""

        class ConditionalCheckFailedException(ClientError):  # noqa: N818 - as botocore spells it
            """Somebody else was first."""

    def __init__(self) -> None:
        self.kept: dict[str, Any] = {}
        self.calls = 0

    def update_item(self, **asked: Any) -> dict[str, Any]:
        """Refuse what is too long; set the rest."""
        self.calls += 1
        for kind in ("UpdateExpression", "ConditionExpression"):
            expression = asked.get(kind, "")
            assert len(expression.encode()) <= EXPRESSION_LIMIT
            assert len(OPERATORS.findall(expression)) <= OPERATORS_LIMIT
        names, values = asked["ExpressionAttributeNames"], asked.get("ExpressionAttributeValues", {})
        found = re.findall(r"(#\w+)(?: =)? (?:if_not_exists\(#\w+, )?(:\w+)", asked["UpdateExpression"])
        self.kept |= {names[name]: values[value] for name, value in found}
        return {}


class Silent:
    """A history that is of no interest here."""

    def keep(self, changes: list[RecipientChange]) -> None:
        """Nothing."""


def facts_of_everybody(slots: int, kinds: list[str]) -> SlotFacts:
    """So many slots with facts of these kinds."""
    return {slot: {kind: Happened(NOW, "detail") for kind in kinds} for slot in range(slots) if kinds}


@given(st.integers(0, 100), st.lists(st.sampled_from(KINDS), unique=True))
def test_every_fact_of_a_batch_is_kept_however_many_there_are(slots: int, kinds: list[str]) -> None:
    table: Any = Table()
    Records(table, "runs").keep(RECORD, facts_of_everybody(slots, kinds), NOW)
    assert facts_in(table.kept) == facts_of_everybody(slots, kinds)


def test_the_facts_of_a_whole_pack_are_one_update() -> None:
    table: Any = Table()
    Records(table, "runs").keep(RECORD, facts_of_everybody(100, [Fact.ACCEPTED]), NOW)
    assert table.calls == 1


def test_a_whole_pack_is_claimed_again_in_one_update() -> None:
    table: Any = Table()
    Records(table, "runs").claim_again(RECORD, range(100))
    assert table.calls == 1


some_consents = st.dictionaries(
    st.from_regex(r"[a-z]{1,12}/(email|sms|push)", fullmatch=True),
    st.builds(
        Consent,
        state=st.sampled_from(STATES),
        at=st.integers(0, 10_000).map(lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)),
        source=st.just("import:people.csv"),
    ),
    max_size=150,
)
some_attributes = st.integers(0, 450).map(lambda many: {f"column {number}": "x" for number in range(many)})


@given(some_consents, some_attributes, st.booleans())
def test_every_consent_and_attribute_of_a_change_is_kept_however_many_there_are(
    consents: Mapping[str, Consent], attributes: dict[str, Any], undated: bool
) -> None:
    table: Any = Table()
    change = a_change("amara", consents=dict(consents), attributes=attributes, phone="+1206", undated=undated)
    Recipients(table, "people", Silent()).save(change)  # type: ignore[arg-type]  # the history is of no interest here
    assert table.kept.keys() == item_of(change).keys() - {"recipient_id"}
    assert {name: consent_of(value).state for name, value in table.kept.items() if name.startswith("consent#")} == {
        f"consent#{key}": consent.state for key, consent in consents.items()
    }


def test_thirty_one_consents_and_more_fit() -> None:
    table: Any = Table()
    said = Consent(state=ConsentState.NOT_SET, at=NOW, source="import:people.csv")
    change = a_change("amara", consents={f"topic-{n}/email": said for n in range(300)}, undated=True)
    Recipients(table, "people", Silent()).save(change)  # type: ignore[arg-type]  # the history is of no interest here
    assert len(table.kept) == 301
