"""Every call of AWS in a function's code against its role: none is missing, and nothing is granted that is uncalled."""

from __future__ import annotations

from pathlib import Path

import pytest

from heliograph.channels.registry import CHANNELS as REGISTERED
from permissions import actions_of, called, calls, granted
from reached import calls_of
from wiring import CHANNELS, FUNCTIONS, ROOT, STACKS, as_list, load, resources


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_every_call_of_a_function_is_granted_by_its_role(function: str) -> None:
    missing = {each: at for each, at in called(function).items() if each not in granted(function)}
    assert not missing, "called but not granted: add it to the role in infra"


@pytest.mark.parametrize("function", sorted(FUNCTIONS))
def test_a_role_grants_nothing_that_its_function_never_calls(function: str) -> None:
    assert granted(function) - called(function).keys() == set(), "granted but never called: take it from the role"


OFF_BY_DEFAULT = sorted(set(map(str, REGISTERED)) - set(CHANNELS))


def asked_on(channel: str) -> set[str]:
    """The actions that delivering on a channel asks for."""
    found = calls_of(ROOT / "functions/deliver/app.py", channel=channel)
    return {action for call in found for action in actions_of(call.operation)}


@pytest.mark.parametrize("channel", OFF_BY_DEFAULT)
def test_a_channel_that_a_stack_may_add_brings_the_rights_that_only_it_needs(channel: str) -> None:
    """What every channel asks for is in the role of each function that delivers."""
    template = load(f"infra/channels/{channel}.yaml")
    allowed = [
        (statement["Action"], statement["Resource"])
        for policy in resources(template, "AWS::IAM::Policy").values()
        for statement in policy["PolicyDocument"]["Statement"]
    ]
    common = set[str].intersection(*map(asked_on, CHANNELS))
    assert {action for actions, _ in allowed for action in as_list(actions)} == asked_on(channel) - common
    assert "*" not in [each for _, named in allowed for each in as_list(named)]


@pytest.mark.parametrize("channel", OFF_BY_DEFAULT)
def test_the_template_of_a_channel_asks_for_what_all_are_given(channel: str) -> None:
    """CloudFormation refuses a parameter that is not declared, and one that is missing."""
    given = STACKS[f"Channel{CHANNELS[0]}"]["Parameters"]
    assert load(f"infra/channels/{channel}.yaml")["Parameters"].keys() == given.keys()


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
