"""Rules of the SMS channel: what goes to End User Messaging and SNS, what their answers mean, how events are read."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from aws.wire import MAY_HAVE_ARRIVED, NEVER_LEFT, Refusal, Wire, provider_client
from builders import NOW, RUN_ID, SMS, a_rendered
from heliograph.channels.sms.events import read_sms_event
from heliograph.channels.sms.texts import end_user_messaging_sender, sns_sender
from heliograph.model.dispatches import Rendered
from heliograph.model.engagement import EngagementKind
from heliograph.model.outcomes import Accepted, Failed, FailureCode, InDoubt, NotSent, Outcome
from heliograph.model.policy import Purpose
from heliograph.text.errors import MalformedError

SERVICE = "pinpoint-sms-voice-v2"
SHAPES = provider_client(SERVICE).meta.service_model
EVENT_TYPES = [each for each in SHAPES.shape_for("EventType").enum if not each.endswith("ALL")]
"""AWS's own list."""
TAKEN = {"MessageId": "sms-1"}


def a_text(text: str = "Hello", **fields: Any) -> Rendered:
    return a_rendered(SMS, content={"text": text}, **fields)


def send(wire: Wire, *batch: Rendered, identity: str = "pool-1") -> list[Outcome]:
    sender = end_user_messaging_sender(
        wire.client, origination_identity=identity, configuration_set="prod", now=lambda: NOW
    )
    return [outcome for outcomes in sender(batch) for outcome in outcomes]


def test_a_message_goes_as_a_text_with_our_ids() -> None:
    wire, rendered = Wire(SERVICE, TAKEN), a_text(run_id=RUN_ID)
    assert send(wire, rendered) == [
        Accepted(dispatch_id=rendered.dispatch.dispatch_id, provider_message_id="sms-1"),
    ]
    assert wire.sent == [
        {
            "DestinationPhoneNumber": "+12065550100",
            "MessageBody": "Hello",
            "MessageType": "TRANSACTIONAL",
            "OriginationIdentity": "pool-1",
            "ConfigurationSetName": "prod",
            "Context": rendered.tags(),
        }
    ]


def test_context_is_within_what_the_provider_takes() -> None:
    ids = a_text(run_id="r" * 128, recipient_id="p" * 128).tags()
    assert len(ids) <= 5
    assert all(len(value) <= 800 for value in ids.values())


def test_a_promotional_message_goes_as_promotional() -> None:
    wire = Wire(SERVICE, TAKEN)
    send(wire, a_text(purpose=Purpose.PROMOTIONAL))
    assert wire.sent[0]["MessageType"] == "PROMOTIONAL"


def test_without_an_identity_the_provider_picks_one() -> None:
    wire = Wire(SERVICE, TAKEN)
    send(wire, a_text(), identity="")
    assert "OriginationIdentity" not in wire.sent[0]


@pytest.mark.parametrize(
    ("left", "seconds"), [(timedelta(hours=1), 3600), (timedelta(seconds=1), 5), (timedelta(days=30), 259_200)]
)
def test_a_text_lives_no_longer_than_the_message_is_worth_something(left: timedelta, seconds: int) -> None:
    wire = Wire(SERVICE, TAKEN)
    send(wire, a_text(not_after=NOW + left))
    assert wire.sent[0]["TimeToLive"] == seconds


@pytest.mark.parametrize(("text", "code"), [("x" * 1601, FailureCode.CONTENT_TOO_LARGE), (" \n", FailureCode.REJECTED)])
def test_a_text_that_nobody_can_send_is_refused_without_a_call(text: str, code: FailureCode) -> None:
    [outcome] = send(Wire(SERVICE), a_text(text))
    assert isinstance(outcome, Failed)
    assert outcome.code is code


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Refusal("ConflictException", Reason="DESTINATION_PHONE_NUMBER_OPTED_OUT"), "opted_out"),
        (
            Refusal("ConflictException", Reason="DESTINATION_COUNTRY_BLOCKED_BY_PROTECT_CONFIGURATION"),
            "country_blocked",
        ),
        (
            Refusal("ConflictException", Reason="DESTINATION_PHONE_NUMBER_BLOCKED_BY_PROTECT_NUMBER_OVERRIDE"),
            "rejected",
        ),
        (Refusal("ValidationException", Reason="DESTINATION_COUNTRY_BLOCKED"), "country_blocked"),
        (Refusal("ValidationException", Reason="COUNTRY_NOT_ENABLED"), "country_blocked"),
        (Refusal("ValidationException", Reason="INTERNATIONAL_SENDING_NOT_SUPPORTED"), "country_blocked"),
        (Refusal("ValidationException", Reason="PRICE_OVER_THRESHOLD"), "price_too_high"),
        (Refusal("ValidationException", Reason="MAXIMUM_SIZE_EXCEEDED"), "content_too_large"),
        (Refusal("ValidationException", Reason="INVALID_IDENTITY_FOR_DESTINATION_COUNTRY"), "sender_not_allowed"),
        (Refusal("ValidationException", Reason="SENDER_ID_NOT_REGISTERED"), "sender_not_allowed"),
        (Refusal("ValidationException", Reason="SENDER_ID_NOT_SUPPORTED"), "sender_not_allowed"),
        (Refusal("ValidationException", Reason="SENDER_ID_REQUIRES_REGISTRATION"), "sender_not_allowed"),
        (Refusal("ValidationException", Reason="INVALID_PARAMETER"), "rejected"),
        (
            Refusal(
                "ValidationException", Reason="FIELD_VALIDATION_FAILED", Fields=[{"Name": "DestinationPhoneNumber"}]
            ),
            "invalid_address",
        ),
        (
            Refusal("ValidationException", Reason="INVALID_PARAMETER", Fields=[{"Name": "MessageBody"}]),
            "rejected",
        ),
    ],
)
def test_what_is_about_the_number_or_the_text_is_final(refusal: Refusal, code: str) -> None:
    [outcome] = send(Wire(SERVICE, refusal), a_text())
    assert isinstance(outcome, Failed)
    assert outcome.code == code


@pytest.mark.parametrize(
    "refusal",
    [
        Refusal("ThrottlingException"),
        Refusal("ServiceQuotaExceededException", Reason="MONTHLY_SPEND_LIMIT_REACHED_FOR_TEXT"),
        Refusal("AccessDeniedException", Reason="ACCOUNT_DISABLED"),
        Refusal("ConflictException", Reason="DESTINATION_PHONE_NUMBER_NOT_VERIFIED"),
        Refusal("ConflictException", Reason="NO_ORIGINATION_IDENTITIES_FOUND"),
        Refusal("ConflictException", Reason="MESSAGE_TYPE_MISMATCH"),
        Refusal("ConflictException", Reason="RESOURCE_NOT_ACTIVE"),
        Refusal("ResourceNotFoundException", ResourceType="configuration-set"),
        Refusal("ValidationException", Reason="INVALID_PARAMETER", Fields=[{"Name": "OriginationIdentity"}]),
        Refusal("ValidationException", Reason="OTHER"),
        *NEVER_LEFT,
    ],
)
def test_what_is_about_our_set_up_or_the_moment_is_tried_again(refusal: Refusal | Exception) -> None:
    [outcome] = send(Wire(SERVICE, refusal), a_text())
    assert isinstance(outcome, NotSent)


@pytest.mark.parametrize("error", [Refusal("InternalServerException", status=500), *MAY_HAVE_ARRIVED])
def test_a_text_is_in_doubt_when_the_request_may_have_been_taken(error: Refusal | Exception) -> None:
    [outcome] = send(Wire(SERVICE, error), a_text())
    assert isinstance(outcome, InDoubt)


def test_a_refused_text_does_not_cost_the_next_one() -> None:
    first, second = send(Wire(SERVICE, Refusal("ThrottlingException"), TAKEN), a_text(), a_text(slot=1))
    assert isinstance(first, NotSent)
    assert isinstance(second, Accepted)


# ---- SNS ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("purpose", "kind"), [(Purpose.PROMOTIONAL, "Promotional"), (Purpose.TRANSACTIONAL, "Transactional")]
)
def test_sns_is_told_the_purpose_and_the_sender(purpose: Purpose, kind: str) -> None:
    client = provider_client("sns")
    attributes = {"AWS.SNS.SMS.SMSType": kind, "AWS.SNS.SMS.SenderID": "Helio"}
    request = {
        "PhoneNumber": "+12065550100",
        "Message": "Hello",
        "MessageAttributes": {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()},
    }
    with Stubber(client) as stub:
        stub.add_response("publish", TAKEN, request)
        [[outcome]] = sns_sender(client, sender_id="Helio")([a_text(purpose=purpose)])
    assert isinstance(outcome, Accepted)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("InvalidParameter", 400, Failed),
        ("OptedOut", 400, Failed),
        ("ParameterValueInvalid", 400, NotSent),
        ("Throttling", 400, NotSent),
        ("AuthorizationError", 403, NotSent),
        ("InternalError", 500, InDoubt),
    ],
)
def test_of_sns_only_what_is_about_the_number_is_final(code: str, status: int, expected: type[Outcome]) -> None:
    client = provider_client("sns")
    with Stubber(client) as stub:
        stub.add_client_error("publish", code, http_status_code=status)
        [[outcome]] = sns_sender(client, sender_id="")([a_text()])
    assert isinstance(outcome, expected)


# ---- events ------------------------------------------------------------------------------------------------


def a_record(event_type: str = "TEXT_DELIVERED", *, final: bool = True, **fields: Any) -> dict[str, Any]:
    return {
        "eventType": event_type,
        "eventVersion": "1.0",
        "eventTimestamp": 1_795_255_500_000,
        "isFinal": final,
        "destinationPhoneNumber": "+12065550100",
        "messageId": "sms-1",
        "context": a_text(run_id=RUN_ID).tags(),
        "totalMessagePrice": 0.00581,
    } | fields


@pytest.mark.parametrize(
    ("event_type", "final", "kind"),
    [
        ("TEXT_DELIVERED", True, EngagementKind.DELIVERED),
        ("TEXT_SUCCESSFUL", True, EngagementKind.DELIVERED),
        ("TEXT_SUCCESSFUL", False, EngagementKind.SENT),
        ("TEXT_SENT", False, EngagementKind.SENT),
        ("TEXT_PENDING", False, None),
        ("TEXT_QUEUED", False, None),
        ("TEXT_INVALID", True, EngagementKind.BOUNCED),
        ("TEXT_INVALID_MESSAGE", True, EngagementKind.UNDELIVERED),
        ("TEXT_UNREACHABLE", True, EngagementKind.UNDELIVERED),
        ("TEXT_UNREACHABLE", False, EngagementKind.DELAYED),
        ("TEXT_CARRIER_UNREACHABLE", True, EngagementKind.UNDELIVERED),
        ("TEXT_BLOCKED", True, EngagementKind.UNDELIVERED),
        ("TEXT_CARRIER_BLOCKED", True, EngagementKind.UNDELIVERED),
        ("TEXT_SPAM", True, EngagementKind.UNDELIVERED),
        ("TEXT_UNKNOWN", True, EngagementKind.UNDELIVERED),
        ("TEXT_TTL_EXPIRED", True, EngagementKind.UNDELIVERED),
        ("TEXT_PROTECT_BLOCKED", True, EngagementKind.UNDELIVERED),
        ("RCS_QUEUED", False, None),
        ("RCS_SENT", False, EngagementKind.SENT),
        ("RCS_DELIVERED", False, EngagementKind.DELIVERED),
        ("RCS_READ", True, EngagementKind.OPENED),
        ("RCS_FAILED", True, EngagementKind.UNDELIVERED),
        ("RCS_FAILED", False, EngagementKind.DELAYED),
        ("RCS_TTL_EXPIRED", True, EngagementKind.UNDELIVERED),
        ("RCS_PROTECT_BLOCKED", True, EngagementKind.UNDELIVERED),
        ("RCS_FALLEN_BACK_TO_SMS", False, EngagementKind.SENT),
        ("MEDIA_PENDING", False, None),
        ("MEDIA_SUCCESSFUL", True, EngagementKind.DELIVERED),
        ("MEDIA_DELIVERED", True, EngagementKind.DELIVERED),
        ("MEDIA_INVALID", True, EngagementKind.BOUNCED),
        ("MEDIA_FILE_INACCESSIBLE", True, EngagementKind.UNDELIVERED),
        ("MEDIA_CARRIER_UNREACHABLE", False, EngagementKind.DELAYED),
        ("VOICE_COMPLETED", True, None),
    ],
)
def test_every_sms_event_has_one_word_of_ours(event_type: str, final: bool, kind: EngagementKind | None) -> None:
    event = read_sms_event(a_record(event_type, final=final))
    assert (event.kind if event else None) == kind


@pytest.mark.parametrize("event_type", EVENT_TYPES)
def test_no_event_of_a_text_is_passed_over_unless_it_says_nothing_yet(event_type: str) -> None:
    way, _, what = event_type.partition("_")
    says_nothing = way not in ("TEXT", "MEDIA", "RCS") or what in ("PENDING", "QUEUED")
    assert (read_sms_event(a_record(event_type)) is None) is says_nothing


def test_an_rcs_message_that_expired_and_may_still_come_is_late_and_not_lost() -> None:
    event = read_sms_event(a_record("RCS_TTL_EXPIRED", messageStatus="TTL_EXPIRATION_REVOKE_FAILED"))
    assert event is not None
    assert event.kind is EngagementKind.DELAYED


def test_an_event_brings_back_our_ids_and_its_own_time() -> None:
    event, rendered = read_sms_event(a_record()), a_text(run_id=RUN_ID)
    assert event is not None
    assert (event.dispatch_id, event.outcome_key, event.run_id) == (
        rendered.dispatch.dispatch_id,
        rendered.outcome_key,
        RUN_ID,
    )
    assert event.occurred_at == datetime(2026, 11, 21, 10, 5, tzinfo=UTC)
    assert event.detail == "TEXT_DELIVERED"


def test_an_invalid_number_is_a_permanent_bounce_of_that_number() -> None:
    event = read_sms_event(a_record("TEXT_INVALID"))
    assert event is not None
    assert event.permanent
    assert event.address == "+12065550100"


def test_the_same_record_twice_is_one_event_and_the_next_status_another() -> None:
    events = [read_sms_event(a_record(status)) for status in ("TEXT_DELIVERED", "TEXT_DELIVERED", "TEXT_SUCCESSFUL")]
    first, twin, another = (event.event_id if event else "" for event in events)
    assert first == twin != another


@pytest.mark.parametrize("foreign", [{}, {"eventType": "TEXT_DELIVERED"}, a_record(context={"campaign": "other"})])
def test_a_text_that_is_not_ours_is_passed_over(foreign: dict[str, Any]) -> None:
    assert read_sms_event(foreign) is None


def test_a_record_of_ours_that_cannot_be_read_says_where() -> None:
    with pytest.raises(MalformedError, match="eventTimestamp"):
        read_sms_event(a_record(eventTimestamp="yesterday"))


@given(
    st.sampled_from(sorted(a_record())), st.none() | st.integers() | st.text() | st.dictionaries(st.text(), st.text())
)
def test_reading_a_record_never_raises_anything_but_malformed(field: str, value: Any) -> None:
    try:
        read_sms_event(a_record() | {field: value})
    except MalformedError as error:
        assert "+1206" not in str(error)
