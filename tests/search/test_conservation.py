"""Whatever goes wrong, in whatever order: nobody is lost or written to twice or too often, no state moves backwards."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import cycle

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from aws.invocations import Killed
from aws.memory import Fate, World
from aws.memory_adapters import Words, install
from aws.memory_provider import ANSWERS, Provider
from builders import EMAIL, SMS, a_cap, a_fallback, a_message, a_promotion, a_recipient, a_request, hours
from heliograph.aws.errors import BusyError
from heliograph.model.channels import Channel
from heliograph.model.decisions import Reservation, Verdict
from heliograph.model.dispatches import Rendered
from heliograph.model.engagement import EngagementKind, Events
from heliograph.model.ledger import LedgerEntry
from heliograph.model.messages import Message, OnUnknown
from heliograph.model.outcomes import Facts, RecordKey
from heliograph.model.people import Preferences
from heliograph.model.policy import Cap, Policy, Purpose
from heliograph.model.requests import Lane, RequestPack, SendRequest
from heliograph.model.runs import Run
from heliograph.planning.kept_inputs import is_genuine
from heliograph.planning.ruling import decide
from heliograph.recording.facts import Fact, Standing, detail_of, is_unsent, standing_of
from heliograph.reporting import work as reports
from heliograph.runtime import wiring
from heliograph.tallying.sums import difference, sums_of, total
from heliograph.text import ids
from search.budget import budget

CHANNELS = (EMAIL, SMS)
MESSAGES = (
    a_promotion(*CHANNELS),
    a_message("notice", channels=CHANNELS),
    msgspec.structs.replace(a_promotion(EMAIL, fallback=(a_fallback(SMS),)), name="nudge"),
    a_message("ticket", channels=(SMS,), fallback=(a_fallback(EMAIL, within=600),)),
)
CAPS = (a_cap(2, days=1), a_cap(1, channel=SMS), a_cap(5, days=30))
"""The last one looks back further than any test lasts, so that no reservation is ever forgotten."""
POLICY = Policy(hours=(hours(channels=(SMS,), quiet=("21:00-08:00",)),), caps=CAPS)
PEOPLE = [f"person-{number}" for number in range(5)]
LATEST = {Standing.FAILED, Standing.SKIPPED, Standing.SCHEDULED}
RANKS = [{Standing.PENDING}, {Standing.UNKNOWN}, LATEST, {Standing.ACCEPTED}]

some_fate = st.builds(Fate, st.integers(0, 14), st.sampled_from([Killed, BusyError]))
some_answers = st.lists(st.sampled_from(ANSWERS), min_size=1, max_size=4)
number = st.integers(0, 1_000)


class Conservation(RuleBasedStateMachine):
    """A world in which everything may go wrong."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.provider = Provider(self.world)
        self.requests: list[SendRequest] = []
        self.seen: dict[tuple[RecordKey, int], Standing] = {}
        self.patch = pytest.MonkeyPatch()
        install(self.world, Words(MESSAGES, POLICY), self.provider.sender, self.patch)

    # ---- what happens ----------------------------------------------------------------------------------------

    @initialize(
        consents=st.lists(st.sampled_from(["news/email", "news/sms"]), min_size=5, max_size=5),
        message=st.sampled_from(MESSAGES),
        is_planned=st.booleans(),
    )
    def a_first_run_starts(self, consents: list[str], message: Message, is_planned: bool) -> None:
        for person, consent in zip(PEOPLE, consents, strict=True):
            self.world.people[person] = a_recipient(person, opted_in=[consent], email=f"{person}@example.com")
        self.a_run_starts(set(PEOPLE), message)
        for queue, pack in self.world.visible() if is_planned else ():
            self.world.invoke(queue, pack)

    @rule(people=st.sets(st.sampled_from([*PEOPLE, "nobody"]), min_size=1), message=st.sampled_from(MESSAGES))
    def a_run_starts(self, people: set[str], message: Message) -> None:
        run_id = ids.derived_id(self.world.now, "run", str(len(self.world.runs)))
        self.world.runs[run_id] = Run(
            run_id=run_id,
            campaign="c",
            message=message.name,
            started_at=self.world.now,
            audience=len(people),
            ingested=True,
        )
        requests = [self.request(person, message.name, run_id) for person in sorted(people)]
        for some in (requests[:3], requests[3:]):
            self.ask(some, run_id)

    @rule(person=st.sampled_from(PEOPLE), message=st.sampled_from(MESSAGES))
    def an_event_asks(self, person: str, message: Message) -> None:
        self.ask([self.request(person, message.name, "")], "")

    @rule(person=st.sampled_from(PEOPLE), consents=st.sets(st.sampled_from(["news/email", "news/sms"])), reached=number)
    def a_person_changes(self, person: str, consents: set[str], reached: int) -> None:
        email = f"{person}@example.com" if reached % 3 else ""
        wishes = Preferences(
            channels=(SMS,) if reached % 2 else (),
            paused_until=self.world.now + timedelta(hours=3) if reached % 5 == 0 else None,
        )
        changed = a_recipient(person, opted_in=consents, email=email, preferences=wishes)
        self.world.people[person] = msgspec.structs.replace(changed, suppressed=self.world.people[person].suppressed)

    @precondition(lambda self: self.world.visible())
    @rule(which=number, answers=some_answers)
    def a_function_does_its_work(self, which: int, answers: list[str]) -> None:
        self.work(which, answers)

    @precondition(lambda self: self.world.visible())
    @rule(which=number, fate=some_fate, busy=st.booleans(), answers=some_answers, again=st.booleans())
    def a_function_is_in_trouble(self, which: int, fate: Fate, busy: bool, answers: list[str], again: bool) -> None:
        self.work(which, answers, fate=fate, busy=busy, again=again)

    @precondition(lambda self: self.provider.news)
    @rule(which=number, again=st.booleans())
    def the_provider_reports(self, which: int, again: bool) -> None:
        event = self.provider.news[which % len(self.provider.news)]
        self.world.put("ENGAGEMENT", Events(events=(event,)))
        if not again:
            self.provider.news.remove(event)

    @precondition(lambda self: any(self.world.stream.values()))
    @rule(most=st.integers(1, 4), fate=st.none() | some_fate, again=st.booleans())
    def changes_are_counted(self, most: int, fate: Fate | None, again: bool) -> None:
        self.world.tally(most, fate=fate, is_kept=again)

    @rule(minutes=st.sampled_from([1, 15, 360]))
    def time_passes(self, minutes: int) -> None:
        self.world.now += timedelta(minutes=minutes)
        self.world.tick()

    @rule(minutes=st.sampled_from([1, 15, 360]), fate=some_fate)
    def a_tick_is_in_trouble(self, minutes: int, fate: Fate) -> None:
        self.world.now += timedelta(minutes=minutes)
        self.world.tick(fate=fate)

    def work(
        self, which: int, answers: list[str], *, fate: Fate | None = None, busy: bool = False, again: bool = False
    ) -> None:
        """Hand one of the messages that wait to its function."""
        visible = self.world.visible()
        self.world.busy, self.provider.answers = busy, cycle(answers)
        self.world.invoke(*visible[which % len(visible)], fate=fate, is_kept=again)
        self.world.busy = False

    def request(self, person: str, message: str, run_id: str) -> SendRequest:
        """One person, one message."""
        request_id = ids.derived_id(self.world.now, run_id, person, str(len(self.requests)))
        request = a_request(person, request_id=request_id, message=message, run_id=run_id, requested_at=self.world.now)
        self.requests.append(request)
        return request

    def ask(self, requests: list[SendRequest], run_id: str) -> None:
        """Queue requests as a pack."""
        if requests:
            pack_id = ids.derived_id(self.world.now, "pack", requests[0].request_id)
            pack = RequestPack(pack_id=pack_id, lane=Lane.BULK, run_id=run_id, requests=tuple(requests))
            self.world.put("REQUESTS_BULK", pack)

    # ---- what must hold --------------------------------------------------------------------------------------

    @invariant()
    def nobody_is_lost_or_counted_twice(self) -> None:
        for run_id in self.world.runs:
            sums = reports.status(run_id)
            assert sum(sums.counts.values()) == sums.audience
            assert min(*sums.counts.values(), sums.pending) >= 0, sums

    @invariant()
    def nothing_is_sent_twice_unless_its_settling_rule_says_so(self) -> None:
        times = Counter(
            (rendered.dispatch.request.request_id, rendered.dispatch.channel) for rendered in self.provider.taken
        )
        for rendered in self.provider.taken:
            is_sent_again = detail_of(self.facts_of(rendered), Fact.SETTLED) == OnUnknown.RESEND
            assert times[rendered.dispatch.request.request_id, rendered.dispatch.channel] <= 1 + is_sent_again

    @invariant()
    def nobody_gets_more_than_the_caps_allow(self) -> None:
        arrived = [rendered for rendered in self.provider.taken if not did_not_arrive(self.facts_of(rendered))]
        for cap in CAPS:
            for person in PEOPLE:
                counted = [self.world.reserved[id_] for id_ in capped_ids(arrived, person, cap)]
                for last in counted:
                    assert sum(is_inside(cap, each, last) for each in counted) <= cap.limit

    @invariant()
    def no_state_moves_backwards(self) -> None:
        for record, slots in self.world.facts.items():
            for slot, facts in slots.items():
                now, before = standing_of(facts), self.seen.get((record, slot), Standing.PENDING)
                assert now == before or rank(now) > rank(before), (before, now)
                self.seen[record, slot] = now

    def facts_of(self, rendered: Rendered) -> Facts:
        """What is known of a dispatch."""
        pack_id, slot = ids.split_outcome_key(rendered.outcome_key)
        record = RecordKey(rendered.dispatch.request.run_id, pack_id, rendered.dispatch.channel)
        return self.world.facts[record].get(slot, {})

    def counts(self, entry: LedgerEntry) -> bool:
        """Whether a dispatch counts against the caps: it may have reached its person."""
        record = RecordKey(entry.run_id, entry.pack_id, Channel(entry.channel))
        facts = self.world.facts[record].get(entry.slot, {})
        return not is_unsent(facts) and not did_not_arrive(facts)

    def teardown(self) -> None:
        """When all is quiet again, everything has an end that agrees with the provider's log."""
        try:
            self.drain()
            self.nobody_is_lost_or_counted_twice()
            self.nothing_is_sent_twice_unless_its_settling_rule_says_so()
            self.nobody_gets_more_than_the_caps_allow()
            self.no_state_moves_backwards()
            self.everything_has_an_end()
            self.what_is_reserved_is_what_counts()
            self.every_decision_can_be_made_again()
        finally:
            self.patch.undo()

    def drain(self) -> None:
        """Let everything that waits be done, without faults."""
        self.provider.answers = cycle(["accepted"])
        for _ in range(40):
            for event in self.provider.news:
                self.world.put("ENGAGEMENT", Events(events=(event,)))
            self.provider.news.clear()
            for queue, message in self.world.visible():
                self.world.invoke(queue, message)
            self.world.now += timedelta(hours=1)
            self.world.tick()
        assert not self.world.schedules
        assert not any(self.world.queues.values())
        while any(self.world.stream.values()):
            self.world.tally(3)
            self.nobody_is_lost_or_counted_twice()
        for run_id in self.world.runs:
            counted = total(map(sums_of, wiring.records().of_run(run_id)))
            assert not difference(wiring.sums().of_run(run_id), counted)

    def everything_has_an_end(self) -> None:
        """Nothing is pending, what the provider took is accepted, and what stays in doubt has been settled once."""
        for run_id in self.world.runs:
            sums = reports.status(run_id)
            assert (sums.state, sums.pending, sums.counts["scheduled"]) == ("complete", 0, 0), sums
            batch = {
                rendered.outcome_key: rendered
                for rendered in self.provider.taken
                if rendered.dispatch.request.run_id == run_id
            }
            further = sum(ids.is_of_fallbacks(ids.split_outcome_key(place)[0]) for place in batch)
            assert (sums.counts["accepted"], sum(sums.via_fallback.values())) == (len(batch) - further, further)
        for request in self.requests:
            assert any(entry.dispatch_id.startswith(request.request_id) for entry in self.world.ledger.values())
        assert Standing.PENDING not in self.seen.values()
        for record, slot in (place for place, standing in self.seen.items() if standing is Standing.UNKNOWN):
            assert Fact.SETTLED in self.world.facts[record][slot]

    def what_is_reserved_is_what_counts(self) -> None:
        """Nobody has less room for a message that did not reach them, nor more for one that may have."""
        promotional = {message.name for message in MESSAGES if message.purpose is Purpose.PROMOTIONAL}
        claims = [entry for entry in self.world.ledger.values() if entry.outcome is Verdict.DISPATCHED]
        counted = {entry.dispatch_id for entry in claims if entry.message in promotional and self.counts(entry)}
        reserved = [each for account in self.world.accounts.values() for each in account.reserved]
        assert Counter(each.dispatch_id for each in reserved) == Counter(counted)

    def every_decision_can_be_made_again(self) -> None:
        """What the ledger says follows from the inputs that were kept."""
        messages = {message.name: message for message in MESSAGES}
        for entry in self.world.ledger.values():
            inputs = wiring.kept_inputs().inputs(entry)
            ruling = decide(inputs, messages[entry.message], POLICY)
            assert is_genuine(inputs, entry)
            assert ruling.channel == entry.channel
            assert ruling.outcome is (
                Verdict.DISPATCHED if entry.outcome is Verdict.SKIPPED_AT_DELIVERY else entry.outcome
            )


def capped_ids(batch: list[Rendered], person: str, cap: Cap) -> set[str]:
    """The dispatches to a person that are subject to a cap."""
    return {
        rendered.dispatch.dispatch_id
        for rendered in batch
        if rendered.dispatch.request.recipient_id == person
        and rendered.message.purpose is cap.purpose
        and cap.channel in (None, rendered.dispatch.channel)
    }


def is_inside(cap: Cap, each: Reservation, last: Reservation) -> bool:
    """Whether a message lies in the window of a cap that ends with the last."""
    if cap.seconds is None:
        return each.at.date() == last.at.date()
    return last.at - timedelta(seconds=cap.seconds) < each.at <= last.at


def did_not_arrive(facts: Facts) -> bool:
    """Whether a message certainly did not reach its person although the provider accepted it."""
    return EngagementKind.BOUNCED in facts


def rank(standing: Standing) -> int:
    """How far a dispatch has come."""
    return next(rank for rank, standings in enumerate(RANKS) if standing in standings)


Conservation.TestCase.settings = settings(
    max_examples=budget(60),
    stateful_step_count=40,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
test_conservation_holds_at_every_step = Conservation.TestCase
