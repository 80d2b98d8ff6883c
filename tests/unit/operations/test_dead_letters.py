"""Dead letters in plain words: what failed, for whom, why, and what to do."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from builders import EMAIL, NOW, PACK_ID, PUSH, SMS, a_dispatch, a_request
from heliograph.model.channels import Channel
from heliograph.model.dispatches import DispatchPack
from heliograph.model.requests import Lane, RequestPack
from heliograph.operations.dead_letters.faults import REFUSED
from heliograph.operations.dead_letters.summary import DeadLetter, Explanation, explain
from heliograph.text.errors import Code

ROOT = Path(__file__).parents[3]
SECRETS = ("amara@example.com", "+12065550100", "gcm:token-1", "934120")
EVENT = {"id": "event-1", "source": "shop", "detail-type": "OrderShipped", "time": "2026-11-21T10:00:00Z"}
TRIGGERED = {"message": "order_shipped", "event": {**EVENT, "detail": {"email": SECRETS[0], "customer": "c-1"}}}
ASKED = {**EVENT, "detail-type": "SendRequested", "detail": {"recipient_id": "amara", "data": {"code": SECRETS[3]}}}
UPLOADED = {"source": "aws.s3", "detail": {"object": {"key": "campaigns/spring-sale/campaign.toml"}}}
IMPORTED = {"source": "aws.s3", "detail": {"object": {"key": "imports/people.csv"}}}
COLLECTED = {"source": "aws.s3", "detail": {"object": {"key": "raw/email/2026/11/21/10/a.gz"}}}
MAILED = {
    "source": "aws.ses",
    "detail": {"mail": {"tags": {"recipient_id": ["amara"], "run_id": ["R1"]}, "destination": [SECRETS[0]]}},
}
ANSWERED = {"originationNumber": SECRETS[1], "messageBody": SECRETS[3], "inboundMessageId": "in-1"}
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
    ("queue", "body", "code", "position", "said"),
    [
        ("events", ASKED, Code.MALFORMED_DETAIL, "detail", "its detail"),
        ("events", ASKED, Code.CARRIES_TOO_MUCH, "reference", "too long"),
        ("events", ASKED, Code.MALFORMED_EVENT, "event", "every event"),
        ("events", TRIGGERED, Code.UNKNOWN_MESSAGE, "message", "not in the deployed catalogue"),
        ("events", ASKED, Code.MISSING_RECIPIENT_ID, "recipient_id", "neither a recipient nor an address"),
        ("events", TRIGGERED, Code.NO_TIME_ZONE, "expires_at", "has no time zone"),
        ("segments", UPLOADED, Code.BAD_MANIFEST, "campaign.toml", "field"),
        ("segments", UPLOADED, Code.FILE_MISSING, "campaigns/spring-sale/segment.csv", "not in the bucket"),
        ("segments", UPLOADED, Code.OPEN_QUOTE, "row 17", "quote is not closed"),
        ("imports", IMPORTED, Code.DOUBTFUL_COLUMN, "row 1", "nobody was saved"),
        ("engagement", MAILED, Code.UNREADABLE_PROVIDER_EVENT, "outcome_key", "cannot be read"),
        ("engagement", ANSWERED, Code.UNREADABLE_PROVIDER_EVENT, "two-way SMS", "cannot be read"),
        ("outbox-sms-bulk", REQUESTS, Code.UNKNOWN_CHANNEL, "channel", "does not have"),
        ("outbox-sms-bulk", "hello", Code.UNREADABLE_TEXT, "body", "not the JSON"),
    ],
)
def test_what_was_parked_is_told_with_its_position_and_what_to_do(
    queue: str, body: Any, code: Code, position: str, said: str
) -> None:
    told = explained(queue, body, code=code, position=position, reason="because")
    assert told.fault == code
    assert said in told.why
    assert told.said == f"{position}: because"
    assert told.parked
    assert told.what_to_do


def test_what_an_older_version_parked_is_told_without_its_code() -> None:
    assert explained("events", ASKED, position="detail", reason="because").fault == "unreadable"


def test_every_code_has_a_meaning() -> None:
    assert set(REFUSED) == set(Code)


def test_every_code_is_raised_somewhere() -> None:
    assert {code.name for code in Code} - set(raised()) == set()


def raised() -> Iterator[str]:
    """The codes of all errors that the sources make."""
    for folder in ("layers/heliograph/heliograph", "functions", "cli"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text())):
                match node:
                    case ast.Call(
                        func=ast.Name(id="MalformedError" | "EncodingError"),
                        args=[ast.Attribute(value=ast.Name(id="Code"), attr=name), *_],
                    ):
                        yield name


@pytest.mark.parametrize(
    ("queue", "body", "fault", "what", "log"),
    [
        ("requests-bulk", REQUESTS, "requests_failed", "pack of send requests", "plan"),
        ("requests-priority", REQUESTS, "requests_failed", "pack of send requests", "plan"),
        ("outbox-email-bulk", a_pack(EMAIL), "email_failed", "pack of mails", "deliver-email"),
        ("outbox-sms-priority", a_pack(SMS), "sms_failed", "pack of SMS", "deliver-sms"),
        ("outbox-push-bulk", a_pack(PUSH), "push_failed", "pack of push notifications", "deliver-push"),
        ("settle", a_pack(EMAIL), "settling_failed", "pack of mails", "settle"),
        ("segments", UPLOADED, "upload_failed", "upload of a campaign", "ingest-segment"),
        ("imports", IMPORTED, "import_failed", "file of people", "import-recipients"),
        ("events", TRIGGERED, "event_failed", "product event", "ingest-event"),
        ("engagement", MAILED, "provider_event_failed", "provider event", "record"),
        ("engagement", {"ahead": MAILED["detail"]}, "provider_event_failed", "provider event", "record"),
        ("raw", COLLECTED, "provider_events_failed", "minute of provider events", "record"),
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


def test_changes_that_were_not_counted_are_mended_by_a_recount() -> None:
    """As Lambda writes them when it gives a batch of a stream up."""
    batch = {"requestContext": {"functionArn": "arn"}, "DDBStreamBatchInfo": {"shardId": "s", "batchSize": 3}}
    told = explained("tally", batch)
    assert (told.fault, told.what) == ("not_counted", "A batch of changes of records in tally was not worked off.")
    assert "campaign recount" in told.what_to_do


def test_work_that_neither_failed_nor_was_parked_was_put_there() -> None:
    assert explained("requests-bulk", REQUESTS).fault == "put_there"


@pytest.mark.parametrize(
    ("body", "whom"),
    [
        (REQUESTS, {"pack_id": PACK_ID, "run_id": "R1", "messages": ["order-shipped"], "people": 1,
                    "recipient_ids": ["amara"]}),
        (a_pack(SMS), {"pack_id": PACK_ID, "run_id": "R1", "messages": ["order-shipped"], "people": 1,
                               "recipient_ids": ["amara"]}),
        (UPLOADED, {"campaign": "spring-sale"}),
        (MAILED, {"recipient_id": "amara", "run_id": "R1"}),
        ({"ahead": MAILED["detail"]}, {"recipient_id": "amara", "run_id": "R1"}),
        (COLLECTED, {}),
        ({"Type": "Notification", "Message": json.dumps(MAILED)}, {"recipient_id": "amara", "run_id": "R1"}),
        ({"context": {"recipient_id": "amara"}, "destinationPhoneNumber": SECRETS[1]}, {"recipient_id": "amara"}),
        ({"events": [{"recipient_id": "amara", "address": SECRETS[0]}]}, {"recipient_id": "amara"}),
        ({"unfinished": {"recipient_id": "amara", "address": SECRETS[0]}}, {"recipient_id": "amara"}),
        (ANSWERED, {}),
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


@pytest.mark.parametrize("body", [TRIGGERED, ASKED, MAILED, REQUESTS, a_pack(EMAIL), a_pack(SMS), a_pack(PUSH)])
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
