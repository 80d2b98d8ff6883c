"""Deliver dispatches: a last look at the person, claim, render, hand to the provider, keep what it answered."""

from __future__ import annotations

from heliograph.delivery import steps
from heliograph.delivery.recheck.work import last_look
from heliograph.delivery.work import Turn, correct, finish, follow, keep, refused, send, then_the_rest, turn_of
from heliograph.model.dispatches import DispatchPack
from heliograph.model.outcomes import RecordKey
from heliograph.planning.work import achievements, plan_later, refund
from heliograph.runtime import wiring
from heliograph.runtime.handlers import counting_handler
from heliograph.runtime.observe import count_refused


@counting_handler(DispatchPack)
def handler(pack: DispatchPack, receives: int) -> None:
    """Send every dispatch of a pack that is provably not sent yet."""
    turn = turn_of(pack)
    if turn is not None:
        with then_the_rest(turn, receives):
            deliver(turn)


def deliver(turn: Turn) -> None:
    """Send what of a pack has its turn."""
    pack = turn.pack
    now, policy = wiring.now(), wiring.templates().policy.version
    record = RecordKey(pack.run_id, pack.pack_id, pack.channel)
    people = wiring.recipients().get_many(
        [dispatch.request.recipient_id for dispatch in pack.dispatches], consistent=True
    )
    achieved = achievements([dispatch.request for dispatch in pack.dispatches], now)
    checked = [
        last_look(pack, dispatch, people.get(dispatch.request.recipient_id), now, confirmed_by=before.confirmed_by)
        for dispatch, before in zip(pack.dispatches, achieved, strict=True)
    ]
    written = wiring.ledger().write([steps.claim(one, pack, policy=policy, at=now) for one in checked])
    facts = wiring.records().read([record])[record] if written.existing else {}
    is_complete = not written.undecided
    todo = steps.todo(pack, checked, written.existing, facts, won=written.won, at=now, complete=is_complete)
    for later, until in todo.later:
        plan_later(later, until)
    keep(record, todo.facts, now)
    count_refused(pack.channel, steps.told(checked, written.won))
    correct(turn, [*todo.claimed, *todo.again])
    open_ends = [*send(record, todo.claimed, rate=turn.rate)]
    if todo.again:
        wiring.records().claim_again(record, [rendered.dispatch.slot for rendered in todo.again])
        open_ends += send(record, todo.again, rate=turn.rate)
    rejected = refused(pack, open_ends)
    refund([dispatch.request for dispatch in (*todo.unsent, *rejected)], now)
    follow(pack, checked, todo.unreached | {dispatch.slot for dispatch in rejected})
    finish(pack, open_ends, in_doubt=todo.in_doubt, waiting=todo.waiting, is_complete=is_complete)
