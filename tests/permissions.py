"""What a function's code asks AWS for, and what its role grants, in the same words."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

from reached import Called, calls_of
from wiring import FUNCTIONS, QUEUES, ROOT, as_list, mappings, queue_of, statements, streams, verb_of

PREFIX = {"pinpoint": "mobiletargeting", "pinpoint-sms-voice-v2": "sms-voice", "sesv2": "ses"}
"""Service of botocore -> what its actions start with, where that is not its name."""
ACTIONS = {
    "s3:HeadObject": ["s3:GetObject"],
    "s3:GetObject": ["s3:GetObject", "s3:ListBucket"],  # without the latter a missing file looks like a forbidden one
    "s3:ListObjectsV2": ["s3:ListBucket"],
    "sqs:SendMessageBatch": ["sqs:SendMessage"],
    "lambda:Invoke": ["lambda:InvokeFunction"],
    "scheduler:CreateSchedule": ["scheduler:CreateSchedule", "iam:PassRole"],
    "dynamodb:BatchExecuteStatement": [],  # asked for by its statements, as PartiQLInsert and so on
}
"""Operation -> the actions that it asks for, where that is not the one of its name."""
MAY_GO_ALONG = {"s3:GetObjectVersion": "s3:GetObject"}
"""Action -> the one that it extends: which of the two a call asks for depends on an argument."""
BY_LAMBDA = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility")
"""What Lambda itself, and the handler of failures, do on the queue that triggers a function."""
BY_LAMBDA_OF_STREAMS = tuple(
    f"dynamodb:{name}" for name in ("DescribeStream", "GetRecords", "GetShardIterator", "ListStreams")
)
"""What Lambda itself does on the stream that triggers a function; it also parks what the function cannot take."""
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
NEVER = {("IngestSegment", "requests-priority"), ("Tick", "requests-priority")}
"""Queues that a function's code could name and never does: a segment's people are bulk, and so is who waits in company.
Deliver knows one channel."""
NAMED = ("dynamodb", "s3", "sqs", "secretsmanager")
"""Services on whose resources permissions are compared, too."""

Permission = tuple[str, str]
"""An action and its resource: a queue by its name, a table or the bucket by the parameter that brings its ARN; none for
the services that are compared by action alone."""


def code_of(function: str) -> tuple[Path, str]:
    """The handler of a function, and the channel that it is for."""
    verb = verb_of(function)
    channel = function.removeprefix("Deliver") if verb == "deliver" else ""
    return ROOT / f"functions/{verb}/app.py", channel


@cache
def calls(function: str) -> set[Called]:
    app, channel = code_of(function)
    return calls_of(app, channel=channel)


def called(function: str) -> dict[Permission, str]:
    """What a function asks AWS for, and where."""
    variables = FUNCTIONS[function]["Environment"]["Variables"]
    own = [queue_of(mapping) for mapping in mappings(function).values()]
    found: dict[Permission, str] = {(action, queue): "Lambda itself" for action in BY_LAMBDA for queue in own}
    for stream in streams(function).values():
        found |= {
            (action, each): "Lambda itself"
            for action in BY_LAMBDA_OF_STREAMS
            for each in resources_of(stream["Stream"])
        }
        parked = resources_of(stream["DestinationConfig"]["OnFailure"]["Destination"])
        found |= {("sqs:SendMessage", queue): "Lambda itself" for queue in parked}
    for call in calls(function):
        for action in actions_of(call.operation):
            if action == "sqs:ChangeMessageVisibility":
                continue  # on the function's own queue: it is in BY_LAMBDA
            if action.partition(":")[0] not in NAMED:
                found[action, ""] = call.at
                continue
            for name, value in variables.items():
                if any(re.fullmatch(f"HELIOGRAPH_{setting}", name) for setting in call.settings):
                    found |= {(action, each): call.at for each in resources_of(value)}
            found |= {(action, queue): call.at for queue in queues_of(function, call)}
    return found


def queues_of(function: str, call: Called) -> Iterator[str]:
    """The queues that a call may send to; what the code puts into a name is a word."""
    _, channel = code_of(function)
    for queue in QUEUES:
        is_foreign = channel and queue.startswith("outbox-") and not queue.startswith(f"outbox-{channel}-")
        patterns = [each.replace(".+", "[a-z]+") for each in call.queues]
        if not is_foreign and (function, queue) not in NEVER and any(re.fullmatch(each, queue) for each in patterns):
            yield queue


def actions_of(operation: str) -> list[str]:
    service, _, name = operation.partition(":")
    return ACTIONS.get(operation, [f"{PREFIX.get(service, service)}:{name}"])


def granted(function: str) -> set[Permission]:
    found = set(_granted(function))
    extended = {(more, on) for more, less in MAY_GO_ALONG.items() for action, on in found if action == less}
    return found - extended


def _granted(function: str) -> Iterator[Permission]:
    for statement in statements(f"{function}Role"):
        if statement["Effect"] == "Deny":
            continue
        for action in set(as_list(statement["Action"])) - LOGS:
            named = action.partition(":")[0] in NAMED
            for each in as_list(statement["Resource"]):
                yield from ((action, resource) for resource in (resources_of(each) if named else [""]))


def resources_of(value: Any) -> list[str]:
    """What an ARN or a name in a template is of, however it goes on."""
    if not isinstance(value, dict):
        return [str(value)]  # a queue, by its name
    if "Fn::Select" in value:  # a name, out of its ARN
        return resources_of(value["Fn::Select"][1]["Fn::Split"][1])
    if "Ref" in value:
        return [str(value["Ref"])]
    parameter, rest = re.fullmatch(r"\$\{(\w+)\}(.*)", value["Fn::Sub"]).groups()  # type: ignore[union-attr]
    return [queue for queue in QUEUES if fnmatchcase(queue, rest)] if parameter == "Queues" else [parameter]
