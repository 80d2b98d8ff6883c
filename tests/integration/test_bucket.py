"""The bucket, on moto's S3: versions, what is missing, answers that are no uploads, and the lake."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from builders import EMAIL, NOW
from heliograph.aws.bucket import CHUNK, Bucket, StoredObject
from heliograph.model.engagement import EngagementEvent, EngagementKind
from heliograph.recording.lake_store import Lake
from heliograph.text.errors import MalformedError

NAME, KEY = "bucket", "campaigns/spring-sale/segment.csv"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """S3 in this process, with an empty bucket that keeps versions as the stack's does."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=NAME)
        client.put_bucket_versioning(Bucket=NAME, VersioningConfiguration={"Status": "Enabled"})
        yield client


@pytest.fixture
def bucket(s3: Any) -> Bucket:
    return Bucket(s3, NAME)


def an_event(number: int, *, days: int = 0, address: str = "amara@example.com") -> EngagementEvent:
    return EngagementEvent(
        event_id=f"e-{number}",
        dispatch_id=f"d-{number}",
        recipient_id="amara",
        channel=EMAIL,
        kind=EngagementKind.OPENED,
        occurred_at=NOW + timedelta(days=days),
        outcome_key="p-0",
        address=address,
    )


def test_a_version_stays_what_it_was_whatever_is_uploaded_later(bucket: Bucket) -> None:
    bucket.write(KEY, b"recipient_id\nanna\n", "text/csv")
    first = bucket.current(KEY)
    bucket.write(KEY, b"recipient_id\nanna\nbruno\n", "text/csv")
    assert bucket.read(first) == b"recipient_id\nanna\n"
    assert bucket.current(KEY, first.version) == first != bucket.current(KEY)
    assert bucket.current(KEY).size == 24


def test_the_same_content_has_the_same_tag_in_another_version(bucket: Bucket) -> None:
    versions = []
    for _ in range(2):
        bucket.write(KEY, b"recipient_id\nanna\n", "text/csv")
        versions.append(bucket.current(KEY))
    assert versions[0].etag == versions[1].etag
    assert versions[0].version != versions[1].version


@pytest.mark.parametrize(
    "stored", [StoredObject("nowhere", ""), StoredObject(KEY, "no-such-version")], ids=["key", "version"]
)
def test_what_is_not_there_is_named(bucket: Bucket, stored: StoredObject) -> None:
    bucket.write(KEY, b"recipient_id\n", "text/csv")
    for reading in (
        bucket.read,
        lambda each: list(bucket.chunks(each)),
        lambda each: bucket.current(each.key, each.version),
    ):
        with pytest.raises(MalformedError, match=stored.key):
            reading(stored)
    assert (bucket.exists(KEY), bucket.exists("nowhere")) == (True, False)


def test_what_was_deleted_is_not_there_but_its_version_is(bucket: Bucket, s3: Any) -> None:
    bucket.write(KEY, b"recipient_id\nanna\n", "text/csv")
    before = bucket.current(KEY)
    s3.delete_object(Bucket=NAME, Key=KEY)
    assert not bucket.exists(KEY)
    assert bucket.read(before) == b"recipient_id\nanna\n"


def test_an_answer_beside_an_upload_is_known_as_ours(bucket: Bucket) -> None:
    bucket.write("imports/people.csv", b"recipient_id\n", "text/csv")
    bucket.answer("imports/people.rejected-1.csv", b"recipient_id\n", "text/csv")
    assert not bucket.current("imports/people.csv").is_ours
    assert bucket.current("imports/people.rejected-1.csv").is_ours


@pytest.mark.parametrize(("limit", "fits"), [(12, False), (13, True), (None, True)])
def test_an_object_beyond_its_limit_is_refused(bucket: Bucket, limit: int | None, fits: bool) -> None:
    bucket.write(KEY, b"recipient_id\n", "text/csv")
    if fits:
        assert bucket.read(bucket.current(KEY), limit=limit) == b"recipient_id\n"
    else:
        with pytest.raises(MalformedError, match="12 bytes"):
            bucket.read(bucket.current(KEY), limit=limit)


def test_a_large_object_comes_in_chunks_and_whole(bucket: Bucket) -> None:
    content = bytes(range(256)) * (3 * CHUNK // 256) + b"end"
    bucket.write(KEY, content, "text/csv")
    chunks = list(bucket.chunks(bucket.current(KEY)))
    assert b"".join(chunks) == content
    assert max(map(len, chunks)) <= CHUNK


def test_the_lake_has_events_by_their_day_and_no_addresses(bucket: Bucket) -> None:
    Lake(bucket).keep_events([an_event(1), an_event(2), an_event(3, days=1)])
    assert list(Lake(bucket).events(NOW.date())) == [an_event(1, address=""), an_event(2, address="")]
    assert list(Lake(bucket).events(NOW.date() + timedelta(days=1))) == [an_event(3, days=1, address="")]
    assert list(Lake(bucket).events(date(2020, 1, 1))) == []


def test_events_that_come_again_in_the_same_company_are_in_the_lake_once(bucket: Bucket) -> None:
    for _ in range(2):
        Lake(bucket).keep_events([an_event(1), an_event(2)])
    assert len(list(Lake(bucket).events(NOW.date()))) == 2


def test_a_day_of_more_objects_than_s3_lists_at_once_is_read_whole(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOTO_S3_DEFAULT_MAX_KEYS", "3")
    for number in range(10):
        Lake(bucket).keep_events([an_event(number)])
    assert len({event.event_id for event in Lake(bucket).events(NOW.date())}) == 10
