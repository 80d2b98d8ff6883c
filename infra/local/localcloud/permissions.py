"""Check permissions under the names and on the resources that AWS asks for, where ministack asks for others."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

from ministack import app
from ministack.core import iam_actions
from ministack.services import dynamodb

from localcloud.calls import Query, arn

SINGLE = {"sqs:SendMessageBatch": "sqs:SendMessage", "sqs:DeleteMessageBatch": "sqs:DeleteMessage"}
"""AWS has no permission of its own for these batches."""
PARTIQL = {"dynamodb:BatchExecuteStatement", "dynamodb:ExecuteStatement"}
STATEMENT = re.compile(r'\s*(INSERT|UPDATE|DELETE|SELECT)\b.*?"([^"]+)"', re.IGNORECASE | re.DOTALL)
"""The verb of a PartiQL statement and its table; all statements of our batches have the same."""
SCHEDULE = re.compile(r"/schedules/([^/]+)$")


def install() -> None:
    """Name actions and resources as AWS does."""
    action_of, resource_of, tables_of, context_of = (
        iam_actions.extract_iam_action,
        iam_actions.extract_resource_arn,
        iam_actions.dynamodb_resource_arns,
        iam_actions.dynamodb_service_context,
    )

    def action(service: str, method: str, path: str, headers: dict[str, str], body: bytes, query: Query) -> str | None:
        found: str | None = action_of(service, method, path, headers, body, query)
        if found in PARTIQL and (statement := _statement(body)):
            return f"dynamodb:PartiQL{statement[1].title()}"
        if service == "lambda" and path.endswith("/recursion-config"):
            return f"lambda:{method.title()}FunctionRecursionConfig"
        if service == "lambda" and query.get("find") == ["LayerVersion"]:
            return "lambda:GetLayerVersion"
        return SINGLE.get(found or "", found)

    def resource(service: str, method: str, path: str, headers: dict[str, str], body: bytes, *more: Any) -> str:
        if service == "scheduler" and (schedule := SCHEDULE.search(path)):
            return arn("scheduler", f"schedule/{_group(body)}/{schedule[1]}")
        return str(resource_of(service, method, path, headers, body, *more))

    def tables(body: bytes, region: str, account: str) -> list[str]:
        found: list[str] = tables_of(body, region, account)
        statement = _statement(body)
        return [arn("dynamodb", f"table/{statement[2]}")] if statement and not found else found

    def context(body: bytes) -> dict[str, Any]:
        keys = list(_leading_keys(_json(body)))
        return {**context_of(body), **({"dynamodb:LeadingKeys": keys} if keys else {})}

    iam_actions.extract_iam_action = action
    iam_actions.extract_resource_arn = resource
    iam_actions.dynamodb_resource_arns = tables
    iam_actions.dynamodb_service_context = context
    _take_the_loopback_for_tls()


def _take_the_loopback_for_tls() -> None:
    """Every queue, bucket and topic of ours takes TLS alone; here all speak plain HTTP, and nobody can listen."""
    pin = app.pin_request_origin
    app.pin_request_origin = lambda source_ip, _: pin(source_ip, secure_transport=True)


def _leading_keys(asked: dict[str, Any]) -> Iterator[str]:
    """The partition keys of the items that a call names; conditions on them hold for a call that says none."""
    named = [(asked.get("TableName"), asked.get("Key") or asked.get("Item"))]
    named += [(name, key) for name, of in (asked.get("RequestItems") or {}).items() for key in _keys(of)]
    for name, item in named:
        if name and isinstance(item, dict) and (table := dynamodb._tables.get(name)):
            hashed = next(each["AttributeName"] for each in table["KeySchema"] if each["KeyType"] == "HASH")
            yield from (str(value) for value in item.get(hashed, {}).values())


def _keys(asked: Any) -> list[Any]:
    """The keys in a BatchGetItem, the items and keys in a BatchWriteItem."""
    if isinstance(asked, dict):
        return asked.get("Keys") or []
    return [one.get("Item") or one.get("Key") for each in asked for one in each.values()]


def _statement(body: bytes) -> re.Match[str] | None:
    """The first PartiQL statement of a call."""
    asked = _json(body)
    statements = asked.get("Statements") or [asked]
    first = statements[0].get("Statement") if isinstance(statements[0], dict) else None
    return STATEMENT.match(first) if isinstance(first, str) else None


def _group(body: bytes) -> str:
    """The schedule group that a call names."""
    named = _json(body).get("GroupName") or parse_qs(body.decode(errors="replace")).get("groupName", ["default"])[0]
    return str(named)


def _json(body: bytes) -> dict[str, Any]:
    try:
        asked = json.loads(body or b"{}")
    except ValueError:
        return {}
    return asked if isinstance(asked, dict) else {}
