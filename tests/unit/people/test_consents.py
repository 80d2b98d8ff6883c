"""Rules of which answer of a person holds, in whatever order and however often they come."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import NOW
from heliograph.model.people import Consent, ConsentState
from heliograph.people.consents.answers import Statement, as_of, holding, holds_against

IN, OUT = ConsentState.OPTED_IN, ConsentState.OPTED_OUT
PENDING, NOT_SET = ConsentState.PENDING, ConsentState.NOT_SET
NEWS = "news/email"


def said(state: ConsentState, minute: int, *, source: str = "page") -> Consent:
    return Consent(state=state, at=NOW + timedelta(minutes=minute), source=source)


def history(*states: ConsentState) -> list[Statement]:
    """One answer a minute."""
    return [
        Statement(key=NEWS, consent=said(state, minute), recorded_at=NOW)
        for minute, state in enumerate(states, start=1)
    ]


@pytest.mark.parametrize(
    ("states", "holds"),
    [
        ([PENDING], PENDING),
        ([PENDING, IN], IN),
        ([PENDING, IN, IN], IN),
        ([PENDING, IN, PENDING], IN),
        ([PENDING, IN, OUT], OUT),
        ([PENDING, IN, OUT, PENDING], OUT),
        ([PENDING, IN, OUT, PENDING, IN], IN),
        ([PENDING, OUT], OUT),
        ([IN, NOT_SET], NOT_SET),
        ([IN, NOT_SET, PENDING], PENDING),
        ([IN, NOT_SET, PENDING, IN], IN),
        ([OUT, NOT_SET, IN], IN),
    ],
)
def test_the_latest_answer_holds_and_what_is_not_confirmed_ends_none(
    states: list[ConsentState], holds: ConsentState
) -> None:
    for order in permutations(history(*states)):
        twice = [*order, *order]
        assert as_of(twice, NOW + timedelta(days=1))[NEWS].state is holds


def test_a_time_sees_only_what_was_said_until_then() -> None:
    spoken = history(PENDING, IN, OUT)
    states = [as_of(spoken, NOW + timedelta(minutes=minute)).get(NEWS) for minute in range(4)]
    assert [consent and consent.state for consent in states] == [None, PENDING, IN, OUT]


def test_an_undated_opt_in_does_not_end_an_opt_out_in_the_history_either() -> None:
    undated = Statement(key=NEWS, consent=said(IN, 5), recorded_at=NOW, undated=True)
    assert as_of([*history(OUT), undated], NOW + timedelta(days=1))[NEWS].state is OUT


CONSENTS = st.builds(said, st.sampled_from(ConsentState), st.integers(0, 3))


def kept_after(consents: list[Consent]) -> ConsentState | None:
    """What is kept when answers come in an order, each set unless the one before holds against it."""
    answer, pending = None, None
    for consent in consents:
        if consent.state is PENDING:
            pending = pending if pending and holds_against(pending, consent, undated=False) else consent
        else:
            answer = answer if answer and holds_against(answer, consent, undated=False) else consent
    held = holding(answer, pending)
    return held.state if held else None


@given(st.lists(CONSENTS, max_size=5).flatmap(lambda some: st.tuples(st.just(some), st.permutations(some * 2))))
def test_the_order_of_answers_never_matters(orders: tuple[list[Consent], list[Consent]]) -> None:
    once, shuffled_twice = orders
    assert kept_after(once) == kept_after(shuffled_twice)


@given(st.lists(CONSENTS, min_size=1, max_size=6))
def test_the_history_always_tells_what_is_kept(consents: list[Consent]) -> None:
    spoken = [Statement(key=NEWS, consent=consent, recorded_at=NOW) for consent in consents]
    assert as_of(spoken, NOW + timedelta(days=1))[NEWS].state is kept_after(consents)
