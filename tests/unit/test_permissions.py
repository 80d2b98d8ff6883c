"""Every call of AWS in a function's code against its role: none is missing, and nothing is granted that is uncalled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from reached import Called, calls_of
from wiring import FUNCTIONS, GLOBALS, MESSAGING, ROOT, STORAGE, as_list, mappings, queue_of, statements

PREFIX = {"pinpoint": "mobiletargeting", "pinpoint-sms-voice-v2": "sms-voice", "sesv2": "ses"}
"""Service of botocore -> what its actions start with, where that is not its name."""
ACTIONS = {
    "s3:HeadObject": ["s3:GetObject"],
    "s3:GetObject": ["s3:GetObject", "s3:ListBucket"],  # without the latter a missing file looks like a forbidden one
    "s3:ListObjectsV2": ["s3:ListBucket"],
    "sqs:SendMessageBatch": ["sqs:SendMessage"],
    "scheduler:CreateSchedule": ["scheduler:CreateSchedule", "iam:PassRole"],
    "scheduler:UpdateSchedule": ["scheduler:UpdateSchedule", "iam:PassRole"],
    "dynamodb:BatchExecuteStatement": [],  # asked for by its statements, as PartiQLInsert and so on
}
"""Operation -> the actions that it asks for, where that is not the one of its name."""
MAY_GO_ALONG = {"s3:GetObjectVersion": "s3:GetObject"}
"""Action -> the one that it extends: which of the two a call asks for depends on an argument."""
BY_LAMBDA = ("sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility")
"""What Lambda itself, and the handler of failures, do on the queue that triggers a function."""
LOGS = {"logs:CreateLogStream", "logs:PutLogEvents"}
NAMED = ("dynamodb", "s3", "sqs", "secretsmanager")
"""Services on whose resources permissions are compared, too."""

Permission = tuple[str, str]
"""An action and the logical name of its resource; none for the services that are compared by action alone."""


def code_of(function: str) -> tuple[Path, str]:
    """The handler of a function, and the channel that it is for."""
    built = re.findall(r"^((?:build-\w+ ?)+): verb = (\w+)$", (ROOT / "functions/Makefile").read_text(), re.MULTILINE)
    verb = next(verb for names, verb in built if f"build-{function}" in names.split())
    channel = function.removeprefix("Deliver").upper() if verb == "deliver" else ""
    return ROOT / f"functions/{verb}/app.py", channel


@cache
def calls(function: str) -> set[Called]:
    app, channel = code_of(function)
    return calls_of(app, channel=channel)


def called(function: str) -> dict[Permission, str]:
    """What a function asks AWS for, and where."""
    variables = {**GLOBALS["Environment"]["Variables"], **FUNCTIONS[function]["Environment"]["Variables"]}
    own = [queue_of(mapping) for mapping in mappings(function).values()]
    found: dict[Permission, str] = {(action, queue): "Lambda itself" for action in BY_LAMBDA for queue in own}
    for call in calls(function):
        for action in actions_of(call.operation):
            if action == "sqs:ChangeMessageVisibility":
                continue  # on the function's own queue: it is in BY_LAMBDA
            if action.partition(":")[0] not in NAMED:
                found[action, ""] = call.at
                continue
            for name, value in variables.items():
                if any(re.fullmatch(f"HELIOGRAPH_{setting}", name) for setting in call.settings):
                    found[action, resource_of(value)] = call.at
    return found


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
            yield from ((action, resource_of(each) if named else "") for each in as_list(statement["Resource"]))


def resource_of(value: Any) -> str:
    """The logical name behind an output of a nested stack, however its ARN goes on."""
    if not isinstance(value, dict):
        return str(value)
    text = ".".join(value["Fn::GetAtt"]) if "Fn::GetAtt" in value else str(value["Fn::Sub"])
    nested = re.match(r"(?:\$\{)?(Storage|Messaging)\.Outputs\.(\w+)", text)
    if nested is None:
        return text
    output = {"Storage": STORAGE, "Messaging": MESSAGING}[nested[1]]["Outputs"][nested[2]]["Value"]
    return str(output["Ref"] if "Ref" in output else output["Fn::GetAtt"][0])


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_every_call_of_a_function_is_granted_by_its_role(function: str) -> None:
    missing = {each: at for each, at in called(function).items() if each not in granted(function)}
    assert not missing, "called but not granted: add it to the role in template.yaml"


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_role_grants_nothing_that_its_function_never_calls(function: str) -> None:
    assert granted(function) - called(function).keys() == set(), "granted but never called: take it from the role"


def test_calls_of_every_service_are_found() -> None:
    """Else the two tests above would hold for a search that finds nothing."""
    found = {call.operation.partition(":")[0] for function in FUNCTIONS for call in calls(function)}
    assert found == {
        *("dynamodb", "pinpoint", "pinpoint-sms-voice-v2", "s3", "scheduler", "secretsmanager", "sesv2", "sns", "sqs")
    }


def found_in(tmp_path: Path, code: str) -> set[str]:
    app = tmp_path / "app.py"
    app.write_text(code)
    return {call.operation for call in calls_of(app)}


def test_a_call_is_found_through_a_value_whose_class_nobody_tells(tmp_path: Path) -> None:
    code = "from heliograph.runtime import deps\nqueues = {'a': deps.settling()}\ndef handler(event):\n    {}"
    hidden = "queues[event].park('', place='', reason='')"
    assert found_in(tmp_path, code.replace("{}", hidden)) == {"sqs:SendMessage"}


def test_a_function_that_is_only_handed_on_counts_as_called(tmp_path: Path) -> None:
    code = "from heliograph.runtime import deps\ndef handler(event):\n    return map(deps.bucket().keep_events, event)"
    assert found_in(tmp_path, code) == {"s3:PutObject"}


def test_what_a_module_could_do_is_not_what_a_function_calls(tmp_path: Path) -> None:
    code = "from heliograph.runtime import deps\ndef handler(event):\n    return deps.runs().get(event)"
    assert found_in(tmp_path, code) == {"dynamodb:GetItem"}
