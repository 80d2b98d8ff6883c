"""Settling: by what has come since, else by the rule of the message."""

from __future__ import annotations

from heliograph.delivery.packs import check_channels, some_of
from heliograph.model.dispatches import DispatchPack
from heliograph.model.outcomes import RecordKey
from heliograph.recording.facts import Fact, may_be_sent_again
from heliograph.recording.settling import settlement
from heliograph.runtime import wiring
from heliograph.runtime.observe import count_facts


def settle(pack: DispatchPack) -> None:
    """Decide what nobody has decided yet, and say so in its record.

    What is dropped still counts against its person's caps: the provider may have taken it.
    """
    check_channels(pack)
    record, now = _record(pack), wiring.now()
    facts = wiring.records().read([record])[record]
    for dispatch in pack.dispatches:
        message = wiring.templates().message(dispatch.request.message)
        settled = settlement(facts.get(dispatch.slot, {}), message, now)
        if settled:
            wiring.records().settle(record, dispatch.slot, settled)
            count_facts(pack.channel, {dispatch.slot: dict(settled)})


def send_again(pack: DispatchPack) -> None:
    """Requeue what is to be sent again; another try may have settled it."""
    record = _record(pack)
    known = wiring.records().read([record])[record]
    again = {slot for slot, kinds in known.items() if Fact.SETTLED in kinds and may_be_sent_again(kinds)}
    if again := again & {dispatch.slot for dispatch in pack.dispatches}:
        wiring.outbox(pack.channel, pack.lane).send([some_of(pack, again)])


def _record(pack: DispatchPack) -> RecordKey:
    return RecordKey(pack.run_id, pack.pack_id, pack.channel)
