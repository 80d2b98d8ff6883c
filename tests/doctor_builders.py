"""A deployment as AWS tells the doctor of it: all is well, but for what a test says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from heliograph.channels.email.doctor import NEEDED
from heliograph.channels.sms.doctor import SERVICE, TEXT_LIMIT
from heliograph.operations.doctor.channel import Check
from heliograph.operations.doctor.deployment import Deployment, Resource
from heliograph.operations.doctor.findings import Finding, State
from heliograph.operations.doctor.trials import Chosen

ARN = "arn:aws:cloudformation:eu-west-1:111122223333:stack/shop/1"
ROLE = "arn:aws:iam::111122223333:role/plan"
FUNCTION = "arn:aws:lambda:eu-west-1:111122223333:function:shop-plan"
QUEUE = "arn:aws:sqs:eu-west-1:111122223333:shop-requests-bulk"
LETTERS = "https://sqs.eu-west-1.amazonaws.com/111122223333/shop-events-dead-letters"
TOPIC = "arn:aws:sns:eu-west-1:111122223333:shop-alarms"
APPLICATION = "c0ffee"
MAIL = Chosen(name="receipt", topic="orders", channels=("email",), data={"id": "A-1"}, attributes={"first_name": "Mia"})

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
DESTINATION = {"Enabled": True, "EventBridgeDestination": {}, "MatchingEventTypes": sorted(NEEDED)}
TEXTS = {"Enabled": True, "SnsDestination": {}, "MatchingEventTypes": ["TEXT_ALL"]}
ALARM = {"AlarmName": "shop-awaiting-approval", "StateValue": "OK", "ActionsEnabled": True}
QUOTA = {"Max24HourSend": 50_000.0, "MaxSendRate": 14.0, "SentLast24Hours": 10.0}
PARAMETERS = {
    "Channels": "email,sms,push",
    "EmailSender": "Shop <hello@shop.example>",
    "SmsOriginationIdentity": "SHOP",
}
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
    ("firehose", "describe_delivery_stream"): {"DeliveryStreamDescription": {"DeliveryStreamStatus": "ACTIVE"}},
    (SERVICE, "describe_account_attributes"): {"AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": "PRODUCTION"}]},
    (SERVICE, "describe_spend_limits"): {"SpendLimits": [{"Name": TEXT_LIMIT, "EnforcedLimit": 100}]},
    (SERVICE, "describe_phone_numbers"): {"PhoneNumbers": [{"PhoneNumberId": "phone-1", "Status": "ACTIVE"}]},
    (SERVICE, "describe_pools"): {"Pools": []},
    (SERVICE, "describe_sender_ids"): {"SenderIds": [{"SenderId": "SHOP"}]},
    (SERVICE, "describe_configuration_sets"): {
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
        "AWS::KinesisFirehose::DeliveryStream": "shop-email",
        "AWS::SMSVOICE::ConfigurationSet": "shop",
        "AWS::Pinpoint::App": APPLICATION,
        "AWS::Scheduler::ScheduleGroup": "shop",
    }
    tables = {name: f"shop-{name.lower()}" for name in ("RecipientsTable", "LedgerTable", "RunsTable")}
    return Deployment(
        stack="shop",
        arn=ARN,
        status=status,
        outputs={"AlarmTopic": TOPIC, "BucketName": "shop-bucket", **tables},
        parameters={**PARAMETERS, **parameters},
        resources=tuple(Resource(kind, kind, name, "CREATE_COMPLETE") for kind, name in kinds.items()),
        ask=ask,
    )


def states(found: Iterable[Finding]) -> set[State]:
    return {each.state for each in found}


class Case(NamedTuple):
    """A fault, and the check that finds it."""

    check: Check
    state: State
    deployment: Deployment
    words: str


def first_fault(case: Case) -> Finding:
    """What the check says first that is not well."""
    return next(each for each in case.check(case.deployment) if each.state is not State.WELL)
