"""What the doctor finds wrong, and what it says when it cannot tell."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from heliograph.operations.doctor import email, functions, push, rights, sms, watching
from heliograph.operations.doctor.deployment import Deployment, Resource, resources_of
from heliograph.operations.doctor.examine import CHECKS, examine
from heliograph.operations.doctor.findings import Finding, State, well
from heliograph.text.ids import is_derived
from heliograph_cli.local.cloud import ROOT
from permissions import granted
from wiring import FUNCTIONS, text_of

ARN = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/1"
ROLE = "arn:aws:iam::111122223333:role/plan"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:shop-plan"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:shop-requests-bulk"
LETTERS = "https://sqs.eu-west-1.amazonaws.com/111122223333/shop-events-dead-letters"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:shop-alarms"
APPLICATION = "c0ffee"

MAPPING = {
    "UUID": "m-1",
    "State": "Enabled",
    "FunctionArn": FUNCTION,
    "EventSourceArn": QUEUE,
    "ScalingConfig": {"MaximumConcurrency": 10},
}
PLAN = {
    "FunctionName": "shop-plan",
    "FunctionArn": FUNCTION,
    "Role": ROLE,
    "Runtime": "python3.13",
    "Architectures": ["arm64"],
    "Layers": [{"Arn": "layer-1"}],
}
DESTINATION = {"Enabled": True, "EventBridgeDestination": {}, "MatchingEventTypes": sorted(email.NEEDED)}
TEXTS = {"Enabled": True, "SnsDestination": {}, "MatchingEventTypes": ["TEXT_ALL"]}
ALARM = {"AlarmName": "shop-awaiting-approval", "StateValue": "OK", "ActionsEnabled": True}
QUOTA = {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 10.0}
WELL: Mapping[tuple[str, str], Any] = {
    ("lambda", "get_function_configuration"): PLAN,
    ("lambda", "get_layer_version_by_arn"): {
        "CompatibleRuntimes": ["python3.13"],
        "CompatibleArchitectures": ["arm64"],
    },
    ("lambda", "get_account_settings"): {"AccountLimit": {"UnreservedConcurrentExecutions": 1000}},
    ("lambda", "list_event_source_mappings"): {"EventSourceMappings": [MAPPING]},
    ("lambda", "get_function_recursion_config"): {"RecursiveLoop": "Allow"},
    ("iam", "simulate_principal_policy"): {"EvaluationResults": [{"EvalDecision": "allowed"}]},
    ("sesv2", "get_account"): {
        "SendingEnabled": True,
        "ProductionAccessEnabled": True,
        "EnforcementStatus": "HEALTHY",
        "SendQuota": QUOTA,
    },
    ("sesv2", "get_email_identity"): {
        "VerifiedForSendingStatus": True,
        "DkimAttributes": {"Status": "SUCCESS", "SigningEnabled": True},
    },
    ("sesv2", "get_configuration_set_event_destinations"): {"EventDestinations": [DESTINATION]},
    (sms.SERVICE, "describe_account_attributes"): {
        "AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": "PRODUCTION"}]
    },
    (sms.SERVICE, "describe_spend_limits"): {"SpendLimits": [{"Name": sms.TEXT_LIMIT, "EnforcedLimit": 100}]},
    (sms.SERVICE, "describe_phone_numbers"): {"PhoneNumbers": [{"PhoneNumberId": "phone-1", "Status": "ACTIVE"}]},
    (sms.SERVICE, "describe_pools"): {"Pools": []},
    (sms.SERVICE, "describe_sender_ids"): {"SenderIds": [{"SenderId": "SHOP"}]},
    (sms.SERVICE, "describe_configuration_sets"): {
        "ConfigurationSets": [{"ConfigurationSetName": "shop", "EventDestinations": [TEXTS]}]
    },
    ("pinpoint", "get_gcm_channel"): {"GCMChannelResponse": {"Enabled": True, "DefaultAuthenticationMethod": "TOKEN"}},
    ("pinpoint", "get_apns_channel"): {"APNSChannelResponse": {"Enabled": True}},
    ("scheduler", "get_schedule_group"): {"State": "ACTIVE"},
    ("cloudwatch", "describe_alarms"): {"MetricAlarms": [ALARM]},
    ("sns", "list_subscriptions_by_topic"): {"Subscriptions": [{"SubscriptionArn": f"{TOPIC}:1"}]},
    ("sns", "get_sms_sandbox_account_status"): {"IsInSandbox": False},
    ("sns", "get_sms_attributes"): {"attributes": {"MonthlySpendLimit": "100"}},
    ("sns", "get_platform_application_attributes"): {"Attributes": {"Enabled": "true"}},
    ("sqs", "get_queue_attributes"): {"Attributes": {"ApproximateNumberOfMessages": "0"}},
}
"""What AWS answers about a deployment that is well."""


def refused(code: str, operation: str = "GetAccount") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "no"}}, operation)


def a_deployment(
    answers: Mapping[tuple[str, str], Any] | None = None, *, status: str = "UPDATE_COMPLETE", **parameters: str
) -> Deployment:
    """A deployment about which AWS answers this; an answer that is an error is raised."""
    known = {**WELL, **(answers or {})}

    def ask(service: str, operation: str, _: Mapping[str, Any]) -> Any:
        answer = known[service, operation]
        if isinstance(answer, Exception):
            raise answer
        return answer

    kinds = {
        "AWS::Lambda::Function": "shop-plan",
        "AWS::SQS::Queue": LETTERS,
        "AWS::SES::ConfigurationSet": "shop",
        "AWS::SMSVOICE::ConfigurationSet": "shop",
        "AWS::Pinpoint::App": APPLICATION,
        "AWS::Scheduler::ScheduleGroup": "shop",
    }
    tables = {name: f"shop-{name.lower()}" for name in rights.TABLES}
    return Deployment(
        stack="shop",
        arn=ARN,
        status=status,
        outputs={"AlarmTopic": TOPIC, "BucketName": "shop-bucket", **tables},
        parameters={"EmailSender": "Shop <hello@shop.example>", "SmsOriginationIdentity": "SHOP", **parameters},
        resources=tuple(Resource(kind, kind, name, "CREATE_COMPLETE") for kind, name in kinds.items()),
        ask=ask,
    )


def states(found: Iterable[Finding]) -> set[State]:
    return {each.state for each in found}


def test_a_deployment_in_which_all_is_well_has_nothing_else_to_say() -> None:
    found = list(examine(a_deployment()))
    assert [each for each in found if each.state is not State.WELL] == []
    assert {each.check for each in found} == set(CHECKS)


def test_every_function_is_asked_about_and_only_calls_that_its_role_grants() -> None:
    by_name = {text_of(each["FunctionName"]).removeprefix("${StackName}-"): name for name, each in FUNCTIONS.items()}
    assert {right.function for right in rights.RIGHTS} == set(by_name)
    for right in rights.RIGHTS:
        assert right.action in {action for action, _ in granted(by_name[right.function])}, right


Check = Callable[[Deployment], Iterable[Finding]]
CASES: Mapping[str, tuple[Check, State, Deployment, str]] = {
    "a stack that failed": (
        functions.stack,
        State.WRONG,
        a_deployment(status="ROLLBACK_COMPLETE"),
        "ROLLBACK_COMPLETE",
    ),
    "an update that was rolled back": (
        functions.stack,
        State.NOTE,
        a_deployment(status="UPDATE_ROLLBACK_COMPLETE"),
        "rolled back",
    ),
    "a layer for another Python": (
        functions.functions,
        State.WRONG,
        a_deployment({("lambda", "get_layer_version_by_arn"): {"CompatibleRuntimes": ["python3.11"]}}),
        "python3.11",
    ),
    "a layer for another processor": (
        functions.functions,
        State.WRONG,
        a_deployment({("lambda", "get_layer_version_by_arn"): {"CompatibleArchitectures": ["x86_64"]}}),
        "x86_64",
    ),
    "a function that is not active": (
        functions.functions,
        State.WRONG,
        a_deployment({("lambda", "get_function_configuration"): PLAN | {"State": "Failed"}}),
        "Failed",
    ),
    "an account of ten": (
        functions.concurrency,
        State.NOTE,
        a_deployment(
            {
                ("lambda", "get_account_settings"): {"AccountLimit": {"UnreservedConcurrentExecutions": 9}},
            }
        ),
        "9 at once",
    ),
    "a queue that nobody reads": (
        functions.mappings,
        State.WRONG,
        a_deployment(
            {("lambda", "list_event_source_mappings"): {"EventSourceMappings": [MAPPING | {"State": "Disabled"}]}}
        ),
        "requests-bulk",
    ),
    "no queue at all": (
        functions.mappings,
        State.WRONG,
        a_deployment({("lambda", "list_event_source_mappings"): {}}),
        "no queue",
    ),
    "a loop that Lambda would end": (
        functions.recursion,
        State.WRONG,
        a_deployment({("lambda", "get_function_recursion_config"): {"RecursiveLoop": "Terminate"}}),
        "plan",
    ),
    "a right that is missing": (
        rights.rights,
        State.WRONG,
        a_deployment({("iam", "simulate_principal_policy"): {"EvaluationResults": [{"EvalDecision": "implicitDeny"}]}}),
        "plan may not",
    ),
    "SES that is paused": (
        email.account,
        State.WRONG,
        a_deployment({("sesv2", "get_account"): WELL["sesv2", "get_account"] | {"SendingEnabled": False}}),
        "paused",
    ),
    "a bad reputation": (
        email.account,
        State.WRONG,
        a_deployment({("sesv2", "get_account"): WELL["sesv2", "get_account"] | {"EnforcementStatus": "PROBATION"}}),
        "PROBATION",
    ),
    "the sandbox of SES": (
        email.account,
        State.NOTE,
        a_deployment({("sesv2", "get_account"): WELL["sesv2", "get_account"] | {"ProductionAccessEnabled": False}}),
        "sandbox",
    ),
    "a day's quota that is used up": (
        email.account,
        State.NOTE,
        a_deployment(
            {
                ("sesv2", "get_account"): WELL["sesv2", "get_account"]
                | {"SendQuota": QUOTA | {"SentLast24Hours": 46_000.0}},
            }
        ),
        "46,000",
    ),
    "a sender that SES does not know": (
        email.identity,
        State.WRONG,
        a_deployment({("sesv2", "get_email_identity"): refused("NotFoundException")}),
        "does not know",
    ),
    "a domain that is not verified": (
        email.identity,
        State.WRONG,
        a_deployment({("sesv2", "get_email_identity"): {"VerifiedForSendingStatus": False}}),
        "not verified",
    ),
    "events that are not reported": (
        email.events,
        State.WRONG,
        a_deployment(
            {
                ("sesv2", "get_configuration_set_event_destinations"): {
                    "EventDestinations": [DESTINATION | {"MatchingEventTypes": ["SEND"]}],
                },
            }
        ),
        "BOUNCE",
    ),
    "an event destination that is off": (
        email.events,
        State.WRONG,
        a_deployment(
            {
                ("sesv2", "get_configuration_set_event_destinations"): {
                    "EventDestinations": [DESTINATION | {"Enabled": False}]
                },
            }
        ),
        "SEND",
    ),
    "the sandbox of SMS": (
        sms.account,
        State.NOTE,
        a_deployment(
            {
                (sms.SERVICE, "describe_account_attributes"): {
                    "AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": "SANDBOX"}],
                },
            }
        ),
        "sandbox",
    ),
    "a dollar a month": (
        sms.account,
        State.NOTE,
        a_deployment(
            {
                (sms.SERVICE, "describe_spend_limits"): {"SpendLimits": [{"Name": sms.TEXT_LIMIT, "EnforcedLimit": 1}]},
            }
        ),
        "1 US dollar",
    ),
    "the sandbox of SNS": (
        sms.account,
        State.NOTE,
        a_deployment({("sns", "get_sms_sandbox_account_status"): {"IsInSandbox": True}}, SmsProvider="sns"),
        "sandbox",
    ),
    "a dollar a month by SNS": (
        sms.account,
        State.NOTE,
        a_deployment({("sns", "get_sms_attributes"): {}}, SmsProvider="sns"),
        "1 US dollar",
    ),
    "a sender of texts that does not exist": (
        sms.identity,
        State.WRONG,
        a_deployment(SmsOriginationIdentity="pool-9"),
        "pool-9",
    ),
    "a number that is not registered yet": (
        sms.identity,
        State.WRONG,
        a_deployment(
            {
                (sms.SERVICE, "describe_phone_numbers"): {
                    "PhoneNumbers": [{"PhoneNumberId": "phone-1", "Status": "PENDING"}]
                },
            },
            SmsOriginationIdentity="phone-1",
        ),
        "PENDING",
    ),
    "no sender of texts at all": (
        sms.identity,
        State.WRONG,
        a_deployment({(sms.SERVICE, "describe_phone_numbers"): {}, (sms.SERVICE, "describe_sender_ids"): {}}),
        "no number",
    ),
    "a sender of texts that AWS picks": (
        sms.identity,
        State.NOTE,
        a_deployment(SmsOriginationIdentity=""),
        "AWS picks",
    ),
    "texts that are not reported": (
        sms.events,
        State.WRONG,
        a_deployment(
            {
                (sms.SERVICE, "describe_configuration_sets"): {
                    "ConfigurationSets": [{"ConfigurationSetName": "shop", "EventDestinations": []}],
                },
            }
        ),
        "reports nothing",
    ),
    "texts by SNS": (sms.events, State.NOTE, a_deployment(SmsProvider="sns"), "logs only"),
    "push without credentials": (
        push.credentials,
        State.NOTE,
        a_deployment(
            {
                ("pinpoint", "get_gcm_channel"): refused("NotFoundException"),
                ("pinpoint", "get_apns_channel"): refused("NotFoundException"),
            }
        ),
        "no credentials",
    ),
    "the old key of Firebase": (
        push.credentials,
        State.WRONG,
        a_deployment(
            {
                ("pinpoint", "get_gcm_channel"): {
                    "GCMChannelResponse": {"Enabled": True, "DefaultAuthenticationMethod": "KEY"},
                },
            }
        ),
        "old Firebase key",
    ),
    "a platform that SNS has disabled": (
        push.credentials,
        State.WRONG,
        a_deployment(
            {("sns", "get_platform_application_attributes"): {"Attributes": {"Enabled": "false"}}},
            PushProvider="sns",
            PushPlatformApplications='{"gcm": "arn:aws:sns:eu-west-1:1:app/GCM/shop"}',
        ),
        "gcm",
    ),
    "no platform": (push.credentials, State.NOTE, a_deployment(PushProvider="sns"), "empty"),
    "schedules that cannot be made": (
        watching.schedules,
        State.WRONG,
        a_deployment({("scheduler", "get_schedule_group"): {"State": "DELETING"}}),
        "DELETING",
    ),
    "an alarm that is raised": (
        watching.alarms,
        State.WRONG,
        a_deployment({("cloudwatch", "describe_alarms"): {"MetricAlarms": [ALARM | {"StateValue": "ALARM"}]}}),
        "awaiting-approval",
    ),
    "an alarm that may not speak": (
        watching.alarms,
        State.WRONG,
        a_deployment({("cloudwatch", "describe_alarms"): {"MetricAlarms": [ALARM | {"ActionsEnabled": False}]}}),
        "awaiting-approval",
    ),
    "alarms that nobody hears": (
        watching.listeners,
        State.NOTE,
        a_deployment({("sns", "list_subscriptions_by_topic"): {}}),
        "nobody",
    ),
    "a subscription that is not confirmed": (
        watching.listeners,
        State.WRONG,
        a_deployment(
            {
                ("sns", "list_subscriptions_by_topic"): {"Subscriptions": [{"SubscriptionArn": "PendingConfirmation"}]},
            }
        ),
        "not confirmed",
    ),
    "dead letters": (
        watching.dead_letters,
        State.WRONG,
        a_deployment({("sqs", "get_queue_attributes"): {"Attributes": {"ApproximateNumberOfMessages": "3"}}}),
        "3 of events",
    ),
}


@pytest.mark.parametrize(("check", "state", "deployment", "words"), CASES.values(), ids=CASES)
def test_each_fault_is_named_with_what_to_do(check: Check, state: State, deployment: Deployment, words: str) -> None:
    (found,) = [each for each in check(deployment) if each.state is not State.WELL][:1]
    assert (found.state, words in found.says) == (state, True), found
    assert found.mend


def test_every_check_has_a_case_in_which_it_finds_something() -> None:
    assert {check for check, *_ in CASES.values()} == set(CHECKS.values())


def test_rights_on_tables_are_simulated_with_the_key_of_a_message_that_belongs_to_no_run() -> None:
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
        assert [is_derived(value) for value in key["ContextKeyValues"]] == [True]


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


def test_a_domain_whose_mails_are_not_signed_is_wrong_and_an_address_needs_no_signing_of_its_own() -> None:
    unsigned = {"VerifiedForSendingStatus": True, "DkimAttributes": {"Status": "FAILED", "SigningEnabled": True}}

    def ask(_: str, __: str, asked: Mapping[str, Any]) -> Any:
        if asked["EmailIdentity"] != known:
            raise refused("NotFoundException")
        return unsigned

    judged = {}
    for known in ("shop.example", "hello@shop.example"):
        deployment = Deployment("shop", ARN, "", {}, {"EmailSender": "hello@shop.example"}, (), ask)
        judged[known] = states(email.identity(deployment))
    assert judged == {"shop.example": {State.WRONG}, "hello@shop.example": {State.WELL}}


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
    more = {**CHECKS, "moon": lambda _: [well("moon", "full")]}
    assert list(examine(a_deployment(), more))[-1].says == "full"


IAM_NAMES = {"sesv2": "ses", sms.SERVICE: "sms-voice", "pinpoint": "mobiletargeting"}
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
