"""What the doctor finds wrong with push, and which device it writes to."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from doctor_builders import MAIL, Case, a_deployment, first_fault, refused
from heliograph.channels.push import doctor
from heliograph.operations.doctor.channel import Trying
from heliograph.operations.doctor.deployment import Deployment
from heliograph.operations.doctor.findings import Finding, State
from heliograph.operations.doctor.trials import Chosen, Trial

CASES = {
    "push without credentials": Case(
        doctor.credentials,
        State.NOTE,
        a_deployment(
            {
                ("pinpoint", "get_gcm_channel"): refused("NotFoundException"),
                ("pinpoint", "get_apns_channel"): refused("NotFoundException"),
            }
        ),
        "no credentials",
    ),
    "the old key of Firebase": Case(
        doctor.credentials,
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
    "a platform that SNS has disabled": Case(
        doctor.credentials,
        State.WRONG,
        a_deployment(
            {("sns", "get_platform_application_attributes"): {"Attributes": {"Enabled": "false"}}},
            PushProvider="sns",
            PushPlatformApplications='{"gcm": "arn:aws:sns:eu-west-1:1:app/GCM/shop"}',
        ),
        "gcm",
    ),
    "no platform": Case(doctor.credentials, State.NOTE, a_deployment(PushProvider="sns"), "empty"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_fault_is_named_with_what_to_do(case: Case) -> None:
    found = first_fault(case)
    assert (found.state, case.words in found.says) == (case.state, True), found
    assert found.mend


def test_every_check_has_a_case_in_which_it_finds_something() -> None:
    assert {case.check for case in CASES.values()} == set(doctor.DOCTOR.checks.values())


def tried(deployment: Deployment, message: Chosen | None = MAIL) -> Trial | Finding:
    (found,) = doctor.trials(Trying(deployment, message, None, "1", datetime(2026, 11, 24, 9, tzinfo=UTC)))
    return found


def test_nobody_real_is_written_to() -> None:
    found = tried(a_deployment())
    assert isinstance(found, Trial)
    assert found.profile.keys() & {"email", "phone", "devices"} == {"devices"}
    assert found.profile["devices"] == [doctor.DEAD_DEVICE]


@pytest.mark.parametrize(
    ("deployment", "message"),
    [(a_deployment(PushProvider="none"), MAIL), (a_deployment(), None)],
    ids=["push is not set up", "no message goes by it"],
)
def test_what_is_left_out_is_said(deployment: Deployment, message: Chosen | None) -> None:
    found = tried(deployment, message)
    assert isinstance(found, Finding)
    assert found.state is State.NOTE
