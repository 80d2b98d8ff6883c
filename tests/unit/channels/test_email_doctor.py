"""What the doctor finds wrong with email, and whom it writes to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from doctor_builders import ARN, DESTINATION, MAIL, QUOTA, WELL, Case, a_deployment, first_fault, refused, states
from heliograph.channels.email import doctor
from heliograph.operations.doctor.channel import Trying
from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, State
from heliograph.operations.doctor.trials import Trial

NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)

CASES = {
    "SES that is paused": Case(
        doctor.account,
        State.WRONG,
        a_deployment({("sesv2", "get_account"): WELL["sesv2", "get_account"] | {"SendingEnabled": False}}),
        "paused",
    ),
    "a bad reputation": Case(
        doctor.account,
        State.WRONG,
        a_deployment({("sesv2", "get_account"): WELL["sesv2", "get_account"] | {"EnforcementStatus": "PROBATION"}}),
        "PROBATION",
    ),
    "the sandbox of SES": Case(
        doctor.account,
        State.NOTE,
        a_deployment({("sesv2", "get_account"): WELL["sesv2", "get_account"] | {"ProductionAccessEnabled": False}}),
        "sandbox",
    ),
    "a day's quota that is used up": Case(
        doctor.account,
        State.NOTE,
        a_deployment(
            {
                ("sesv2", "get_account"): WELL["sesv2", "get_account"]
                | {"SendQuota": QUOTA | {"SentLast24Hours": 46_000.0}},
            }
        ),
        "46,000",
    ),
    "a sender that SES does not know": Case(
        doctor.identity,
        State.WRONG,
        a_deployment({("sesv2", "get_email_identity"): refused("NotFoundException")}),
        "does not know",
    ),
    "a domain that is not verified": Case(
        doctor.identity,
        State.WRONG,
        a_deployment({("sesv2", "get_email_identity"): {"VerifiedForSendingStatus": False}}),
        "not verified",
    ),
    "events that are not reported": Case(
        doctor.events,
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
    "a stream that takes nothing": Case(
        doctor.collected,
        State.WRONG,
        a_deployment(
            {
                ("firehose", "describe_delivery_stream"): {
                    "DeliveryStreamDescription": {"DeliveryStreamStatus": "CREATING_FAILED"}
                },
            }
        ),
        "CREATING_FAILED",
    ),
    "an event destination that is off": Case(
        doctor.events,
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
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_fault_is_named_with_what_to_do(case: Case) -> None:
    found = first_fault(case)
    assert (found.state, case.words in found.says) == (case.state, True), found
    assert found.mend


def test_events_are_reported_by_the_minute_and_at_once_together() -> None:
    by_the_minute = {"Enabled": True, "KinesisFirehoseDestination": {}, "MatchingEventTypes": ["SEND", "DELIVERY"]}
    ahead = DESTINATION | {"MatchingEventTypes": sorted(doctor.NEEDED - {"SEND", "DELIVERY"})}
    answer = {("sesv2", "get_configuration_set_event_destinations"): {"EventDestinations": [by_the_minute, ahead]}}
    assert states(doctor.events(a_deployment(answer))) == {State.WELL}


def test_every_check_has_a_case_in_which_it_finds_something() -> None:
    assert {case.check for case in CASES.values()} == set(doctor.DOCTOR.checks.values())


def test_a_domain_whose_mails_are_not_signed_is_wrong_and_an_address_needs_no_signing_of_its_own() -> None:
    unsigned = {"VerifiedForSendingStatus": True, "DkimAttributes": {"Status": "FAILED", "SigningEnabled": True}}

    def ask(_: str, __: str, asked: Mapping[str, Any]) -> Any:
        if asked["EmailIdentity"] != known:
            raise refused("NotFoundException")
        return unsigned

    judged = {}
    for known in ("shop.example", "hello@shop.example"):
        deployment = Deployment("shop", ARN, "", {}, {"EmailSender": "hello@shop.example"}, (), ask)
        judged[known] = states(doctor.identity(deployment))
    assert judged == {"shop.example": {State.WRONG}, "hello@shop.example": {State.WELL}}


def tried(**what: Any) -> list[Trial | Finding]:
    known = {"transactional": MAIL, "promotional": MAIL, "stamp": "1", "now": NOW}
    return list(doctor.trials(Trying(a_deployment(), **{**known, **what})))


def planned() -> list[Trial]:
    return [each for each in tried() if isinstance(each, Trial)]


def test_nobody_real_is_written_to() -> None:
    assert planned()
    for each in planned():
        assert each.profile.keys() & {"email", "phone", "devices"} == {"email"}
        assert str(each.profile["email"]).endswith(f"@{doctor.SIMULATOR}")


def test_each_person_has_an_address_of_their_own_so_that_a_bounce_suppresses_nobody_else() -> None:
    mailed = [each.profile["email"] for each in planned()]
    assert len(mailed) == len(set(mailed))


def test_three_are_sent_to_by_a_campaign() -> None:
    assert sum(each.by_campaign for each in planned()) == doctor.IN_THE_CAMPAIGN == 3


def test_what_is_left_out_is_said() -> None:
    found = [each for each in tried(transactional=None, promotional=None) if isinstance(each, Finding)]
    assert [(each.check, each.state) for each in found] == [
        ("send: email", State.WRONG),
        ("send: scheduled", State.NOTE),
    ]


def test_addresses_are_taken_off_the_list_of_ses_whether_or_not_they_are_on_it() -> None:
    asked: list[str] = []

    def ask(_: str, operation: str, told: Mapping[str, Any]) -> Any:
        asked.append(told["EmailAddress"])
        raise refused("NotFoundException", operation)

    doctor.unlist(Deployment("shop", ARN, "", {}, {}, (), ask), planned())
    assert asked == [each.profile["email"] for each in planned()]


def test_an_address_that_may_not_be_taken_off_is_told() -> None:
    answers = {("sesv2", "delete_suppressed_destination"): refused("AccessDeniedException")}
    with pytest.raises(ClientError):
        doctor.unlist(a_deployment(answers), planned())
