"""The work that is measured: packs of a campaign, single events, rendered messages, what SES reports."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import msgspec

from aws import null_dynamodb
from benchmarks import place
from builders import EMAIL
from heliograph.campaigns import segments
from heliograph.campaigns.segments import PACK_LIMIT
from heliograph.model.dispatches import Dispatch, Rendered
from heliograph.model.requests import SendRequest
from heliograph.model.runs import Run
from heliograph.runtime import wiring
from heliograph.text import ids
from heliograph.text.csv import read_table

_seconds = count()
CUSTOMERS = "customer"
"""They opted in to everything."""
STRANGERS = null_dynamodb.STRANGERS
"""They opted in to nothing."""
LOYALTY = ("gold", "silver", "bronze")


def new_run() -> Run:
    """A run that has not been before, so that no record of an earlier one is written to."""
    at = wiring.now() + timedelta(milliseconds=next(_seconds))
    return Run(run_id=ids.derived_id(at, "bench"), campaign="bench", message="bench_sale", started_at=at)


def segment(number: int, people: str = CUSTOMERS) -> Iterator[str]:
    """Lines of a segment; `people` is what their ids begin with."""
    yield "recipient_id,loyalty,country\n"
    for place_ in range(number):
        yield f"{people}-{place_:07d},{LOYALTY[place_ % 3]},DE\n"


def packs(number: int, name: str = "bench_sale", people: str = CUSTOMERS, *, size: int = PACK_LIMIT) -> list[str]:
    """Bodies of request packs as ingest_segment queues them: of a new run, or of one each, if they are not full."""
    if size < PACK_LIMIT:
        return [body for _ in range(number) for body in _packs(size, name, people)]
    return _packs(size * number, name, people)


def _packs(rows: int, name: str, people: str) -> list[str]:
    run, message = new_run(), wiring.templates().messages[name]
    campaign = segments.Campaign(message=name, data=place.sample(name)["data"])
    table = read_table(segment(rows, people))
    made = segments.packs(segments.people(table), table.columns, run, message, campaign)
    return [msgspec.json.encode(pack).decode() for pack in made]


def packs_of(rows: list[list[str]], size: int, run: Run | None = None) -> list[str]:
    """Bodies of request packs of a run, or of a new one, with so many of the people in each; a row is an id."""
    run, message = run or new_run(), wiring.templates().messages["bench_sale"]
    campaign = segments.Campaign(message=message.name, data=place.sample(message.name)["data"])
    (pack, *_) = segments.packs([rows[:size]], ["recipient_id"], run, message, campaign)
    assert pack.segment
    found = []
    for start in range(0, len(rows), size):
        some = tuple(tuple(row) for row in rows[start : start + size])
        pack_id = ids.derived_id(run.started_at, run.run_id, some[0][0])
        segment = msgspec.structs.replace(pack.segment, rows=some)
        found.append(msgspec.json.encode(msgspec.structs.replace(pack, pack_id=pack_id, segment=segment)).decode())
    return found


def order_event() -> str:
    """A body of the queue `events`: an order was shipped."""
    number = next(_seconds)
    sample = place.sample("bench_receipt")
    at = datetime.now(UTC) + timedelta(milliseconds=number)
    event = {
        "version": "0",
        "id": f"6f1d2c3b-0000-4000-8000-{number:012d}",
        "detail-type": "OrderShipped",
        "source": "shop.orders",
        "account": "000000000000",
        "time": at.isoformat(),
        "region": "us-east-1",
        "resources": [],
        "detail": sample["data"] | {"customer_id": f"customer-{number:07d}"},
    }
    return json.dumps({"message": "bench_receipt", "event": event})


def batch(number: int) -> list[Rendered]:
    """Rendered messages of a campaign."""
    run, sample, templates = new_run(), place.sample("bench_sale"), wiring.templates()
    message = templates.messages["bench_sale"]
    return [_rendered(run, message, sample, slot) for slot in range(number)]


def _rendered(run: Run, message: Any, sample: dict[str, Any], slot: int) -> Rendered:
    recipient_id = f"customer-{slot:07d}"
    request_id = ids.derived_id(run.started_at, run.run_id, recipient_id)
    link = wiring.links().url(recipient_id, message.topic)
    content = wiring.templates().render(
        message,
        EMAIL,
        locale="en",
        recipient=sample["recipient"],
        data=sample["data"],
        unsubscribe_url=link,
    )
    dispatch = Dispatch(
        request=SendRequest(
            request_id=request_id,
            message=message.name,
            recipient_id=recipient_id,
            requested_at=run.started_at,
            run_id=run.run_id,
        ),
        channel=EMAIL,
        addresses=("amara.okafor@example.com",),
        locale="en",
        slot=slot % 100,
    )
    where = ids.outcome_key(run.run_id, slot % 100)
    return Rendered(
        dispatch=dispatch,
        message=message,
        content=content,
        outcome_key=where,
        claimed_at=run.started_at,
        unsubscribe_url=link,
    )


def ses_event(kind: str, tags: dict[str, str], at: datetime) -> str:
    """What SES puts on the bus about a mail."""
    event = {
        "version": "0",
        "id": "6f1d2c3b-0000-4000-8000-000000000000",
        "detail-type": f"Email {kind}ed",
        "source": "aws.ses",
        "account": "000000000000",
        "time": _stamp(at),
        "region": "us-east-1",
        "resources": ["arn:aws:ses:us-east-1:000000000000:configuration-set/heliograph"],
        "detail": ses_detail(kind, tags, at),
    }
    return json.dumps(event)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def ses_detail(kind: str, tags: dict[str, str], at: datetime) -> dict[str, Any]:
    """What SES tells of a mail; `kind` is `Send`, `Delivery`, `Bounce`, `Open` or `Click`."""
    stamp = _stamp(at)
    payloads: dict[str, dict[str, Any]] = {
        "Send": {},
        "Delivery": {
            "timestamp": stamp,
            "processingTimeMillis": 612,
            "recipients": ["amara.okafor@example.com"],
            "smtpResponse": "250 2.0.0 OK  1763720000 a640c23a62f3a-ab67626ed70",
            "remoteMtaIp": "203.0.113.17",
            "reportingMTA": "a8-50.smtp-out.amazonses.com",
        },
        "Bounce": {
            "bounceType": "Permanent",
            "bounceSubType": "General",
            "bouncedRecipients": [{"emailAddress": "amara.okafor@example.com", "action": "failed", "status": "5.1.1"}],
            "timestamp": stamp,
            "feedbackId": "0100019aa5f3c2d1-7f1c0a52-4b0e-4c6e-9a57-1d2e3f405162-000000",
            "reportingMTA": "dsn; a8-50.smtp-out.amazonses.com",
        },
        "Open": {"timestamp": stamp, "userAgent": "Mozilla/5.0 (Windows NT 5.1)", "ipAddress": "203.0.113.9"},
        "Click": {
            "timestamp": stamp,
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64)",
            "ipAddress": "203.0.113.9",
            "link": "https://alderlane.example.com/spring",
            "linkTags": None,
        },
    }
    headers = ("From", "Reply-To", "To", "Subject", "MIME-Version", "Content-Type", "List-Unsubscribe", "Message-ID")
    mail = {
        "timestamp": stamp,
        "source": "Alder Lane <hello@alderlane.example.com>",
        "sendingAccountId": "000000000000",
        "messageId": _message_id(tags["outcome_key"]),
        "destination": ["amara.okafor@example.com"],
        "headersTruncated": False,
        "headers": [{"name": name, "value": "x" * 48} for name in headers],
        "commonHeaders": {"from": ["hello@alderlane.example.com"], "to": ["amara.okafor@example.com"], "subject": "x"},
        "tags": {
            "ses:operation": ["SendBulkEmail"],
            "ses:configuration-set": ["heliograph"],
            "ses:source-ip": ["203.0.113.5"],
            "ses:from-domain": ["alderlane.example.com"],
            "ses:caller-identity": ["heliograph-deliver-email"],
            **{name: [value] for name, value in tags.items()},
        },
    }
    return {"eventType": kind, "mail": mail, kind.lower(): payloads[kind]}


def _message_id(outcome_key: str) -> str:
    digest = hashlib.blake2b(outcome_key.encode(), digest_size=16).hexdigest()
    return f"0100019aa5f3c2d1-{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}-000000"
