"""Rules about the JSON of calls: botocore would send the same and find the same in every answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.session
import pytest
from botocore import xform_name
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import BotoCoreError, ClientError
from hypothesis import given
from hypothesis import strategies as st

from aws.http import answered
from heliograph.aws import clients, spelling
from trim_botocore import OPERATIONS

KEY = {"recipient_id": {"S": "anna"}, "dispatch_id": {"S": "d-1"}}
ITEM = {**KEY, "n": {"N": "12"}, "yes": {"BOOL": True}, "none": {"NULL": True}, "l": {"L": [{"M": {"a": {"S": "ü"}}}]}}
VALUES = {":a": {"S": '"Grüße" \\ 😀 \u2028'}, ":b": {"SS": ["x", "y"]}}
CALLS: dict[str, dict[str, Any]] = {
    "dynamodb.BatchExecuteStatement": {"Statements": [{"Statement": 'INSERT INTO "t"', "Parameters": [{"S": "ü"}]}]},
    "dynamodb.BatchGetItem": {"RequestItems": {"t": {"Keys": [KEY], "ConsistentRead": True}}},
    "dynamodb.BatchWriteItem": {"RequestItems": {"t": [{"PutRequest": {"Item": ITEM}}]}},
    "dynamodb.GetItem": {"TableName": "t", "Key": KEY, "ConsistentRead": False},
    "dynamodb.PutItem": {"TableName": "t", "Item": ITEM},
    "dynamodb.Query": {"TableName": "t", "ExpressionAttributeValues": VALUES, "Limit": 7, "ScanIndexForward": False},
    "dynamodb.UpdateItem": {"TableName": "t", "Key": KEY, "UpdateExpression": "SET #a = :a", **{
        "ExpressionAttributeNames": {"#a": "a"}, "ExpressionAttributeValues": VALUES, "ReturnValues": "ALL_OLD"}},
    "sqs.ChangeMessageVisibility": {"QueueUrl": "https://q", "ReceiptHandle": "r", "VisibilityTimeout": 0},
    "sqs.SendMessage": {"QueueUrl": "https://q", "MessageBody": "ü\t\x7f", "MessageAttributes": {
        "code": {"DataType": "String", "StringValue": "x"}}},
    "sqs.SendMessageBatch": {"QueueUrl": "https://q", "Entries": [{"Id": "0", "MessageBody": "{}", "DelaySeconds": 0}]},
    "sesv2.GetAccount": {},
    "sesv2.SendBulkEmail": {
        "FromEmailAddress": "a@example.com",
        "DefaultContent": {"Template": {"TemplateContent": {"Subject": "{{s}}"}, "TemplateData": "{}"}},
        "BulkEmailEntries": [{"Destination": {"ToAddresses": ["b@example.com"]}, "ReplacementEmailContent": {
            "ReplacementTemplate": {"ReplacementTemplateData": '{"html":"<p>\\"ü\\"</p>"}'}}}],
    },
    "sesv2.SendEmail": {
        "FromEmailAddress": "a@example.com",
        "Destination": {"ToAddresses": ["b@example.com"]},
        "Content": {"Simple": {"Subject": {"Data": "ü"}, "Body": {"Html": {"Data": "<p>"}}, "Headers": []}},
        "EmailTags": [{"Name": "a", "Value": "b"}],
    },
}  # fmt: skip
"""What the product asks, in every form of a value that it has."""
ANSWERS: dict[str, Any] = {
    "dynamodb.BatchExecuteStatement": {"Responses": [{"TableName": "t"}, {"Error": {
        "Code": "DuplicateItem", "Message": "there", "Item": KEY}}]},
    "dynamodb.BatchGetItem": {"Responses": {"t": [ITEM]}, "UnprocessedKeys": {"t": {"Keys": [KEY]}}},
    "dynamodb.BatchWriteItem": {"UnprocessedItems": {"t": [{"PutRequest": {"Item": ITEM}}]}},
    "dynamodb.GetItem": {"Item": ITEM},
    "dynamodb.PutItem": {"Attributes": ITEM},
    "dynamodb.Query": {"Items": [ITEM], "Count": 1, "ScannedCount": 1, "LastEvaluatedKey": KEY},
    "dynamodb.UpdateItem": {"Attributes": {"until_ms": {"N": "1763720000000"}}},
    "sqs.ChangeMessageVisibility": {},
    "sqs.SendMessage": {"MessageId": "m-1", "MD5OfMessageBody": "x"},
    "sqs.SendMessageBatch": {"Successful": [{"Id": "0", "MessageId": "m-1", "MD5OfMessageBody": "x"}], "Failed": [
        {"Id": "1", "SenderFault": True, "Code": "InternalError"}]},
    "sesv2.GetAccount": {"SendQuota": {"Max24HourSend": 50000, "MaxSendRate": 14.5, "SentLast24Hours": 0.0}},
    "sesv2.SendBulkEmail": {"BulkEmailEntryResults": [{"Status": "SUCCESS", "MessageId": "ses-1"}, {
        "Status": "FAILED", "Error": "ü"}]},
    "sesv2.SendEmail": {"MessageId": "ses-1"},
}  # fmt: skip
HOSTILE = [
    b"",
    b"{}",
    b"null",
    b"[]",
    b'"text"',
    b"17",
    b'{"MessageId":',
    b'{"MessageId": null, "Failed": null, "UnprocessedKeys": null}',
    b'{"MessageId": "a", "MessageId": "b"}',
    b'{"MessageId": "\\ud800"}',
    b'{"MessageId": "\xff"}',
    b'{"MessageId": "x", "Unheard": {"of": 1}, "ResponseMetadata": 1, "Error": 1}',
    b'{"Count": 1e400, "ScannedCount": NaN}',
    b'{"Count": 123456789012345678901234567890}',
    b'{"MessageId": ' + b"[" * 5_000,
    b"<html><body>It works!</body></html>",
]
REFUSALS = [
    (400, b'{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}'),
    (400, b'{"__type":"ConditionalCheckFailedException","Message":"no","Item":{"until_ms":{"N":"1"}}}'),
    (429, b'{"message":"Too many"}'),
    (400, b"{"),
    (413, b"<html>413 Request Entity Too Large</html>"),
    (500, b"<html>502 Bad Gateway</html>"),
    (503, b""),
]


@cache
def client(service: str, *, ours: bool) -> Any:
    """A client that tries once; of botocore alone, or with our spelling."""
    session: Any = botocore.session.Session()
    session.set_credentials("key", "secret")
    made = session.create_client(service, region_name="eu-west-1", config=clients.SEND)
    if ours:
        spelling.register(made.meta.events)
    return made


def call(name: str, answer: Callable[[AWSPreparedRequest], AWSResponse], *, ours: bool, **params: Any) -> Any:
    """What a call comes to: its answer or its error, in full."""
    service, _, operation = name.partition(".")
    made = client(service, ours=ours)
    made.meta.events.register("before-send", answer, unique_id="answer")
    try:
        return getattr(made, xform_name(operation))(**params)
    except ClientError as error:
        return type(error).__name__, error.response, error.operation_name
    except (
        BotoCoreError,
        AttributeError,
        TypeError,
        ValueError,
        RecursionError,
    ) as error:  # botocore's own, on what is no answer
        return type(error).__name__
    finally:
        made.meta.events.unregister("before-send", unique_id="answer")


def both(name: str, answer: Callable[..., AWSResponse], **params: Any) -> tuple[Any, Any]:
    """What a call comes to with our spelling, and with botocore's."""
    return call(name, answer, ours=True, **params), call(name, answer, ours=False, **params)


def sent(name: str, params: dict[str, Any]) -> list[Any]:
    """What leaves for a call with our spelling, and with botocore's."""
    requests: list[Any] = []

    def answer(request: AWSPreparedRequest, **_: Any) -> AWSResponse:
        requests.append(request)
        return answered(request.url, "{}")

    both(name, answer, **params)
    names = ("Content-Type", "X-Amz-Target", "User-Agent")
    return [
        (each.method, each.url, [each.headers.get(one) for one in names], json.loads(each.body or b"null"))
        for each in requests
    ]


def told(found: Any) -> str:
    """What came of a call, where no number is the same as none."""
    return json.dumps(found, sort_keys=True, default=repr)


def test_every_call_is_looked_at() -> None:
    called = {f"{service}.{name}" for service in clients.HOT for name in OPERATIONS[service]}
    assert called <= CALLS.keys() == ANSWERS.keys()


@pytest.mark.parametrize("name", CALLS)
def test_a_call_says_what_botocore_would_have_said(name: str) -> None:
    ours, theirs = sent(name, CALLS[name])
    assert ours == theirs


@pytest.mark.parametrize("name", [name for name in CALLS if CALLS[name]])
def test_the_body_that_is_signed_is_the_one_that_is_sent(name: str) -> None:
    bodies = []

    def answer(request: Any, **_: Any) -> AWSResponse:
        assert int(request.headers["Content-Length"]) == len(request.body)
        bodies.append(request.body)
        return answered(request.url, "{}")

    both(name, answer, **CALLS[name])
    assert len(bodies) == 2
    assert bodies[0] != bodies[1], "ours is without spaces"


@given(text=st.text(st.characters(exclude_categories=())), more=st.dictionaries(st.text(), st.text()))
def test_every_text_arrives_as_with_botocore(text: str, more: dict[str, str]) -> None:
    values = {name: {"S": value} for name, value in more.items()} | {":text": {"S": text}}
    ours, theirs = sent("dynamodb.UpdateItem", {"TableName": "t", "ExpressionAttributeValues": values})
    assert ours == theirs


@pytest.mark.parametrize("name", CALLS)
def test_an_answer_says_what_it_says_to_botocore(name: str) -> None:
    answer = json.dumps(ANSWERS[name])
    ours, theirs = both(name, lambda request, **_: answered(request.url, answer), **CALLS[name])
    assert ours == theirs
    assert ours.keys() - {"ResponseMetadata"} == ANSWERS[name].keys()


@pytest.mark.parametrize("body", HOSTILE)
@pytest.mark.parametrize("name", CALLS)
def test_what_is_no_answer_means_what_it_means_to_botocore(name: str, body: bytes) -> None:
    ours, theirs = both(name, lambda request, **_: answered(request.url, body), **CALLS[name])
    assert told(ours) == told(theirs)


@pytest.mark.parametrize(("status", "body"), REFUSALS)
@pytest.mark.parametrize("name", CALLS)
def test_a_refusal_means_what_it_means_to_botocore(name: str, status: int, body: bytes) -> None:
    ours, theirs = both(name, lambda request, **_: answered(request.url, body, status=status), **CALLS[name])
    assert ours == theirs
    assert ours[1]["ResponseMetadata"]["HTTPStatusCode"] == status


def test_bytes_leave_in_base64_as_with_botocore() -> None:
    item = {"raw": {"B": b"\xff\x00"}, "in a list": {"L": [{"B": b""}]}}
    ours, theirs = sent("dynamodb.PutItem", {"TableName": "t", "Item": item})
    assert ours == theirs


def test_bytes_come_in_base64_as_a_trimmed_botocore_hands_them_on() -> None:
    body = b'{"Item": {"raw": {"B": "/wA="}}}'
    found = call("dynamodb.GetItem", lambda request, **_: answered(request.url, body), ours=True, TableName="t", Key={})
    assert found["Item"] == {"raw": {"B": "/wA="}}
