"""What the doctor finds wrong, and what it says when it cannot tell."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError

from doctor_builders import ALARM, MAPPING, PLAN, Case, a_deployment, first_fault, refused, states
from heliograph.channels import registry
from heliograph.channels.registry import CHANNELS
from heliograph.channels.sms import doctor as sms_doctor
from heliograph.model.channels import Channel
from heliograph.operations.doctor import functions, rights, watching
from heliograph.operations.doctor.deployment import Deployment, resources_of
from heliograph.operations.doctor.examine import checks_of, examine
from heliograph.operations.doctor.findings import State, well
from heliograph.text.ids import is_derived
from heliograph_cli.local.cloud import ROOT
from permissions import granted
from wiring import FUNCTIONS, text_of


def test_a_deployment_in_which_all_is_well_has_nothing_else_to_say() -> None:
    found = list(examine(a_deployment()))
    assert [each for each in found if each.state is not State.WELL] == []
    assert {each.check for each in found} == set(checks_of(a_deployment()))


def test_every_function_is_asked_about_and_only_calls_that_its_role_grants() -> None:
    by_name = {text_of(each["FunctionName"]).removeprefix("${StackName}-"): name for name, each in FUNCTIONS.items()}
    found = [*rights.all_rights(a_deployment(Channels=",".join(CHANNELS)))]
    assert {right.function for right in found} == set(by_name)
    for right in found:
        assert right.action in {action for action, _ in granted(by_name[right.function])}, right


DOCTOR = ROOT / "layers/heliograph/heliograph/operations/doctor"


@pytest.mark.parametrize("path", sorted(DOCTOR.glob("*.py")), ids=lambda path: path.stem)
def test_the_doctor_names_no_channel(path: Path) -> None:
    """Each says in its folder how it is examined; the names of queues and functions follow from its own."""
    assert not set(re.findall(r"[a-z]+", path.read_text().lower())) & set(CHANNELS)


def test_only_the_channels_of_the_stack_are_examined() -> None:
    found = {each.check.split()[0] for each in examine(a_deployment(Channels="sms, webhook"))}
    assert found & set(CHANNELS) == {"sms"}


def test_a_channel_that_tells_the_doctor_nothing_has_its_queues_and_its_function_examined() -> None:
    assert registry.doctor(Channel("webhook")) is None
    deployment = a_deployment(Channels="webhook")
    told = {(each.function, each.where(deployment).rpartition(":")[2]) for each in rights.all_rights(deployment)}
    assert told >= {
        *(("plan", "shop-outbox-webhook-bulk"), ("settle", "shop-outbox-webhook-bulk")),
        *(("deliver-webhook", "shop-engagement"), ("deliver-webhook", "table/shop-runstable")),
    }


CASES = {
    "a stack that failed": Case(
        functions.stack,
        State.WRONG,
        a_deployment(status="ROLLBACK_COMPLETE"),
        "ROLLBACK_COMPLETE",
    ),
    "an update that was rolled back": Case(
        functions.stack,
        State.NOTE,
        a_deployment(status="UPDATE_ROLLBACK_COMPLETE"),
        "rolled back",
    ),
    "a layer for another Python": Case(
        functions.functions,
        State.WRONG,
        a_deployment({("lambda", "get_layer_version_by_arn"): {"CompatibleRuntimes": ["python3.11"]}}),
        "python3.11",
    ),
    "a layer for another processor": Case(
        functions.functions,
        State.WRONG,
        a_deployment({("lambda", "get_layer_version_by_arn"): {"CompatibleArchitectures": ["x86_64"]}}),
        "x86_64",
    ),
    "a function that is not active": Case(
        functions.functions,
        State.WRONG,
        a_deployment({("lambda", "get_function_configuration"): PLAN | {"State": "Failed"}}),
        "Failed",
    ),
    "an account of ten": Case(
        functions.concurrency,
        State.NOTE,
        a_deployment(
            {
                ("lambda", "get_account_settings"): {"AccountLimit": {"UnreservedConcurrentExecutions": 9}},
            }
        ),
        "9 at once",
    ),
    "a queue that nobody reads": Case(
        functions.mappings,
        State.WRONG,
        a_deployment(
            {("lambda", "list_event_source_mappings"): {"EventSourceMappings": [MAPPING | {"State": "Disabled"}]}}
        ),
        "requests-bulk",
    ),
    "no queue at all": Case(
        functions.mappings,
        State.WRONG,
        a_deployment({("lambda", "list_event_source_mappings"): {}}),
        "no queue",
    ),
    "a loop that Lambda would end": Case(
        functions.recursion,
        State.WRONG,
        a_deployment({("lambda", "get_function_recursion_config"): {"RecursiveLoop": "Terminate"}}),
        "plan",
    ),
    "a right that is missing": Case(
        rights.rights,
        State.WRONG,
        a_deployment({("iam", "simulate_principal_policy"): {"EvaluationResults": [{"EvalDecision": "implicitDeny"}]}}),
        "plan may not",
    ),
    "schedules that cannot be made": Case(
        watching.schedules,
        State.WRONG,
        a_deployment({("scheduler", "get_schedule_group"): {"State": "DELETING"}}),
        "DELETING",
    ),
    "an alarm that is raised": Case(
        watching.alarms,
        State.WRONG,
        a_deployment({("cloudwatch", "describe_alarms"): {"MetricAlarms": [ALARM | {"StateValue": "ALARM"}]}}),
        "awaiting-approval",
    ),
    "an alarm that may not speak": Case(
        watching.alarms,
        State.WRONG,
        a_deployment({("cloudwatch", "describe_alarms"): {"MetricAlarms": [ALARM | {"ActionsEnabled": False}]}}),
        "awaiting-approval",
    ),
    "alarms that nobody hears": Case(
        watching.listeners,
        State.NOTE,
        a_deployment({("sns", "list_subscriptions_by_topic"): {}}),
        "nobody",
    ),
    "a subscription that is not confirmed": Case(
        watching.listeners,
        State.WRONG,
        a_deployment(
            {
                ("sns", "list_subscriptions_by_topic"): {"Subscriptions": [{"SubscriptionArn": "PendingConfirmation"}]},
            }
        ),
        "not confirmed",
    ),
    "dead letters": Case(
        watching.dead_letters,
        State.WRONG,
        a_deployment({("sqs", "get_queue_attributes"): {"Attributes": {"ApproximateNumberOfMessages": "3"}}}),
        "3 of events",
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_fault_is_named_with_what_to_do(case: Case) -> None:
    found = first_fault(case)
    assert (found.state, case.words in found.says) == (case.state, True), found
    assert found.mend


def test_every_check_has_a_case_in_which_it_finds_something() -> None:
    assert {case.check for case in CASES.values()} == set(checks_of(a_deployment(Channels="")).values())


def test_rights_on_tables_are_simulated_with_the_key_of_a_message_without_a_run_or_of_a_minute() -> None:
    """Roles have conditions on partition keys, and `ForAllValues` holds where a simulation names none."""
    simulated: list[Mapping[str, Any]] = []
    deployment = a_deployment()

    def ask(service: str, operation: str, asked: Mapping[str, Any]) -> Any:
        if operation == "simulate_principal_policy":
            simulated.append(asked)
        return deployment.ask(service, operation, asked)

    assert states(rights.rights(replace(deployment, ask=ask))) == {State.WELL}
    on_tables = [each for each in simulated if each["ActionNames"][0].startswith("dynamodb:")]
    assert on_tables
    for each in on_tables:
        (key,) = each["ContextEntries"]
        assert key["ContextKeyName"] == "dynamodb:LeadingKeys"
        (part,) = key["ContextKeyValues"]
        assert is_derived(part) or part.startswith("due#"), part


def test_what_an_update_has_deleted_or_left_behind_is_no_part_of_a_deployment() -> None:
    """CloudFormation goes on listing both, and the stack that was deleted answers what was in it."""

    def listed(kind: str, name: str, status: str) -> dict[str, str]:
        return {
            "ResourceType": kind,
            "LogicalResourceId": name,
            "PhysicalResourceId": name.lower(),
            "ResourceStatus": status,
        }

    nested = "AWS::CloudFormation::Stack"
    stacks = {
        "shop": [listed(nested, "Push", "DELETE_COMPLETE"), listed(nested, "Messaging", "UPDATE_COMPLETE")],
        "push": [listed("AWS::Pinpoint::App", "Application", "DELETE_SKIPPED")],
        "messaging": [
            listed("AWS::Pinpoint::App", "PushApplication", "DELETE_SKIPPED"),
            listed("AWS::SQS::Queue", "Queue", "CREATE_COMPLETE"),
        ],
    }

    def ask(_: str, __: str, asked: Mapping[str, Any]) -> Any:
        return {"StackResourceSummaries": stacks[asked["StackName"]]}

    assert [each.logical_id for each in resources_of(ask, "shop")] == ["Messaging", "Queue"]


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (refused("AccessDeniedException"), "may not call GetAccount"),
        (refused("ThrottlingException"), "throttled"),
        (refused("InternalFailure"), "InternalFailure"),
        (EndpointConnectionError(endpoint_url="https://sms-voice.eu-west-9.amazonaws.com"), "did not answer"),
    ],
)
def test_what_cannot_be_looked_at_is_a_finding_and_the_next_check_goes_on(error: Exception, words: str) -> None:
    found = list(examine(a_deployment({("sesv2", "get_account"): error})))
    (untold,) = [each for each in found if each.state is State.UNKNOWN]
    assert untold.check == "email account"
    assert words in untold.says
    assert untold.mend
    assert found[-1].check == "dead letters"


def test_a_check_that_found_something_wrong_does_not_say_that_it_is_well() -> None:
    deployment = a_deployment({("sqs", "get_queue_attributes"): {"Attributes": {"ApproximateNumberOfMessages": "1"}}})
    found = list(examine(deployment, {"dead letters": watching.dead_letters}))
    assert states(found) == {State.WRONG}


def test_a_later_check_is_one_more_function_in_the_list() -> None:
    more = {**checks_of(a_deployment()), "moon": lambda _: [well("moon", "full")]}
    assert list(examine(a_deployment(), more))[-1].says == "full"


IAM_NAMES = {"sesv2": "ses", sms_doctor.SERVICE: "sms-voice", "pinpoint": "mobiletargeting"}
"""Services that IAM calls otherwise than the SDK does."""
READS_A_LAYER = "lambda:GetLayerVersion"


def asked_of(deployment: Deployment) -> set[str]:
    """The rights that looking at a deployment needs."""
    used: set[tuple[str, str]] = set()

    def ask(service: str, operation: str, asked: Mapping[str, Any]) -> Any:
        used.add((service, operation))
        return deployment.ask(service, operation, asked)

    list(examine(replace(deployment, ask=ask)))
    return {right_of(service, operation) for service, operation in used}


def right_of(service: str, operation: str) -> str:
    name = boto3.client(service, region_name="eu-west-1").meta.method_to_api_mapping[operation]  # type: ignore[call-overload]
    if name == "GetLayerVersionByArn":
        return READS_A_LAYER
    return f"{IAM_NAMES.get(service, service)}:{name}"


def test_the_rights_in_the_docs_are_those_that_it_uses_to_look() -> None:
    policy = json.loads((ROOT / "docs/doctor-policy.json").read_text())
    granted = next(each for each in policy["Statement"] if each["Sid"] == "Look")["Action"]
    by_sns = a_deployment(SmsProvider="sns", PushProvider="sns", PushPlatformApplications='{"gcm": "arn"}')
    read_first = {"cloudformation:DescribeStacks", "cloudformation:ListStackResources"}
    assert asked_of(a_deployment()) | asked_of(by_sns) | read_first == set(granted)
