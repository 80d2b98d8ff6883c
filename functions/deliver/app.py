"""Deliver dispatches: claim, render, hand each pack to its channel, keep what the provider answered."""

from __future__ import annotations

from heliograph.delivery import work
from heliograph.delivery.turns.work import then_the_rest
from heliograph.model.dispatches import DispatchPack
from heliograph.runtime.handlers import counting_handler


@counting_handler(DispatchPack)
def handler(pack: DispatchPack, receives: int) -> None:
    """Send every dispatch of a pack that is provably not sent yet, as far as it is its turn."""
    attempt = work.open_attempt(pack)
    if attempt is None:
        return
    with then_the_rest(attempt.turn, receives):
        claimed = work.claim(attempt)
        outcomes = work.hand_over(attempt, claimed)
        work.finish(attempt, claimed, outcomes)
