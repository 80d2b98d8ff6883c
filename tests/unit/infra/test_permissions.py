"""Every call of AWS in a function's code against its role: none is missing, and nothing is granted that is uncalled."""

from __future__ import annotations

from pathlib import Path

import pytest

from permissions import called, calls, granted
from reached import calls_of
from wiring import FUNCTIONS


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_every_call_of_a_function_is_granted_by_its_role(function: str) -> None:
    missing = {each: at for each, at in called(function).items() if each not in granted(function)}
    assert not missing, "called but not granted: add it to the role in infra"


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_role_grants_nothing_that_its_function_never_calls(function: str) -> None:
    assert granted(function) - called(function).keys() == set(), "granted but never called: take it from the role"


def test_calls_of_every_service_are_found() -> None:
    """Else the two tests above would hold for a search that finds nothing."""
    found = {call.operation.partition(":")[0] for function in FUNCTIONS for call in calls(function)}
    assert found == {
        *("dynamodb", "lambda", "pinpoint", "pinpoint-sms-voice-v2", "s3"),
        *("scheduler", "secretsmanager", "sesv2", "sns", "sqs"),
    }


def found_in(tmp_path: Path, code: str) -> set[str]:
    app = tmp_path / "app.py"
    app.write_text(code)
    return {call.operation for call in calls_of(app)}


def test_a_call_is_found_through_a_value_whose_class_nobody_tells(tmp_path: Path) -> None:
    code = "from heliograph.runtime import wiring\nqueues = {'a': wiring.settling()}\ndef handler(event):\n    {}"
    hidden = "queues[event].park('', error)"
    assert found_in(tmp_path, code.replace("{}", hidden)) == {"sqs:SendMessage"}


def test_a_function_that_is_only_handed_on_counts_as_called(tmp_path: Path) -> None:
    code = (
        "from heliograph.runtime import wiring\ndef handler(event):\n    return map(wiring.lake().keep_events, event)"
    )
    assert found_in(tmp_path, code) == {"s3:PutObject"}


def test_what_a_module_could_do_is_not_what_a_function_calls(tmp_path: Path) -> None:
    code = "from heliograph.runtime import wiring\ndef handler(event):\n    return wiring.runs().get(event)"
    assert found_in(tmp_path, code) == {"dynamodb:GetItem"}
