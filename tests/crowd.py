"""Many people, and work for all of them at once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from aws.deployed import Stack
from builders import EMAIL, SMS, a_change
from heliograph.aws.queues import Queue
from heliograph.aws.tables import chunks
from heliograph.model.channels import Channel
from heliograph.model.people import Consent, ConsentState
from heliograph.model.requests import Lane, RequestPack, SendRequest
from heliograph.people.changes import RecipientChange
from heliograph.people.consents.store import ConsentHistory
from heliograph.people.store import Recipients
from heliograph.text import ids

PACK = 100  # people in a request pack
SAVED_AT_ONCE = 25
LANES = 2  # a machine with 2 cores


def at_noon() -> str:
    """A time zone where it is noon, so that nobody is asleep."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}"


def somebody(name: str, channel: Channel) -> RecipientChange:
    """A person with one address, who wants offers."""
    opted_in = Consent(state=ConsentState.OPTED_IN, at=datetime.now(UTC) - timedelta(days=1), source="import:crowd.csv")
    number = int.from_bytes(name.encode()[-8:]) % 1_000_000
    return a_change(
        name,
        email=f"{name}@example.com" if channel == EMAIL else "",
        phone=f"+447911{number:06d}" if channel == SMS else "",
        timezone=at_noon(),
        consents={f"offers/{channel}": opted_in},
        attributes={"first_name": "Mia"},
    )


def save(stack: Stack, people: Sequence[RecipientChange]) -> None:
    """Save people, straight into the table."""
    client = stack.cloud.client("dynamodb")
    history = ConsentHistory(client, stack.outputs["LedgerTable"])
    recipients = Recipients(client, stack.outputs["RecipientsTable"], history)
    with ThreadPoolExecutor(LANES) as lanes:
        list(lanes.map(recipients.save_many, chunks(people, SAVED_AT_ONCE)))


def queue_bulk(stack: Stack, people: Sequence[RecipientChange], *, message: str, rounds: int) -> int:
    """Queue a message to people so many times over, as the packs of a run; how many messages that makes."""
    queue = Queue(stack.cloud.client("sqs"), stack.queue_url("requests-bulk"))
    packs = [pack for turn in range(rounds) for pack in _packs(people, message, turn)]
    queue.send(packs)
    return sum(len(pack.requests) for pack in packs)


def _packs(people: Sequence[RecipientChange], message: str, turn: int) -> list[RequestPack]:
    now = datetime.now(UTC)
    run_id = ids.derived_id(now, "crowd", str(turn))
    requests = [
        SendRequest(
            request_id=ids.derived_id(now, run_id, person.recipient_id),
            message=message,
            recipient_id=person.recipient_id,
            requested_at=now,
            run_id=run_id,
        )
        for person in people
    ]
    return [
        RequestPack(
            pack_id=ids.derived_id(now, "pack", some[0].request_id),
            lane=Lane.BULK,
            requests=tuple(some),
            run_id=run_id,
        )
        for some in chunks(requests, PACK)
    ]


def taken(stack: Stack, **filters: Any) -> list[dict[str, Any]]:
    """What the providers took, without its words, newest first."""
    found: list[dict[str, Any]] = stack.cloud.outbox(words=False, **filters)
    return found
