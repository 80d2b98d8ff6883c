"""Rules of what engagement means for a person, and of what comes on the engagement queue."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import EMAIL, KEYS, NOW, PACK_ID, PUSH, RUN_ID, SMS, TOKENS, a_dispatch, a_message, a_rendered
from heliograph.channels.push.devices import data_of
from heliograph.model.channels import Channel
from heliograph.model.engagement import (
    Consequence,
    Engaged,
    EngagementEvent,
    EngagementKind,
    Events,
    Refund,
    RemoveAddress,
    SuppressAddress,
    Unfinished,
    WithdrawConsent,
)
from heliograph.model.outcomes import Accepted, Failed, FailureCode, InDoubt, NotSent, Outcome
from heliograph.model.policy import Cap, Policy, Purpose
from heliograph.recording import consequences as engagement
from heliograph.recording import reading as on_the_queue
from heliograph.recording.consequences import outcome_events
from heliograph.text.bodies import body
from heliograph.text.errors import MalformedError

ADDRESSES = {EMAIL: "amara@example.com", SMS: "+12065550100", PUSH: "gcm:token-1"}
HARMLESS = set(EngagementKind) - {EngagementKind.BOUNCED, EngagementKind.COMPLAINED, EngagementKind.UNSUBSCRIBED}
PLACE = f"{PACK_ID}-1"


def an_event(kind: EngagementKind, channel: Channel = EMAIL, **fields: Any) -> EngagementEvent:
    ordinary: dict[str, Any] = {
        "event_id": "e-1",
        "dispatch_id": "d-1",
        "recipient_id": "amara",
        "occurred_at": NOW,
        "outcome_key": PLACE,
        "message": "news",
        "address": ADDRESSES[channel],
    }
    return EngagementEvent(kind=kind, channel=channel, **(ordinary | fields))


NO_CAPS = Policy()


def consequences(
    event: EngagementEvent,
    policy: Policy = NO_CAPS,
    **message: Any,
) -> tuple[Consequence, ...]:
    """What follows from an event of a promotional message."""
    messages = {"news": a_message("news", purpose=Purpose.PROMOTIONAL, **message)}
    return engagement.consequences(event, messages=messages, policy=policy)


@pytest.mark.parametrize("channel", [EMAIL, SMS])
def test_a_hard_bounce_suppresses_the_address(channel: Channel) -> None:
    [consequence] = consequences(an_event(EngagementKind.BOUNCED, channel, permanent=True))
    assert consequence == SuppressAddress(
        recipient_id="amara", channel=channel, address=ADDRESSES[channel], reason="hard_bounce", at=NOW
    )


def test_a_soft_bounce_has_no_consequence() -> None:
    assert consequences(an_event(EngagementKind.BOUNCED, permanent=False)) == ()


def test_a_complaint_suppresses_the_address_and_withdraws_consent() -> None:
    suppressed, withdrawn = consequences(an_event(EngagementKind.COMPLAINED))
    assert isinstance(suppressed, SuppressAddress)
    assert suppressed.reason == "complaint"
    assert withdrawn == WithdrawConsent(recipient_id="amara", channel=EMAIL, source="complaint", at=NOW)


@pytest.mark.parametrize(("channel", "source"), [(SMS, "reply"), (EMAIL, "page:unsubscribe")])
def test_unsubscribing_withdraws_consent_and_leaves_the_address(channel: Channel, source: str) -> None:
    assert consequences(an_event(EngagementKind.UNSUBSCRIBED, channel)) == (
        WithdrawConsent(recipient_id="amara", channel=channel, source=source, at=NOW),
    )


def test_a_dead_token_removes_the_device() -> None:
    [consequence] = consequences(an_event(EngagementKind.BOUNCED, PUSH, permanent=True))
    assert consequence == RemoveAddress(recipient_id="amara", channel=PUSH, address="gcm:token-1")


@pytest.mark.parametrize("kind", sorted(HARMLESS))
def test_nothing_else_changes_a_person(kind: EngagementKind) -> None:
    assert consequences(an_event(kind, permanent=True)) == ()


CAPPED = Policy(caps=(Cap(limit=1, seconds=3600),))
LOST = [(EngagementKind.BOUNCED, True), (EngagementKind.UNDELIVERED, False)]


@pytest.mark.parametrize(("kind", "permanent"), LOST)
def test_a_message_under_a_cap_that_did_not_arrive_is_refunded(kind: EngagementKind, permanent: bool) -> None:
    found = consequences(an_event(kind, permanent=permanent, address=""), CAPPED)
    assert found == (Refund(recipient_id="amara", dispatch_id="d-1"),)


@pytest.mark.parametrize(("kind", "permanent"), LOST)
@pytest.mark.parametrize(
    ("policy", "event"),
    [
        pytest.param(Policy(), {}, id="no cap"),
        pytest.param(Policy(caps=(Cap(limit=1, seconds=60, topic="other"),)), {}, id="a cap on another topic"),
        pytest.param(CAPPED, {"message": "gone"}, id="a message that is in the catalogue no longer"),
        pytest.param(CAPPED, {"outcome_key": ""}, id="an outcome that is known already"),
    ],
)
def test_nothing_else_is_refunded(kind: EngagementKind, permanent: bool, policy: Policy, event: dict[str, Any]) -> None:
    assert consequences(an_event(kind, permanent=permanent, address="", **event), policy) == ()


REACTIONS = [EngagementKind.OPENED, EngagementKind.CLICKED]
REACTED = (Engaged(recipient_id="amara", channel=EMAIL, at=NOW),)


@pytest.mark.parametrize("kind", REACTIONS)
@pytest.mark.parametrize(
    ("policy", "by_engagement", "expected"),
    [
        (Policy(), None, ()),
        (Policy(), False, ()),
        (Policy(), True, REACTED),
        (Policy(by_engagement=True), None, REACTED),
        (Policy(by_engagement=True), False, REACTED),  # other messages choose by it
    ],
)
def test_reactions_are_kept_only_where_channels_are_chosen_by_them(
    kind: EngagementKind, policy: Policy, by_engagement: bool | None, expected: tuple[Consequence, ...]
) -> None:
    assert consequences(an_event(kind), policy, by_engagement=by_engagement) == expected


@pytest.mark.parametrize("kind", REACTIONS)
def test_an_open_by_a_machine_is_no_reaction(kind: EngagementKind) -> None:
    assert consequences(an_event(kind, detail="Bot"), Policy(by_engagement=True)) == ()


def test_dead_devices_of_an_outcome_are_reported_one_by_one() -> None:
    dispatch = a_dispatch(PUSH)
    dead = ("gcm:token-1", "apns:token-2")
    for outcome in (
        Accepted(dispatch_id=dispatch.dispatch_id, provider_message_id="push-1", dead_addresses=dead),
        Failed(dispatch_id=dispatch.dispatch_id, code=FailureCode.DEAD_TOKEN, dead_addresses=dead),
    ):
        events = outcome_events(dispatch, outcome, occurred_at=NOW, outcome_key=PLACE)
        assert [consequences(event) for event in events] == [
            (RemoveAddress(recipient_id="amara", channel=PUSH, address=device),) for device in dead
        ]


def test_a_number_that_opted_out_withdraws_consent() -> None:
    dispatch = a_dispatch(SMS)
    outcome = Failed(dispatch_id=dispatch.dispatch_id, code=FailureCode.OPTED_OUT)
    [event] = outcome_events(dispatch, outcome, occurred_at=NOW, outcome_key=PLACE)
    assert consequences(event) == (WithdrawConsent(recipient_id="amara", channel=SMS, source="reply", at=NOW),)


@pytest.mark.parametrize(
    "outcome",
    [
        Accepted(dispatch_id="d-1", provider_message_id="m-1"),
        Failed(dispatch_id="d-1", code=FailureCode.REJECTED),
        NotSent(dispatch_id="d-1", cause="ThrottlingException"),
        InDoubt(dispatch_id="d-1", cause="ReadTimeoutError"),
    ],
)
def test_an_outcome_without_consequences_is_not_reported(outcome: Outcome) -> None:
    assert outcome_events(a_dispatch(), outcome, occurred_at=NOW, outcome_key=PLACE) == ()


def test_what_an_outcome_reports_is_the_same_twice_and_says_nothing_new_about_the_dispatch() -> None:
    dispatch = a_dispatch(SMS)
    outcome = Failed(dispatch_id=dispatch.dispatch_id, code=FailureCode.OPTED_OUT)
    [first], [second] = (outcome_events(dispatch, outcome, occurred_at=NOW, outcome_key=PLACE) for _ in range(2))
    assert first == second
    assert first.outcome_key == ""


def test_what_a_provider_delivered_at_once_is_told_as_an_event_of_the_dispatch() -> None:
    dispatch = a_dispatch()
    outcome = Accepted(dispatch_id=dispatch.dispatch_id, provider_message_id="m-1", delivered=True)
    [event] = outcome_events(dispatch, outcome, occurred_at=NOW, outcome_key=PLACE)
    assert (event.kind, event.outcome_key, event.occurred_at) == (EngagementKind.DELIVERED, PLACE, NOW)
    assert consequences(event) == ()


# ---- the queue ---------------------------------------------------------------------------------------------

TAGS = data_of(a_rendered(PUSH, run_id=RUN_ID), TOKENS)
"""What travels with every message, and the token that only travels with a push."""
SES = {
    "eventType": "Open",
    "mail": {
        "messageId": "ses-1",
        "timestamp": "2026-11-21T10:00:00.000Z",
        "destination": ["amara@example.com"],
        "tags": {name: [value] for name, value in TAGS.items()},
    },
    "open": {"timestamp": "2026-11-21T10:05:00.000Z"},
}
ON_THE_BUS = {"source": "aws.ses", "detail-type": "Email Opened", "detail": SES}
OPENED = {"source": "app", "detail-type": "PushOpened", "time": "2026-11-21T10:05:00Z", "detail": TAGS}
SMS_EVENT = {
    "eventType": "TEXT_DELIVERED",
    "eventTimestamp": 1_795_255_500_000,
    "isFinal": True,
    "messageId": "sms-1",
    "context": TAGS,
}


def read(body: str) -> tuple[EngagementEvent, ...]:
    return tuple(each for each in on_the_queue.read(body, NOW, lambda: KEYS) if isinstance(each, EngagementEvent))


def test_what_is_left_to_do_for_an_address_is_read_as_it_was_written() -> None:
    rest = SuppressAddress(
        recipient_id="amara", channel=EMAIL, address="a@example.com", reason="hard_bounce", at=NOW, after="ben"
    )
    assert on_the_queue.read(body(Unfinished(unfinished=rest)).decode(), NOW, lambda: KEYS) == (rest,)


def test_what_is_left_to_do_and_cannot_be_read_is_refused_with_its_place() -> None:
    with pytest.raises(MalformedError) as refused:
        read(json.dumps({"unfinished": {"recipient_id": 5}}))
    assert refused.value.position == "engagement events"


def notification(content: Any) -> dict[str, Any]:
    return {"Type": "Notification", "MessageId": "n-1", "Message": json.dumps(content)}


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (ON_THE_BUS, EngagementKind.OPENED),
        (OPENED, EngagementKind.OPENED),
        (SMS_EVENT, EngagementKind.DELIVERED),
        (SES, EngagementKind.OPENED),
        (notification(ON_THE_BUS), EngagementKind.OPENED),
        (notification(SMS_EVENT), EngagementKind.DELIVERED),
        (notification(SES), EngagementKind.OPENED),
    ],
)
def test_an_event_is_read_however_it_comes(content: dict[str, Any], kind: EngagementKind) -> None:
    [event] = read(json.dumps(content))
    assert event.kind is kind
    assert event.dispatch_id == TAGS["dispatch_id"]


def test_our_own_events_are_read_as_deliver_writes_them() -> None:
    events = (an_event(EngagementKind.BOUNCED, permanent=True), an_event(EngagementKind.UNSUBSCRIBED, SMS))
    assert read(msgspec.json.encode(Events(events=events)).decode()) == events


@pytest.mark.parametrize(
    "body",
    [
        "Successfully validated SNS topic for Amazon SES event publishing.",
        json.dumps({"Type": "Notification", "Message": "Successfully validated SNS topic."}),
        json.dumps({"source": "aws.ses", "detail-type": "Sending Status Disabled", "detail": {}}),
        json.dumps({"source": "aws.s3", "detail": {"bucket": {"name": "b"}}}),
        "[]",
        "null",
        "",
        "{",
    ],
)
def test_what_is_not_about_our_messages_is_passed_over(body: str) -> None:
    assert read(body) == ()


@pytest.mark.parametrize(
    ("content", "outcome_key"),
    [
        ({"events": [{"event_id": "e-1"}]}, "engagement events"),
        (ON_THE_BUS | {"detail": SES | {"open": {"timestamp": "soon"}}}, "SES event"),
        (SMS_EVENT | {"eventTimestamp": None}, "SMS event"),
        (OPENED | {"time": 7}, "PushOpened"),
        (OPENED | {"detail": TAGS | {"outcome_key": "nowhere"}}, "token"),
        (OPENED | {"detail": {"screen": "home"}}, "token"),
        (SMS_EVENT | {"context": TAGS | {"outcome_key": "runs-5"}}, "outcome_key"),
        (SMS_EVENT | {"context": TAGS | {"outcome_key": f"{PACK_ID}-100"}}, "outcome_key"),
        (SMS_EVENT | {"context": TAGS | {"run_id": "runs"}}, "run_id"),
        (SMS_EVENT | {"context": TAGS | {"dispatch_id": "d-1"}}, "dispatch_id"),
        (SMS_EVENT | {"eventTimestamp": 253_402_300_799_999}, "time"),
        (SMS_EVENT | {"eventTimestamp": 0}, "time"),
    ],
)
def test_an_event_of_ours_that_cannot_be_read_says_where(content: dict[str, Any], outcome_key: str) -> None:
    with pytest.raises(MalformedError, match=outcome_key):
        read(json.dumps(content))


@pytest.mark.parametrize("body", ["[" * 100_000, '{"a": ' * 2_000 + "1" + "}" * 2_000, f'{{"detail": {"9" * 5_000}}}'])
def test_what_is_nested_too_deeply_or_has_a_number_that_is_too_long_is_refused_at_once(body: str) -> None:
    with pytest.raises(MalformedError, match="body"):
        read(body)


LEAVES = (
    st.none() | st.booleans() | st.integers() | st.text() | st.sampled_from(["aws.ses", "PushOpened", *TAGS.values()])
)
NAMES = st.sampled_from(["source", "detail", "detail-type", "mail", "tags", "events", "context", "Type", "dispatch_id"])
SHAPES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | st.text(), inner, max_size=4)
)


@given(SHAPES)
def test_reading_never_raises_anything_but_malformed(content: Any) -> None:
    with suppress(MalformedError):
        read(json.dumps(content))


@given(st.text())
def test_reading_text_that_is_no_json_finds_nothing(body: str) -> None:
    assert read(body) == ()
