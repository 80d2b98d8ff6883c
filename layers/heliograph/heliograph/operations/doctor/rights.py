"""Checks by simulation: whether the functions' roles, and what is above them, allow their main calls."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, well, wrong
from heliograph.recording.store import part_of


class Right(NamedTuple):
    """A call that a function must be able to make."""

    function: str
    action: str
    resource: str
    """A table by its output, a file by its path, a queue by its short name, or a word that `_arn` knows."""


RIGHTS = (
    Right("ingest-event", "dynamodb:UpdateItem", "RecipientsTable"),
    Right("ingest-event", "sqs:SendMessage", "requests-priority"),
    Right("ingest-event", "sqs:SendMessage", "requests-bulk"),
    Right("ingest-segment", "s3:GetObject", "campaigns/any/segment.csv"),
    Right("ingest-segment", "sqs:SendMessage", "requests-bulk"),
    Right("import-recipients", "s3:GetObject", "imports/any.csv"),
    Right("import-recipients", "s3:PutObject", "imports/any.result-any.toml"),
    Right("import-recipients", "dynamodb:PartiQLInsert", "RecipientsTable"),
    Right("plan", "dynamodb:BatchGetItem", "RecipientsTable"),
    Right("plan", "dynamodb:PartiQLInsert", "LedgerTable"),
    Right("plan", "sqs:SendMessage", "outbox-email-bulk"),
    Right("plan", "sqs:SendMessage", "outbox-sms-bulk"),
    Right("plan", "sqs:SendMessage", "outbox-push-bulk"),
    Right("plan", "scheduler:CreateSchedule", "schedule"),
    Right("deliver-email", "ses:SendEmail", "identity"),
    Right("deliver-email", "ses:SendBulkEmail", "identity"),
    Right("deliver-email", "sqs:SendMessage", "engagement"),
    Right("deliver-email", "dynamodb:UpdateItem", "RunsTable"),
    Right("deliver-sms", "sms-voice:SendTextMessage", "configuration-set"),
    Right("deliver-sms", "sqs:SendMessage", "engagement"),
    Right("deliver-sms", "dynamodb:UpdateItem", "RunsTable"),
    Right("deliver-push", "mobiletargeting:SendMessages", "application"),
    Right("deliver-push", "sqs:SendMessage", "engagement"),
    Right("deliver-push", "dynamodb:UpdateItem", "RunsTable"),
    Right("settle", "dynamodb:UpdateItem", "RunsTable"),
    Right("settle", "sqs:SendMessage", "outbox-email-bulk"),
    Right("settle", "sqs:SendMessage", "outbox-sms-bulk"),
    Right("settle", "sqs:SendMessage", "outbox-push-bulk"),
    Right("record", "dynamodb:PartiQLUpdate", "LedgerTable"),
    Right("record", "dynamodb:UpdateItem", "RunsTable"),
    Right("record", "s3:PutObject", "lake/any"),
    Right("report", "dynamodb:Query", "LedgerTable"),
    Right("report", "s3:PutObject", "reports/any"),
)
TABLES = ("RecipientsTable", "LedgerTable", "RunsTable")
KEY = {
    "ContextKeyName": "dynamodb:LeadingKeys",
    "ContextKeyType": "stringList",
    "ContextKeyValues": [part_of("", "0" * 26)],
}
"""Of the record of a message that an event asked for: without a key, conditions on keys hold whatever they say."""


def rights(deployment: Deployment) -> Iterator[Finding]:
    """Every function may do its main calls."""
    roles = {deployment.short(each["FunctionName"]): each["Role"] for each in deployment.functions}
    asked = 0
    for right in RIGHTS:
        resource = _arn(deployment, right.resource)
        if not resource or right.function not in roles:
            continue
        asked += 1
        if not may(deployment, roles[right.function], right.action, resource):
            mend = "Deploy again; if that does not help, a boundary or an organisation's policy forbids it."
            yield wrong("rights", f"{right.function} may not {right.action} on {resource.rpartition(':')[2]}", mend)
    yield well("rights", f"{asked} calls of {len(roles)} functions were simulated")


def may(deployment: Deployment, role: str, action: str, resource: str) -> bool:
    """Whether a role is allowed a call, by simulation."""
    arguments: dict[str, Any] = {"PolicySourceArn": role, "ActionNames": [action], "ResourceArns": [resource]}
    if action.startswith("dynamodb:"):
        arguments["ContextEntries"] = [KEY]
    found = deployment.call("iam", "simulate_principal_policy", **arguments)["EvaluationResults"]
    return all(each["EvalDecision"] == "allowed" for each in found)


def _arn(deployment: Deployment, what: str) -> str:
    """The ARN of what a right is about; empty when this deployment has none of it."""
    at, own = deployment.resource_arn, deployment.parameters
    if what in TABLES:
        return at("dynamodb", f"table/{deployment.outputs[what]}")
    if what == "identity":
        return at("ses", f"identity/{deployment.sender.rpartition('@')[2]}")
    if what == "schedule":
        return at("scheduler", f"schedule/{deployment.stack}/any")
    if "/" in what:
        return f"arn:{deployment.arn.split(':')[1]}:s3:::{deployment.outputs['BucketName']}/{what}"
    if what == "configuration-set":
        by_sns = own.get("SmsProvider") == "sns"
        return "" if by_sns else at("sms-voice", f"configuration-set/{deployment.stack}")
    if what == "application":
        application = push_application(deployment)
        return at("mobiletargeting", f"apps/{application}/messages") if application else ""
    return at("sqs", f"{deployment.stack}-{what}")


def push_application(deployment: Deployment) -> str:
    """The Pinpoint application that push goes through; empty when there is none."""
    if deployment.parameters.get("PushProvider", "pinpoint") != "pinpoint":
        return ""
    made = deployment.named("AWS::Pinpoint::App")
    return deployment.parameters.get("PushApplication") or (made[0] if made else "")
