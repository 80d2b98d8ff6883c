"""Whatever happens in whatever order, never more than one channel follows, and none after a confirmation."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import EMAIL, NOW, PACK_ID, PUSH, SMS, a_fallback, a_message, a_recipient, a_rendered, a_request
from heliograph.delivery import slots
from heliograph.followups.fallbacks import achieved
from heliograph.model.channels import Channel
from heliograph.model.dispatches import Dispatch, DispatchPack
from heliograph.model.engagement import EngagementKind
from heliograph.model.ledger import LedgerEntry
from heliograph.model.outcomes import Facts, Happened, SlotFacts
from heliograph.model.policy import Policy
from heliograph.model.requests import EarlierDispatch, Lane, RequestPack
from heliograph.planning import packing
from heliograph.planning.decisions import decision, inputs_of, recheck
from heliograph.planning.ruling import decide
from heliograph.recording.facts import Fact
from heliograph.text import ids
from search.budget import budget

MESSAGE = a_message(
    "parcel",
    channels=(PUSH,),
    fallback=(
        a_fallback(SMS),
        a_fallback(EMAIL, unless=EngagementKind.DELIVERED, within=600),
    ),
)
POLICY = Policy()
CHANNELS = (PUSH, SMS, EMAIL)
"""By stage."""


class Chain:
    """One request, and everything that may happen to it, by the pure decisions alone."""

    def __init__(self) -> None:
        self.now = NOW
        self.ledger: dict[str, LedgerEntry] = {}
        self.facts: dict[str, dict[str, Happened]] = {}
        """By place."""
        self.timers: list[packing.Due] = []
        self.outbox: list[DispatchPack] = []
        self.sent: list[tuple[Channel, bool]] = []
        """Every message that a provider took, and whether an earlier one was confirmed then."""
        request = a_request(message="parcel")
        self.plan(RequestPack(pack_id=PACK_ID, lane=Lane.PRIORITY, requests=(request,)))

    def plan(self, pack: RequestPack) -> None:
        """As the function does: a "later" is written once, a "yes" is claimed by deliver."""
        (request,) = pack.requests
        before = achieved(request.earlier, self.facts, self.now)
        inputs = inputs_of(request, MESSAGE, a_recipient(), policy=POLICY, now=self.now, achieved=before)
        ruling = decide(inputs, MESSAGE, POLICY)
        made = decision(request, MESSAGE, a_recipient(), ruling, policy=POLICY, slot=0)
        if not isinstance(made, Dispatch):
            entry = LedgerEntry.of(made, pack_id=pack.pack_id, slot=0, version="v1", policy="p", at=self.now)
            self.ledger.setdefault(made.dispatch_id, entry)
        known = {made.dispatch_id: self.ledger[made.dispatch_id]} if made.dispatch_id in self.ledger else {}
        planned = packing.outbox(pack, [made], known)
        self.timers += planned.later
        self.outbox += planned.dispatches

    def deliver(self, pack: DispatchPack, answer: Fact) -> None:
        """As the function does: the last look, the claim, the timer, the message."""
        (dispatch,) = pack.dispatches
        confirmed_by, _ = achieved(dispatch.request.earlier, self.facts, self.now)
        current, ruling = recheck(
            dispatch, MESSAGE, a_recipient(), policy=POLICY, now=self.now, confirmed_by=confirmed_by
        )
        rendered = (
            None
            if ruling.reason
            else a_rendered(current.channel, request_id=current.request.request_id, step=current.request.step)
        )
        checked = slots.Checked(current, MESSAGE, rendered, ruling.reason or "", ruling.until)
        claim = slots.claim_entry(checked, pack, policy="p", at=self.now)
        existing = self.ledger.setdefault(dispatch.dispatch_id, claim)
        won, before = ({claim.dispatch_id}, {}) if existing is claim else (set[str](), {claim.dispatch_id: existing})
        place = ids.outcome_key(pack.pack_id, 0)
        facts: SlotFacts = {0: dict(self.facts.get(place, {}))} if place in self.facts else {}
        (slot,) = slots.classified(pack, [checked], before, facts, won=won, at=self.now)
        self.timers += slots.due_later(pack, [slot], self.now)
        self._keep(place, slot.learnt)
        if slot.to_send or slot.to_send_again:
            self.facts.get(place, {}).pop(Fact.RETRY, None)
            if answer in (Fact.ACCEPTED, Fact.UNKNOWN):
                self.sent.append((pack.channel, self._is_confirmed(dispatch.request.earlier)))
            self._keep(place, {answer: Happened(self.now)})
        is_failed = Fact.FAILED in self.facts.get(place, {}) and answer is Fact.FAILED
        unreached = [slot] if slot.reaches_nobody or is_failed else []
        following = slots.due_now(pack, unreached, self.now)
        self.timers += [packing.Due(requests, self.now) for requests in following]

    def hear(self, number: int, kind: EngagementKind) -> None:
        """Something happens to a message that was taken."""
        places = sorted(self.facts)
        if places and Fact.FAILED not in self.facts[places[number % len(places)]]:
            self._keep(places[number % len(places)], {kind: Happened(self.now)})

    def fire(self, number: int, *, again: bool) -> None:
        """A timer that is due fires, perhaps not for the last time."""
        due = [timer for timer in self.timers if timer[1] <= self.now]
        if due:
            timer = due[number % len(due)]
            if not again:
                self.timers.remove(timer)
            self.plan(timer[0])

    def _keep(self, place: str, facts: Facts) -> None:
        if facts:
            self.facts[place] = {**facts, **self.facts.get(place, {})}

    def _is_confirmed(self, dispatches: Iterable[EarlierDispatch]) -> bool:
        return bool(achieved(dispatches, self.facts, self.now)[0])


number = st.integers(0, 5)
happening = st.one_of(
    st.tuples(st.just("time"), st.sampled_from([1, 10, 121, 121, 242])),
    st.tuples(st.just("fire"), number, st.booleans()),
    st.tuples(st.just("fire"), number, st.booleans()),
    st.tuples(
        st.just("deliver"),
        number,
        st.booleans(),
        st.sampled_from([Fact.ACCEPTED, Fact.ACCEPTED, Fact.ACCEPTED, Fact.RETRY, Fact.FAILED, Fact.UNKNOWN]),
    ),
    st.tuples(st.just("hear"), number, st.sampled_from(EngagementKind)),
)


@settings(max_examples=budget(150))
@given(st.lists(happening, min_size=30, max_size=60))
def test_never_more_than_one_channel_a_stage_and_none_once_one_has_confirmed(
    happenings: list[tuple[object, ...]],
) -> None:
    chain = Chain()
    for each in happenings:
        match each:
            case ("time", int(minutes)):
                chain.now += timedelta(minutes=minutes)
            case ("fire", int(which), bool(again)):
                chain.fire(which, again=again)
            case ("deliver", int(which), bool(again), Fact() as answer) if chain.outbox:
                pack = chain.outbox[which % len(chain.outbox)]
                if not again:
                    chain.outbox.remove(pack)
                chain.deliver(pack, answer)
            case ("hear", int(which), EngagementKind() as kind):
                chain.hear(which, kind)
    stages = [CHANNELS.index(channel) for channel, _ in chain.sent]
    assert stages == sorted(set(stages))
    assert not any(was_confirmed for _, was_confirmed in chain.sent)


@settings(max_examples=budget(50))
@given(st.lists(st.tuples(st.booleans(), st.integers(0, 3)), min_size=40, max_size=40))
def test_nobody_reacts_and_every_channel_follows_once_in_whatever_order_things_come(
    order: list[tuple[bool, int]],
) -> None:
    chain = Chain()
    for again, which in order:
        for pack in chain.outbox[which % (len(chain.outbox) or 1) :]:
            chain.deliver(pack, Fact.ACCEPTED)
        chain.fire(which, again=again)
        chain.now += timedelta(minutes=41)
    assert [channel for channel, _ in chain.sent] == list(CHANNELS)
