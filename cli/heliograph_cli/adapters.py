"""What the package's works take of a deployed stack: each adapter, with a client of this command's target."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from heliograph.model.requests import Lane
from heliograph_cli import target as targets
from heliograph_cli.stack import Stack

if TYPE_CHECKING:
    from heliograph.approvals.store import Approvals
    from heliograph.aws.bucket import Bucket
    from heliograph.aws.queues import Queue
    from heliograph.campaigns.runs_store import Runs
    from heliograph.ledger.store import Ledger
    from heliograph.people.store import Recipients
    from heliograph.recording.store import Records
    from heliograph.tallying.store import KeptSums


def bucket(stack: Stack) -> Bucket:
    """The stack's bucket."""
    from heliograph.aws.bucket import Bucket

    return Bucket(targets.s3(stack.target), stack.bucket)


def approvals(stack: Stack) -> Approvals:
    """The requests that wait for approval."""
    from heliograph.approvals.store import Approvals

    return Approvals(bucket(stack))


def ledger(stack: Stack) -> Ledger:
    """The decisions."""
    from heliograph.ledger.store import Ledger

    return Ledger(targets.dynamodb(stack.target), stack.ledger_table)


def records(stack: Stack) -> Records:
    """What came of every pack."""
    from heliograph.recording.store import Records

    return Records(targets.dynamodb(stack.target), stack.runs_table)


def sums(stack: Stack) -> KeptSums:
    """The sums of the runs."""
    from heliograph.tallying.store import KeptSums

    return KeptSums(targets.dynamodb(stack.target), stack.runs_table)


def runs(stack: Stack) -> Runs:
    """The campaign runs."""
    from heliograph.campaigns.runs_store import Runs

    return Runs(targets.dynamodb(stack.target), stack.runs_table)


def recipients(stack: Stack) -> Recipients:
    """The people."""
    from heliograph.people.consents.store import ConsentHistory
    from heliograph.people.store import Recipients

    client = targets.dynamodb(stack.target)
    return Recipients(client, stack.recipients_table, ConsentHistory(client, stack.ledger_table))


def requests(stack: Stack) -> Mapping[Lane, Queue]:
    """The queues of requests, by lane."""
    from heliograph.aws.queues import Queue

    sqs = targets.sqs(stack.target)
    names = {lane: f"{stack.target.stack}-requests-{lane}" for lane in Lane}
    return {lane: Queue(sqs, sqs.get_queue_url(QueueName=name)["QueueUrl"]) for lane, name in names.items()}
