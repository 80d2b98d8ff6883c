"""Dead letters in plain words: what failed, for whom, why, and what to do."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from builders import NOW, PACK_ID, a_dispatch, a_request
from heliograph.model.channels import Channel
from heliograph.model.dispatches import DispatchPack
from heliograph.model.requests import Lane, RequestPack
from heliograph.operations.dead_letters.summary import DeadLetter, Explanation, explain

SECRETS = ("amara@example.com", "+12065550100", "gcm:token-1", "934120")
EVENT = {"id": "event-1", "source": "shop", "detail-type": "OrderShipped", "time": "2026-11-21T10:00:00Z"}
TRIGGERED = {"message": "order_shipped", "event": {**EVENT, "detail": {"email": SECRETS[0], "customer": "c-1"}}}
ASKED = {**EVENT, "detail-type": "SendRequested", "detail": {"recipient_id": "amara", "data": {"code": SECRETS[3]}}}
UPLOADED = {"source": "aws.s3", "detail": {"object": {"key": "campaigns/spring-sale/campaign.toml"}}}
IMPORTED = {"source": "aws.s3", "detail": {"object": {"key": "imports/people.csv"}}}
MAILED = {
    "source": "aws.ses",
    "detail": {"mail": {"tags": {"recipient_id": ["amara"], "run_id": ["R1"]}, "destination": [SECRETS[0]]}},
}
REQUESTS = msgspec.to_builtins(
    RequestPack(pack_id=PACK_ID, lane=Lane.BULK, requests=(a_request(email=SECRETS[0]),), run_id="R1")
)


def a_pack(channel: Channel) -> Any:
    pack = DispatchPack(
        pack_id=PACK_ID, channel=channel, lane=Lane.BULK, run_id="R1", dispatches=(a_dispatch(channel),)
    )
    return msgspec.to_builtins(pack)


def a_dead_letter(queue: str, body: Any, **fields: Any) -> DeadLetter:
    text = body if isinstance(body, str) else json.dumps(body)
    return DeadLetter(message_id="m-1", queue=queue, body=text, receives=11, sent_at=NOW, **fields)


def explained(queue: str, body: Any, **fields: Any) -> Explanation:
    return explain(a_dead_letter(queue, body, **fields))


@pytest.mark.parametrize(
    ("queue", "body", "place", "reason", "fault", "said"),
    [
        ("events", ASKED, "detail", "Object missing required field `message`", "malformed_detail", "its detail"),
        ("events", ASKED, "reference", "is longer than 128 bytes", "carries_too_much", "too long"),
        ("events", ASKED, "data", "is nested more than 32 levels deep", "carries_too_much", "too deep"),
        ("events", TRIGGERED, "data", "detail is list, not an object", "bad_field", "not of the kind"),
        ("events", ASKED, "event", "Expected `str`, got `int` - at `$.id`", "malformed_event", "every event"),
        ("events", TRIGGERED, "message", "the trigger's message is not in the catalogue: deploy again",
         "unknown_message", "not in the deployed catalogue"),
        ("events", TRIGGERED, "message", "order_shipped has no trigger", "no_trigger", "no trigger any more"),
        ("events", ASKED, "recipient_id", "the event names neither a recipient nor a valid address",
         "missing_recipient_id", "neither a recipient nor an address"),
        ("events", ASKED, "recipient_id", "must be 1 to 128 characters of A-Z a-z 0-9 _ -", "bad_recipient_id", "128"),
        ("events", TRIGGERED, "expires_at", "detail.until has no time zone", "no_time_zone", "has no time zone"),
        ("events", TRIGGERED, "expires_at", "detail.until is not an ISO 8601 time", "bad_time", "ISO 8601"),
        ("events", TRIGGERED, "email", "detail.email is dict, not text", "bad_field", "not of the kind"),
        ("events", EVENT, "detail-type", "is neither SendRequested nor RecipientUpdated",
         "unknown_event", "no trigger asked for it"),
        ("segments", UPLOADED, "campaign.toml", "Expected `str`, got `int` - at `$.message`", "bad_manifest", "field"),
        ("segments", UPLOADED, "campaign.toml: message", "there is no message nothing",
         "campaign_message_unknown", "not in the deployed catalogue"),
        ("segments", UPLOADED, "campaign.toml: segment", "name a file in the campaign's own folder",
         "segment_elsewhere", "outside of its own folder"),
        ("segments", UPLOADED, "campaigns/spring-sale/segment.csv", "there is no such file in the bucket",
         "segment_missing", "not in the bucket"),
        ("segments", UPLOADED, "row 1", "a header is required", "no_header", "has no header"),
        ("segments", UPLOADED, "row 1", "there is no column recipient_id",
         "no_recipient_id_column", "no column recipient_id"),
        ("segments", UPLOADED, "row 1, column 3", "its name stands there twice", "bad_header", "header"),
        ("segments", UPLOADED, "row 17", "a quote that opens here is not closed", "open_quote", "quote is not closed"),
        ("segments", UPLOADED, "line 3", "is neither UTF-8 nor", "doubtful_encoding", "not UTF-8"),
        ("imports", IMPORTED, "row 1", "Email is not a column", "import_refused", "nobody of it was saved"),
        ("segments", UPLOADED, "key", "a manifest lies at campaigns/<name>/campaign.toml", "bad_campaign_name", "name"),
        ("engagement", MAILED, "SES event bounced", "Expected `object`, got `int`",
         "unreadable_provider_event", "cannot be read"),
        ("engagement", MAILED, "outcome_key", "is not <pack id>-<slot>", "unreadable_provider_event", "cannot be read"),
        ("requests-bulk", REQUESTS, "body", "Object missing required field `lane`", "unreadable_text", "not the JSON"),
        ("outbox-sms-bulk", "hello", "body", "JSON is malformed: invalid character", "unreadable_text", "not the JSON"),
    ],
)  # fmt: skip
def test_what_was_parked_is_told_with_its_place_and_what_to_do(
    queue: str, body: Any, place: str, reason: str, fault: str, said: str
) -> None:
    told = explained(queue, body, position=place, reason=reason)
    assert told.fault == fault
    assert said in told.why
    assert told.said == f"{place}: {reason}"
    assert told.parked
    assert told.what_to_do


@pytest.mark.parametrize(
    ("queue", "body", "fault", "what", "log"),
    [
        ("requests-bulk", REQUESTS, "requests_failed", "pack of send requests", "plan"),
        ("requests-priority", REQUESTS, "requests_failed", "pack of send requests", "plan"),
        ("outbox-email-bulk", a_pack(Channel.EMAIL), "email_failed", "pack of mails", "deliver-email"),
        ("outbox-sms-priority", a_pack(Channel.SMS), "sms_failed", "pack of SMS", "deliver-sms"),
        ("outbox-push-bulk", a_pack(Channel.PUSH), "push_failed", "pack of push notifications", "deliver-push"),
        ("settle", a_pack(Channel.EMAIL), "settling_failed", "pack of mails", "settle"),
        ("segments", UPLOADED, "upload_failed", "upload of a campaign", "ingest-segment"),
        ("imports", IMPORTED, "import_failed", "file of people", "import-recipients"),
        ("events", TRIGGERED, "event_failed", "product event", "ingest-event"),
        ("engagement", MAILED, "provider_event_failed", "provider event", "record"),
    ],
)
def test_work_that_failed_on_every_try_says_where_its_reason_is_written(
    queue: str, body: Any, fault: str, what: str, log: str
) -> None:
    told = explained(queue, body, failed=True)
    assert told.fault == fault
    assert told.what == f"A {what} in {queue} failed on every try."
    assert f"/aws/lambda/<stack>-{log} " in told.what_to_do
    assert "redrive" in told.what_to_do


def test_text_that_is_not_ours_is_foreign() -> None:
    assert explained("requests-bulk", "hello", failed=True).fault == "foreign_text"


def test_an_event_that_the_bus_could_not_hand_over_says_so() -> None:
    told = explained("events", TRIGGERED, undelivered="NO_PERMISSIONS")
    assert told.fault == "not_handed_over"
    assert told.said == "NO_PERMISSIONS"


def test_work_that_neither_failed_nor_was_parked_was_put_there() -> None:
    assert explained("requests-bulk", REQUESTS).fault == "put_there"


@pytest.mark.parametrize(
    ("body", "whom"),
    [
        (REQUESTS, {"pack_id": PACK_ID, "run_id": "R1", "messages": ["order-shipped"], "people": 1,
                    "recipient_ids": ["amara"]}),
        (a_pack(Channel.SMS), {"pack_id": PACK_ID, "run_id": "R1", "messages": ["order-shipped"], "people": 1,
                               "recipient_ids": ["amara"]}),
        (UPLOADED, {"campaign": "spring-sale"}),
        (MAILED, {"recipient_id": "amara", "run_id": "R1"}),
        ({"Type": "Notification", "Message": json.dumps(MAILED)}, {"recipient_id": "amara", "run_id": "R1"}),
        ({"context": {"recipient_id": "amara"}, "destinationPhoneNumber": SECRETS[1]}, {"recipient_id": "amara"}),
        ({"events": [{"recipient_id": "amara", "address": SECRETS[0]}]}, {"recipient_id": "amara"}),
        ({"unfinished": {"recipient_id": "amara", "address": SECRETS[0]}}, {"recipient_id": "amara"}),
        (TRIGGERED, {"message": "order_shipped", "event_id": "event-1", "event": "OrderShipped"}),
        (ASKED, {"recipient_id": "amara", "event_id": "event-1", "event": "SendRequested"}),
        ({**EVENT, "detail": {"recipient_id": SECRETS[0]}}, {"event_id": "event-1", "event": "OrderShipped"}),
        ("hello", {}),
        ("[1]", {}),
        ({"requests": [1, {"recipient_id": SECRETS[1]}]}, {"messages": [], "people": 2, "recipient_ids": []}),
    ],
)  # fmt: skip
def test_whom_it_concerns_is_told_by_identifiers(body: Any, whom: dict[str, Any]) -> None:
    assert explained("events", body).whom == whom


@pytest.mark.parametrize(
    "body", [TRIGGERED, ASKED, MAILED, REQUESTS, a_pack(Channel.EMAIL), a_pack(Channel.SMS), a_pack(Channel.PUSH)]
)
@pytest.mark.parametrize("failed", [True, False])
def test_neither_addresses_nor_data_are_ever_told(body: Any, failed: bool) -> None:
    told = msgspec.json.encode(explained("events", body, failed=failed)).decode()
    assert not [secret for secret in SECRETS if secret in told]


def test_a_pack_of_segment_rows_names_its_people_and_its_message() -> None:
    rows = [["Ana", "ana"], ["Bo", SECRETS[1]], ["short"]]
    segment = {"message": "sale", "columns": ["first_name", "recipient_id"], "rows": rows}
    whom = explained("requests-bulk", {"pack_id": "P", "run_id": "R", "segment": segment}).whom
    assert whom == {"pack_id": "P", "run_id": "R", "messages": ["sale"], "people": 3, "recipient_ids": ["ana"]}


def test_only_the_first_ten_people_of_a_pack_are_named() -> None:
    pack = {"requests": [{"recipient_id": f"p-{number}"} for number in range(100)]}
    whom = explained("requests-bulk", pack).whom
    assert (whom["people"], len(whom["recipient_ids"])) == (100, 10)
