"""A campaign folder: from the upload to sums in which nobody is lost."""

from __future__ import annotations

import csv
import io
import random
import tomllib
from typing import Any

import pytest

from aws.flow_system import System
from heliograph.reporting import work
from heliograph.runtime import wiring

MANIFEST = 'message = "spring_sale"\nschedule = "now"\n[data]\ndiscount = 20\n'


def people(system: System, prefix: str, number: int) -> list[str]:
    """Every fourth bounces, has not consented, has no address, or is fine."""
    ids = [f"{prefix}-{index}" for index in range(number)]
    for index, person in enumerate(ids):
        address = f"bounce+{person}@simulator.amazonses.com" if index % 4 == 0 else f"{person}@example.com"
        fields = {
            "recipient_id": person,
            "attributes": {"first_name": "Ana"},
            **({"email": address} if index % 4 != 1 else {}),
            **({"consents": {"offers/email": "opted_in"}} if index % 4 != 2 else {}),
        }
        system.publish("RecipientUpdated", fields)
    system.work("events")
    return ids


def segment(ids: list[str]) -> bytes:
    return "\r\n".join(["recipient_id;first_name", *(f"{person};Ana" for person in ids), ""]).encode("utf-8-sig")


def latest_run(campaign: str) -> str:
    return str(next(run["run_id"] for run in work.runs() if run["campaign"] == campaign))


def test_a_campaign_adds_up_and_knows_why(system: System) -> None:
    ids = people(system, "camp", 40)
    system.upload_campaign("adds-up", MANIFEST, segment([*ids, "nobody", "bad id", ids[0]]))
    system.work()
    figures = system.figures(latest_run("adds-up"))
    assert (figures.state, figures.audience, figures.rejected, figures.pending) == ("complete", 41, 2, 0)
    assert figures.counts == {"accepted": 20, "skipped": 21, "scheduled": 0, "failed": 0, "unknown": 0}
    assert figures.skipped == {"not_consented": 20, "unknown_recipient": 1} or figures.skipped == {
        "no_address": 10,
        "not_consented": 10,
        "unknown_recipient": 1,
    }
    heard = {"bounced": 10, "delivered": 10}
    system.work_until(lambda: system.figures(figures.run_id).engagement.items() >= heard.items(), "engagement")


def answer(system: System, key: str) -> str:
    """What lies in the bucket beside an upload."""
    return str(system.cloud.client("s3").get_object(Bucket=system.bucket, Key=key)["Body"].read().decode())


def result(system: System, campaign: str, run_id: str) -> dict[str, Any]:
    return tomllib.loads(answer(system, f"campaigns/{campaign}/result-{run_id}.toml"))


def test_refused_rows_lie_beside_the_segment_as_they_stood_with_row_column_and_reason(system: System) -> None:
    system.upload_campaign("refused", MANIFEST, segment(["bad id", "x", "x"]))
    system.work()
    run_id = latest_run("refused")
    told = result(system, "refused", run_id)
    assert (told["state"], told["audience"], told["rejected"]) == ("queued", 1, 2)
    rows = list(csv.DictReader(io.StringIO(answer(system, f"campaigns/refused/{told['rejected_rows']}"))))
    assert [(row["recipient_id"], row["first_name"], row["rejected.row"]) for row in rows] == [
        ("bad id", "Ana", "2"), ("x", "Ana", "4")
    ]  # fmt: skip
    assert {row["rejected.column"] for row in rows} == {"recipient_id"}


def test_a_folder_that_is_uploaded_again_reaches_only_whom_it_has_not_reached(system: System) -> None:
    ids = people(system, "again", 12)
    system.upload_campaign("again", MANIFEST, segment(ids[:8]))
    system.work()
    first = system.figures(latest_run("again"))
    system.upload_campaign("again", MANIFEST, segment(ids))
    system.work()
    second = system.figures(latest_run("again"))
    assert (second.audience, second.reached, second.counts["accepted"]) == (4, 8, 2)
    assert "8 people were reached by earlier runs" in result(system, "again", second.run_id)["note"]
    system.upload_campaign("again", MANIFEST, segment(ids))
    system.work()
    assert latest_run("again") == second.run_id
    system.upload_campaign("again", f"again = true\n{MANIFEST}", segment(ids))
    system.work()
    third = system.figures(latest_run("again"))
    assert (third.audience, third.reached, first.audience) == (12, 0, 8)


@pytest.mark.parametrize(
    ("manifest", "content", "said"),
    [
        ('message = "nothing"', b"recipient_id\nx\n", "there is no message nothing"),
        ("message = 3", b"recipient_id\nx\n", "$.message"),
        ('message = "spring_sale"\nschedule = "later"', b"recipient_id\nx\n", "$.schedule"),
        (MANIFEST, b"id\nx\n", "recipient_id"),
        (MANIFEST, b"", "header"),
    ],
)
def test_a_folder_that_cannot_be_read_fails_as_a_whole_and_says_why(
    system: System, manifest: str, content: bytes, said: str
) -> None:
    campaign = f"broken-{random.Random(said).getrandbits(32)}"
    system.upload_campaign(campaign, manifest, content)
    system.work()
    figures = system.figures(latest_run(campaign))
    assert figures.state == "failed"
    assert said in figures.problem
    assert said in result(system, campaign, figures.run_id)["problem"]


def test_provider_events_that_come_twice_and_out_of_order_count_once(system: System) -> None:
    (_, _, _, person) = people(system, "twice", 4)
    system.upload_campaign("twice", MANIFEST, segment([person]))
    system.work("segments", "requests-bulk", "outbox-email-bulk")
    messages = system.take("engagement", at_least=2)
    for _ in range(3):
        system.run("record", [*reversed(messages)])
    figures = system.figures(latest_run("twice"))
    assert figures.engagement == {"sent": 1, "delivered": 1}
    assert work.timeline(person)["entries"][0]["state"] == "delivered"
    system.sqs.purge_queue(QueueUrl=system.queue_url("engagement"))


def test_consent_that_is_withdrawn_after_planning_stops_the_message(system: System) -> None:
    (_, _, _, person) = people(system, "withdrawn", 4)
    system.upload_campaign("withdrawn", MANIFEST, segment([person]))
    system.work("segments", "requests-bulk")
    system.publish("RecipientUpdated", {"recipient_id": person, "consents": {"offers/email": "opted_out"}})
    system.work("events")
    system.work()
    figures = system.figures(latest_run("withdrawn"))
    assert figures.counts["skipped"] == 1
    assert figures.skipped == {"not_consented": 1}
    assert wiring.recipients().get_many([person])[person].consents["offers/email"].state == "opted_out"


def test_what_people_do_later_counts_once_beside_what_was_kept_before(system: System) -> None:
    (_, _, _, person) = people(system, "later", 4)
    system.upload_campaign("later", MANIFEST, segment([person]))
    system.work()
    (mail,) = system.cloud.outbox(to=f"{person}@example.com")
    for kind in ("open", "open", "click", "complain"):
        system.cloud.engage(mail["provider_message_id"], kind)
    system.work_until(lambda: len(system.figures(latest_run("later")).engagement) == 5, "engagement")
    figures = system.figures(latest_run("later"))
    assert figures.engagement == {"sent": 1, "delivered": 1, "opened": 1, "clicked": 1, "complained": 1}
    assert (figures.counts["accepted"], figures.pending) == (1, 0)
    assert work.timeline(person)["entries"][0]["state"] == "complained"
