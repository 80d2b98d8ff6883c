"""A new account may write to verified addresses only, and SES asks for rights on them, too."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from aws.local_cloud import ACCOUNT, REGION, LocalCloud
from aws.local_ses import entry, refusal, send, send_bulk

SUCCESS = "success@simulator.amazonses.com"
OWN = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/example.com"
ANY = f"arn:aws:ses:{REGION}:{ACCOUNT}:identity/*"


@pytest.fixture
def sandbox(local_cloud: LocalCloud) -> Iterator[LocalCloud]:
    """An account in the sandboxes of SES and SMS."""
    local_cloud.faults({"ses": {"sandbox": True}, "sms": {"sandbox": True}})
    yield local_cloud
    local_cloud.faults({})


def ses_of(cloud: LocalCloud, *resources: str) -> Any:
    """SES for somebody who may send from these resources."""
    name, iam = f"user-{uuid.uuid4().hex}", cloud.client("iam")
    iam.create_user(UserName=name)
    may = {"Effect": "Allow", "Action": ["ses:SendEmail", "ses:SendBulkEmail"], "Resource": list(resources)}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [may]})
    iam.put_user_policy(UserName=name, PolicyName="sends", PolicyDocument=policy)
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return cloud.client_of(key["AccessKeyId"], key["SecretAccessKey"], "sesv2")


def test_an_address_that_is_not_verified_is_rejected(sandbox: LocalCloud, ses: Any) -> None:
    refused = refusal(send, ses, f"{uuid.uuid4().hex}@example.net")
    assert refused["Error"]["Code"] == "MessageRejected"
    [result] = send_bulk(ses, entry(f"{uuid.uuid4().hex}@example.net"))
    assert result["Status"] == "MESSAGE_REJECTED"
    assert not ses.get_account()["ProductionAccessEnabled"]


def test_a_verified_address_and_the_simulator_get_their_mails(sandbox: LocalCloud, ses: Any) -> None:
    ses.create_email_identity(EmailIdentity="anna@example.net")
    assert send(ses, "anna@example.net")
    assert send(ses, SUCCESS)


def test_the_right_to_send_from_ones_own_identity_is_not_enough(sandbox: LocalCloud, ses: Any) -> None:
    refused = refusal(send, ses_of(sandbox, OWN), SUCCESS)
    assert refused["Error"]["Code"] == "AccessDeniedException"
    assert f"identity/{SUCCESS}" in refused["Error"]["Message"]
    assert send(ses_of(sandbox, ANY), SUCCESS)


def test_out_of_the_sandbox_it_is(local_cloud: LocalCloud, ses: Any) -> None:
    assert send(ses_of(local_cloud, OWN), SUCCESS)


def test_texts_go_to_the_simulator_only(sandbox: LocalCloud) -> None:
    sms = sandbox.client("pinpoint-sms-voice-v2")
    refused = refusal(sms.send_text_message, DestinationPhoneNumber="+12065550100", MessageBody="Hello")
    assert refused["Reason"] == "DESTINATION_PHONE_NUMBER_NOT_VERIFIED"
    assert sms.send_text_message(DestinationPhoneNumber="+14254147755", MessageBody="Hello", DryRun=True)
    [tier] = sms.describe_account_attributes()["AccountAttributes"]
    assert tier == {"Name": "ACCOUNT_TIER", "Value": "SANDBOX"}
