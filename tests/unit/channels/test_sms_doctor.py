"""What the doctor finds wrong with SMS, and what End User Messaging says of a text that is not sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from doctor_builders import Case, a_deployment, first_fault, refused
from heliograph.channels.sms import doctor
from heliograph.operations.doctor.channel import Trying
from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, State
from heliograph.operations.doctor.sending import plan
from wiring import ROOT, everywhere

SEND = (doctor.SERVICE, "send_text_message")

CASES = {
    "the sandbox of SMS": Case(
        doctor.account,
        State.NOTE,
        a_deployment(
            {
                (doctor.SERVICE, "describe_account_attributes"): {
                    "AccountAttributes": [{"Name": "ACCOUNT_TIER", "Value": "SANDBOX"}],
                },
            }
        ),
        "sandbox",
    ),
    "a dollar a month": Case(
        doctor.account,
        State.NOTE,
        a_deployment(
            {
                (doctor.SERVICE, "describe_spend_limits"): {
                    "SpendLimits": [{"Name": doctor.TEXT_LIMIT, "EnforcedLimit": 1}]
                },
            }
        ),
        "1 US dollar",
    ),
    "the sandbox of SNS": Case(
        doctor.account,
        State.NOTE,
        a_deployment({("sns", "get_sms_sandbox_account_status"): {"IsInSandbox": True}}, SmsProvider="sns"),
        "sandbox",
    ),
    "a dollar a month by SNS": Case(
        doctor.account,
        State.NOTE,
        a_deployment({("sns", "get_sms_attributes"): {}}, SmsProvider="sns"),
        "1 US dollar",
    ),
    "a sender of texts that does not exist": Case(
        doctor.identity,
        State.WRONG,
        a_deployment(SmsOriginationIdentity="pool-9"),
        "pool-9",
    ),
    "a number that is not registered yet": Case(
        doctor.identity,
        State.WRONG,
        a_deployment(
            {
                (doctor.SERVICE, "describe_phone_numbers"): {
                    "PhoneNumbers": [{"PhoneNumberId": "phone-1", "Status": "PENDING"}]
                },
            },
            SmsOriginationIdentity="phone-1",
        ),
        "PENDING",
    ),
    "no sender of texts at all": Case(
        doctor.identity,
        State.WRONG,
        a_deployment({(doctor.SERVICE, "describe_phone_numbers"): {}, (doctor.SERVICE, "describe_sender_ids"): {}}),
        "no number",
    ),
    "a sender of texts that AWS picks": Case(
        doctor.identity,
        State.NOTE,
        a_deployment(SmsOriginationIdentity=""),
        "AWS picks",
    ),
    "texts that are not reported": Case(
        doctor.events,
        State.WRONG,
        a_deployment(
            {
                (doctor.SERVICE, "describe_configuration_sets"): {
                    "ConfigurationSets": [{"ConfigurationSetName": "shop", "EventDestinations": []}],
                },
            }
        ),
        "reports nothing",
    ),
    "a number that nobody can opt out from": Case(
        doctor.replies,
        State.WRONG,
        a_deployment(
            {
                (doctor.SERVICE, "describe_phone_numbers"): {
                    "PhoneNumbers": [{"PhoneNumberId": "phone-1", "SelfManagedOptOutsEnabled": True}]
                },
            }
        ),
        "phone-1 takes no STOP",
    ),
    "texts by SNS": Case(doctor.events, State.NOTE, a_deployment(SmsProvider="sns"), "logs only"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_fault_is_named_with_what_to_do(case: Case) -> None:
    found = first_fault(case)
    assert (found.state, case.words in found.says) == (case.state, True), found
    assert found.mend


def test_every_check_has_a_case_in_which_it_finds_something() -> None:
    assert {case.check for case in CASES.values()} == set(doctor.DOCTOR.checks.values())


@pytest.mark.parametrize(("topic", "said"), [("shop_engagement_sms", "1 numbers"), ("others", "0 numbers")])
def test_what_people_write_comes_where_the_number_points(topic: str, said: str) -> None:
    deployment = a_deployment()
    number = {"PhoneNumberId": "phone-1", "TwoWayEnabled": True}
    number |= {"TwoWayChannelArn": deployment.resource_arn("sns", topic)}
    answers = {(doctor.SERVICE, "describe_phone_numbers"): {"PhoneNumbers": [number]}}
    (found,) = doctor.replies(a_deployment(answers))
    assert (found.state, said in found.says) == (State.WELL, True)
    assert not [*doctor.replies(a_deployment(answers, SmsProvider="sns"))]


def test_the_topic_that_numbers_should_point_at_is_that_of_the_template() -> None:
    (topic,) = everywhere("AWS::SNS::Topic").keys() & {"SmsEventsTopic"}
    name = everywhere("AWS::SNS::Topic")[topic]["TopicName"]["Fn::Sub"]
    deployment = a_deployment()
    number = {
        "TwoWayEnabled": True,
        "TwoWayChannelArn": deployment.resource_arn("sns", name.replace("${StackName}", "shop")),
    }
    (found,) = doctor.replies(a_deployment({(doctor.SERVICE, "describe_pools"): {"Pools": [number]}}))
    assert "1 numbers" in found.says
    assert f":heliograph{name.removeprefix('${StackName}')}'" in (ROOT / "docs/deploy.md").read_text()


def tried(deployment: Deployment, simulator: str = doctor.SIMULATED_PHONE) -> Finding:
    (found,) = doctor.dry_run(Trying(deployment, None, None, "1", datetime(2026, 11, 24, 9, tzinfo=UTC), simulator))
    return found


@pytest.mark.parametrize(
    ("simulators", "asked_of"), [({}, doctor.SIMULATED_PHONE), ({"sms": "+447700900000"}, "+447700900000")]
)
def test_no_text_is_sent_and_a_simulator_is_asked_about(simulators: dict[str, str], asked_of: str) -> None:
    """Its own, unless the operator names another."""
    asked: list[Mapping[str, Any]] = []

    def ask(*call: Any) -> Any:
        asked.append(call[-1])

    deployment = replace(a_deployment(Channels="sms"), ask=ask)
    now = datetime(2026, 11, 24, 9, tzinfo=UTC)
    (found,) = plan(deployment, lambda **_: None, stamp="1", now=now, simulators=simulators)
    assert isinstance(found, Finding)
    assert found.state is State.WELL
    assert [(each["DryRun"], each["DestinationPhoneNumber"]) for each in asked] == [(True, asked_of)]


def test_a_text_that_would_be_refused_is_told_with_its_reason() -> None:
    error = {"Error": {"Code": "ConflictException"}, "Reason": "DESTINATION_COUNTRY_BLOCKED"}
    found = tried(a_deployment({SEND: ClientError(error, "SendTextMessage")}))  # type: ignore[arg-type]
    assert found.state is State.WRONG
    assert "DESTINATION_COUNTRY_BLOCKED" in found.says


def test_a_refusal_without_a_reason_is_none_of_the_text() -> None:
    with pytest.raises(ClientError):
        tried(a_deployment({SEND: refused("AccessDeniedException", "SendTextMessage")}))


def test_sns_knows_no_dry_run() -> None:
    assert tried(a_deployment(SmsProvider="sns")).state is State.NOTE
