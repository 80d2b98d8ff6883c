"""Settle dispatches in doubt: by events that have come since, else by the rule of their message."""

from __future__ import annotations

from heliograph.delivery import steps
from heliograph.model.dispatches import DispatchPack
from heliograph.model.outcomes import RecordKey
from heliograph.recording.facts import Fact, may_be_sent_again
from heliograph.recording.settling import settlement
from heliograph.runtime import wiring
from heliograph.runtime.handlers import queue_handler
from heliograph.runtime.observe import count_facts


@queue_handler(DispatchPack)
def handler(pack: DispatchPack) -> None:
    """Decide what nobody has decided yet, say so in its record, and put back what is to be sent again.

    What is dropped still counts against its person's caps: the provider may have taken it.
    """
    record, now = RecordKey(pack.run_id, pack.pack_id, pack.channel), wiring.now()
    facts = wiring.records().read([record])[record]
    for dispatch in pack.dispatches:
        message = wiring.templates().message(dispatch.request.message)
        settled = settlement(facts.get(dispatch.slot, {}), message, now)
        if settled:
            wiring.records().settle(record, dispatch.slot, settled)
            count_facts(pack.channel, {dispatch.slot: dict(settled)})
    known = wiring.records().read([record])[record]
    again = {slot for slot, kinds in known.items() if Fact.SETTLED in kinds and may_be_sent_again(kinds)}
    if again := again & {dispatch.slot for dispatch in pack.dispatches}:
        wiring.outbox(pack.channel, pack.lane).send([steps.some_of(pack, again)])
