"""Rules of what SES tells by the minute: recorded at once, each event once, and what cannot be costs itself alone."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws.engagement_table import EngagementTable, installed
from aws.invocations import Killed, record
from builders import EMAIL, NOW, PACK_ID, RUN_ID, a_message, a_rendered
from functions.record import app
from heliograph.channels.events import DETAIL_LIMIT
from heliograph.model.engagement import EngagementEvent, EngagementKind, Events
from heliograph.model.outcomes import Happened, RecordKey
from heliograph.recording import raw, work
from heliograph.recording.facts import Fact
from heliograph.runtime import wiring
from heliograph.text import ids
from heliograph.text.bodies import body
from heliograph.text.errors import Code, MalformedError

KEY = "raw/email/2026/11/21/10/heliograph-email-1-2026-11-21-10-00-00-a1.gz"
PACKS = [PACK_ID, *(ids.derived_id(NOW, "pack", str(number)) for number in range(3))]
AHEAD = {"Bounce", "Complaint", "Reject", "Rendering Failure", "Subscription"}
PAYLOAD_OF = {"Send": "send", "Delivery": "delivery", "Bounce": "bounce", "Open": "open", "Reject": "reject"}
Told = dict[str, Any]


def told(kind: str = "Delivery", *, pack: str = PACK_ID, slot: int = 0, **payload: Any) -> Told:
    """What SES tells of a mail."""
    tags = {**a_rendered(run_id=RUN_ID, slot=slot).tags(), "outcome_key": ids.outcome_key(pack, slot)}
    return {
        "eventType": kind,
        "mail": {
            "messageId": f"ses-{pack}-{slot}",
            "timestamp": "2026-11-21T10:00:00.000Z",
            "destination": ["amara@example.com"],
            "headers": [{"name": "To", "value": "amara@example.com"}],
            "tags": {name: [value] for name, value in tags.items()},
        },
        PAYLOAD_OF[kind]: {"timestamp": "2026-11-21T10:00:02.000Z", **payload},
    }


def bounced(slot: int = 0, pack: str = PACK_ID) -> Told:
    return told("Bounce", pack=pack, slot=slot, bounceType="Permanent", bounceSubType="General", feedbackId="f-1")


def ahead(event: Told) -> str:
    """As the rule of SES hands it over."""
    return json.dumps({"ahead": event})


class Minutes:
    """The bucket with objects of Firehose, and what comes to `record`."""

    def __init__(self, table: EngagementTable, monkeypatch: pytest.MonkeyPatch) -> None:
        self.table = table
        self.objects: dict[str, bytes] = {}
        monkeypatch.setattr(wiring, "bucket", lambda: SimpleNamespace(chunks=self._chunks))

    def _chunks(self, stored: Any) -> Iterable[bytes]:
        if stored.key not in self.objects:
            raise MalformedError(Code.FILE_MISSING, stored.key, "there is no such file in the bucket")
        return [self.objects[stored.key]]

    def put(self, *lines: Told | bytes, key: str = KEY) -> str:
        """An object of some lines; what S3 tells of it."""
        texts = [line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines]
        self.objects[key] = gzip.compress(b"".join(text + b"\n" for text in texts))
        detail = {"bucket": {"name": "b"}, "object": {"key": key, "size": 1}}
        return json.dumps({"source": "aws.s3", "detail-type": "Object Created", "detail": detail})

    def accept(self, *slots: int) -> None:
        """What deliver has kept before: the messages of these slots were taken."""
        taken = {slot: {Fact.ACCEPTED.value: Happened(NOW)} for slot in slots}
        for pack in PACKS:
            self.table.facts[RecordKey(RUN_ID, pack, EMAIL)].update(taken)

    def run(self, *bodies: str) -> list[str]:
        """Hand messages over; those that come again."""
        answer = app.handler({"Records": [record(each, str(at)) for at, each in enumerate(bodies)]}, SimpleNamespace())
        return [bodies[int(failure["itemIdentifier"])] for failure in answer["batchItemFailures"]]

    def run_queued(self) -> None:
        """Take what went on on the engagement queue."""
        queued, self.table.queued = self.table.queued, []
        assert self.run(*(body(each).decode() for each in queued)) == []

    def figures(self) -> Counter[str]:
        """Engagement over all records."""
        slots = (facts for record in self.table.facts.values() for facts in record.values())
        return Counter(kind for facts in slots for kind in facts if kind in set(EngagementKind))


@pytest.fixture
def minutes(monkeypatch: pytest.MonkeyPatch) -> Minutes:
    """All of it in memory."""
    return Minutes(installed(monkeypatch, a_message("order-shipped")), monkeypatch)


def test_a_pack_is_written_once_and_the_lake_once_for_all_events_of_a_minute(minutes: Minutes) -> None:
    minutes.accept(*range(100))
    events = [told(kind, pack=pack, slot=slot) for slot in range(100) for pack in PACKS for kind in PAYLOAD_OF]
    assert minutes.run(minutes.put(*events)) == []
    assert minutes.table.writes == len(PACKS) + 1
    assert minutes.figures() == {"sent": 400, "delivered": 400, "bounced": 400, "opened": 400, "undelivered": 400}
    assert len(minutes.table.lake) == len({event.event_id for event in minutes.table.lake}) == len(events)


def test_an_event_that_comes_twice_in_an_object_is_in_the_lake_once(minutes: Minutes) -> None:
    minutes.run(minutes.put(told(), told(), told("Open")))
    assert [event.kind.value for event in minutes.table.lake] == ["delivered", "opened"]


def test_an_object_larger_than_a_block_is_recorded_block_by_block(
    minutes: Minutes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(work, "BLOCK", 3)
    minutes.accept(*range(8))
    minutes.run(minutes.put(*(told(slot=slot) for slot in range(8))))
    assert minutes.figures() == {"delivered": 8}
    assert minutes.table.writes == 3 * 2


FOREIGN = {"eventType": "Open", "mail": {"messageId": "m", "timestamp": "soon", "tags": {}}, "open": {}}


@pytest.mark.parametrize("line", [FOREIGN, {"eventType": "Open"}, {"notificationType": "Bounce"}, b"[]", b"7"])
def test_lines_about_mails_that_are_not_ours_are_passed_over(minutes: Minutes, line: Told | bytes) -> None:
    assert minutes.run(minutes.put(line, told())) == []
    assert minutes.figures() == {"delivered": 1}
    assert minutes.table.parked == []


UNREADABLE: Sequence[tuple[Told | bytes, str]] = [
    (b'{"eventType": "Open", "mail', "event"),
    (b"\xff\xfe\x00", "event"),
    (b"[" * 100_000, "event"),
    (told(timestamp="soon"), "SES event delivered"),
    (told() | {"mail": told()["mail"] | {"timestamp": 5}}, "SES event delivered"),
    (told(pack="nowhere"), "outcome_key"),
    (told(timestamp="2020-01-01T00:00:00.000"), "SES event delivered"),
]


@pytest.mark.parametrize(("line", "position"), UNREADABLE)
def test_a_line_that_cannot_be_read_is_parked_alone_with_its_place(
    minutes: Minutes, line: Told | bytes, position: str
) -> None:
    assert minutes.run(minutes.put(told("Send"), line, told("Open"))) == []
    assert minutes.figures() == {"sent": 1, "opened": 1}
    assert [where for where, _ in minutes.table.parked] == [f"{KEY}, line 2, {position}"]


@pytest.mark.parametrize("is_ahead", [False, True], ids=["by the minute", "ahead"])
def test_what_is_said_to_happen_in_years_to_come_beats_nothing_that_does_until_then(
    minutes: Minutes, monkeypatch: pytest.MonkeyPatch, *, is_ahead: bool
) -> None:
    applied: list[Any] = []
    monkeypatch.setattr(minutes.table, "apply", applied.append)
    late = bounced()
    late["bounce"]["timestamp"] = "2099-01-01T00:00:00.000Z"
    assert minutes.run(ahead(late) if is_ahead else minutes.put(late)) == []
    assert [consequence.at for consequence in applied] == [NOW]


def test_a_code_of_a_provider_is_cut(minutes: Minutes) -> None:
    minutes.run(minutes.put(told("Reject", reason="x" * 300_000)))
    assert [event.detail for event in minutes.table.lake] == ["x" * DETAIL_LIMIT]


def test_a_line_that_is_too_long_is_parked_cut(minutes: Minutes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw, "LINE_LIMIT", 2_000)
    monkeypatch.setattr("heliograph.recording.reading.LINE_LIMIT", 2_000)
    assert minutes.run(minutes.put(b"x" * 5_000, told())) == []
    assert minutes.table.parked == [(f"{KEY}, line 1", "takes more than 2000 bytes")]
    assert minutes.figures() == {"delivered": 1}


def test_what_is_parked_is_text_that_a_queue_takes_and_is_read_when_it_is_redriven(
    minutes: Minutes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as after a version that can read it."""
    bodies: list[str] = []
    monkeypatch.setattr(wiring, "parking", lambda: SimpleNamespace(park=lambda text, _: bodies.append(text)))
    minutes.run(minutes.put(told(timestamp="soon"), b'{"a": "\x00\xff\xef\xbf\xbe"'))
    assert bodies[1] == '{"a": "\ufffd\ufffd\ufffd"'
    assert minutes.run(bodies[0].replace('"soon"', '"2026-11-21T10:00:02Z"')) == []
    assert minutes.figures() == {"delivered": 1}


def test_an_object_with_too_many_unreadable_lines_is_parked_itself_and_costs_nothing_that_can_be_read(
    minutes: Minutes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redriven, such as after a version that can read them, it counts nothing twice."""
    bodies: list[str] = []
    park = minutes.table.park

    def parked(text: str, error: MalformedError) -> None:
        bodies.append(text)
        park(text, error)

    monkeypatch.setattr(minutes.table, "park", parked)
    events = [told(pack=pack, slot=slot) for slot in range(100) for pack in PACKS]
    assert minutes.run(minutes.put(*events[:200], *[b"{"] * 150, *events[200:])) == []
    assert minutes.figures() == {"delivered": 400}
    assert len(minutes.table.lake) == 400
    assert len(minutes.table.parked) == work.UNREADABLE_LIMIT + 1
    assert minutes.table.parked[-1] == (KEY, "holds more than 100 lines that cannot be read")
    minutes.put(*events, told("Open"))
    assert minutes.run(bodies[-1]) == []
    assert minutes.figures() == {"delivered": 400, "opened": 1}


CUT: Sequence[tuple[Callable[[bytes], bytes], str, Counter[str]]] = [
    (lambda packed: packed[:-4], "ends too early", Counter(delivered=8)),
    (lambda packed: packed + b"and more", "is no gzip", Counter(delivered=8)),
    (lambda packed: packed + gzip.compress(b"\n" * 60), "holds more than 50 lines", Counter(delivered=8)),
    (lambda packed: b"PK" + packed, "is no gzip", Counter()),
]


@pytest.mark.parametrize(("cut", "reason", "figures"), CUT)
def test_what_comes_before_the_place_where_an_object_breaks_off_is_recorded(
    minutes: Minutes,
    monkeypatch: pytest.MonkeyPatch,
    cut: Callable[[bytes], bytes],
    reason: str,
    figures: Counter[str],
) -> None:
    monkeypatch.setattr(raw, "LINES_LIMIT", 50)
    told_of = minutes.put(*(told(slot=slot) for slot in range(8)))
    minutes.objects[KEY] = cut(minutes.objects[KEY])
    assert minutes.run(told_of) == []
    assert minutes.figures() == figures
    assert minutes.table.parked == [(KEY, reason)]


def test_an_object_that_is_not_there_is_parked(minutes: Minutes) -> None:
    told_of = minutes.put(told())
    minutes.objects.clear()
    assert minutes.run(told_of) == []
    assert minutes.table.parked == [(KEY, "there is no such file in the bucket")]


def test_an_object_of_a_channel_that_this_version_does_not_have_is_parked(minutes: Minutes) -> None:
    assert minutes.run(minutes.put(told(), key="raw/pigeon/a.gz")) == []
    assert [position for position, _ in minutes.table.parked] == ["key"]


def test_a_pack_that_cannot_be_written_costs_itself_and_goes_on_alone(minutes: Minutes) -> None:
    """Of the pack of the poisoned slot the others are kept: what fails together is tried one by one."""
    minutes.table.poisoned_slots = {7}
    events = [told(pack=pack, slot=slot) for slot in (6, 7) for pack in PACKS[:2]] + [told(pack=PACKS[2], slot=1)]
    assert minutes.run(minutes.put(*events)) == []
    assert minutes.figures() == {"delivered": 3}
    [queued] = minutes.table.queued
    assert isinstance(queued, Events)
    assert sorted(event.outcome_key for event in queued.events) == sorted(ids.outcome_key(p, 7) for p in PACKS[:2])
    minutes.table.poisoned_slots.clear()
    minutes.run_queued()
    assert minutes.figures() == {"delivered": 5}
    assert len({event.event_id for event in minutes.table.lake}) == len(minutes.table.lake) == 5


def test_what_there_is_no_time_for_goes_on_on_the_queue_and_nothing_is_lost(
    minutes: Minutes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What of a block an invocation cannot do in its time, others do."""
    seconds = iter([60.0] * (1 + 3) + [app.RESERVE] * 10_000)
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "time_left", lambda: next(seconds))
        events = [told(pack=pack, slot=slot) for slot in range(100) for pack in PACKS]
        assert minutes.run(minutes.put(*events)) == []
    assert minutes.figures() == {"delivered": 300}
    assert minutes.table.lake == []  # there was no time to follow on any
    assert all(len(queued.events) <= work.PACK for queued in minutes.table.queued if isinstance(queued, Events))
    minutes.run_queued()
    assert minutes.figures() == {"delivered": 400}
    assert len(minutes.table.lake) == 400


def test_the_rest_of_an_object_waits_for_further_invocations_and_none_records_a_block_again(
    minutes: Minutes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However large it is; here each has time for a block: one write a pack, and the lake."""
    monkeypatch.setattr(work, "BLOCK", 50)
    minutes.accept(*range(100))
    events: list[Told | bytes] = [told(pack=pack, slot=slot) for slot in range(100) for pack in PACKS]
    events[120:120] = [b"", b"{"]
    waiting, figures = [minutes.put(*events)], []
    while waiting:
        over = minutes.table.writes + len(PACKS) + 1
        monkeypatch.setattr(wiring, "time_left", lambda over=over: 60.0 if minutes.table.writes < over else app.RESERVE)
        assert minutes.run(*waiting) == []
        waiting = [body(each).decode() for each in minutes.table.queued]
        minutes.table.queued.clear()
        figures.append(minutes.figures()["delivered"])
    assert figures == [50, 100, 148, 198, 248, 298, 348, 398, 400]
    assert len({event.event_id for event in minutes.table.lake}) == len(minutes.table.lake) == 400
    assert [position for position, _ in minutes.table.parked] == [f"{KEY}, line 122, event"]


def test_an_object_for_which_there_is_no_time_waits_as_it_is(minutes: Minutes, monkeypatch: pytest.MonkeyPatch) -> None:
    told_of = minutes.put(told())
    with monkeypatch.context() as patch:
        patch.setattr(wiring, "time_left", lambda: app.RESERVE)
        assert minutes.run(told_of) == []
    assert (minutes.figures(), len(minutes.table.queued)) == ({}, 1)
    minutes.run_queued()
    assert minutes.figures() == {"delivered": 1}


def test_the_lake_comes_before_the_object_is_done(minutes: Minutes, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: Sequence[EngagementEvent]) -> None:
        raise OSError

    told_of = minutes.put(told(), told("Open"))
    with monkeypatch.context() as patch:
        patch.setattr(minutes.table, "keep_events", full)
        assert minutes.run(told_of) == [told_of]
    assert minutes.run(told_of) == []
    assert (len(minutes.table.lake), minutes.figures()) == (2, {"delivered": 1, "opened": 1})


def test_what_comes_ahead_has_consequences_at_once_and_is_counted_with_its_minute(minutes: Minutes) -> None:
    assert minutes.run(ahead(bounced())) == []
    assert minutes.table.changed == {"amara"}
    assert (minutes.table.facts, minutes.table.lake) == ({}, [])
    minutes.run(minutes.put(bounced()))
    assert minutes.figures() == {"bounced": 1}
    assert len(minutes.table.lake) == 1


class Fragile:
    """A table that the function is killed at, before or after the call of a number."""

    def __init__(self, table: EngagementTable, last: int, *, after: bool) -> None:
        self._table, self._last, self._after, self._calls = table, last, after, 0

    def __getattr__(self, name: str) -> Callable[..., Any]:
        def call(*given: Any) -> Any:
            self._calls += 1
            if self._calls == self._last and not self._after:
                raise Killed
            answer = getattr(self._table, name)(*given)
            if self._calls == self._last:
                raise Killed
            return answer

        return call


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
def test_a_function_that_is_killed_at_any_call_loses_nothing_and_counts_nothing_twice(
    minutes: Minutes, monkeypatch: pytest.MonkeyPatch, after: bool
) -> None:
    events = [told(kind, pack=pack) for pack in PACKS for kind in PAYLOAD_OF] + [bounced(slot=2)]
    told_of = minutes.put(*events, told(timestamp="soon"))
    kills = 0
    for last in range(1, 100):
        fragile = Fragile(minutes.table, last, after=after)
        with monkeypatch.context() as patch:
            for edge in ("records", "recipients", "reservations", "lake", "parking", "engagement"):
                patch.setattr(wiring, edge, lambda fragile=fragile: fragile)
            try:
                assert minutes.run(told_of) == []
            except Killed:
                kills += 1
                continue
        break
    assert kills > len(PACKS) + 2
    assert minutes.figures() == {"sent": 4, "delivered": 4, "bounced": 5, "opened": 4, "undelivered": 4}
    assert len({event.event_id for event in minutes.table.lake}) == len(events)
    assert {position for position, _ in minutes.table.parked} == {f"{KEY}, line {len(events) + 1}, SES event delivered"}


HAPPENINGS = st.builds(told, st.sampled_from(sorted(PAYLOAD_OF)), pack=st.sampled_from(PACKS), slot=st.integers(0, 3))


@given(st.lists(HAPPENINGS, min_size=1, max_size=12), st.data())
def test_whatever_comes_how_often_and_by_which_way_counts_once(happenings: list[Told], data: st.DataObject) -> None:
    """By the minute, ahead, on the bus in full and parked, each any number of times, cut and mixed in any way."""
    with pytest.MonkeyPatch.context() as patch:
        minutes = Minutes(installed(patch, a_message("order-shipped")), patch)
        copies = data.draw(st.lists(st.sampled_from(happenings), max_size=12))
        objects = data.draw(st.permutations([*happenings, *copies]))
        cut = data.draw(st.integers(0, len(objects)))
        bodies = [minutes.put(*part, key=f"{KEY}{at}") for at, part in enumerate((objects[:cut], objects[cut:]))]
        bodies += [ahead(each) for each in happenings if each["eventType"] in AHEAD]
        bodies += [json.dumps({"source": "aws.ses", "detail": each}) for each in copies]
        bodies += [json.dumps(each) for each in copies]
        assert minutes.run(*data.draw(st.permutations(bodies * 2))) == []
        once = {(each["eventType"], each["mail"]["messageId"]) for each in happenings}
        kinds = {
            "Send": "sent",
            "Delivery": "delivered",
            "Bounce": "bounced",
            "Open": "opened",
            "Reject": "undelivered",
        }
        assert minutes.figures() == Counter(kinds[kind] for kind, _ in once)
        assert len({event.event_id for event in minutes.table.lake}) == len(once)
        assert {event.channel for event in minutes.table.lake} == {EMAIL}
