"""The prices that costs are reckoned with: us-east-1, dollars, each with its source and date."""

from __future__ import annotations

from typing import NamedTuple

MILLION = 1_000_000


class Price(NamedTuple):
    """Dollars for one of something."""

    usd: float
    service: str
    source: str
    """What is charged, and where and when that was read."""


SQS_REQUEST = Price(0.40 / MILLION, "SQS", "$0.40/M requests of 64 KB (factualminds, 2026-06-13)")
WRITE_UNIT = Price(0.625 / MILLION, "DynamoDB", "$0.625/M write units on demand (AWS, since 2024-11-01)")
READ_UNIT = Price(0.125 / MILLION, "DynamoDB", "$0.125/M read units on demand (AWS, since 2024-11-01)")
STORED_GB_MONTH = Price(0.25, "DynamoDB", "$0.25/GB and month (general knowledge; no dated source)")
BACKUP_GB_MONTH = Price(0.20, "DynamoDB", "$0.20/GB and month of recovery (general knowledge; no dated source)")
INVOCATION = Price(0.20 / MILLION, "Lambda", "$0.20/M invocations (price guides, 2026)")
GB_SECOND = Price(0.0000133334, "Lambda", "$0.0000133334/GB-s, arm64 (price guides, 2026)")
S3_PUT = Price(0.005 / 1_000, "S3", "$0.005/1,000 PUT (general knowledge; no dated source)")
S3_GET = Price(0.0004 / 1_000, "S3", "$0.0004/1,000 GET (general knowledge; no dated source)")
S3_GB_MONTH = Price(0.023, "S3", "$0.023/GB and month (general knowledge; no dated source)")
EVENTBRIDGE_EVENT = Price(
    1.00 / MILLION, "events", "$1.00/M events of S3, opted-in (general knowledge; no dated source)"
)
SES_EVENT = Price(
    1.00 / MILLION, "events", "$1.00/M events of SES if they are opted-in ones: open (cloudburn, 2026-03)"
)
SCHEDULE = Price(1.00 / MILLION, "events", "$1.00/M invocations by the scheduler (cloudburn, 2026-03)")
FIREHOSE_GB = Price(0.029, "Firehose", "$0.029/GB, 5 KB a record at least (general knowledge; AWS's price page)")
LOG_GB = Price(0.50, "CloudWatch", "$0.50/GB of logs taken in (price guides, 2026-02 to 06)")
ALARM = Price(0.10, "CloudWatch", "$0.10 an alarm and month (general knowledge; no dated source)")
METRIC = Price(0.30, "CloudWatch", "$0.30 a metric and month (general knowledge; no dated source)")
DASHBOARD = Price(3.00, "CloudWatch", "$3 a dashboard and month (general knowledge; no dated source)")
SECRET = Price(0.40, "Secrets Manager", "$0.40 a secret and month (general knowledge; no dated source)")

VCPU_MB = 1_769
"""Lambda gives a whole processor to this much memory, and less in proportion (Lambda guide)."""
MEMORY_MB = 512

WAITING = {"dynamodb": 0.010, "sqs": 0.015, "s3": 0.050, "scheduler": 0.050, "secretsmanager": 0.050}
"""Seconds that a function waits for an answer: assumed, as the null AWS answers at once."""
SES_CALL, SES_MAIL = 0.25, 0.015
"""The same for SES, a call and each mail in it: a second for fifty."""


def waiting(service: str, mails: int) -> float:
    """Seconds until AWS answers a call with so many mails in it."""
    return SES_CALL + SES_MAIL * mails if service == "sesv2" else WAITING[service]


LOG_LINES_OF_LAMBDA = 320
"""Bytes of START, END and REPORT, which Lambda itself writes for each invocation."""
ITEM_OVERHEAD = 100
"""Bytes that DynamoDB's storage counts for each item beside its own (DynamoDB guide)."""
MONTH_DAYS = 365 / 12
LONG_POLL = 20  # seconds that an empty ReceiveMessage of Lambda's pollers waits
