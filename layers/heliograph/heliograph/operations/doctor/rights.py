"""Checks by simulation: whether the functions' roles, and what is above them, allow their main calls."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

from heliograph.channels import registry
from heliograph.model.channels import Channel
from heliograph.operations.doctor.channel import Where
from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, well, wrong
from heliograph.recording.store import part_of
from heliograph.scheduling.store import partition_of
from heliograph.tallying.store import PART

OF_AN_EVENT = part_of("", "0" * 26)
"""The partition of the record of a message that an event asked for."""
OF_SUMS = f"{PART}{'0' * 26}"
OF_A_MINUTE = partition_of(datetime(2026, 11, 24, tzinfo=UTC))


class Right(NamedTuple):
    """A call that a function must be able to make."""

    function: str
    action: str
    where: Where
    part: str = OF_AN_EVENT
    """In a table, on which partition: without one, conditions on keys hold whatever they say."""


def table(output: str) -> Where:
    """A table, by the output that names it."""
    return lambda deployment: deployment.resource_arn("dynamodb", f"table/{deployment.outputs[output]}")


def queue(name: str) -> Where:
    """A queue, by its short name."""
    return lambda deployment: deployment.resource_arn("sqs", f"{deployment.stack}-{name}")


def file(path: str) -> Where:
    """A file in the stack's bucket."""
    return lambda deployment: f"arn:{deployment.arn.split(':')[1]}:s3:::{deployment.outputs['BucketName']}/{path}"


def schedule(deployment: Deployment) -> str:
    """Any timer of the stack."""
    return deployment.resource_arn("scheduler", f"schedule/{deployment.stack}/any")


RIGHTS = (
    Right("ingest-event", "dynamodb:UpdateItem", table("RecipientsTable")),
    Right("ingest-event", "sqs:SendMessage", queue("requests-priority")),
    Right("ingest-event", "sqs:SendMessage", queue("requests-bulk")),
    Right("ingest-segment", "s3:GetObject", file("campaigns/any/segment.csv")),
    Right("ingest-segment", "sqs:SendMessage", queue("requests-bulk")),
    Right("import-recipients", "s3:GetObject", file("imports/any.csv")),
    Right("import-recipients", "s3:PutObject", file("imports/any.result-any.toml")),
    Right("import-recipients", "dynamodb:PartiQLInsert", table("RecipientsTable")),
    Right("plan", "dynamodb:BatchGetItem", table("RecipientsTable")),
    Right("plan", "dynamodb:PartiQLInsert", table("LedgerTable")),
    Right("plan", "scheduler:CreateSchedule", schedule),
    Right("plan", "dynamodb:BatchWriteItem", table("RunsTable"), part=OF_A_MINUTE),
    Right("tick", "dynamodb:Query", table("RunsTable"), part=OF_A_MINUTE),
    Right("tick", "sqs:SendMessage", queue("requests-bulk")),
    Right("settle", "dynamodb:UpdateItem", table("RunsTable")),
    Right("record", "dynamodb:PartiQLUpdate", table("LedgerTable")),
    Right("record", "dynamodb:UpdateItem", table("RunsTable")),
    Right("record", "s3:PutObject", file("lake/any")),
    Right("tally", "dynamodb:PartiQLUpdate", table("RunsTable"), part=OF_SUMS),
    Right("report", "dynamodb:Query", table("LedgerTable")),
    Right("report", "s3:PutObject", file("reports/any")),
)
"""Of the functions that every stack has."""


def rights_of(channel: Channel) -> Iterator[Right]:
    """What a channel adds to the rights."""
    outbox, deliver = queue(f"outbox-{channel}-bulk"), f"deliver-{channel}"
    yield Right("plan", "sqs:SendMessage", outbox)
    yield Right("settle", "sqs:SendMessage", outbox)
    yield Right(deliver, "sqs:SendMessage", queue("engagement"))
    yield Right(deliver, "dynamodb:UpdateItem", table("RunsTable"))
    if own := registry.doctor(channel):
        yield from (Right(deliver, action, where) for action, where in own.calls.items())


def all_rights(deployment: Deployment) -> list[Right]:
    """Those of a deployment with its channels."""
    return [*RIGHTS, *(right for channel in deployment.channels for right in rights_of(channel))]


def rights(deployment: Deployment) -> Iterator[Finding]:
    """Every function may do its main calls."""
    roles = {deployment.short(each["FunctionName"]): each["Role"] for each in deployment.functions}
    asked = 0
    for right in all_rights(deployment):
        resource = right.where(deployment)
        if not resource or right.function not in roles:
            continue
        asked += 1
        if not may(deployment, roles[right.function], right.action, resource, part=right.part):
            mend = "Deploy again; if that does not help, a boundary or an organisation's policy forbids it."
            yield wrong("rights", f"{right.function} may not {right.action} on {resource.rpartition(':')[2]}", mend)
    yield well("rights", f"{asked} calls of {len(roles)} functions were simulated")


def may(deployment: Deployment, role: str, action: str, resource: str, *, part: str = "") -> bool:
    """Whether a role is allowed a call, by simulation; in a table, on a partition."""
    arguments: dict[str, Any] = {"PolicySourceArn": role, "ActionNames": [action], "ResourceArns": [resource]}
    if action.startswith("dynamodb:"):
        of = {"ContextKeyName": "dynamodb:LeadingKeys", "ContextKeyType": "stringList"}
        arguments["ContextEntries"] = [{**of, "ContextKeyValues": [part]}]
    found = deployment.call("iam", "simulate_principal_policy", **arguments)["EvaluationResults"]
    return all(each["EvalDecision"] == "allowed" for each in found)
