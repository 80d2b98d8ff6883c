"""Waiting for a minute, writers and ticks interleaved by the call and killed anywhere: nobody is lost or has two."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aws.turns import MINUTE, SMALL, Actor, Stack, due
from heliograph.scheduling.work import hand_on_what_is_due, plan_later
from search.budget import budget

tries = st.fixed_dictionaries(
    {
        "origin": st.integers(0, 3),
        "leaves_out": st.sets(st.integers(0, SMALL - 1), max_size=4),
        "killed_at": st.one_of(st.none(), st.integers(0, 5)),
    }
)
ticks = st.fixed_dictionaries({"killed_at": st.one_of(st.none(), st.integers(0, 16))})
moments = st.lists(
    st.tuples(
        st.integers(0, 12), st.lists(st.one_of(tries, ticks), min_size=1, max_size=3), st.randoms(use_true_random=True)
    ),
    min_size=1,
    max_size=6,
)
"""Minutes that pass, who is at work at the same time then, and whose turn it is."""


@settings(
    max_examples=budget(120), derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)
@given(moments)
def test_whoever_was_kept_for_a_minute_is_in_one_pack_that_is_the_same_on_every_try(story: Any) -> None:
    with pytest.MonkeyPatch.context() as patch:
        stack = Stack(patch)
        surely_kept: set[str] = set()
        for minutes, at_work, whose in story:
            stack.now += timedelta(minutes=minutes)
            actors = [actor_of(stack, each) for each in at_work]
            stack.at_once([actor for actor, _ in actors], whose)
            surely_kept |= {person for actor, people in actors if actor.has_ended_well for person in people}
        for _ in range(3):
            stack.now = max(stack.now, MINUTE) + timedelta(minutes=1)
            hand_on_what_is_due()
        sent = stack.sent()
        assert len(sent) == len(set(sent))
        assert surely_kept <= set(sent)
        assert all(len(content.split(b"\n")) <= 100 for (content,) in stack.packs.values())


def actor_of(stack: Stack, act: Any) -> tuple[Actor, list[str]]:
    """A try of plan or a tick, and whom it keeps."""
    if "origin" not in act:
        return Actor(hand_on_what_is_due, act["killed_at"]), []
    kept = due(act["origin"], act["leaves_out"])
    return Actor(lambda: plan_later([kept]), act["killed_at"]), [each.recipient_id for each in kept.pack.requests]
