"""A segment of any size takes the memory of a few packs."""

from __future__ import annotations

import tracemalloc

from aws.flow_system import System
from heliograph.runtime import wiring

ROWS = 100_000
PEAK_MB = 40  # the packs in hand, one chunk of the file, and the set that finds people who stand there twice


def test_a_hundred_thousand_rows_are_read_in_bounded_memory(system: System) -> None:
    rows = "".join(f"large-{number},Ana\n" for number in range(ROWS))
    system.upload_campaign("large", 'message = "spring_sale"\n', f"recipient_id,first_name\n{rows}broken\n".encode())
    (message,) = system.messages("segments")
    tracemalloc.start()
    assert system.run("ingest_segment", [message["Body"]]) == {"batchItemFailures": []}
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    (run,) = [run for run in wiring.runs().latest() if run.campaign == "large"]
    assert (run.audience, run.rejected, run.ingested) == (ROWS, 1, True)
    assert peak < PEAK_MB * 1024 * 1024
    queued = {"QueueUrl": system.queue_url("requests-bulk"), "AttributeNames": ["ApproximateNumberOfMessages"]}
    assert system.sqs.get_queue_attributes(**queued)["Attributes"]["ApproximateNumberOfMessages"] == str(ROWS // 100)
    assert system.figures(run.run_id).pending == ROWS
    system.sqs.purge_queue(QueueUrl=system.queue_url("requests-bulk"))
    system.sqs.purge_queue(QueueUrl=system.queue_url("segments"))
