"""The way of a message when SES tells by the minute: the real templates, objects and functions."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from aws.flow_system import System, running
from heliograph.reporting import work
from heliograph.runtime import wiring

MANIFEST = 'message = "spring_sale"\n[data]\ndiscount = 20\n'
FINE, BOUNCING = 6, 2
SENT = FINE + BOUNCING


@pytest.fixture(scope="module")
def deployed() -> Iterator[System]:
    """A system of its own, with `Engagement=firehose`."""
    with running("minute", engagement="firehose") as system:
        yield system


def sent(system: System, campaign: str) -> str:
    """A run whose mails have left, and of which nobody has heard yet."""
    people = [f"{campaign}-{number}" for number in range(SENT)]
    for number, person in enumerate(people):
        address = f"bounce+{person}@simulator.amazonses.com" if number < BOUNCING else f"{person}@example.com"
        profile = {"email": address, "attributes": {"first_name": "Ana"}, "consents": {"offers/email": "opted_in"}}
        system.publish("RecipientUpdated", {"recipient_id": person, **profile})
    system.work("events")
    system.upload_campaign(campaign, MANIFEST, "\n".join(["recipient_id", *people, ""]).encode())
    system.work("segments", "requests-bulk", "outbox-email-bulk")
    return str(next(run["run_id"] for run in work.runs() if run["campaign"] == campaign))


def objects(system: System) -> list[list[dict[str, Any]]]:
    """What was collected, an object each."""
    s3 = system.cloud.client("s3")
    keys = [each["Key"] for each in s3.list_objects_v2(Bucket=system.bucket, Prefix="raw/email/").get("Contents", [])]
    packed = [s3.get_object(Bucket=system.bucket, Key=key)["Body"].read() for key in keys]
    return [[json.loads(line) for line in gzip.decompress(each).splitlines()] for each in packed]


def suppressed(system: System, campaign: str) -> set[str]:
    people = wiring.recipients().get_many(f"{campaign}-{number}" for number in range(SENT))
    return {person.recipient_id for person in people.values() if person.suppressed}


def heard(system: System, run_id: str) -> dict[str, int]:
    return dict(system.figures(run_id).engagement)


def test_a_bounce_has_its_consequence_at_once_and_every_event_counts_once_with_its_minute(system: System) -> None:
    run_id = sent(system, "counted")
    bouncing = {f"counted-{number}" for number in range(BOUNCING)}
    system.work_until(lambda: suppressed(system, "counted") == bouncing, "engagement")
    assert heard(system, run_id) == {}
    everything = {"sent": SENT, "delivered": FINE, "bounced": BOUNCING}
    system.work_until(lambda: heard(system, run_id) == everything, "raw")
    told = [event for each in objects(system) for event in each]
    assert Counter(event["eventType"] for event in told) == {"Send": SENT, "Delivery": FINE, "Bounce": BOUNCING}
    assert len(objects(system)) < len(told)
    assert "source" not in told[0], "no envelope of EventBridge"


def test_objects_that_are_told_of_again_and_events_that_come_by_both_ways_change_no_sum(system: System) -> None:
    run_id = sent(system, "again")
    system.work_until(
        lambda: heard(system, run_id).get("delivered") == FINE and heard(system, run_id)["bounced"] == BOUNCING
    )
    before = heard(system, run_id)
    for each in objects(system):
        system.run("record", [json.dumps({"source": "aws.ses", "detail": event}) for event in each])
        system.run("record", [json.dumps(event) for event in each])
    s3 = system.cloud.client("s3")
    for each in s3.list_objects_v2(Bucket=system.bucket, Prefix="raw/email/")["Contents"]:
        told = {"source": "aws.s3", "detail": {"bucket": {"name": system.bucket}, "object": {"key": each["Key"]}}}
        system.run("record", [json.dumps(told)] * 2)
    assert heard(system, run_id) == before == {"sent": SENT, "delivered": FINE, "bounced": BOUNCING}
    assert system.figures(run_id).counts["accepted"] == SENT


def test_an_object_that_is_no_gzip_is_parked_alone(system: System) -> None:
    run_id = sent(system, "spoiled")
    system.put("raw/email/2026/11/21/10/broken.gz", b"no gzip", told_to="raw")
    system.work_until(lambda: heard(system, run_id).get("delivered") == FINE)
    [parked] = system.messages("engagement-dead-letters")
    assert json.loads(parked["Body"])["detail"]["object"]["key"] == "raw/email/2026/11/21/10/broken.gz"
    assert parked["MessageAttributes"]["reason"]["StringValue"] == "is no gzip"
