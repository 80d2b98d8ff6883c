"""Rules of the email channel: what goes to SES, what its answers mean, how its events are read."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aws.wire import MAY_HAVE_ARRIVED, NEVER_LEFT, Refusal, Wire
from builders import NOW, RUN_ID, a_rendered
from heliograph.channels.email.bulk import BULK_BYTES
from heliograph.channels.email.events import read_ses_event, read_ses_line
from heliograph.channels.email.ses import ses_sender
from heliograph.model.dispatches import Rendered
from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.model.outcomes import Accepted, Failed, FailureCode, InDoubt, NotSent, Outcome
from heliograph.model.policy import Purpose
from heliograph.text.errors import MalformedError

URL = "https://u.example.com/x/opaque"
TAKEN = {"Status": "SUCCESS", "MessageId": "ses-1"}


def send(wire: Wire, batch: list[Rendered], *, sender: str = "News <n@example.com>") -> list[Outcome]:
    mail = ses_sender(wire.client, sender=sender, configuration_set="prod", unsubscribe_mailto="stop@example.com")
    return [outcome for outcomes in mail(batch) for outcome in outcomes]


def batch(count: int, **fields: Any) -> list[Rendered]:
    return [a_rendered(slot=slot, **fields) for slot in range(count)]


def promotional() -> Rendered:
    return a_rendered(purpose=Purpose.PROMOTIONAL, unsubscribe_url=URL)


def test_one_message_goes_as_a_simple_mail_with_our_ids() -> None:
    wire = Wire("sesv2", {"MessageId": "ses-1"})
    rendered = a_rendered()
    [outcome] = send(wire, [rendered])
    assert outcome == Accepted(dispatch_id=rendered.dispatch.dispatch_id, provider_message_id="ses-1")
    [request] = wire.sent
    assert request["Content"]["Simple"]["Body"]["Html"] == {"Data": "<p>Hello</p>", "Charset": "UTF-8"}
    assert request["Destination"] == {"ToAddresses": ["amara@example.com"]}
    assert request["ConfigurationSetName"] == "prod"
    assert {tag["Name"]: tag["Value"] for tag in request["EmailTags"]} == rendered.tags()


def test_several_messages_share_a_call_with_their_text_as_replacement_data() -> None:
    wire = Wire("sesv2", {"BulkEmailEntryResults": [TAKEN, TAKEN | {"MessageId": "ses-2"}]})
    first, second = batch(2)
    outcomes = send(wire, [first, second])
    assert [getattr(one, "provider_message_id", None) for one in outcomes] == ["ses-1", "ses-2"]
    [request] = wire.sent
    template = request["DefaultContent"]["Template"]["TemplateContent"]
    assert template == {"Subject": "{{subject}}", "Html": "{{html}}", "Text": "{{text}}"}
    entry = request["BulkEmailEntries"][1]
    replacement = entry["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"]
    assert json.loads(replacement) == second.content
    assert {tag["Name"]: tag["Value"] for tag in entry["ReplacementTags"]} == second.tags()


@given(subject=st.text(min_size=1), html=st.text(min_size=1))
def test_every_text_arrives_in_a_bulk_call_as_it_was_rendered(subject: str, html: str) -> None:
    content = {"subject": subject, "html": html}
    wire = Wire("sesv2", {"BulkEmailEntryResults": [TAKEN] * 2})
    send(wire, batch(2, content=content))
    for entry in wire.sent[0]["BulkEmailEntries"]:
        replacement = entry["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"]
        assert json.loads(replacement) == content


def test_a_call_takes_no_more_than_fifty_messages() -> None:
    wire = Wire("sesv2", {"BulkEmailEntryResults": [TAKEN] * 50}, {"MessageId": "ses-51"})
    assert len(send(wire, batch(51))) == 51
    assert len(wire.sent[0]["BulkEmailEntries"]) == 50


@pytest.mark.parametrize("text", ["x" * 60_000, "é" * 30_000, '"' * 40_000])
def test_a_call_is_never_larger_than_ses_takes(text: str) -> None:
    packed = batch(40, content={"subject": "Hello", "html": text})
    wire = Wire("sesv2", *[{"BulkEmailEntryResults": [TAKEN] * 40} for _ in packed])
    assert len(send(wire, packed)) == 40
    sizes = wire.sizes
    assert max(sizes) <= BULK_BYTES
    assert all(size > BULK_BYTES * 0.7 for size in sizes[:-1])


def test_a_mail_too_large_for_bulk_goes_alone() -> None:
    large = a_rendered(slot=1, content={"subject": "Hello", "html": "x" * 300_000})
    wire = Wire("sesv2", {"MessageId": "ses-1"}, {"MessageId": "ses-2"})
    assert len(send(wire, [a_rendered(), large])) == 2
    assert all("Simple" in request["Content"] for request in wire.sent)


def test_messages_with_other_parts_go_in_another_call() -> None:
    wire = Wire("sesv2", {"MessageId": "ses-1"}, {"MessageId": "ses-2"})
    send(wire, [a_rendered(), a_rendered(slot=1, content={"subject": "Hello", "text": "Hello", "html": ""})])
    assert [list(request["Content"]["Simple"]["Body"]) for request in wire.sent] == [["Html", "Text"], ["Text"]]


def test_promotional_mail_can_be_unsubscribed_with_one_click() -> None:
    wire = Wire("sesv2", {"MessageId": "ses-1"})
    send(wire, [promotional()])
    assert wire.sent[0]["Content"]["Simple"]["Headers"] == [
        {"Name": "List-Unsubscribe", "Value": f"<{URL}>, <mailto:stop@example.com>"},
        {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
    ]


def test_each_mail_of_a_bulk_call_has_its_own_unsubscribe_headers() -> None:
    wire = Wire("sesv2", {"BulkEmailEntryResults": [TAKEN, TAKEN]})
    send(wire, [promotional(), promotional()])
    headers = [entry["ReplacementHeaders"] for entry in wire.sent[0]["BulkEmailEntries"]]
    assert [header["Name"] for header in headers[1]] == ["List-Unsubscribe", "List-Unsubscribe-Post"]


def test_transactional_mail_has_no_unsubscribe_header() -> None:
    wire = Wire("sesv2", {"MessageId": "ses-1"})
    send(wire, [a_rendered(unsubscribe_url=URL)])
    assert wire.sent[0]["Content"]["Simple"]["Headers"] == []


@pytest.mark.parametrize(
    ("sender", "header"),
    [
        ("n@example.com", "n@example.com"),
        ("News <n@example.com>", "News <n@example.com>"),
        ("News, Inc. <n@example.com>", '"News, Inc." <n@example.com>'),
        ("Café News <n@example.com>", "=?utf-8?q?Caf=C3=A9_News?= <n@example.com>"),
    ],
)
def test_the_display_name_of_the_sender_is_encoded(sender: str, header: str) -> None:
    wire = Wire("sesv2", {"MessageId": "ses-1"})
    send(wire, [a_rendered()], sender=sender)
    assert wire.sent[0]["FromEmailAddress"] == header


def test_an_address_that_is_not_ascii_is_refused_without_a_call() -> None:
    rendered = a_rendered(addresses=("jürgen@example.com",))
    [outcome] = send(Wire("sesv2"), [rendered])
    assert outcome == Failed(dispatch_id=rendered.dispatch.dispatch_id, code=FailureCode.INVALID_ADDRESS)


@pytest.mark.parametrize(
    ("code", "status", "expected"),
    [
        ("MessageRejected", 400, Failed),
        ("BadRequestException", 400, Failed),
        ("TooManyRequestsException", 429, NotSent),
        ("LimitExceededException", 400, NotSent),
        ("SendingPausedException", 400, NotSent),
        ("AccountSuspendedException", 400, NotSent),
        ("MailFromDomainNotVerifiedException", 400, NotSent),
        ("NotFoundException", 404, NotSent),
        ("AccessDeniedException", 403, NotSent),
        ("InternalServerErrorException", 500, InDoubt),
        ("ServiceUnavailable", 503, InDoubt),
    ],
)
def test_only_what_is_about_the_mail_is_final(code: str, status: int, expected: type[Outcome]) -> None:
    [outcome] = send(Wire("sesv2", Refusal(code, status=status)), [a_rendered()])
    assert isinstance(outcome, expected)


@pytest.mark.parametrize("count", [1, 2])
def test_an_identity_that_is_not_verified_yet_is_no_fault_of_the_mail(count: int) -> None:
    refusal = Refusal("MessageRejected", message="Email address is not verified. The identities failed: n@example.com")
    outcomes = send(Wire("sesv2", refusal), batch(count))
    assert [type(outcome) for outcome in outcomes] == [NotSent] * count


@pytest.mark.parametrize(
    ("error", "expected"),
    [(error, NotSent) for error in NEVER_LEFT] + [(error, InDoubt) for error in MAY_HAVE_ARRIVED],
)
@pytest.mark.parametrize("count", [1, 2])
def test_a_message_is_in_doubt_when_the_request_may_have_arrived(
    error: Exception, expected: type[Outcome], count: int
) -> None:
    outcomes = send(Wire("sesv2", error), batch(count))
    assert [type(outcome) for outcome in outcomes] == [expected] * count


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("SUCCESS", Accepted),
        ("MESSAGE_REJECTED", Failed),
        ("INVALID_PARAMETER", Failed),
        ("MAIL_FROM_DOMAIN_NOT_VERIFIED", NotSent),
        ("CONFIGURATION_SET_NOT_FOUND", NotSent),
        ("TEMPLATE_NOT_FOUND", NotSent),
        ("ACCOUNT_SUSPENDED", NotSent),
        ("ACCOUNT_THROTTLED", NotSent),
        ("ACCOUNT_DAILY_QUOTA_EXCEEDED", NotSent),
        ("INVALID_SENDING_POOL_NAME", NotSent),
        ("ACCOUNT_SENDING_PAUSED", NotSent),
        ("CONFIGURATION_SET_SENDING_PAUSED", NotSent),
        ("TRANSIENT_FAILURE", NotSent),
        ("FAILED", NotSent),
    ],
)
def test_every_mail_of_a_bulk_call_has_its_own_outcome(status: str, expected: type[Outcome]) -> None:
    first, second = send(Wire("sesv2", {"BulkEmailEntryResults": [{"Status": status}, TAKEN]}), batch(2))
    assert isinstance(first, expected)
    assert isinstance(second, Accepted)


def test_a_mail_that_ses_says_nothing_about_is_in_doubt() -> None:
    first, second = send(Wire("sesv2", {"BulkEmailEntryResults": [TAKEN]}), batch(2))
    assert isinstance(first, Accepted)
    assert isinstance(second, InDoubt)


def test_one_bad_mail_does_not_cost_the_others_of_its_call() -> None:
    refusal = Refusal("BadRequestException")
    wire = Wire("sesv2", refusal, {"MessageId": "ses-1"}, refusal, {"MessageId": "ses-3"})
    first, second, third = send(wire, batch(3))
    assert isinstance(first, Accepted)
    assert isinstance(second, Failed)
    assert isinstance(third, Accepted)


# ---- events ------------------------------------------------------------------------------------------------

SENT_AT, HAPPENED_AT = "2026-11-21T10:00:00.000Z", "2026-11-21T10:05:00.000Z"


def an_event(event_type: str = "Open", key: str = "open", **payload: Any) -> dict[str, Any]:
    tags = {name: [value] for name, value in a_rendered(run_id=RUN_ID).tags().items()} | {
        "ses:operation": ["SendEmail"]
    }
    mail = {"timestamp": SENT_AT, "messageId": "ses-1", "destination": ["amara@example.com"], "tags": tags}
    return {"source": "aws.ses", "id": "e-1", "detail": {"eventType": event_type, "mail": mail, key: payload}}


HARD = {"bounceType": "Permanent", "bounceSubType": "General", "feedbackId": "f-1"}
SOFT = {"bounceType": "Transient", "bounceSubType": "MailboxFull", "feedbackId": "f-1"}
LISTED = {"bounceType": "Permanent", "bounceSubType": "OnAccountSuppressionList"}
UNCLEAR = {"bounceType": "Undetermined", "bounceSubType": "Undetermined"}
DECLINED = {"newTopicPreferences": {"unsubscribeAll": True, "topicSubscriptionStatus": []}}


@pytest.mark.parametrize(
    ("event_type", "key", "payload", "kind", "detail"),
    [
        ("Send", "send", {}, EngagementKind.SENT, ""),
        ("Delivery", "delivery", {"smtpResponse": "250 ok"}, EngagementKind.DELIVERED, ""),
        ("Bounce", "bounce", HARD, EngagementKind.BOUNCED, "Permanent/General"),
        ("Bounce", "bounce", LISTED, EngagementKind.BOUNCED, "Permanent/OnAccountSuppressionList"),
        ("Bounce", "bounce", SOFT, EngagementKind.BOUNCED, "Transient/MailboxFull"),
        ("Bounce", "bounce", UNCLEAR, EngagementKind.BOUNCED, "Undetermined/Undetermined"),
        ("Complaint", "complaint", {"complaintFeedbackType": "abuse"}, EngagementKind.COMPLAINED, "abuse"),
        ("Complaint", "complaint", {"complaintSubType": None}, EngagementKind.COMPLAINED, ""),
        ("Open", "open", {"isBotEvent": "Unlikely"}, EngagementKind.OPENED, ""),
        ("Click", "click", {"link": URL, "isBotEvent": "Likely"}, EngagementKind.CLICKED, "Bot"),
        ("Reject", "reject", {"reason": "Bad content"}, EngagementKind.UNDELIVERED, "Bad content"),
        ("Rendering Failure", "failure", {"errorMessage": "x"}, EngagementKind.UNDELIVERED, ""),
        ("DeliveryDelay", "deliveryDelay", {"delayType": "MailboxFull"}, EngagementKind.DELAYED, "MailboxFull"),
        ("Subscription", "subscription", DECLINED, EngagementKind.UNSUBSCRIBED, ""),
    ],
)
def test_every_ses_event_has_one_word_of_ours(
    event_type: str, key: str, payload: dict[str, Any], kind: EngagementKind, detail: str
) -> None:
    told = an_event(event_type, key, **payload)
    event = read_ses_event(told)
    assert event is not None
    assert (event.kind, event.detail) == (kind, detail)
    assert read_ses_line(json.dumps(told["detail"]).encode()) == event


def test_an_event_brings_back_our_ids() -> None:
    event, rendered = read_ses_event(an_event()), a_rendered(run_id=RUN_ID)
    assert event is not None
    assert (event.dispatch_id, event.recipient_id) == (
        rendered.dispatch.dispatch_id,
        rendered.dispatch.request.recipient_id,
    )
    assert (event.outcome_key, event.message, event.run_id) == (rendered.outcome_key, rendered.message.name, RUN_ID)


@pytest.mark.parametrize(("payload", "permanent"), [(HARD, True), (LISTED, True), (SOFT, False), (UNCLEAR, False)])
def test_only_a_permanent_bounce_says_that_the_address_is_dead(payload: dict[str, Any], permanent: bool) -> None:
    event = read_ses_event(an_event("Bounce", "bounce", **payload))
    assert event is not None
    assert event.permanent is permanent
    assert event.address == "amara@example.com"


@pytest.mark.parametrize("kind", ["Open", "Delivery"])
def test_an_address_is_read_only_where_it_has_consequences(kind: str) -> None:
    event = read_ses_event(an_event(kind, kind.lower()))
    assert event is not None
    assert event.address == ""


def test_an_event_happened_when_its_payload_says_so() -> None:
    event = read_ses_event(an_event(timestamp=HAPPENED_AT))
    assert event is not None
    assert event.occurred_at == datetime(2026, 11, 21, 10, 5, tzinfo=UTC)


def test_an_event_without_a_time_of_its_own_happened_when_the_mail_was_sent() -> None:
    event = read_ses_event(an_event("Send", "send"))
    assert event is not None
    assert event.occurred_at == NOW


def test_redelivered_twins_are_one_event() -> None:
    first, twin = an_event(timestamp=HAPPENED_AT), an_event(timestamp=HAPPENED_AT) | {"id": "e-2"}
    assert read_ses_event(first) == read_ses_event(twin)


@pytest.mark.parametrize(
    "other",
    [
        an_event("Click", "click", timestamp=SENT_AT, link=URL),
        an_event("Click", "click", timestamp=HAPPENED_AT, link=f"{URL}/other"),
        an_event("Open", "open", timestamp=HAPPENED_AT),
    ],
)
def test_two_happenings_are_two_events(other: dict[str, Any]) -> None:
    click, another = read_ses_event(an_event("Click", "click", timestamp=HAPPENED_AT, link=URL)), read_ses_event(other)
    assert click is not None
    assert another is not None
    assert click.event_id != another.event_id


def test_not_spam_is_no_complaint() -> None:
    assert read_ses_event(an_event("Complaint", "complaint", complaintFeedbackType="not-spam")) is None


@pytest.mark.parametrize("status", ["OptIn", "OptOut"])
def test_a_subscription_counts_only_when_it_declines(status: str) -> None:
    preferences = {"unsubscribeAll": False, "topicSubscriptionStatus": [{"subscriptionStatus": status}]}
    event = read_ses_event(an_event("Subscription", "subscription", newTopicPreferences=preferences))
    assert (event is not None) is (status == "OptOut")


@pytest.mark.parametrize(
    "foreign",
    [
        {},
        {"detail": {"notificationType": "Bounce", "mail": {"messageId": "x"}}},
        {"detail": {"eventType": "Open", "mail": {"tags": {"campaign": ["other"]}}}},
        an_event("Something New", "new"),
    ],
)
def test_mail_that_is_not_ours_is_passed_over(foreign: dict[str, Any]) -> None:
    assert read_ses_event(foreign) is None


@pytest.mark.parametrize("field", ["messageId", "timestamp"])
def test_an_event_of_ours_that_cannot_be_read_says_where(field: str) -> None:
    event = an_event()
    del event["detail"]["mail"][field]
    with pytest.raises(MalformedError, match=field):
        read_ses_event(event)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(st.data())
def test_reading_an_event_never_raises_anything_but_malformed(data: st.DataObject) -> None:
    event = an_event("Bounce", "bounce", timestamp=HAPPENED_AT, **HARD)
    place = data.draw(st.sampled_from([event["detail"], event["detail"]["mail"], event["detail"]["bounce"]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)
    try:
        read_ses_event(event)
    except MalformedError as error:
        assert "amara" not in str(error)


def said_of(read: Callable[[], EngagementEvent | None]) -> EngagementEvent | str | None:
    try:
        return read()
    except MalformedError as error:
        return str(error)


@given(st.data())
def test_a_line_says_what_the_same_event_says_on_the_bus(data: st.DataObject) -> None:
    """Also where it is not ours, and where it cannot be read."""
    event = an_event("Bounce", "bounce", timestamp=HAPPENED_AT, **HARD)
    place = data.draw(st.sampled_from([event["detail"], event["detail"]["mail"], event["detail"]["bounce"]]))
    place[data.draw(st.sampled_from(sorted(place)))] = data.draw(JSON)
    line = msgspec.json.encode(event["detail"])
    on_the_bus = {"source": "aws.ses", "detail": msgspec.json.decode(line)}
    assert said_of(lambda: read_ses_line(line)) == said_of(lambda: read_ses_event(on_the_bus))


@pytest.mark.parametrize(
    "line", [b"", b"{", b"\xff", b"[" * 100_000, b'{"a": "\xff"', b'{"a":' * 100_000, b"9" * 5_000]
)
def test_a_line_that_is_no_json_says_so(line: bytes) -> None:
    with pytest.raises(MalformedError, match="is no JSON"):
        read_ses_line(line)
